"""Sums in the order in which numpy adds them, so that thresholds fall where tsfresh's fall.

numpy adds pairwise, in blocks of 128 with eight running sums (numpy/core loops, `pairwise_sum`;
Higham 1993, "The accuracy of floating point summation"). The same order gives the same bits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tideline.features.kernels.kernel import compiled
from tideline.panel import FloatArray

BLOCK = 128


@compiled
def _block_sum(x: FloatArray, start: int, count: int) -> float:
    if count < 8:
        few = -0.0 if count > 0 else 0.0
        for i in range(start, start + count):
            few += x[i]
        return few
    s0, s1, s2, s3 = x[start], x[start + 1], x[start + 2], x[start + 3]
    s4, s5, s6, s7 = x[start + 4], x[start + 5], x[start + 6], x[start + 7]
    whole = count - count % 8
    for i in range(start + 8, start + whole, 8):
        s0 += x[i]
        s1 += x[i + 1]
        s2 += x[i + 2]
        s3 += x[i + 3]
        s4 += x[i + 4]
        s5 += x[i + 5]
        s6 += x[i + 6]
        s7 += x[i + 7]
    total: float = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
    for i in range(start + whole, start + count):
        total += x[i]
    return total


@compiled
def sum_between(x: FloatArray, start: int, count: int) -> float:
    """Return `numpy.sum(x[start : start + count])`, to the bit."""
    if count <= BLOCK:
        return _block_sum(x, start, count)
    # Not by recursion: numba cannot load a recursive function from its cache (its issue 6061).
    waiting = np.empty(64)
    n_waiting = done = 0
    while done < count:
        size, ends = block_at(done, count, BLOCK, 8)
        total = _block_sum(x, start + done, size)
        for _ in range(ends):
            n_waiting -= 1
            total = waiting[n_waiting] + total
        waiting[n_waiting] = total
        n_waiting += 1
        done += size
    whole: float = waiting[0]
    return whole


@compiled
def block_at(place: int, count: int, block: int, multiple: int) -> tuple[int, int]:
    """Return the size of the block that begins at a place, and how many halves end with it.

    `count` values are halved, to a whole number of multiples, until no more than a block is left.
    """
    begin, size, ends = 0, count, 0
    while size > block:
        half = size // 2
        half -= half % multiple
        if place < begin + half:
            size, ends = half, 0
        else:
            begin, size, ends = begin + half, size - half, ends + 1
    return size, ends


@compiled
def sum_first(x: FloatArray, count: int) -> float:
    """Return `numpy.sum(x[:count])`, to the bit."""
    # For a literal zero numba would compile one more `sum_between`, which takes a second.
    start = count - count
    return sum_between(x, start, count)


@compiled
def sum_of(x: FloatArray) -> float:
    """Return `numpy.sum(x)` of a contiguous array of one dimension, to the bit."""
    return sum_first(x, x.size)


@compiled
def mean_of(x: FloatArray) -> float:
    """Return `numpy.mean(x)`, NaN where `x` is empty."""
    return sum_of(x) / x.size


@compiled
def variance_of(x: FloatArray, mean: float, work: FloatArray) -> float:
    """Return `numpy.var(x)`, given the mean, and room for as many values as `x` has."""
    for i in range(x.size):
        deviation = x[i] - mean
        work[i] = deviation * deviation
    return sum_first(work, x.size) / x.size


@compiled
def means(values: FloatArray, offsets: NDArray[np.int64]) -> FloatArray:
    """Return the mean of each series of a flat buffer."""
    result = np.empty(offsets.size - 1)
    for case in range(result.size):
        start, stop = offsets[case], offsets[case + 1]
        result[case] = sum_between(values, start, stop - start) / (stop - start)
    return result


@compiled
def variances(values: FloatArray, offsets: NDArray[np.int64], centres: FloatArray) -> FloatArray:
    """Return the variance (divided by n) of each series of a flat buffer, given the means."""
    result = np.empty(centres.size)
    work = np.empty(longest(offsets))
    for case in range(centres.size):
        result[case] = variance_of(values[offsets[case] : offsets[case + 1]], centres[case], work)
    return result


@compiled
def longest(offsets: NDArray[np.int64]) -> int:
    """Return the length of the longest series, for work space that serves all."""
    most = 0
    for case in range(offsets.size - 1):
        most = max(most, offsets[case + 1] - offsets[case])
    return most
