"""Single values of a convolution, with the bits that numpy gives them.

numpy takes each value of `numpy.convolve` as a scalar product by BLAS, or in a plain loop where
the shorter series is short. A maximum among values that are equal but for rounding is found where
tsfresh finds it only if the bits are the same.
"""

from __future__ import annotations

import numpy as np

from tideline.features.kernels.kernel import compiled
from tideline.panel import FloatArray

SHORT = 11
"""The longest series of taps for which numpy has loops of its own."""

EPSILON = float(np.finfo(np.float64).eps)


@compiled
def correlated(longer: FloatArray, taps: FloatArray, place: int) -> float:
    """Return `numpy.correlate(longer, taps, "full")[place]`, with `taps` the shorter of the two."""
    first = place - taps.size + 1
    if taps.size <= SHORT and first >= 0 and place < longer.size:
        total = 0.0
        for i in range(taps.size):
            total += longer[first + i] * taps[i]
        return total
    start, stop = max(0, first), min(longer.size, place + 1)
    return float(np.dot(longer[start:stop], taps[start - first : stop - first]))


@compiled
def smooth(series: FloatArray, taps: FloatArray, smoothed: FloatArray) -> None:
    """Fill in `numpy.correlate(series, taps, "same")`, fast, and to the bit where taps are short.

    The products are added in the order of the taps, for many values at once.
    """
    n, left = series.size, taps.size // 2
    smoothed[:] = 0.0
    for j in range(taps.size):
        start, stop = max(0, left - j), min(n, n + left - j)
        sums, shifted = smoothed[start:stop], series[start + j - left : stop + j - left]
        for i in range(sums.size):
            sums[i] += shifted[i] * taps[j]
    if taps.size <= SHORT:
        for i in range(n):
            if i < left or i + taps.size - left > n:
                smoothed[i] = same(series, taps, i)


@compiled
def same(series: FloatArray, taps: FloatArray, place: int) -> float:
    """Return `numpy.correlate(series, taps, "same")[place]`."""
    return correlated(series, taps, place + (taps.size - 1) // 2)


@compiled
def slack_of(taps: FloatArray, greatest: float) -> float:
    """Return how far two values by `smooth` must be apart to be in numpy's order for certain.

    Parameters
    ----------
    taps
        What is smoothed by; zero is returned where the values are numpy's to the bit.
    greatest
        The greatest absolute value of the series; infinite if it is not finite.
    """
    if taps.size <= SHORT:
        return 0.0
    # Infinite too where a sum may leave the range of numbers in one order and not in another.
    largest = 0.0
    for tap in taps:
        largest += abs(tap) * greatest
    # Four times what rounding can add up to, in two sums of so many products each.
    return largest * (8 * taps.size * EPSILON) + 1e-300
