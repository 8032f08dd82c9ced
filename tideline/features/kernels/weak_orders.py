"""How the values of a window rank: which permutation numpy sees, ties included.

tsfresh ranks a window by `argsort(argsort(window))`. numpy's default sort is not stable, and how it
orders ties depends on the processor (networks of AVX-512 or AVX2 instructions, or insertion sort).
But it does nothing but compare, so that the outcome for finite values follows from the window's
weak order alone: which values are less, which are equal. So numpy is asked once for each weak
order of few values, and kernels look the answer up under the number of the weak order.

The number of a window of d values is written in mixed radix: its k-th digit (k = 1 ... d - 1), of
radix 2 k + 1, counts the values before the k-th that are less than it and those that are not
greater. Given the order of the values before it, the sum tells every place that it can take.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tideline.features.kernels.kernel import compiled
from tideline.panel import FloatArray

MOST = 7
"""The longest window with a table: it has 135,135 numbers, the next would have two million."""
BLOCK = 2**20
"""How many values of windows are copied and sorted at once."""


@cache
def permutations_by_weak_order(dimension: int) -> NDArray[np.int16]:
    """Return the number of the permutation that numpy sees in each weak order.

    Parameters
    ----------
    dimension
        The length of the windows, from 2 to `MOST`.

    Returns
    -------
    int16 array of shape (1 * 3 * 5 ... (2 dimension - 1),)
        At the number of a weak order, a number from 0 up to the factorial of `dimension`, one for
        each permutation. 0 where a number belongs to no weak order.
    """
    ranks, codes = _weak_orders(dimension)
    seen = np.argsort(np.argsort(ranks.astype(np.float64)))
    permutations = np.zeros(len(ranks), dtype=np.int64)
    for k in range(1, dimension):
        permutations = permutations * (k + 1) + (seen[:, :k] < seen[:, [k]]).sum(axis=1)
    table = np.zeros(np.prod(2 * np.arange(dimension) + 1), dtype=np.int16)
    table[codes] = permutations
    return table


def _weak_orders(dimension: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the ranks in each weak order, shape (n, dimension), and its number, shape (n,)."""
    ranks, codes = np.zeros((1, 1), dtype=np.int64), np.zeros(1, dtype=np.int64)
    for k in range(1, dimension):
        # The next value goes below rank 0, equals it, goes above it and below rank 1, ...
        places = 2 * ranks.max(axis=1) + 3
        row = np.repeat(np.arange(len(ranks)), places)
        place = np.arange(len(row)) - np.repeat(np.cumsum(places) - places, places)
        rank = place // 2
        before = ranks[row]
        is_new = place % 2 == 0
        before += is_new[:, np.newaxis] & (before >= rank[:, np.newaxis])
        ranks = np.column_stack([before, rank])
        digit = (before < ranks[:, [k]]).sum(axis=1) + (before <= ranks[:, [k]]).sum(axis=1)
        codes = codes[row] * (2 * k + 1) + digit
    return ranks, codes


@compiled
def lengthen(x: FloatArray, k: int, codes: NDArray[np.int32], digits: NDArray[np.int32]) -> None:
    """Turn the numbers of the weak orders of `k` values into those of `k + 1` values.

    Parameters
    ----------
    x
        The series; `codes[i]` is the number of the window that begins at value `i`.
    k
        How many values the windows have had, less than `x` has.
    codes
        Is changed; zeros for windows of one value.
    digits
        Room for as many numbers as `x` has values.
    """
    last = x[k:]
    digits[: last.size] = 0
    for j in range(k):
        before = x[j:]
        for i in range(last.size):
            digits[i] += (before[i] < last[i]) + (before[i] <= last[i])
    for i in range(last.size):
        codes[i] = codes[i] * (2 * k + 1) + digits[i]


def entropies_by_numpy(stacked: FloatArray, tau: int, dimension: int) -> FloatArray:
    """Return the permutation entropies of series of one length, for windows of any length.

    Permutations are counted under a hash of 64 bits: of ten thousand windows, two are mistaken for
    one another in fewer than one of 10^11 series.

    Parameters
    ----------
    stacked : float64 array of shape (n_cases, length)
        The series; NaN and infinities are sorted as numpy sorts them.
    tau, dimension
        The distance between windows, and their length.

    Returns
    -------
    float64 array of shape (n_cases,)
        NaN where the series are shorter than a window.
    """
    n_cases, length = stacked.shape
    if length < dimension:
        return np.full(n_cases, np.nan)
    hashes = _hashes(sliding_window_view(stacked, dimension, axis=1)[:, ::tau])
    hashes.sort(axis=1)
    n_windows = hashes.shape[1]
    is_first = np.ones(hashes.shape, dtype=np.bool_)
    is_first[:, 1:] = hashes[:, 1:] != hashes[:, :-1]
    firsts = np.flatnonzero(is_first)
    shares = np.diff(firsts, append=hashes.size) / n_windows
    return -np.add.reduceat(shares * np.log(shares), np.flatnonzero(firsts % n_windows == 0))


def _hashes(windows: FloatArray) -> NDArray[np.uint64]:
    """Return a hash of the permutation of each window, shape (n_cases, n_windows)."""
    n_cases, n_windows, dimension = windows.shape
    weights = np.random.default_rng(0).integers(0, 2**64, dimension, dtype=np.uint64)
    hashes = np.empty((n_cases, n_windows), dtype=np.uint64)
    width = min(n_windows, max(1, BLOCK // dimension))
    height = max(1, BLOCK // (dimension * width))
    for top in range(0, n_cases, height):
        for left in range(0, n_windows, width):
            some = np.s_[top : top + height, left : left + width]
            hashes[some] = np.argsort(np.argsort(windows[some])).astype(np.uint64) @ weights
    return hashes
