"""The feature matrix on disk, which every worker maps and none copies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


@dataclass(frozen=True)
class Table:
    """Some families of features of the same cases.

    Attributes
    ----------
    files : mapping of family to path
        A `.npy` file each: float32 array of shape (n_cases, n_features of the family).
    """

    files: Mapping[str, str]

    def matrix(self, family: str) -> FloatArray:
        """Return a family's features of all cases, read-only, mapped."""
        return _mapped(self.files[family])

    def rows(self, family: str, cases: NDArray[np.intp]) -> FloatArray:
        """Return a family's features of some cases, a copy of shape (n_cases, n_features)."""
        found: FloatArray = self.matrix(family)[cases]
        return found


def new_matrix(path: Path, n_cases: int, n_features: int) -> np.memmap[Any, np.dtype[np.float32]]:
    """Create a file of features, and return the matrix, to be filled."""
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n_cases, n_features))


@lru_cache(maxsize=4)
def _mapped(path: str) -> FloatArray:
    matrix: FloatArray = np.load(path, mmap_mode="r")
    return matrix
