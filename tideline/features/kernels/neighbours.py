"""Which runs of values in a series lie near each other: a matrix of bits.

Row i has a bit for every j: whether the values i and j differ by no more than a tolerance. The
values near one value are neighbours in ascending order, so that a window which moves along that
order gives the rows; each changes few bits of the one before. Runs of m values are near where m
bits down the diagonal are set: an `and` of rows, 64 pairs at a time. A matrix that would be too
large is made and counted some columns at a time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tideline.features.kernels.kernel import compiled
from tideline.features.kernels.sums import longest
from tideline.panel import FloatArray

ROOM = 2**22
"""How many words of 64 bits the matrix may have (32 MiB), if runs are not very long."""


@compiled
def sums_over_runs(
    ascending: FloatArray,
    order: NDArray[np.int64],
    offsets: NDArray[np.int64],
    tolerances: FloatArray,
    lengths: NDArray[np.int64],
    weights: FloatArray,
    room: int,
    sums: FloatArray,
) -> None:
    """Sum, over the runs of `m` values and of `m + 1`, a weight of the number of runs near each.

    Two runs are near each other when no two of their values differ by more than the tolerance; a
    run is near itself.

    Parameters
    ----------
    ascending : float64 array of shape (n_values,)
        The values of each series in ascending order, series after series.
    order : int64 array of shape (n_values,)
        Where in its series each of them stands.
    offsets : int64 array of shape (n_cases + 1,)
        Where each series begins.
    tolerances : float64 array of shape (n_cases, n_sets)
        With NaN, or less than 0, no run is near any, not even near itself.
    lengths : int64 array of shape (n_sets,)
        `m`.
    weights : float64 array of shape (longest series + 1,)
        By the number of runs; counted from the weight of the case that all runs are near.
    room
        How many words of memory to use: `ROOM`.
    sums : float64 array of shape (n_cases, n_sets, 2)
        Is filled, with the sum for `m` and that for `m + 1`.
    """
    most = longest(offsets)
    bits = np.empty(_words_for(most, lengths, room), dtype=np.uint64)
    counts = np.empty((2, most), dtype=np.int64)
    for case in range(sums.shape[0]):
        start, stop = offsets[case], offsets[case + 1]
        for k in range(lengths.size):
            m, tolerance = lengths[k], tolerances[case, k]
            _count_runs(ascending[start:stop], order[start:stop], tolerance, m, bits, counts)
            for longer in range(2):
                total = 0.0
                n_runs = stop - start - m + 1 - longer
                for i in range(n_runs):
                    total += weights[counts[longer, i]] - weights[n_runs]
                sums[case, k, longer] = total


@compiled
def _words_for(n: int, lengths: NDArray[np.int64], room: int) -> int:
    """Return how many words the bits of `n` values take: all columns, or as many as have room."""
    m = 0
    for k in range(lengths.size):
        m = max(m, min(lengths[k], n))
    return min(n * ((n + 63) // 64 + 1), max(room, n * (2 * (m // 64 + 1) + 1)))


@compiled
def _count_runs(
    ascending: FloatArray,
    order: NDArray[np.int64],
    tolerance: float,
    m: int,
    room: NDArray[np.uint64],
    counts: NDArray[np.int64],
) -> None:
    """Count how many runs of `m` and of `m + 1` values are near the run that begins at each."""
    n = order.size
    for i in range(n):
        counts[0, i] = counts[1, i] = 0
    if not tolerance >= 0 or n < m:
        return
    kept = (n + 63) // 64
    words = kept + 1
    if n * words > room.size:
        # Runs that begin in a column that is kept end in one beyond it.
        words = room.size // n
        kept = words - 1 - (m // 64 + 1)
    bits = room[: n * words].reshape(n, words)
    for first in range(0, n, 64 * kept):
        _mark_near(ascending, order, tolerance, first, bits)
        width = 1
        for longer in range(2):
            while width < m + longer:
                by = min(width, m + longer - width)
                width += by
                _lengthen(bits, n - width + 1, by)
            _count(bits, n - width + 1, kept, counts[longer])


@compiled
def _mark_near(
    ascending: FloatArray,
    order: NDArray[np.int64],
    tolerance: float,
    first: int,
    bits: NDArray[np.uint64],
) -> None:
    """Fill the rows with what is near each value, from column `first` on; the last word is 0."""
    near = np.zeros(bits.shape[1], dtype=np.uint64)
    low = high = 0
    for i in range(order.size):
        while high < order.size and ascending[high] - ascending[i] <= tolerance:
            _flip(near, order[high] - first)
            high += 1
        while ascending[i] - ascending[low] > tolerance:
            _flip(near, order[low] - first)
            low += 1
        row = bits[order[i]]
        for word in range(near.size):
            row[word] = near[word]


@compiled
def _flip(near: NDArray[np.uint64], column: int) -> None:
    if 0 <= column < 64 * (near.size - 1):
        near[column >> 6] ^= np.uint64(1) << np.uint64(column & 63)


@compiled
def _lengthen(bits: NDArray[np.uint64], n_rows: int, by: int) -> None:
    """Keep a bit only where that of the row and column `by` further on is set, too."""
    words, turn = by // 64, np.uint64(by % 64)
    for i in range(n_rows):
        row, further = bits[i], bits[i + by, words:]
        reach = further.size - 1
        for word in range(reach):
            over = (further[word + 1] << np.uint64(1)) << (np.uint64(63) - turn)
            row[word] &= (further[word] >> turn) | over
        for word in range(reach, row.size):
            row[word] = 0


@compiled
def _count(bits: NDArray[np.uint64], n_rows: int, n_words: int, counts: NDArray[np.int64]) -> None:
    """Add the number of bits set in the first words of each row to the row's count."""
    for i in range(n_rows):
        row = bits[i]
        total = np.int64(0)
        for word in range(n_words):
            total += np.int64(_set_bits(row[word]))
        counts[i] += total


@compiled
def _set_bits(word: np.uint64) -> np.uint64:
    # Pairs, fours and eights of bits are added side by side; LLVM makes one instruction of it.
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    fours = np.uint64(0x3333333333333333)
    word = (word & fours) + ((word >> np.uint64(2)) & fours)
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (word * np.uint64(0x0101010101010101)) >> np.uint64(56)
