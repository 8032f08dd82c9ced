"""Kernels of the calculators that look at how a series changes from one value to the next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tideline.features.kernels.aggregates import CODES, aggregate
from tideline.features.kernels.kernel import Arguments, Kernel, compiled, each
from tideline.features.kernels.order import count_known, quantile_of
from tideline.features.kernels.sums import longest, sum_between
from tideline.panel import FloatArray

if TYPE_CHECKING:
    from tideline.features.batch import Batch


@compiled
def _path_length(x: FloatArray, work: FloatArray) -> float:
    following = x[1:]
    for i in range(following.size):
        work[i] = abs(following[i] - x[i])
    return sum_between(work, 0, following.size)


@compiled
def _mean_abs_change(values: FloatArray, offsets: NDArray[np.int64], out: FloatArray) -> None:
    work = np.empty(longest(offsets))
    for case in range(out.shape[0]):
        x = values[offsets[case] : offsets[case + 1]]
        out[case, 0] = _path_length(x, work) / (x.size - 1) if x.size > 1 else np.nan


@compiled
def _absolute_sum_of_changes(
    values: FloatArray, offsets: NDArray[np.int64], out: FloatArray
) -> None:
    work = np.empty(longest(offsets))
    for case in range(out.shape[0]):
        out[case, 0] = _path_length(values[offsets[case] : offsets[case + 1]], work)


@compiled
def _mean_change(values: FloatArray, offsets: NDArray[np.int64], out: FloatArray) -> None:
    for case in range(out.shape[0]):
        x = values[offsets[case] : offsets[case + 1]]
        out[case, 0] = (x[x.size - 1] - x[0]) / (x.size - 1) if x.size > 1 else np.nan


@compiled
def _mean_second_derivative_central(
    values: FloatArray, offsets: NDArray[np.int64], out: FloatArray
) -> None:
    for case in range(out.shape[0]):
        x = values[offsets[case] : offsets[case + 1]]
        out[case, 0] = np.nan
        if x.size > 2:
            bent = x[x.size - 1] - x[x.size - 2] - x[1] + x[0]
            out[case, 0] = bent / (2 * (x.size - 2))


mean_abs_change = each(_mean_abs_change)
mean_change = each(_mean_change)
mean_second_derivative_central = each(_mean_second_derivative_central)
absolute_sum_of_changes = each(_absolute_sum_of_changes)


@compiled
def _line_length(x: FloatArray, centre: float, scale: float, work: FloatArray) -> float:
    if x.size == 0 or scale == 0:
        return 0.0
    following = x[1:]
    for i in range(following.size):
        change = (following[i] - centre) / scale - (x[i] - centre) / scale
        work[i] = change * change
    return math.sqrt(sum_between(work, 0, following.size))


@compiled
def _cid_ce(
    values: FloatArray,
    offsets: NDArray[np.int64],
    means: FloatArray,
    deviations: FloatArray,
    normalised: NDArray[np.int64],
    out: FloatArray,
) -> None:
    work = np.empty(longest(offsets))
    for case in range(out.shape[0]):
        x = values[offsets[case] : offsets[case + 1]]
        for k in range(normalised.size):
            centre, scale = (means[case], deviations[case]) if normalised[k] == 1 else (0.0, 1.0)
            out[case, k] = _line_length(x, centre, scale, work)


def cid_ce(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `cid_ce`: the length of the line drawn (Batista et al. 2014)."""
    normalised = np.array([bool(entry["normalize"]) for entry in arguments], dtype=np.int64)

    def kernel(batch: Batch, out: FloatArray) -> None:
        _cid_ce(batch.values, batch.offsets, batch.means, batch.deviations, normalised, out)

    return kernel


@compiled
def _c3(
    values: FloatArray, offsets: NDArray[np.int64], lags: NDArray[np.int64], out: FloatArray
) -> None:
    work = np.empty(longest(offsets))
    for case in range(out.shape[0]):
        x = values[offsets[case] : offsets[case + 1]]
        for k in range(lags.size):
            second, third = x[lags[k] :], x[2 * lags[k] :]
            count = third.size
            for i in range(count):
                work[i] = third[i] * second[i] * x[i]
            out[case, k] = sum_between(work, 0, count) / count if count > 0 else 0.0


