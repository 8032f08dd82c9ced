"""Imputation: what stands in for a feature that could not be computed."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from tideline.panel import FloatArray

LARGEST = float(np.finfo(np.float32).max)
"""Trees compute in float32, where anything larger is infinite, and refused."""


class RangeImputer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]  # sklearn has no types
    """Replace what is not finite by what the column held in training.

    The rule of `tsfresh.utilities.dataframe_functions.impute`, with the values fixed by `fit`:
    NaN becomes the column's median, +inf its maximum, -inf its minimum, each over finite values;
    a column without any becomes 0. Numbers beyond the range of float32 are drawn in to it.

    Attributes
    ----------
    median_, maximum_, minimum_ : float64 array of shape (n_features,)
    """

    def fit(self, X: ArrayLike, y: object = None) -> Self:  # noqa: ARG002 - scikit-learn's form
        """Learn the values that stand in.

        Parameters
        ----------
        X : array of shape (n_cases, n_features)
        """
        found = np.asarray(validate_data(self, X, dtype=np.float64, ensure_all_finite=False))
        known = np.where(np.isfinite(found), np.clip(found, -LARGEST, LARGEST), np.nan)
        known[:, np.isnan(known).all(axis=0)] = 0.0
        self.median_ = np.nanmedian(known, axis=0)
        self.maximum_ = np.nanmax(known, axis=0)
        self.minimum_ = np.nanmin(known, axis=0)
        return self

    def transform(self, X: ArrayLike) -> FloatArray:
        """Return a finite copy.

        Parameters
        ----------
        X : array of shape (n_cases, n_features)

        Returns
        -------
        float64 array of shape (n_cases, n_features)

        Raises
        ------
        ValueError
            When X has another number of dimensions, or of columns than in training.
        """
        check_is_fitted(self, "median_")
        out: FloatArray = np.array(X, dtype=np.float64)
        self._require_columns(out)
        self.fill(out)
        return out

    def fill(self, X: NDArray[np.floating[Any]]) -> None:
        """Do the same in place.

        Parameters
        ----------
        X : float array of shape (n_cases, n_features)
        """
        if not np.isfinite(X).all():
            for strange, values in (
                (np.isnan(X), self.median_),
                (np.isposinf(X), self.maximum_),
                (np.isneginf(X), self.minimum_),
            ):
                np.copyto(X, values.astype(X.dtype), where=strange)
        np.clip(X, -LARGEST, LARGEST, out=X)

    def _require_columns(self, X: FloatArray) -> None:
        # Not by validate_data, which takes five times as long as all else for one row.
        if X.ndim != 2:
            raise ValueError(
                f"shape {X.shape} found, (n_cases, {self.median_.size}) expected. Reshape your "
                "data: X.reshape(1, -1) where it is one case."
            )
        if X.shape[1] != self.median_.size:
            raise ValueError(
                f"X has {X.shape[1]} features, but {type(self).__name__} is expecting "
                f"{self.median_.size} features as input."
            )

    def narrowed(self, support: NDArray[np.bool_] | NDArray[np.intp]) -> RangeImputer:
        """Return the fitted imputer of some of the columns."""
        narrow = RangeImputer()
        for attribute in ("median_", "maximum_", "minimum_"):
            setattr(narrow, attribute, getattr(self, attribute)[support])
        narrow.n_features_in_ = narrow.median_.size
        return narrow

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
