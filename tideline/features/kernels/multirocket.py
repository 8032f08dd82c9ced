"""MultiRocket: four numbers of the places where a small fixed kernel answers above a bias.

Tan, Dempster, Bergmeir and Webb 2022, "MultiRocket: multiple pooling operators and transformations
for fast and effective time series classification", with the kernels of MiniRocket (Dempster,
Schmidt and Webb 2021): nine taps, of which three weigh 2 and six weigh -1, in all 84 orders.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tideline.features.kernels.kernel import Arguments, Kernel, compiled
from tideline.features.kernels.standard_scores import Single, standardise
from tideline.panel import FloatArray

if TYPE_CHECKING:
    from tideline.features.batch import Batch

TAPS = 9
POOLINGS = ("ppv", "mpv", "mipv", "lspv")
BLOCK = 128
"""How many answers are held at once: those of all kernels of one dilation stay in the cache."""


def _weights() -> Single:
    weights = np.full((84, TAPS), -1, dtype=np.float32)
    for row, heavy in zip(weights, combinations(range(TAPS), 3), strict=True):
        row[list(heavy)] = 2
    return weights


WEIGHTS = _weights()
"""The kernels, float32 array of shape (84, 9)."""


class _Prepared(NamedTuple):
    """The arguments, gathered so that each convolution is computed once.

    A *unit* is a kernel with a dilation, a padding and a bias: all but the pooling. A *group* is
    what has one dilation and padding; its *lanes* are its kernels, those with the most biases
    first. A *layer* is one bias for each of the first lanes.
    """

    dilations: NDArray[np.int64]  # of each group
    padded: NDArray[np.int64]
    lanes: NDArray[np.int64]  # where the lanes of each group begin, and the last end
    layers: NDArray[np.int64]  # where the layers of each group begin, and the last end
    units: NDArray[np.int64]  # where the units of each layer begin, and the last end
    weights: Single  # of shape (9, n_lanes)
    biases: Single  # of each unit
    unit_of: NDArray[np.int64]  # of each column
    pooling_of: NDArray[np.int64]


def multirocket(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `multirocket`: where the answer of a convolution is above a bias.

    The series is taken in standard scores. `ppv` is the share of such places; `mpv` how far the
    answers there are above the bias in the mean, 0 where there is none; `mipv` the mean of their
    positions, -1 where there is none; `lspv` the length of the longest stretch of them. With
    `padding`, zeros stand on either side of the series, and there is an answer for each value;
    without, only where the kernel has values under all its taps, and with padding after all where
    that is nowhere. NaN where the series is not finite.
    """
    prepared = _prepared(arguments)

    def kernel(batch: Batch, out: FloatArray) -> None:
        _pool_cases(batch.values, batch.offsets, *prepared, out)

    return kernel


def _prepared(arguments: Sequence[Arguments]) -> _Prepared:
    kernels = np.array([each["kernel"] for each in arguments], dtype=np.int64)
    dilations = np.array([each["dilation"] for each in arguments], dtype=np.int64)
    biases = np.array([each["bias"] for each in arguments], dtype=np.float32)
    padded = np.array([each["padding"] for each in arguments], dtype=np.int64)
    codes = {name: code for code, name in enumerate(POOLINGS)}
    pooling_of = np.array([codes[each["pooling"]] for each in arguments], dtype=np.int64)

    order = np.lexsort((biases, kernels, dilations, padded))
    new_group = _changes(order, padded, dilations)
    new_lane = new_group | _changes(order, kernels)
    new_unit = new_lane | _changes(order, biases)
    first = order[new_unit]  # a column of each unit
    group = (np.cumsum(new_group) - 1)[new_unit]
    lane = (np.cumsum(new_lane) - 1)[new_unit]
    # Which of its kernel's biases each unit is, and how many the kernel has.
    count = np.bincount(lane)
    rank = np.arange(lane.size) - (np.cumsum(count) - count)[lane]
    placed = np.lexsort((kernels[first], -count[lane], rank, group))
    place = np.empty_like(placed)
    place[placed] = np.arange(placed.size)

    unit_of = np.empty(order.size, dtype=np.int64)
    unit_of[order] = place[np.cumsum(new_unit) - 1]
    in_lanes = placed[rank[placed] == 0]
    new_layer = np.diff(group[placed], prepend=-1).astype(bool) | np.diff(
        rank[placed], prepend=-1
    ).astype(bool)
    n_groups = int(new_group.sum())
    of_group = first[np.flatnonzero(np.diff(group, prepend=-1))]
    return _Prepared(
        dilations[of_group],
        padded[of_group],
        _begins(group[in_lanes], n_groups),
        _begins(group[placed][new_layer], n_groups),
        np.append(np.flatnonzero(new_layer), placed.size).astype(np.int64),
        np.ascontiguousarray(WEIGHTS[kernels[first[in_lanes]]].T),
        biases[first[placed]],
        unit_of,
        pooling_of,
    )


