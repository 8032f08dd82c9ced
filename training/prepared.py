"""What a fold's preparation has learned: kept for the next candidate, a few numbers a feature."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tideline.features.imputation import RangeImputer
from training.candidate import Step

Positions = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Prepared:
    """Columns, and what stands in for their missing values.

    Attributes
    ----------
    columns : intp array of shape (n_selected,)
    imputer
        Fitted, of these columns.
    """

    columns: Positions
    imputer: RangeImputer

    @classmethod
    def fitted(cls, steps: Sequence[Step], X: NDArray[np.float32], y: NDArray[Any]) -> Self:
        """Fit the steps of `training.candidate.preparation`.

        Parameters
        ----------
        X : float32 array of shape (n_cases, n_features)
        y : array of shape (n_cases,)
        """
        named = dict(steps)
        imputer = named["impute"].fit(X)
        columns = np.arange(X.shape[1], dtype=np.intp)
        if "relevance" in named:
            selection = named["relevance"].fit(imputer.transform(X), y)
            columns = selection.get_support(indices=True).astype(np.intp)
        return cls(columns, imputer.narrowed(columns))

    @classmethod
    def read(cls, place: Path) -> Self:
        """Read what `write` wrote."""
        imputer = RangeImputer()
        with np.load(place) as kept:
            columns = kept["columns"]
            imputer.median_, imputer.maximum_ = kept["median"], kept["maximum"]
            imputer.minimum_ = kept["minimum"]
        imputer.n_features_in_ = columns.size
        return cls(columns, imputer)

    def write(self, place: Path) -> None:
        """Write it under its name once it is there as a whole: two workers may do the same."""
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = place.with_name(f"{uuid.uuid4().hex}.npz")
        np.savez(
            draft,
            columns=self.columns,
            median=self.imputer.median_,
            maximum=self.imputer.maximum_,
            minimum=self.imputer.minimum_,
        )
        draft.replace(place)

    def of(self, matrix: NDArray[np.float32], cases: Positions) -> NDArray[np.float32]:
        """Return the prepared features of some cases.

        Parameters
        ----------
        matrix : float32 array of shape (n_all_cases, n_features)
            May be mapped; what is returned is a copy.
        cases : intp array of shape (n_cases,)

        Returns
        -------
        float32 array of shape (n_cases, n_selected)
        """
        whole = self.columns.size == matrix.shape[1]
        X: NDArray[np.float32] = matrix[cases] if whole else matrix[np.ix_(cases, self.columns)]
        self.imputer.fill(X)
        return X