@compiled
def _time_reversal_asymmetry_statistic(
    values: FloatArray, offsets: NDArray[np.int64], lags: NDArray[np.int64], out: FloatArray
) -> None:
    work = np.empty(longest(offsets))
    for case in range(out.shape[0]):
        x = values[offsets[case] : offsets[case + 1]]
        for k in range(lags.size):
            second, third = x[lags[k] :], x[2 * lags[k] :]
            count = third.size
            for i in range(count):
                ahead = third[i] * third[i] * second[i]
                work[i] = ahead - second[i] * x[i] * x[i]
            out[case, k] = sum_between(work, 0, count) / count if count > 0 else 0.0


def c3(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `c3`: the mean product of three values a lag apart (Schreiber 1997)."""
    lags = np.array([entry["lag"] for entry in arguments], dtype=np.int64)
    return lambda batch, out: _c3(batch.values, batch.offsets, lags, out)


def time_reversal_asymmetry_statistic(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `time_reversal_asymmetry_statistic` (Fulcher 2014).

    How a series differs from itself run backwards.
    """
    lags = np.array([entry["lag"] for entry in arguments], dtype=np.int64)

    def kernel(batch: Batch, out: FloatArray) -> None:
        _time_reversal_asymmetry_statistic(batch.values, batch.offsets, lags, out)

    return kernel


@compiled
def _fill_thresholds(ascending: FloatArray, shares: FloatArray, thresholds: FloatArray) -> None:
    """Fill in `pandas.Series.quantile(shares)` of a series in ascending order, to the bit.

    Values of the series are compared with the thresholds, and many thresholds are values.
    """
    count = count_known(ascending)
    for k in range(shares.size):
        thresholds[k] = np.nan
        if count > 0:
            thresholds[k] = quantile_of(ascending, count, ascending.size, shares[k])


@compiled
def _keep_changes(x: FloatArray, low: float, high: float, kept: FloatArray) -> int:
    """Keep the changes between neighbours that are both in a corridor; return how many there are.

    The corridor is the only bin of `pandas.qcut`: its lower edge belongs to it, also where both
    edges are one value; an upper edge of NaN (between infinities) bounds nothing, a lower edge of
    NaN leaves nothing.
    """
    if not low <= high:
        high = np.inf if np.isnan(high) else low  # that it is lower is rounding
    count = 0
    was_inside, before = False, 0.0
    for now in x:
        # No branches: whether a value is inside is what a processor cannot foresee.
        is_inside = (low <= now) & (now <= high)
        kept[count] = now - before
        count += is_inside & was_inside
        was_inside, before = is_inside, now
    return count


@compiled
def _change_quantiles(
    values: FloatArray,
    offsets: NDArray[np.int64],
    ascending: FloatArray,
    shares: FloatArray,
    sets: NDArray[np.int64],
    out: FloatArray,
) -> None:
    room = longest(offsets)
    kept, work = np.empty(room), np.empty(room)
    thresholds = np.empty(shares.size)
    for case in range(out.shape[0]):
        x = values[offsets[case] : offsets[case + 1]]
        _fill_thresholds(ascending[offsets[case] : offsets[case + 1]], shares, thresholds)
        low, high, absolute, count = -1, -1, 0, 0
        for k in range(sets.shape[0]):
            if sets[k, 0] != low or sets[k, 1] != high:
                low, high, absolute, count = sets[k, 0], sets[k, 1], 0, 0
                if low < high:
                    count = _keep_changes(x, thresholds[low], thresholds[high], kept)
            if sets[k, 2] != absolute:
                absolute = 1
                for i in range(count):
                    kept[i] = abs(kept[i])
            value = aggregate(sets[k, 3], kept, count, work) if count > 0 else 0.0
            out[case, sets[k, 4]] = value


def change_quantiles(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `change_quantiles`: aggregates of the changes inside a corridor.

    The corridor lies between two quantiles.

    The sets are brought into such an order that a corridor is looked at once, and its changes
    become absolute only when those with a sign are done with.
    """
    shares = sorted({float(entry[edge]) for entry in arguments for edge in ("ql", "qh")})
    rows = sorted(
        (
            shares.index(entry["ql"]),
            shares.index(entry["qh"]),
            int(entry["isabs"]),
            CODES[entry["f_agg"]],
            column,
        )
        for column, entry in enumerate(arguments)
    )
    sets, quantiles = np.array(rows, dtype=np.int64).reshape(-1, 5), np.array(shares)

    def kernel(batch: Batch, out: FloatArray) -> None:
        _change_quantiles(batch.values, batch.offsets, batch.ascending, quantiles, sets, out)

    return kernel
