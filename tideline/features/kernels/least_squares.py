"""Least squares: one triangular factor for nested models, and the pseudoinverse where it fails.

A design of full rank has one solution, and any stable method gives it to rounding. The compiled
functions take the modified Gram-Schmidt form of the QR factorisation, with the response as the
last column, which makes the residual as good as Householder's (Bjorck 1967, "Solving linear least
squares problems by Gram-Schmidt orthogonalization"). Where columns depend on each other, or
nearly, the values are whatever the method makes of the rounding errors. `fit` then takes the very
steps of statsmodels (OLS by `statsmodels.tools.tools.pinv_extended`), outside compiled code.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tideline.features.kernels.kernel import compiled
from tideline.panel import FloatArray

WELL_POSED = 1e7
"""The condition number up to which two stable methods agree in nine digits."""

NEGLIGIBLE = 1e-12
"""The share of a squared residual that rounding may have made."""

SMALLEST = 1e-15
"""Singular values below this share of the largest count as zero, in statsmodels."""


@compiled
def inner(x: FloatArray, y: FloatArray) -> float:
    """Return the inner product of `x` and the first values of `y`, which may have more.

    Eight running sums, since a processor adds several numbers while one addition completes.
    """
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
    whole = x.size - x.size % 8
    for k in range(0, whole, 8):
        s0 += x[k] * y[k]
        s1 += x[k + 1] * y[k + 1]
        s2 += x[k + 2] * y[k + 2]
        s3 += x[k + 3] * y[k + 3]
        s4 += x[k + 4] * y[k + 4]
        s5 += x[k + 5] * y[k + 5]
        s6 += x[k + 6] * y[k + 6]
        s7 += x[k + 7] * y[k + 7]
    total = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
    for k in range(whole, x.size):
        total += x[k] * y[k]
    return total


@compiled
def triangularize(columns: FloatArray, rows: int, width: int, upper: FloatArray) -> None:
    """Factorise a matrix into orthonormal columns and an upper triangle.

    Parameters
    ----------
    columns
        The matrix, column after column, each of `rows` values; the orthonormal ones take its
        place.
    rows, width
        The shape of the matrix.
    upper : float64 array of shape (at least width, at least width)
        Receives the triangle, with a diagonal that is not negative. It holds NaN when a column
        is a combination of those before it, without rounding.
    """
    for j in range(width):
        column = columns[j * rows : (j + 1) * rows]
        for i in range(j):
            before = columns[i * rows : (i + 1) * rows]
            share = inner(before, column)
            upper[i, j] = share
            for t in range(rows):
                column[t] -= share * before[t]
        norm = math.sqrt(inner(column, column))
        upper[j, j] = norm
        for t in range(rows):
            column[t] /= norm


@compiled
def invert(upper: FloatArray, size: int, inverse: FloatArray) -> float:
    """Invert the leading `size` columns of an upper triangle, and return its condition number.

    It is taken in the Frobenius norm: never less than the one in singular values, and at most
    `size` times that. Infinite or NaN when the triangle has no inverse.
    """
    norm = inverse_norm = 0.0
    for j in range(size):
        inverse[j, j] = 1.0 / upper[j, j]
        for i in range(j):
            total = 0.0
            for k in range(i, j):
                total += inverse[i, k] * upper[k, j]
            inverse[i, j] = -total * inverse[j, j]
        for i in range(j + 1):
            norm += upper[i, j] * upper[i, j]
            inverse_norm += inverse[i, j] * inverse[i, j]
    return math.sqrt(norm) * math.sqrt(inverse_norm)


@compiled
def coefficient(upper: FloatArray, size: int, inverse: FloatArray, i: int) -> float:
    """Return coefficient `i` of the model of the first `size` columns; the next is the response."""
    total = 0.0
    for j in range(i, size):
        total += inverse[i, j] * upper[j, size]
    return total


@compiled
def residual_is_known(upper: FloatArray, size: int, inverse: FloatArray) -> bool:
    """Return whether the residual of a model is more than what rounding makes of its terms."""
    coefficients = norm = response = 0.0
    for j in range(size):
        coefficients += coefficient(upper, size, inverse, j) ** 2
        response += upper[j, size] ** 2
        for i in range(j + 1):
            norm += upper[i, j] ** 2
    residual: float = upper[size, size] ** 2
    return residual > NEGLIGIBLE * (response + norm * coefficients)


@dataclass(frozen=True)
class Fit:
    """A least squares fit by the pseudoinverse, of the least norm where many fit alike.

    Attributes
    ----------
    coefficients
        One for each column of the design.
    spread
        The covariance of the coefficients, where the residual has unit variance.
    rank
        The rank of the design.
    residual
        What the model leaves of the response.
    """

    coefficients: FloatArray
    spread: FloatArray
    rank: int
    residual: FloatArray

    @property
    def t_values(self) -> FloatArray:
        """Each coefficient by its standard error."""
        degrees = float(self.residual.size) - self.rank
        scale = np.dot(self.residual, self.residual) / degrees
        return self.coefficients / np.sqrt(np.diag(self.spread * scale))

    @property
    def log_likelihood(self) -> float:
        """The logarithm of the likelihood, of normal residuals of the variance found."""
        half = self.residual.size / 2.0
        squares = np.sum(self.residual**2)
        likelihood = -half * np.log(2 * np.pi) - half * np.log(squares / self.residual.size) - half
        return float(likelihood)


def fit(design: FloatArray, response: FloatArray) -> Fit:
    """Fit a linear model as statsmodels does, step by step, rounding included.

    Raises
    ------
    FloatingPointError
        When the greatest value of a column is not finite: statsmodels refuses such a design.
    numpy.linalg.LinAlgError
        When the design holds minus infinity. In statsmodels, the singular values then fail; on
        some such designs LAPACK never ends, so they are not looked for.
    """
    if not np.isfinite(design.max(axis=0)).all():
        raise FloatingPointError("the design holds values that are not finite")
    if not np.isfinite(design).all():
        raise np.linalg.LinAlgError("the design holds minus infinity")
    left, singular, right = np.linalg.svd(design, full_matrices=False)
    least = singular.max() * singular.size * np.finfo(np.float64).eps
    kept = singular > SMALLEST * np.maximum.reduce(singular)
    inverted = np.zeros_like(singular)
    inverted[kept] = 1.0 / singular[kept]
    pseudoinverse = np.dot(right.T, inverted[:, np.newaxis] * left.T)
    coefficients = np.dot(pseudoinverse, response)
    return Fit(
        coefficients,
        np.dot(pseudoinverse, pseudoinverse.T),
        int(np.count_nonzero(singular > least)),
        response - np.dot(design, coefficients),
    )
