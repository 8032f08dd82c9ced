"""Kernels of the calculators that ask how predictable a series is: entropies, complexity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tideline.features.kernels import neighbours
from tideline.features.kernels.kernel import Arguments, Kernel, compiled
from tideline.features.kernels.neighbours import sums_over_runs
from tideline.features.kernels.sums import longest
from tideline.features.kernels.weak_orders import (
    MOST,
    entropies_by_numpy,
    lengthen,
    permutations_by_weak_order,
)
from tideline.features.parameter_rules import LARGEST
from tideline.panel import FloatArray

if TYPE_CHECKING:
    from tideline.features.batch import Batch


def sample_entropy(arguments: Sequence[Arguments]) -> Kernel:  # noqa: ARG001 - there are none
    """Return the kernel of `sample_entropy`: runs of two values, a fifth of the deviation."""
    lengths = np.array([2])

    def kernel(batch: Batch, out: FloatArray) -> None:
        tolerances = 0.2 * batch.deviations[:, np.newaxis]
        counts = np.arange(batch.lengths.max() + 1, dtype=np.float64)
        far = _sums_over_runs(batch, tolerances, lengths, counts)[:, 0]
        runs = np.maximum(batch.lengths[:, np.newaxis] - [1, 2], 0)
        near = far + runs * (runs - 1)  # less the run itself, which tsfresh takes for found
        out[:, 0] = -np.log(near[:, 1] / near[:, 0])
        out[np.isnan(batch.maxima)] = np.nan

    return kernel


def approximate_entropy(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `approximate_entropy`, with the length `m` and the tolerance `r`."""
    lengths = np.array([each["m"] for each in arguments], dtype=np.int64)
    shares = np.array([each["r"] for each in arguments], dtype=np.float64)

    def kernel(batch: Batch, out: FloatArray) -> None:
        tolerances = shares * batch.deviations[:, np.newaxis]
        sums = _sums_over_runs(batch, tolerances, lengths, _logarithms(batch))
        runs = batch.lengths[:, np.newaxis] - lengths + 1
        np.abs(sums[:, :, 0] / runs - sums[:, :, 1] / (runs - 1), out=out)
        out[runs <= 2] = 0
        out[tolerances < 0] = np.nan  # tsfresh raises

    return kernel


def _sums_over_runs(
    batch: Batch, tolerances: FloatArray, lengths: NDArray[np.int64], weights: FloatArray
) -> FloatArray:
    sums = np.empty((*tolerances.shape, 2))
    around = batch.offsets, tolerances, lengths, weights
    sums_over_runs(batch.ascending, batch.order, *around, neighbours.ROOM, sums)
    return sums


def _logarithms(batch: Batch) -> FloatArray:
    """Return the logarithm of every whole number up to the longest series' length."""
    logarithms = np.empty(batch.lengths.max() + 1)
    logarithms[0] = -np.inf
    np.log(np.arange(1, logarithms.size), out=logarithms[1:])
    return logarithms


