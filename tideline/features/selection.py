"""Selection: which features have anything to do with the labels."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2, false_discovery_control, rankdata
from scipy.stats import t as student_t
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from tideline.labels import Task
from tideline.panel import FloatArray


class RelevanceSelection(SelectorMixin, BaseEstimator):  # type: ignore[misc]  # no types
    """Keep the features that depend on the labels, and never only a few of them.

    Each feature is tested by ranks against the labels: Kruskal and Wallis (1952) for classes,
    Spearman (1904) for numbers. Those that Benjamini and Yekutieli (2001) let pass are kept, as
    FRESH does (Christ et al. 2018). On small samples that filter lets nothing through at all
    (tsfresh with FRESH scores .497 on ECGFiveDays), so the `min_features` most relevant stay
    whatever the test says. Constant features go.

    Parameters
    ----------
    fdr_level : float
        The share of irrelevant features that may be among those that pass.
    min_features : int
        How many stay at least, where there are as many that are not constant.
    task : {"classification", "regression"}

    Attributes
    ----------
    p_values_, statistics_ : float64 array of shape (n_features,)
        1 and 0 for a constant feature.
    support_ : bool array of shape (n_features,)
    """

    def __init__(
        self,
        fdr_level: float = 0.05,
        min_features: int = 100,
        task: Task = "classification",
    ) -> None:
        self.fdr_level = fdr_level
        self.min_features = min_features
        self.task = task

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Test every feature.

        Parameters
        ----------
        X : array of shape (n_cases, n_features)
            Finite.
        y : array of shape (n_cases,)
            Class codes, or numbers for regression.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=self.task == "regression")
        X = np.asarray(X)
        varying = np.ptp(X, axis=0) > 0
        self.p_values_ = np.ones(X.shape[1])
        self.statistics_ = np.zeros(X.shape[1])
        if varying.any():
            test = _kruskal_wallis if self.task == "classification" else _spearman
            ranks = rankdata(X[:, varying], axis=0)
            self.statistics_[varying], self.p_values_[varying] = test(ranks, np.asarray(y))
        self.support_ = self._support(varying)
        return self

    def _support(self, varying: NDArray[np.bool_]) -> NDArray[np.bool_]:
        support = np.zeros(varying.size, dtype=bool)
        if not varying.any():
            # No estimator takes a matrix without columns; this one says nothing, and says so.
            support[0] = True
            return support
        adjusted = false_discovery_control(self.p_values_[varying], method="by")
        support[varying] = adjusted <= self.fdr_level
        # By the statistic and not by the p-value: among the strongest that is 0 for many.
        foremost = np.argsort(-np.where(varying, self.statistics_, -1.0), kind="stable")
        support[foremost[: min(max(self.min_features, 1), int(varying.sum()))]] = True
        return support

    def _get_support_mask(self) -> NDArray[np.bool_]:
        check_is_fitted(self, "support_")
        return self.support_

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def _kruskal_wallis(ranks: FloatArray, y: NDArray[Any]) -> tuple[FloatArray, FloatArray]:
    """Return H, corrected for ties, and its p-value, for each column of ranks."""
    classes, codes = np.unique(y, return_inverse=True)
    if classes.size < 2:
        return np.zeros(ranks.shape[1]), np.ones(ranks.shape[1])
    members = np.eye(classes.size)[codes]
    sizes = members.sum(axis=0)
    centred = ranks - ranks.mean(axis=0)
    between = ((members.T @ centred) ** 2 / sizes[:, np.newaxis]).sum(axis=0)
    h = (ranks.shape[0] - 1) * between / (centred**2).sum(axis=0)
    return h, chi2.sf(h, classes.size - 1)


def _spearman(ranks: FloatArray, y: NDArray[Any]) -> tuple[FloatArray, FloatArray]:
    """Return the absolute rank correlation, and its two-sided p-value, for each column."""
    target = rankdata(y)
    target = target - target.mean()
    centred = ranks - ranks.mean(axis=0)
    norm = np.sqrt((centred**2).sum(axis=0) * (target**2).sum())
    freedom = ranks.shape[0] - 2
    if freedom < 1 or not target.any():
        return np.zeros(ranks.shape[1]), np.ones(ranks.shape[1])
    rho = np.minimum(np.abs(target @ centred) / norm, 1.0)
    with np.errstate(divide="ignore"):
        score = rho * np.sqrt(freedom / (1.0 - rho**2))
    return rho, 2.0 * student_t.sf(score, freedom)
