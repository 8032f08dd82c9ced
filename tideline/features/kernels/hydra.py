"""Hydra: how often, and how strongly, each kernel of a group answers more than the others.

Dempster, Schmidt and Webb 2023, "Hydra: competing convolutional kernels for fast and accurate time
series classification": groups of eight random kernels of nine taps.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tideline.features.kernels.kernel import Arguments, Kernel, compiled
from tideline.features.kernels.multirocket import TAPS, answer
from tideline.features.kernels.standard_scores import Single, standardise
from tideline.panel import FloatArray

if TYPE_CHECKING:
    from tideline.features.batch import Batch

KERNELS = 8
"""In a group."""

COUNTS = ("max", "min")
SEED = 20_230_111
"""The kernels of group g are drawn from `numpy.random.RandomState(SEED + g)`, whose stream numpy
has promised not to change."""

BLOCK = 64


@lru_cache(maxsize=4096)
def _group(group: int) -> Single:
    """Return the kernels of a group, float32 array of shape (9, 8)."""
    drawn = np.random.RandomState(SEED + group).standard_normal((KERNELS, TAPS))
    drawn -= drawn.mean(axis=1, keepdims=True)
    drawn /= np.abs(drawn).sum(axis=1, keepdims=True)
    weights: Single = np.ascontiguousarray(drawn.T, dtype=np.float32)
    weights.flags.writeable = False
    return weights


class _Prepared(NamedTuple):
    """The arguments, gathered by dilation.

    The *lanes* of a dilation are its kernels: the first kernel of each of its groups, then the
    second of each, and so on.
    """

    dilations: NDArray[np.int64]
    lanes: NDArray[np.int64]  # where the lanes of each dilation begin, and the last end
    weights: Single  # of shape (9, n_lanes)
    lane_of: NDArray[np.int64]  # of each column
    count_of: NDArray[np.int64]


def hydra(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `hydra`: roots of how much the kernels of a group win, by place.

    The series is taken in standard scores, with zeros on either side, so that there is an answer
    for each value. `max` adds up the answers at the places where the kernel's is the greatest of
    its group; `min` counts the places where it is the least. Of equal answers the first kernel's
    is taken. Where the sum is below zero, its root is taken to be 0. NaN where the series is not
    finite.
    """
    prepared = _prepared(arguments)

    def kernel(batch: Batch, out: FloatArray) -> None:
        _count_cases(batch.values, batch.offsets, *prepared, out)

    return kernel


def _prepared(arguments: Sequence[Arguments]) -> _Prepared:
    groups = np.array([each["group"] for each in arguments], dtype=np.int64)
    kernels = np.array([each["kernel"] for each in arguments], dtype=np.int64)
    dilations = np.array([each["dilation"] for each in arguments], dtype=np.int64)
    count_of = np.array([COUNTS.index(each["count"]) for each in arguments], dtype=np.int64)
    pairs, pair_of = np.unique(np.stack([dilations, groups]), axis=1, return_inverse=True)
    steps, firsts, sizes = np.unique(pairs[0], return_index=True, return_counts=True)
    at = np.searchsorted(steps, pairs[0])
    first, size = KERNELS * firsts[at], sizes[at]
    lane = first + np.arange(pairs.shape[1]) - firsts[at]  # of each pair's first kernel

    weights = np.empty((TAPS, KERNELS * pairs.shape[1]), dtype=np.float32)
    for kernel in range(KERNELS):
        taps = [_group(int(group))[:, kernel] for group in pairs[1]]
        weights[:, lane + kernel * size] = np.transpose(taps)
    return _Prepared(
        steps,
        np.append(KERNELS * firsts, weights.shape[1]).astype(np.int64),
        weights,
        lane[pair_of] + kernels * size[pair_of],
        count_of,
    )


@compiled
def _count_cases(
    values: FloatArray,
    offsets: NDArray[np.int64],
    dilations: NDArray[np.int64],
    lanes: NDArray[np.int64],
    weights: Single,
    lane_of: NDArray[np.int64],
    count_of: NDArray[np.int64],
    out: FloatArray,
) -> None:
    most = 0
    for i in range(dilations.size):
        most = max(most, lanes[i + 1] - lanes[i])
    answers = np.empty((BLOCK, most), dtype=np.float32)
    best = np.empty((4, most // KERNELS), dtype=np.float32)
    block = np.empty((2, most), dtype=np.float32)
    won = np.empty((2, lanes[-1]))
    for case in range(offsets.size - 1):
        series = values[offsets[case] : offsets[case + 1]]
        n = series.size
        around = np.zeros(TAPS * n, dtype=np.float32)
        if not standardise(series, around[4 * n : 5 * n]):
            out[case, :] = np.nan
            continue
        won[:] = 0.0
        for i in range(dilations.size):
            # From n on, whatever the dilation, there is nothing but zeros beside the series.
            step, lane, stop = min(dilations[i], n), lanes[i], lanes[i + 1]
            for done in range(0, n, BLOCK):
                held = min(BLOCK, n - done)
                answer(around, 4 * n + done, step, held, weights, lane, stop, answers)
                block[:] = np.float32(0.0)
                for t in range(held):
                    _compete(answers[t], (stop - lane) // KERNELS, best, block)
                for j in range(stop - lane):
                    won[0, lane + j] += block[0, j]
                    won[1, lane + j] += block[1, j]
        for column in range(lane_of.size):
            out[case, column] = np.sqrt(max(won[count_of[column], lane_of[column]], 0.0))


@compiled
def _compete(row: Single, n_groups: int, best: Single, block: Single) -> None:
    """Count what the kernels of some groups win at one place.

    Parameters
    ----------
    row
        The answers of the first kernel of each group, then of the second of each, and so on.
    best : float32 array of shape (4, n_groups) or more
        Work space.
    block : float32 array of shape (2, 8 * n_groups) or more
        The greatest answers, and the number of the least, of each kernel so far.
    """
    one, nothing = np.float32(1.0), np.float32(0.0)
    high, highest = best[0, :n_groups], best[1, :n_groups]
    low, lowest = best[2, :n_groups], best[3, :n_groups]
    for g in range(n_groups):
        high[g] = low[g] = row[g]
        highest[g] = lowest[g] = nothing
    for kernel in range(1, KERNELS):
        these, number = row[kernel * n_groups :], np.float32(kernel)
        # Loads, then choices, then stores: without a branch, on many groups at once.
        for g in range(n_groups):
            value, most, which = these[g], high[g], highest[g]
            high[g] = max(most, value)
            highest[g] = number if value > most else which
        for g in range(n_groups):
            value, least, which = these[g], low[g], lowest[g]
            low[g] = min(least, value)
            lowest[g] = number if value < least else which
    for kernel in range(KERNELS):
        number, start = np.float32(kernel), kernel * n_groups
        sums, counts = block[0, start : start + n_groups], block[1, start : start + n_groups]
        for g in range(n_groups):
            sums[g] += high[g] * (one if highest[g] == number else nothing)
        for g in range(n_groups):
            counts[g] += one if lowest[g] == number else nothing
