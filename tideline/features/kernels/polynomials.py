"""Polynomials fitted to points, and their roots, as `numpy.polyfit` and `numpy.roots` give them.

Each result comes with a doubt: a bound on how far, relative to itself, it may be from numpy's.
Where that is too far for parity (nearly dependent powers, coefficients that are mere rounding,
double roots), numpy's own function computes the case, and so gives numpy's very noise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tideline.features.kernels.kernel import compiled
from tideline.features.kernels.least_squares import inner, invert, triangularize
from tideline.panel import FloatArray

DOUBT = 3e-10
"""The largest doubt that a value is given out with; parity asks for 1e-9."""

_HIGHEST_COMPILED = 8  # degree; beyond it powers are nearly dependent, or points too few
_EPSILON = 2.0**-52
_STEPS = 50


def fit_polynomials(
    x: FloatArray,
    y: FloatArray,
    starts: NDArray[np.int64],
    counts: NDArray[np.int64],
    degree: int,
) -> tuple[FloatArray, FloatArray]:
    """Fit a polynomial to the points of each case, by least squares.

    Parameters
    ----------
    x, y : float64 arrays of one dimension
        The points of all cases.
    starts, counts : int64 arrays of shape (n_cases,)
        Where each case's points begin, and how many it has.
    degree
        The degree of the polynomial, at least 1.

    Returns
    -------
    coefficients : float64 array of shape (n_cases, degree + 1)
        The highest power's first; NaN where there are no points, or numpy fails on them.
    doubts : float64 array of shape (n_cases,)
        At most `DOUBT`; 0 where numpy has computed the case.
    """
    coefficients = np.full((counts.size, degree + 1), np.nan)
    doubts = np.full(counts.size, np.inf)
    if degree <= _HIGHEST_COMPILED:
        _fit(x, y, starts, counts, coefficients, doubts)
    for case in np.flatnonzero(doubts > DOUBT):
        points = slice(starts[case], starts[case] + counts[case])
        coefficients[case] = polynomial_by_numpy(x[points], y[points], degree)
        doubts[case] = 0.0
    return coefficients, doubts


def polynomial_by_numpy(x: FloatArray, y: FloatArray, degree: int) -> FloatArray:
    """Return what `numpy.polyfit` returns, to the bit; NaN where it fails or there are no points.

    NaN too where the powers leave the range of floats: `numpy.polyfit` does not return then.
    """
    powers = np.vander(x, degree + 1)
    scales = np.sqrt((powers * powers).sum(axis=0))
    powers /= scales
    if x.size and np.isfinite(powers).all():
        try:
            solution = np.linalg.lstsq(powers, y, rcond=x.size * _EPSILON)[0]
        except np.linalg.LinAlgError:
            pass
        else:
            fitted: FloatArray = solution / scales
            return fitted
    return np.full(degree + 1, np.nan)


def largest_roots_by_numpy(coefficients: FloatArray) -> FloatArray:
    """Return the largest real part of the roots that `numpy.roots` gives; NaN where it gives none.

    Parameters
    ----------
    coefficients : float64 array of shape (n_cases, degree + 1)
        The highest power's first.

    Returns
    -------
    float64 array of shape (n_cases,)
    """
    degree = coefficients.shape[1] - 1
    rows = -coefficients[:, 1:] / coefficients[:, :1]
    # Zero as a root, or a lower degree, makes another matrix.
    plain = np.isfinite(rows).all(axis=1) & (rows[:, -1] != 0)
    if degree > _HIGHEST_COMPILED or not plain.all():
        return np.array([_largest_root_by_numpy(each) for each in coefficients])
    matrices = np.zeros((rows.shape[0], degree, degree))
    matrices[:, 0] = rows
    matrices[:, range(1, degree), range(degree - 1)] = 1
    try:
        roots: FloatArray = np.linalg.eigvals(matrices).real.max(axis=1)
    except np.linalg.LinAlgError:
        return np.array([_largest_root_by_numpy(each) for each in coefficients])
    return roots


def _largest_root_by_numpy(coefficients: FloatArray) -> float:
    try:
        return float(np.max(np.real(np.roots(coefficients))))
    except (np.linalg.LinAlgError, ValueError):
        return np.nan


@compiled
def _fit(
    x: FloatArray,
    y: FloatArray,
    starts: NDArray[np.int64],
    counts: NDArray[np.int64],
    coefficients: FloatArray,
    doubts: FloatArray,
) -> None:
    terms, most = coefficients.shape[1], 0
    for count in counts:
        most = max(most, count)
    columns = np.empty((terms + 1) * most)
    triangle, inverse = np.empty((terms + 1, terms + 1)), np.zeros((terms, terms))
    scales = np.empty(terms)
    for case in range(counts.size):
        count = counts[case]
        if count == 0:
            doubts[case] = 0.0
        elif count >= terms and _fill_columns(
            x[starts[case] :], y[starts[case] :], count, columns, scales
        ):
            triangularize(columns, count, terms + 1, triangle)
            invert(triangle, terms, inverse)
            doubts[case] = _solve(triangle, inverse, scales, coefficients[case])


@compiled
def _fill_columns(
    x: FloatArray, y: FloatArray, count: int, columns: FloatArray, scales: FloatArray
) -> bool:
    """Write the powers of x, the highest first and each of length one, and then y.

    Returns whether all is well within the range of floats.
    """
    terms = scales.size
    for i in range(count):
        columns[terms * count + i] = y[i]
        columns[(terms - 1) * count + i] = 1.0
    for term in range(terms - 2, -1, -1):
        for i in range(count):
            columns[term * count + i] = columns[(term + 1) * count + i] * x[i]
    for term in range(terms):
        powers = columns[term * count : (term + 1) * count]
        scales[term] = np.sqrt(inner(powers, powers))
        if not 1e-140 < scales[term] < 1e140:
            return False
        for i in range(count):
            powers[i] /= scales[term]
    return 1e-280 < inner(y[:count], y) < 1e280


@compiled
def _solve(
    triangle: FloatArray, inverse: FloatArray, scales: FloatArray, coefficients: FloatArray
) -> float:
    """Fill the coefficients, and return the doubt: infinite where the powers are dependent.

    The doubt is the first-order bound on what an error of some units in the last place, in the
    columns and in y, makes of each coefficient (Golub and Van Loan 2013, section 5.3.7).
    """
    terms = scales.size
    for row in range(terms - 1, -1, -1):
        rest = triangle[row, terms]
        for k in range(row + 1, terms):
            rest -= triangle[row, k] * coefficients[k]
        coefficients[row] = rest / triangle[row, row]
    residual = triangle[terms, terms]
    response, norm, spread = residual * residual, 0.0, 0.0
    for row in range(terms):
        response += triangle[row, terms] ** 2
        norm += coefficients[row] ** 2
        spread += inner(inverse[row], inverse[row])
    error = _EPSILON * (np.sqrt(response) + 2 * np.sqrt(norm) + 2 * np.sqrt(spread) * residual)
    doubt = 0.0
    for row in range(terms):
        step = error * np.sqrt(inner(inverse[row], inverse[row]))
        if not step < abs(coefficients[row]):
            return np.inf
        doubt = max(doubt, step / abs(coefficients[row]))
        coefficients[row] /= scales[row]
    return 4 * doubt


def largest_roots(coefficients: FloatArray, doubts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the largest real part of the roots of each polynomial, and the doubt about it.

    Parameters
    ----------
    coefficients : float64 array of shape (n_cases, degree + 1)
        The highest power's first.
    doubts : float64 array of shape (n_cases,)
        How far each coefficient may be off, relative to itself.

    Returns
    -------
    roots, doubts : float64 arrays of shape (n_cases,)
        A root whose doubt is beyond `DOUBT` is to be computed by `largest_roots_by_numpy`; so are
        all where the degree is not 3.
    """
    roots, new_doubts = np.empty(doubts.size), np.full(doubts.size, np.inf)
    if coefficients.shape[1] == 4:
        _solve_cubics(coefficients, doubts, roots, new_doubts)
    return roots, new_doubts


