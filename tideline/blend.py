"""The blend: several fitted members, each on columns of its own, that answer together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, is_classifier
from sklearn.pipeline import Pipeline as Steps
from sklearn.utils import Tags
from sklearn.utils.metaestimators import available_if

from tideline.answers import last_of, narrowed, probabilities_of, transformed, values_of
from tideline.panel import FloatArray

Columns = NDArray[np.intp] | slice
"""Where the columns of a member are; a slice has a start, a stop and no step."""

Member = tuple[Columns, Steps]

SPREAD = 1e-3
"""The share of every answer that is spread over all classes before a power is taken of it.

A forest that answers 0 has found no tree that says otherwise, and a linear discriminant is sure
beyond any count of cases; no power could make a 0 more probable."""


def _of_classes(blend: Blend) -> bool:
    return blend.is_classifier


class Blend(BaseEstimator):  # type: ignore[misc]  # sklearn has no types
    """The weighted mean of what fitted members answer.

    It is made of fitted members, and needs no fit of its own; `fit` fits the members themselves, as
    scikit-learn's `Pipeline` does its steps.

    Parameters
    ----------
    members : sequence of (columns, sklearn.pipeline.Pipeline)
        The columns are intp positions, or a slice, of the table that the blend is asked with.
        The steps are for those; all are classifiers, with classes coded 0, 1, 2, ..., or all
        are regressors.
    weights : sequence of float
        One a member, 0 or more and not all 0; they need not sum to one.
    n_features : int or None
        The columns of the table; None for as many as the members reach.
    sharpness : float
        The power that the mean probabilities, of which `SPREAD` is spread over all classes, are
        raised to before they are made to sum to one again: above 1 they become surer, below 1
        less so (Guo et al. 2017 call its inverse the temperature). Values are left as they are.

    Raises
    ------
    ValueError
        When asked: where weights or columns are not as above.
    """

    def __init__(
        self,
        members: Sequence[Member],
        weights: Sequence[float],
        n_features: int | None = None,
        sharpness: float = 1.0,
    ) -> None:
        self.members = members
        self.weights = weights
        self.n_features = n_features
        self.sharpness = sharpness

    @property
    def is_classifier(self) -> bool:
        """Whether the members predict classes."""
        return bool(is_classifier(self.models[0]))

    @property
    def models(self) -> tuple[Any, ...]:
        """The last step of each member."""
        return tuple(last_of(steps) for _, steps in self.members)

    @property
    def classes_(self) -> NDArray[np.intp]:
        """The codes of the classes that any member has seen, in order."""
        if not self.is_classifier:
            raise AttributeError("a blend of regressors has no classes_")
        return np.unique(np.concatenate([np.asarray(m.classes_, np.intp) for m in self.models]))

    @property
    def has_probabilities(self) -> bool:
        """Whether every member has probabilities of its own."""
        return all(hasattr(model, "predict_proba") for model in self.models)

    @property
    def n_features_in_(self) -> int:
        """The columns of the table."""
        if self.n_features is not None:
            return self.n_features
        return max(_reach(columns) for columns, _ in self.members)

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit every member on its columns.

        Parameters
        ----------
        X : array of shape (n_cases, n_features)
        y : array of shape (n_cases,)
        """
        table = np.asarray(X)
        for columns, steps in self.members:
            steps.fit(table[:, columns], y)
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        # What the members are, so that scikit-learn's scorers ask for probabilities where they may.
        tags.estimator_type = "classifier" if self.is_classifier else "regressor"
        return tags

    @available_if(_of_classes)  # type: ignore[untyped-decorator]  # sklearn has no types
    def predict_proba(self, X: ArrayLike) -> FloatArray:
        """Return the mean probabilities, float64 of shape (n_cases, n_classes).

        Parameters
        ----------
        X : array of shape (n_cases, n_features)
        """
        table, shares = self._asked(X)
        seen = self.classes_
        total = np.zeros((len(table), int(seen[-1]) + 1))
        for (columns, steps), share in zip(self.members, shares, strict=True):
            features = transformed(steps, table[:, columns])
            total += share * probabilities_of(last_of(steps), features, total.shape[1])
        return sharpened(total[:, seen], self.sharpness)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable class, or the mean value, shape (n_cases,).

        Parameters
        ----------
        X : array of shape (n_cases, n_features)
        """
        if self.is_classifier:
            answers: NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
            return answers
        table, shares = self._asked(X)
        total = np.zeros(len(table))
        for (columns, steps), share in zip(self.members, shares, strict=True):
            features = transformed(steps, table[:, columns])
            total += share * values_of(last_of(steps), features)
        return total

    def narrowed(self) -> tuple[NDArray[np.intp], Blend]:
        """Return the blend without the columns that no member takes.

        Selections that follow a member's imputer directly become its choice of columns.

        Returns
        -------
        intp array of shape (n_used,), and the blend on those columns of the table
        """
        chosen = []
        for columns, steps in self.members:
            own = np.arange(self.n_features_in_)[columns]
            support, narrow = narrowed(steps, own.size)
            chosen.append((own[support], narrow))
        used = np.unique(np.concatenate([own for own, _ in chosen]))
        members = [(_compact(np.searchsorted(used, own)), steps) for own, steps in chosen]
        return used, Blend(members, self.weights, used.size, self.sharpness)

    def _asked(self, X: ArrayLike) -> tuple[FloatArray, FloatArray]:
        table = np.asarray(X)
        if table.ndim != 2 or table.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has shape {table.shape}, but Blend is expecting {self.n_features_in_} "
                f"features as input, (n_cases, {self.n_features_in_})"
            )
        reach = max(_reach(columns) for columns, _ in self.members)
        if reach > self.n_features_in_:
            raise ValueError(
                f"members take columns up to {reach}; {self.n_features_in_} are all there are"
            )
        weights = np.asarray(self.weights, dtype=np.float64)
        proper = weights.shape == (len(self.members),) and (weights >= 0).all()
        if not proper or not 0 < weights.sum() < np.inf:
            raise ValueError(
                f"weights are {self.weights!r}; a number of 0 or more for each of "
                f"{len(self.members)} members is expected, and one above 0"
            )
        return table, weights / weights.sum()


def sharpened(probabilities: FloatArray, sharpness: float) -> FloatArray:
    """Return probabilities raised to a power, each row summing to one.

    Of each row `SPREAD` is spread over the classes first; which is more probable than which stays.
    With a power of 1 they are left as they are.

    Parameters
    ----------
    probabilities : float64 array of shape (n_cases, n_classes)
    """
    if sharpness == 1.0:
        return probabilities
    spread = (1 - SPREAD) * probabilities + SPREAD / probabilities.shape[1]
    # Beside the largest of its row, so that no power of all of them is zero.
    powers = (spread / spread.max(axis=1, keepdims=True)) ** sharpness
    proper: FloatArray = powers / powers.sum(axis=1, keepdims=True)
    return proper


def _reach(columns: Columns) -> int:
    return int(columns.stop if isinstance(columns, slice) else np.max(columns) + 1)


def _compact(columns: NDArray[np.intp]) -> Columns:
    """Return a slice where the columns follow each other, of which no copy is made."""
    if columns.size and (np.diff(columns) == 1).all():
        return slice(int(columns[0]), int(columns[-1]) + 1)
    return columns