def _changes(order: NDArray[np.intp], *keys: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Return where, in some order, any of the keys is not what it was just before."""
    changed = np.zeros(order.size, dtype=np.bool_)
    changed[:1] = True
    for key in keys:
        changed[1:] |= key[order][1:] != key[order][:-1]
    return changed


def _begins(groups: NDArray[np.int64], n_groups: int) -> NDArray[np.int64]:
    """Return where each group begins among its members, and where the last ends."""
    return np.searchsorted(groups, np.arange(n_groups + 1)).astype(np.int64)


@compiled
def _pool_cases(
    values: FloatArray,
    offsets: NDArray[np.int64],
    dilations: NDArray[np.int64],
    padded: NDArray[np.int64],
    lanes: NDArray[np.int64],
    layers: NDArray[np.int64],
    units: NDArray[np.int64],
    weights: Single,
    biases: Single,
    unit_of: NDArray[np.int64],
    pooling_of: NDArray[np.int64],
    out: FloatArray,
) -> None:
    n_units = biases.size
    pooled = np.empty((4, n_units))
    runs = np.empty((2, n_units), dtype=np.float32)
    answers = np.empty((BLOCK, 84), dtype=np.float32)
    sums = np.empty((3, 84), dtype=np.float32)
    for case in range(offsets.size - 1):
        series = values[offsets[case] : offsets[case + 1]]
        n = series.size
        around = np.zeros(TAPS * n, dtype=np.float32)
        if not standardise(series, around[4 * n : 5 * n]):
            out[case, :] = np.nan
            continue
        pooled[:] = 0.0
        runs[:] = np.float32(0.0)
        for group in range(dilations.size):
            # From n on, whatever the dilation, there is nothing but zeros beside the series.
            step = min(dilations[group], n)
            start, count = 0, n
            if padded[group] == 0 and n > 8 * step:
                start, count = 4 * step, n - 8 * step
            for done in range(0, count, BLOCK):
                held = min(BLOCK, count - done)
                first = 4 * n + start + done
                answer(around, first, step, held, weights, lanes[group], lanes[group + 1], answers)
                for layer in range(layers[group], layers[group + 1]):
                    unit, stop = units[layer], units[layer + 1]
                    _pool(answers, held, done, biases, unit, stop, sums, runs, pooled)
            for unit in range(units[layers[group]], units[layers[group + 1]]):
                hits = pooled[0, unit]
                pooled[0, unit] = hits / count
                pooled[1, unit] = pooled[1, unit] / hits if hits > 0.0 else 0.0
                pooled[2, unit] = pooled[2, unit] / hits if hits > 0.0 else -1.0
                pooled[3, unit] = runs[1, unit]
        for column in range(unit_of.size):
            out[case, column] = pooled[pooling_of[column], unit_of[column]]


@compiled
def answer(
    around: Single,
    first: int,
    step: int,
    count: int,
    weights: Single,
    lane: int,
    stop: int,
    answers: Single,
) -> None:
    """Fill in the answers of some kernels at places in a row, shape (count, n_lanes) or more.

    Parameters
    ----------
    around
        The series, and what stands on either side.
    first
        The first place, where the middle tap stands.
    step
        How far the taps are apart.
    weights : float32 array of shape (9, n_lanes)
        Of which the lanes from `lane` up to `stop` are computed.
    """
    w0, w1, w2 = weights[0, lane:stop], weights[1, lane:stop], weights[2, lane:stop]
    w3, w4, w5 = weights[3, lane:stop], weights[4, lane:stop], weights[5, lane:stop]
    w6, w7, w8 = weights[6, lane:stop], weights[7, lane:stop], weights[8, lane:stop]
    for t in range(count):
        at = first + t
        x0, x1, x2 = around[at - 4 * step], around[at - 3 * step], around[at - 2 * step]
        x3, x4, x5 = around[at - step], around[at], around[at + step]
        x6, x7, x8 = around[at + 2 * step], around[at + 3 * step], around[at + 4 * step]
        row = answers[t]
        for i in range(stop - lane):
            # One after the other, from the left: the same bits on every machine.
            row[i] = (
                w0[i] * x0
                + w1[i] * x1
                + w2[i] * x2
                + w3[i] * x3
                + w4[i] * x4
                + w5[i] * x5
                + w6[i] * x6
                + w7[i] * x7
                + w8[i] * x8
            )


@compiled
def _pool(
    answers: Single,
    count: int,
    done: int,
    biases: Single,
    unit: int,
    stop: int,
    sums: Single,
    runs: Single,
    pooled: FloatArray,
) -> None:
    """Add a block of answers to what is known of a layer of units."""
    one, nothing = np.float32(1.0), np.float32(0.0)
    width = stop - unit
    bias = biases[unit:stop]
    run, longest = runs[0, unit:stop], runs[1, unit:stop]
    hits, above, places = sums[0], sums[1], sums[2]
    sums[:] = nothing
    for t in range(count):
        row, place = answers[t], np.float32(t)
        # Three loops without a branch: each is worked on many lanes at once.
        for i in range(width):
            positive = one if row[i] > bias[i] else nothing
            hits[i] += positive
            places[i] += positive * place
        for i in range(width):
            more = row[i] - bias[i]
            above[i] += max(nothing, more)
        for i in range(width):
            stretch = (run[i] + one) * (one if row[i] > bias[i] else nothing)
            run[i] = stretch
            most = longest[i]
            longest[i] = max(stretch, most)
    for i in range(width):
        pooled[0, unit + i] += hits[i]
        pooled[1, unit + i] += above[i]
        # The places of this block are counted from its beginning, small enough to be exact.
        pooled[2, unit + i] += places[i] + float(done) * hits[i]
