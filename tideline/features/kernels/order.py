"""Order statistics that several families need: the least, the greatest and the middle value."""

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
