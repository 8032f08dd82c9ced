"""numpy's aggregates of some numbers, by code: for calculators that let the user choose one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from tideline.features.kernels.kernel import compiled
from tideline.features.kernels.sums import sum_between
from tideline.panel import FloatArray

_SUM, _MEAN, _VAR, _STD, _MAX, _MIN, _MEDIAN = range(7)

CODES: Mapping[str, int] = MappingProxyType(
    {
        "sum": _SUM,
        "mean": _MEAN,
        "var": _VAR,
        "std": _STD,
        "max": _MAX,
        "min": _MIN,
        "median": _MEDIAN,
    }
)
"""The code of each of numpy's functions that `f_agg` may name."""


@compiled
def aggregate(code: int, x: FloatArray, count: int, work: FloatArray) -> float:
    """Return one of numpy's aggregates of `x[:count]`, to the bit.

    Parameters
    ----------
    code
        Which aggregate: a value of `CODES`.
    x
        The numbers, at least one; what follows after `count` is not looked at.
    work
        Room for `count` numbers.
    """
    if code == _MAX:
        return _largest(x, count, 1.0)
    if code == _MIN:
        return -_largest(x, count, -1.0)
    if code == _MEDIAN:
        return _median(x, count, work)
    total: float = sum_between(x, 0, count)
    if code == _SUM:
        return total
    if code == _MEAN:
        return total / count
    variance = _variance(x, count, total / count, work)
    return math.sqrt(variance) if code == _STD else variance


@compiled
def _variance(x: FloatArray, count: int, mean: float, work: FloatArray) -> float:
    for i in range(count):
        work[i] = (x[i] - mean) * (x[i] - mean)
    return sum_between(work, 0, count) / count


@compiled
def _largest(x: FloatArray, count: int, sign: float) -> float:
    most: float = sign * x[0]
    for i in range(1, count):
        # Once NaN, always NaN: no comparison with it holds.
        if sign * x[i] > most or np.isnan(x[i]):
            most = sign * x[i]
        if np.isnan(most):
            break
    return most


@compiled
def _median(x: FloatArray, count: int, work: FloatArray) -> float:
    for i in range(count):
        if np.isnan(x[i]):
            return np.nan
        work[i] = x[i]
    _sort(work, count)
    middle = count // 2
    median: float = work[middle]
    if count % 2 == 0:
        median = (work[middle - 1] + median) / 2
    return median


@compiled
def _sort(x: FloatArray, count: int) -> None:
    """Sort in place, by heaps: never worse than n log n, and quick to compile."""
    for root in range(count // 2 - 1, -1, -1):
        _sift(x, root, count)
    for last in range(count - 1, 0, -1):
        x[0], x[last] = x[last], x[0]
        _sift(x, 0, last)


@compiled
def _sift(x: FloatArray, root: int, count: int) -> None:
    value = x[root]
    child = 2 * root + 1
    while child < count:
        if child + 1 < count and x[child] < x[child + 1]:
            child += 1
        if x[child] <= value:
            break
        x[root] = x[child]
        root, child = child, 2 * child + 1
    x[root] = value
