"""One number to raise: a metric by scikit-learn's name, of answers that are known already."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import get_scorer

from training.evaluation import SMALLEST_PROBABILITY, measure
from training.fold import as_prediction
from training.task import Target

TIE_BREAK = 1e-3
"""The weight of the log-loss, or of 1 where it is more, beside the metric: on small panels many
pipelines share a score, and no more than such a tie is to be decided."""

OWN_METRICS = {
    "accuracy": ("accuracy", 1),
    "roc_auc": ("roc_auc", 1),
    "roc_auc_ovr": ("roc_auc", 1),
    "neg_log_loss": ("log_loss", -1),
    "r2": ("r2", 1),
    "neg_mean_absolute_error": ("mae", -1),
    "neg_root_mean_squared_error": ("rmse", -1),
}
"""The metrics that are measured in any case, which also work where there are no probabilities."""

OF_PROBABILITIES = frozenset(
    {
        "average_precision",
        "neg_brier_score",
        "neg_log_loss",
        "roc_auc",
        "roc_auc_ovo",
        "roc_auc_ovo_weighted",
        "roc_auc_ovr",
        "roc_auc_ovr_weighted",
    }
)
"""The metrics that judge how sure a classifier is; the others judge the classes that it answers."""


def default_metric(target: Target, tested: Iterable[NDArray[np.intp]] = ()) -> str:
    """Return what the search raises when the spec names nothing.

    Parameters
    ----------
    tested
        The cases that each comparison is made on. In the order of time some may be of one class
        only, of which there is no area under a curve.
    """
    if target.task == "regression":
        return "r2"
    both = all(np.unique(target.y[cases]).size == target.n_classes for cases in tested)
    return "roc_auc" if target.n_classes == 2 and both else "neg_log_loss"


@dataclass(frozen=True)
class Score:
    """How good some answers are.

    Attributes
    ----------
    value : float
        The metric; larger is better.
    rank : float
        One number to rank by: the value, less a little of the log-loss.
    metrics : mapping of metric to value
        Every metric of the task that is defined on these cases.
    """

    value: float
    rank: float
    metrics: dict[str, float]


def score_of(metric: str, target: Target, y: NDArray[Any], answers: NDArray[Any]) -> Score:
    """Score some answers.

    Parameters
    ----------
    metric
        Under scikit-learn's name.
    target
        Tells the task and the classes.
    y : array of shape (n_cases,)
    answers : array of shape (n_cases, n_classes), or (n_cases, 1) for regression

    Raises
    ------
    ValueError
        When the metric is no finite number: it could not be compared.
    """
    value, rank = ranked(metric, target, y, answers)
    return Score(value, rank, measure(target, y, as_prediction(answers, target)))


def ranked(
    metric: str, target: Target, y: NDArray[Any], answers: NDArray[Any]
) -> tuple[float, float]:
    """Return value and rank alone, quickly; see `score_of`."""
    wide = answers.astype(np.float64)
    loss = 0.0
    if target.n_classes:
        # For the loss alone: answers that are equal remain equal for whatever ranks them.
        told = np.clip(wide, SMALLEST_PROBABILITY, 1.0)
        loss = float(-np.log(told[np.arange(y.size), y] / told.sum(axis=1)).mean())
    own = _OWN.get(metric)
    value = -loss if metric == "neg_log_loss" else None
    if value is None and own is not None:
        value = own(y, wide)
    if value is None:
        value = _by_scorer(metric, target, y, wide)
    if not math.isfinite(value):
        raise ValueError(f"its {metric} is {value}; a finite number is needed to compare")
    return value, value - TIE_BREAK * min(loss, 1.0)


def _area(y: NDArray[Any], answers: NDArray[np.float64]) -> float:
    """Return the area under the ROC curve; over more than two classes, of each against the rest."""
    classes = range(answers.shape[1])
    if answers.shape[1] == 2:
        classes = range(1, 2)
    return float(np.mean([_area_of(y == c, answers[:, c]) for c in classes]))


def _area_of(positive: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    n_positive = int(positive.sum())
    pairs = n_positive * (positive.size - n_positive)
    if not pairs:
        return math.nan
    above = rankdata(scores)[positive].sum() - n_positive * (n_positive + 1) / 2
    return float(above / pairs)


def _r2(y: NDArray[Any], answers: NDArray[np.float64]) -> float:
    spread = float(np.var(y))
    return 1.0 - float(np.mean((answers[:, 0] - y) ** 2)) / spread if spread else math.nan


_OWN: Mapping[str, Callable[[NDArray[Any], NDArray[np.float64]], float]] = {
    "accuracy": lambda y, answers: float((answers.argmax(axis=1) == y).mean()),
    "roc_auc": _area,
    "roc_auc_ovr": _area,
    "r2": _r2,
    "neg_mean_absolute_error": lambda y, a: -float(np.abs(a[:, 0] - y).mean()),
    "neg_root_mean_squared_error": lambda y, a: -float(np.sqrt(((a[:, 0] - y) ** 2).mean())),
}
"""Metrics that are computed thousands of times in a choice; equal to scikit-learn's."""


def _by_scorer(metric: str, target: Target, y: NDArray[Any], answers: NDArray[Any]) -> float:
    model = _AnsweredNumbers() if target.task == "regression" else _AnsweredClasses(target)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(get_scorer(metric)(model, answers.astype(np.float64), y))


class _AnsweredClasses(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # no types
    """A classifier whose features are its answers, so that scikit-learn's scorers take them."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.classes_ = np.arange(target.n_classes)

    def fit(self, X: object, y: object = None) -> Self:  # noqa: ARG002 - scikit-learn's form
        return self

    def predict_proba(self, X: NDArray[Any]) -> NDArray[Any]:
        return X

    def predict(self, X: NDArray[Any]) -> NDArray[Any]:
        codes: NDArray[Any] = X.argmax(axis=1)
        return codes


class _AnsweredNumbers(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # as above
    """The same for values."""

    def fit(self, X: object, y: object = None) -> Self:  # noqa: ARG002 - as above
        return self

    def predict(self, X: NDArray[Any]) -> NDArray[Any]:
        values: NDArray[Any] = X[:, 0]
        return values
