"""The feature matrix on disk, which every worker maps and none copies."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tideline.errors import TidelineError

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
    """Create a file of features, and return the matrix, to be filled.

    Raises
    ------
    TidelineError
        When the disk has no room for it.
    """
    shape = (n_cases, n_features)
    matrix = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    try:
        _take_room(path)
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        raise TidelineError(
            f"{n_features} features of {n_cases} cases are {matrix.nbytes} bytes, for which the "
            f"disk of {str(path.parent)!r} has no room.",
            mend="Make room there, set TIDELINE_HOME to another disk, or name fewer features.",
            field="extract_features.default_fc_parameters",
        ) from error
    return matrix


def _take_room(path: Path) -> None:
    """Have the disk give a file all of its room now, where the system can.

    A file that is mapped gets it as it is written to, and where there is none left then, a signal
    ends the process on the spot.
    """
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)


@lru_cache(maxsize=4)
def _mapped(path: str) -> FloatArray:
    matrix: FloatArray = np.load(path, mmap_mode="r")
    return matrix
