"""Order statistics that several families need: least, greatest and middle values, quantiles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tideline.features.kernels.kernel import compiled
from tideline.panel import FloatArray


def extremes(chooser: np.ufunc, values: FloatArray, offsets: NDArray[np.int64]) -> FloatArray:
    """Return the least or the greatest value of each series; NaN where it holds one or is empty.

    Parameters
    ----------
    chooser
        `numpy.minimum` or `numpy.maximum`.
    values : float64 array of shape (n_values,)
        The series, one after the other.
    offsets : int64 array of shape (n_cases + 1,)
        Where each series begins in `values`; the last is the end of the last series.
    """
    chosen = np.full(offsets.size - 1, np.nan)
    # Of an empty series `reduceat` would give the first value of the next.
    held = offsets[1:] > offsets[:-1]
    if held.any():
        chosen[held] = chooser.reduceat(values, offsets[:-1][held])
    return chosen


@compiled
def medians(ascending: FloatArray, offsets: NDArray[np.int64]) -> FloatArray:
    """Return `numpy.median` of each series, of values in ascending order with NaN last."""
    result = np.full(offsets.size - 1, np.nan)
    for case in range(result.size):
        start, stop = offsets[case], offsets[case + 1]
        if start == stop or np.isnan(ascending[stop - 1]):
            continue
        middle = start + (stop - start) // 2
        result[case] = ascending[middle]
        if (stop - start) % 2 == 0:
            result[case] = (ascending[middle - 1] + ascending[middle]) / 2
    return result


@compiled
def count_known(ascending: FloatArray) -> int:
    """Return how many values there are before the NaN, which are last."""
    count = ascending.size
    while count > 0 and np.isnan(ascending[count - 1]):
        count -= 1
    return count


@compiled
def quantile_of(ascending: FloatArray, count: int, left_out: int, share: float) -> float:
    """Return `numpy.quantile` of values in ascending order, to the bit.

    Parameters
    ----------
    ascending
        The values.
    count
        How many of them, from the first, are looked at; at least 1.
    left_out
        The place of one that is passed over and not counted; `ascending.size` for none.
    share
        From 0 to 1. NaN where it falls between infinities, also between one and itself.
    """
    last = count - 1
    place = last * share
    low = min(int(place), last)
    high = min(low + 1, last)
    below, above = ascending[low + (low >= left_out)], ascending[high + (high >= left_out)]
    gap, part = above - below, place - low
    # numpy interpolates from the nearer side, and at the end from above.
    from_below = part < 0.5 and low < high
    quantile: float = below + gap * part if from_below else above - gap * (1 - part)
    return quantile
