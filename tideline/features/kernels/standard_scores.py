"""The standard scores of a series, in single precision, with nothing on either side of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tideline.features.kernels.kernel import compiled
from tideline.panel import FloatArray

Single = NDArray[np.float32]


@compiled
def standardise(series: FloatArray, scores: Single) -> bool:
    """Fill in (x - mean) / standard deviation, divided by n; zeros for a constant series.

    Parameters
    ----------
    series
        One value or more.
    scores
        As long as the series.

    Returns
    -------
    bool
        Whether every value of the series is finite. Nothing is filled in where one is not.
    """
    n = series.size
    low = high = series[0]
    for i in range(n):
        if not np.isfinite(series[i]):
            return False
        low, high = min(low, series[i]), max(high, series[i])
    scores[:] = np.float32(0.0)
    if low == high:
        # Not told by the deviation: the mean of a constant series may be off by rounding.
        return True
    # In parts of the largest value, whose squares leave the range of numbers as little as it does.
    largest = max(-low, high)
    mean = 0.0
    for i in range(n):
        mean += series[i] / largest
    mean /= n
    variance = 0.0
    for i in range(n):
        deviation = series[i] / largest - mean
        variance += deviation * deviation
    deviation = np.sqrt(variance / n)
    if deviation > 0.0:
        for i in range(n):
            scores[i] = np.float32((series[i] / largest - mean) / deviation)
    return True