def permutation_entropy(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `permutation_entropy`, with the step `tau` and the `dimension`.

    As in tsfresh, `tau` is the distance between windows, not that between the values of one.
    """
    taus = np.array([each["tau"] for each in arguments], dtype=np.int64)
    dimensions = np.array([each["dimension"] for each in arguments], dtype=np.int64)
    # From short windows to long ones: the number of an order begins with that of a shorter one.
    columns = np.flatnonzero(dimensions <= MOST)
    columns = columns[np.argsort(dimensions[columns], kind="stable")]
    tables, starts = _tables({int(d) for d in dimensions[columns]})
    small = dimensions[columns], taus[columns], columns

    def kernel(batch: Batch, out: FloatArray) -> None:
        if columns.size:
            logarithms = _logarithms(batch)
            _permutation_entropy(
                batch.values, batch.offsets, *small, tables, starts, logarithms, out
            )
        for k in range(len(arguments)):
            if dimensions[k] > MOST:
                for positions, stacked in batch.stacks:
                    out[positions, k] = entropies_by_numpy(stacked, taus[k], dimensions[k])
        _compute_the_rest_by_numpy(batch, taus, dimensions, out)

    return kernel


def _tables(dimensions: set[int]) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
    """Return the tables of some dimensions in one array, and where that of each begins."""
    tables = {d: permutations_by_weak_order(d) for d in sorted(dimensions)}
    starts = np.zeros(MOST + 1, dtype=np.int64)
    starts[list(tables)] = np.cumsum([0, *(table.size for table in tables.values())])[:-1]
    return np.concatenate([np.zeros(0, dtype=np.int16), *tables.values()]), starts


def _compute_the_rest_by_numpy(
    batch: Batch, taus: NDArray[np.int64], dimensions: NDArray[np.int64], out: FloatArray
) -> None:
    """Compute the series with NaN or infinities by numpy, which sorts those in its own way."""
    for case in np.flatnonzero(~np.isfinite(batch.variances)):
        stacked = batch.values[np.newaxis, batch.offsets[case] : batch.offsets[case + 1]]
        for k in range(dimensions.size):
            out[case, k] = entropies_by_numpy(stacked, taus[k], dimensions[k])[0]


@compiled
def _permutation_entropy(
    values: FloatArray,
    offsets: NDArray[np.int64],
    dimensions: NDArray[np.int64],
    taus: NDArray[np.int64],
    columns: NDArray[np.int64],
    tables: NDArray[np.int16],
    starts: NDArray[np.int64],
    logarithms: FloatArray,
    out: FloatArray,
) -> None:
    most = longest(offsets)
    codes, digits = np.empty(most, dtype=np.int32), np.empty(most, dtype=np.int32)
    times = np.zeros(5040, dtype=np.int32)  # the permutations of 7 values
    for case in range(out.shape[0]):
        x = values[offsets[case] : offsets[case + 1]]
        codes[: x.size] = 0
        reached = 1
        for k in range(dimensions.size):
            dimension = dimensions[k]
            for length in range(reached, min(dimension, x.size)):
                lengthen(x, length, codes, digits)
            reached = dimension
            if dimension <= x.size:
                kept = codes[: x.size - dimension + 1]
                table = tables[starts[dimension] :]
                out[case, columns[k]] = _entropy(kept, taus[k], table, logarithms, times)
            else:
                out[case, columns[k]] = np.nan


@compiled
def _entropy(
    codes: NDArray[np.int32],
    tau: int,
    table: NDArray[np.int16],
    logarithms: FloatArray,
    times: NDArray[np.int32],
) -> float:
    """Return the entropy of the permutations of every `tau`-th window; `times` stays zeros."""
    for i in range(0, codes.size, tau):
        times[table[codes[i]]] += 1
    n_windows = (codes.size - 1) // tau + 1
    total = 0.0
    for i in range(0, codes.size, tau):
        seen = times[table[codes[i]]]
        if seen > 0:
            total += seen * (logarithms[n_windows] - logarithms[seen])
            times[table[codes[i]]] = 0
    return total / n_windows


def lempel_ziv_complexity(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `lempel_ziv_complexity`, with the number of `bins`."""
    bins = np.array([each["bins"] for each in arguments], dtype=np.int64)
    return lambda batch, out: _lempel_ziv_complexity(batch.values, batch.offsets, bins, out)


@compiled
def _lempel_ziv_complexity(
    values: FloatArray, offsets: NDArray[np.int64], bins: NDArray[np.int64], out: FloatArray
) -> None:
    most = longest(offsets)
    symbols = np.empty(most, dtype=np.int64)
    slots = 2
    while slots < 2 * most:
        slots *= 2
    keys, words = np.empty(slots, dtype=np.int64), np.empty(slots, dtype=np.int64)
    for slot in range(slots):
        keys[slot] = -1
    for case in range(out.shape[0]):
        x = values[offsets[case] : offsets[case + 1]]
        for k in range(bins.size):
            _symbols(x, bins[k], symbols)
            # A number above those of all words before; a series has no more words than values.
            root = (offsets[case] + case) * bins.size + k * (x.size + 1)
            out[case, k] = _count_words(symbols, x.size, root, keys, words) / x.size


@compiled
def _symbols(x: FloatArray, bins: int, symbols: NDArray[np.int64]) -> None:
    """Fill in how many of the bins' upper edges, as `numpy.linspace` has them, are less."""
    low, high, is_finite = np.inf, -np.inf, True
    for i in range(x.size):
        symbols[i] = 0
        low, high = min(low, x[i]), max(high, x[i])
        is_finite &= math.isfinite(x[i])
    width = high - low
    # Of edges that are NaN or endless none is less, and the last is the greatest value itself.
    if not (is_finite and 0 < width < np.inf):
        return
    step, scale = width / bins, bins / width
    if not math.isfinite(scale):
        scale = 0.0
    for i in range(x.size):
        symbols[i] = min(int((x[i] - low) * scale), bins - 1)
    # Right but for rounding, which decides at the edges.
    for i in range(x.size):
        symbol = symbols[i]
        while symbol > 0 and _edge(symbol, bins, low, width, step) >= x[i]:
            symbol -= 1
        while symbol < bins - 1 and _edge(symbol + 1, bins, low, width, step) < x[i]:
            symbol += 1
        symbols[i] = symbol


@compiled
def _edge(edge: int, bins: int, low: float, width: float, step: float) -> float:
    if step == 0:
        return edge / bins * width + low
    return edge * step + low


@compiled
def _count_words(
    symbols: NDArray[np.int64],
    n_symbols: int,
    root: int,
    keys: NDArray[np.int64],
    words: NDArray[np.int64],
) -> int:
    """Cut a series into words, each the shortest not met before; return how many there are.

    Words are numbered from `root + 1`, `root` being the empty one. A word is an earlier one and
    another symbol; `keys` and `words` are a table with open addresses from these two to its
    number. Keys of earlier series are less than any of this one's, so they count as free.
    """
    mask = keys.size - 1
    last = word = root
    for i in range(n_symbols):
        key = word * LARGEST + symbols[i]
        slot = ((key * 0x9E3779B97F4A7C1) >> 32) & mask
        while keys[slot] >= root * LARGEST and keys[slot] != key:
            slot = (slot + 1) & mask
        if keys[slot] == key:
            word = words[slot]
        else:
            last += 1
            keys[slot], words[slot] = key, last
            word = root
    return last - root


def query_similarity_count(arguments: Sequence[Arguments]) -> Kernel:  # noqa: ARG001 - none counts
    """Return the kernel of `query_similarity_count`: NaN.

    A query is an array, and parameters are numbers and words: the only query that may be asked
    for is None, as in tsfresh's own sets, and to that tsfresh's answer is NaN for every series.
    """
    return lambda batch, out: out.fill(np.nan)  # noqa: ARG005 - no series counts either
