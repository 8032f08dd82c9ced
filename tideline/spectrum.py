"""The spectrum of a standardised table, and the leave-one-out errors of ridge that it gives.

One decomposition does for every penalty (Rifkin and Lippert 2007, "Notes on Regularized Least
Squares", section 4). The table, perhaps a memory map, is read a block at a time: beside it there
is a square matrix of as many rows as it has cases, or columns where these are fewer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.linalg.blas import dsyrk
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # it ships no types

from tideline.panel import FloatArray

BLOCK_VALUES = 2**23
"""How many float64 values of the standardised table there are at a time (64 MiB)."""


@dataclass(frozen=True, eq=False)
class Standardised:
    """A table of which blocks are standardised as they are read.

    Attributes
    ----------
    X : float array of shape (n_cases, n_columns)
    roots : float64 array of shape (n_cases,)
        The square root of the weight of each case.
    mean, factor : float64 arrays of shape (n_columns,)
        What is taken from a column, the weighted mean, and what it is then multiplied by: one
        over the standard deviation, or 0 for a constant column.
    """

    X: NDArray[Any]
    roots: FloatArray
    mean: FloatArray
    factor: FloatArray

    @classmethod
    def of(cls, X: NDArray[Any], weights: FloatArray) -> Standardised:
        """Learn the means and deviations."""
        mean, factor = np.zeros(X.shape[1]), np.zeros(X.shape[1])
        rounding = 10 * float(np.finfo(X.dtype).eps)
        for part in slices(X.shape[1], X.shape[0]):
            block = np.asarray(X[:, part], dtype=np.float64)
            deviation = block.std(axis=0)
            varying = deviation > rounding * np.abs(block).max(axis=0)
            mean[part] = weights @ block / weights.sum()
            np.divide(1.0, deviation, out=factor[part], where=varying)
        return cls(X, np.sqrt(weights), mean, factor)

    def columns(self) -> Iterator[tuple[slice, FloatArray]]:
        """Yield blocks of columns, standardised and weighted, and where they are."""
        for part in slices(self.X.shape[1], self.X.shape[0]):
            block = np.array(self.X[:, part], dtype=np.float64)
            block -= self.mean[part]
            block *= self.factor[part]
            block *= self.roots[:, np.newaxis]
            yield part, block

    def rows(self) -> Iterator[tuple[slice, FloatArray]]:
        """Yield blocks of rows likewise."""
        for part in slices(*self.X.shape):
            block = np.array(self.X[part], dtype=np.float64)
            block -= self.mean
            block *= self.factor
            block *= self.roots[part, np.newaxis]
            yield part, block


def slices(total: int, breadth: int) -> Iterator[slice]:
    """Yield parts of `total` rows, or columns, of such a breadth that a block has its size."""
    step = max(64, BLOCK_VALUES // max(breadth, 1))
    for start in range(0, total, step):
        yield slice(start, min(start + step, total))


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The left singular vectors of the standardised table Z, or of them those that count.

    Attributes
    ----------
    vectors : float64 array of shape (n_cases, n_vectors)
    values : float64 array of shape (n_vectors,)
        The eigenvalues of Z Z', 0 or more.
    outside : float64 array of shape (n_cases,)
        What share of each case neither the vectors nor the intercept span.
    """

    vectors: FloatArray
    values: FloatArray
    outside: FloatArray

    @classmethod
    def of(cls, table: Standardised) -> Spectrum:
        """Decompose the smaller of Z Z' and Z' Z."""
        n_cases, n_columns = table.X.shape
        return cls._of_cases(table) if n_columns >= n_cases else cls._of_columns(table)

    @classmethod
    def _of_cases(cls, table: Standardised) -> Spectrum:
        n_cases = len(table.X)
        gram = np.zeros((n_cases, n_cases), order="F")
        for _, block in table.columns():
            gram = dsyrk(1.0, block.T, beta=1.0, c=gram, trans=1, lower=1, overwrite_c=1)
        # The intercept's own direction has eigenvalue 0. Raised above all others it comes last,
        # and can be left out exactly: what remains needs no difference of nearly equal numbers.
        intercept = table.roots / np.linalg.norm(table.roots)
        above = 2.0 * np.trace(gram) + 1.0
        gram = _plus_square(gram, intercept, above)
        values, vectors = _decomposed(gram)
        return cls(vectors[:, :-1], np.maximum(values[:-1], 0.0), np.zeros(n_cases))

    @classmethod
    def _of_columns(cls, table: Standardised) -> Spectrum:
        n_cases, n_columns = table.X.shape
        products = np.zeros((n_columns, n_columns), order="F")
        for _, block in table.rows():
            products = dsyrk(1.0, block.T, beta=1.0, c=products, lower=1, overwrite_c=1)
        values, directions = _decomposed(products)
        counts = values > n_cases * np.finfo(np.float64).eps * max(values[-1], 0.0)
        values, directions = values[counts], directions[:, counts] / np.sqrt(values[counts])
        vectors = np.empty((n_cases, values.size))
        for part, block in table.rows():
            np.matmul(block, directions, out=vectors[part])
        squares = np.einsum("ij,ij->i", vectors, vectors)
        own = table.roots**2 / (table.roots**2).sum()
        return cls(vectors, values, np.maximum(1.0 - own - squares, 0.0))

    @property
    def unit(self) -> float:
        """The mean of the eigenvalues, or 1 where all are 0."""
        mean = float(self.values.mean()) if self.values.size else 0.0
        return mean if mean > 0 else 1.0

    def errors(self, targets: FloatArray, alphas: FloatArray) -> Iterator[FloatArray]:
        """Yield the leave-one-out errors of each case for each penalty.

        They are (G^-1 y)_i / (G^-1)_ii with G = Z Z' + alpha I (Rifkin and Lippert 2007, eq. 11),
        both multiplied by alpha and without the direction of the intercept.

        Parameters
        ----------
        targets : float64 array of shape (n_cases, n_targets)
            Centred and weighted, as Z is.
        alphas : float64 array of shape (n_alphas,)
        """
        left = alphas / (self.values[:, np.newaxis] + alphas)
        shares = np.empty((len(targets), alphas.size))
        for part in slices(*self.vectors.shape):
            np.matmul(np.square(self.vectors[part]), left, out=shares[part])
        shares += self.outside[:, np.newaxis]
        # A case that the model must meet, being alone in some column, says nothing of its error.
        np.maximum(shares, np.finfo(np.float64).tiny, out=shares)
        inside = self.vectors.T @ targets
        outside = targets - self.vectors @ inside
        for place in range(alphas.size):
            residual = outside + self.vectors @ (left[:, [place]] * inside)
            yield residual / shares[:, [place]]

    def duals(self, targets: FloatArray, alpha: float) -> FloatArray:
        """Return what Z' turns into the coefficients, shape (n_cases, n_targets)."""
        inside = self.vectors.T @ targets
        return self.vectors @ (inside / (self.values + alpha)[:, np.newaxis])


def _plus_square(matrix: FloatArray, vector: FloatArray, factor: float) -> FloatArray:
    """Add `factor * vector vector'` in place."""
    for place, value in enumerate(vector):
        matrix[:, place] += factor * value * vector
    return matrix


def _decomposed(lower: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return eigenvalues in ascending order, and vectors; the matrix is overwritten."""
    # In one thread: two wait for each other so often that on a busy machine 1,000 cases took ten
    # seconds, in place of half a one.
    with threadpool_limits(1):
        values, vectors = eigh(lower, lower=True, overwrite_a=True, check_finite=False)
    return values, vectors
