"""The kernel of the calculator that tests for a unit root."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tideline.features.kernels.kernel import Arguments, Kernel, compiled
from tideline.features.kernels.least_squares import (
    WELL_POSED,
    Fit,
    fit,
    invert,
    residual_is_known,
    triangularize,
)
from tideline.features.kernels.sums import longest
from tideline.panel import FloatArray

if TYPE_CHECKING:
    from tideline.features.batch import Batch

CRITERIA = ("AIC", "BIC", "t-stat", None)
ATTRIBUTES = ("teststat", "pvalue", "usedlag")
AIC, BIC, T_STAT, NO_CRITERION = 0, 1, 2, 3

SIGNIFICANT = 1.6448536269514722
"""The 95 % point of the normal distribution (`statsmodels.tsa.stattools._autolag`)."""


def augmented_dickey_fuller(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `augmented_dickey_fuller`: with a constant (Said and Dickey 1984).

    As `statsmodels.tsa.stattools.adfuller` gives it. NaN for a constant series and for one of
    fewer than four values.
    """
    criteria = np.array([CRITERIA.index(a.get("autolag", "AIC")) for a in arguments])
    attributes = np.array([ATTRIBUTES.index(a["attr"]) for a in arguments])
    asked = np.isin(np.arange(len(CRITERIA)), criteria)

    def kernel(batch: Batch, out: FloatArray) -> None:
        unsure = _tests(batch.values, batch.offsets, asked, criteria, attributes, out)
        for case in np.flatnonzero(unsure):
            series = batch.values[batch.offsets[case] : batch.offsets[case + 1]]
            tests = _tests_by_pseudoinverse(series, asked)
            out[case] = tests[criteria, attributes]

    return kernel


@compiled
def _tests(
    values: FloatArray,
    offsets: NDArray[np.int64],
    asked: NDArray[np.bool_],
    criteria: NDArray[np.int64],
    attributes: NDArray[np.int64],
    out: FloatArray,
) -> NDArray[np.bool_]:
    """Fill `out`, and return of which cases some model is too near to rounding errors."""
    width = max(_most_lags(longest(offsets)), 0) + 3
    columns = np.empty(width * max(longest(offsets), width))
    triangles = np.empty((3, width, width))
    unsure = np.zeros(offsets.size - 1, np.bool_)
    results = np.empty((asked.size, 3))
    for case in range(unsure.size):
        start, count = offsets[case], offsets[case + 1] - offsets[case]
        for criterion in range(asked.size):
            for attribute in range(3):
                results[criterion, attribute] = np.nan
        if _most_lags(count) >= 0 and not _is_constant(values, start, count):
            well = _test(values, start, count, asked, columns, triangles, results)
            unsure[case] = not well
        for k in range(criteria.size):
            out[case, k] = results[criteria[k], attributes[k]]
    return unsure