@compiled
def _solve_cubics(
    coefficients: FloatArray, doubts: FloatArray, roots: FloatArray, new_doubts: FloatArray
) -> None:
    for case in range(roots.size):
        leading = coefficients[case, 0]
        if np.isnan(leading):
            roots[case], new_doubts[case] = np.nan, 0.0
            continue
        b = coefficients[case, 1] / leading
        c = coefficients[case, 2] / leading
        d = coefficients[case, 3] / leading
        # With the roots brought to the size of one, one bound serves all.
        scale = max(abs(b), np.sqrt(abs(c)), abs(d) ** (1 / 3))
        if 1e-70 < scale < 1e70:
            root, slope, size = _largest_of_cubic(b / scale, c / scale**2, d / scale**3)
            roots[case] = root * scale
            error = (doubts[case] / 4 + 4 * _EPSILON) * (1 + size * (1 + size * (1 + size)))
            if error <= DOUBT * slope * abs(root):
                new_doubts[case] = error / (slope * abs(root))


@compiled
def _largest_of_cubic(b: float, c: float, d: float) -> tuple[float, float, float]:
    """Return the largest real part of the roots of x^3 + b x^2 + c x + d.

    Then the size of the derivative at that root, which says how well it is known, and the size of
    the root itself.
    """
    outer = _root_beyond_inflection(b, c, d)
    # Dividing the root out from the end at which its error stays small (Kahan 1986, "To solve a
    # real cubic equation"): what is left is x^2 + p x + q.
    if abs(outer) ** 3 > abs(d):
        q = -d / outer
        p = (q - c) / outer
    else:
        p = b + outer
        q = c + outer * p
    middle = -p / 2
    square = middle * middle - q
    if square < 0 and middle > outer:
        apart = np.sqrt((middle - outer) ** 2 - square)
        return middle, apart * 2 * np.sqrt(-square), np.sqrt(q)
    root = outer
    if square >= 0:
        far = middle + np.copysign(np.sqrt(square), middle)
        near = q / far if far != 0 else 0.0
        root = max(outer, far, near)
    slope = (3 * root + 2 * b) * root + c
    if slope != 0:
        root -= (((root + b) * root + c) * root + d) / slope
    return root, abs(slope), abs(root)


@compiled
def _root_beyond_inflection(b: float, c: float, d: float) -> float:
    """Return the largest or the least real root, whichever lies beyond the point of inflection.

    Newton's steps come in from outside all roots, and turn only by rounding.
    """
    x = -b / 3
    side = -1.0 if ((x + b) * x + c) * x + d > 0 else 1.0
    x = 2 * side
    for _ in range(_STEPS):
        step = (((x + b) * x + c) * x + d) / ((3 * x + 2 * b) * x + c)
        if not side * step > 0 or x - step == x:
            break
        x -= step
    return x