@compiled
def _most_lags(count: int) -> int:
    """Return how many lags are tried: Schwert's rule; less than 0 for too short a series."""
    schwert: int = math.ceil(12.0 * (count / 100.0) ** 0.25)
    return min(count // 2 - 2, schwert)


@compiled
def _is_constant(values: FloatArray, start: int, count: int) -> bool:
    same = 1
    while same < count and values[start + same] == values[start]:
        same += 1
    return same == count


@compiled
def _test(
    values: FloatArray,
    start: int,
    count: int,
    asked: NDArray[np.bool_],
    columns: FloatArray,
    triangles: FloatArray,
    results: FloatArray,
) -> bool:
    """Write the results by each criterion, and return whether rounding leaves them standing.

    The model of most lags is factorised once. Those of fewer are its leading columns, and the
    chosen one, which has more rows, takes its factor up again.
    """
    upper, again, inverse = triangles[0], triangles[1], triangles[2]
    most = _most_lags(count)
    rows = count - 1 - most
    _lay_out_changes(values, start + most, rows, most, rows, columns)
    triangularize(columns, rows, most + 3, upper)
    if not _stands(upper, most + 2, inverse):
        return False
    for criterion in range(asked.size):
        if asked[criterion]:
            lags = _chosen_lags(upper, most, rows, criterion)
            _factorize_all_rows(values, start, upper, most, lags, columns, again)
            if not _stands(again, lags + 2, inverse):
                return False
            results[criterion, 0] = _statistic(again, lags, count - 1 - lags, inverse)
            results[criterion, 1] = _p_value(results[criterion, 0])
            results[criterion, 2] = lags
    return True


@compiled
def _lay_out_changes(
    values: FloatArray, start: int, count: int, lags: int, rows: int, columns: FloatArray
) -> None:
    """Write the design and the response for the changes that follow `count` values.

    The columns: a constant, the value, the changes 1 to `lags` steps back, the change. Each takes
    `rows` places, of which the last `count` are written.
    """
    above = rows - count
    for t in range(count):
        columns[above + t] = 1.0
        columns[rows + above + t] = values[start + t]
        columns[(lags + 2) * rows + above + t] = values[start + t + 1] - values[start + t]
    for lag in range(1, lags + 1):
        for t in range(count):
            i = start + t - lag
            columns[(lag + 1) * rows + above + t] = values[i + 1] - values[i]


@compiled
def _stands(upper: FloatArray, size: int, inverse: FloatArray) -> bool:
    """Invert the factor, and return whether the model's test is far from rounding errors."""
    return invert(upper, size, inverse) < WELL_POSED and residual_is_known(upper, size, inverse)


@compiled
def _chosen_lags(upper: FloatArray, most: int, rows: int, criterion: int) -> int:
    """Return how many lags a criterion takes, from the factor of the model with the most."""
    if criterion == NO_CRITERION:
        return most
    squares = upper[most + 2, most + 2] ** 2
    chosen, least = most, np.inf
    for lags in range(most, -1, -1):
        size = lags + 2
        last = upper[size - 1, most + 2]
        if criterion == T_STAT:
            chosen = lags
            if abs(last) / math.sqrt(squares / (rows - size)) >= SIGNIFICANT:
                break
        else:
            likelihood = -rows / 2.0 * (math.log(2 * math.pi) + math.log(squares / rows) + 1)
            price = 2.0 if criterion == AIC else math.log(rows)
            if -2 * likelihood + price * size <= least:
                chosen, least = lags, -2 * likelihood + price * size
        squares += last * last
    return chosen


@compiled
def _factorize_all_rows(
    values: FloatArray,
    start: int,
    upper: FloatArray,
    most: int,
    lags: int,
    columns: FloatArray,
    again: FloatArray,
) -> None:
    """Write the factor of the model with fewer lags, which has `most - lags` rows more.

    A matrix below which rows are added has the factor of its own factor with these rows.
    """
    size, more = lags + 2, most - lags
    rows = size + 1 + more
    for j in range(size + 1):
        column = j if j < size else most + 2
        for i in range(rows):
            columns[j * rows + i] = upper[i, column] if i <= j and i < size else 0.0
    squares = 0.0
    for i in range(size, most + 3):
        squares += upper[i, most + 2] ** 2
    columns[size * rows + size] = math.sqrt(squares)
    _lay_out_changes(values, start + lags, more, lags, rows, columns)
    triangularize(columns, rows, size + 1, again)


@compiled
def _statistic(upper: FloatArray, lags: int, rows: int, inverse: FloatArray) -> float:
    """Return the coefficient of the value, the second column, by its standard error."""
    size = lags + 2
    level = spread = 0.0
    for j in range(1, size):
        level += inverse[1, j] * upper[j, size]
        spread += inverse[1, j] * inverse[1, j]
    scale = upper[size, size] ** 2 / (rows - size)
    return level / math.sqrt(spread * scale)


@compiled
def _p_value(statistic: float) -> float:
    """Return MacKinnon's approximate p-value (1994) for one series and a constant.

    The bounds and coefficients are those of `statsmodels.tsa.adfvalues`.
    """
    if statistic > 2.74:
        return 1.0
    if statistic < -18.83:
        return 0.0
    if statistic <= -1.61:
        z = (3.8269 * 1e-2 * statistic + 1.4412) * statistic + 2.1659
    else:
        z = -1.0368 * 1e-2 * statistic + -1.2745 * 1e-1
        z = (z * statistic + 9.3202 * 1e-1) * statistic + 1.7339
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def _tests_by_pseudoinverse(series: FloatArray, asked: NDArray[np.bool_]) -> FloatArray:
    """Return the results by each criterion, NaN where statsmodels fails: shape (4, 3)."""
    results = np.full((asked.size, 3), np.nan)
    most = _most_lags(series.size)
    try:
        fits = _nested_fits(series, most) if asked[:NO_CRITERION].any() else {}
        for criterion in np.flatnonzero(asked):
            chosen = criterion != NO_CRITERION
            lags = _chosen_size(fits, criterion) - min(fits) if chosen else most
            design, response = _changes(series, lags)
            last = fit(np.column_stack([design, _constant_beside(design)]), response)
            statistic = float(last.t_values[0])
            results[criterion] = statistic, _p_value(statistic), lags
    except (np.linalg.LinAlgError, FloatingPointError):
        # What one model fails of is in the model of most lags too, and in every one's search.
        results[:] = np.nan
    return results


def _nested_fits(series: FloatArray, most: int) -> dict[int, Fit]:
    """Return the models that a criterion chooses from, by their number of columns."""
    design, response = _changes(series, most)
    whole = np.column_stack([_constant_beside(design), design])
    least = whole.shape[1] - most
    return {size: fit(whole[:, :size], response) for size in range(least, whole.shape[1] + 1)}


def _changes(series: FloatArray, lags: int) -> tuple[FloatArray, FloatArray]:
    """Return the values and the changes before them, and the changes after them."""
    changes = np.diff(series)
    rows = changes.size - lags
    back = [changes[lags - lag : lags - lag + rows] for lag in range(1, lags + 1)]
    return np.column_stack([series[lags:-1], *back]), changes[lags:]


def _constant_beside(design: FloatArray) -> FloatArray:
    """Return a column of ones, or none where some column is a constant other than 0."""
    has_constant = np.any((np.ptp(design, axis=0) == 0) & (design[0] != 0))
    return np.ones((design.shape[0], 0 if has_constant else 1))


def _chosen_size(fits: Mapping[int, Fit], criterion: np.intp) -> int:
    """Return the number of columns that a criterion takes; the order of ties is statsmodels'."""
    if criterion == T_STAT:
        for size in sorted(fits, reverse=True):
            if abs(fits[size].t_values[-1]) >= SIGNIFICANT:
                return size
        return min(fits)
    rows = next(iter(fits.values())).residual.size
    price = 2.0 if criterion == AIC else np.log(float(rows))
    return min((-2 * f.log_likelihood + price * f.rank, k) for k, f in fits.items())[1]
