"""How many values lie beyond or between bounds, and whether the spread passes one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tideline.features.kernels.kernel import Arguments, Kernel, Prepare, compiled
from tideline.panel import FloatArray

if TYPE_CHECKING:
    from tideline.features.batch import Batch


def _numbers(arguments: Sequence[Arguments], parameter: str) -> FloatArray:
    return np.array([each[parameter] for each in arguments], dtype=np.float64)


def variance_larger_than_standard_deviation(
    arguments: Sequence[Arguments],  # noqa: ARG001 - there are none
) -> Kernel:
    """Return the kernel of `variance_larger_than_standard_deviation`: whether it is."""

    def kernel(batch: Batch, out: FloatArray) -> None:
        out[:] = (batch.variances > batch.deviations)[:, np.newaxis]

    return kernel


def large_standard_deviation(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `large_standard_deviation`: `r`, a share of the range."""
    shares = _numbers(arguments, "r")

    def kernel(batch: Batch, out: FloatArray) -> None:
        _set_where_greater(
            batch, batch.deviations[:, np.newaxis], _shares_of_range(batch, shares), out
        )

    return kernel


def symmetry_looking(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `symmetry_looking`: `r`, a share of the range."""
    shares = _numbers(arguments, "r")

    def kernel(batch: Batch, out: FloatArray) -> None:
        skew = np.abs(batch.means - batch.medians)[:, np.newaxis]
        _set_where_greater(batch, _shares_of_range(batch, shares), skew, out)

    return kernel


def _shares_of_range(batch: Batch, shares: FloatArray) -> FloatArray:
    return shares * (batch.maxima - batch.minima)[:, np.newaxis]


def _set_where_greater(batch: Batch, left: FloatArray, right: FloatArray, out: FloatArray) -> None:
    out[:] = left > right
    out[batch.lengths == 0] = np.nan  # an empty series has no range


@compiled
def _shares_beyond(
    values: FloatArray,
    offsets: NDArray[np.int64],
    centres: FloatArray,
    limits: FloatArray,
    out: FloatArray,
) -> None:
    for case in range(out.shape[0]):
        series = values[offsets[case] : offsets[case + 1]]
        for k in range(out.shape[1]):
            count = 0
            for i in range(series.size):
                count += abs(series[i] - centres[case]) > limits[case, k]
            out[case, k] = count / series.size


def ratio_beyond_r_sigma(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `ratio_beyond_r_sigma`: `r`, a number of standard deviations."""
    widths = _numbers(arguments, "r")

    def kernel(batch: Batch, out: FloatArray) -> None:
        limits = widths * batch.deviations[:, np.newaxis]
        _shares_beyond(batch.values, batch.offsets, batch.means, limits, out)

    return kernel


@compiled
def _counts_between(
    values: FloatArray,
    offsets: NDArray[np.int64],
    lows: FloatArray,
    highs: FloatArray,
    out: FloatArray,
) -> None:
    """Count the values of each series between bounds, both of them included."""
    for case in range(out.shape[0]):
        series = values[offsets[case] : offsets[case + 1]]
        for k in range(lows.size):
            count = 0
            for i in range(series.size):
                count += (series[i] >= lows[k]) & (series[i] <= highs[k])
            out[case, k] = count


def value_count(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `value_count`: `value`, a number."""
    wanted = _numbers(arguments, "value")
    return lambda batch, out: _counts_between(batch.values, batch.offsets, wanted, wanted, out)


def range_count(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `range_count`: from `min` up to, and without, `max`."""
    lows = _numbers(arguments, "min")
    highs = np.nextafter(_numbers(arguments, "max"), -np.inf)
    return lambda batch, out: _counts_between(batch.values, batch.offsets, lows, highs, out)


def count_above(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `count_above`: `t`, a number; the share of the values from it up."""
    lows = _numbers(arguments, "t")
    return _share_between(lows, np.full(lows.size, np.inf))


def count_below(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `count_below`: `t`, a number; the share of the values up to it."""
    highs = _numbers(arguments, "t")
    return _share_between(np.full(highs.size, -np.inf), highs)


def _share_between(lows: FloatArray, highs: FloatArray) -> Kernel:
    def kernel(batch: Batch, out: FloatArray) -> None:
        _counts_between(batch.values, batch.offsets, lows, highs, out)
        out /= batch.lengths[:, np.newaxis]

    return kernel


@compiled
def _counts_beyond(
    values: FloatArray,
    offsets: NDArray[np.int64],
    centres: FloatArray,
    sign: float,
    out: FloatArray,
) -> None:
    """Count the values of each series above its centre (sign 1) or below it (sign -1)."""
    for case in range(out.shape[0]):
        series = values[offsets[case] : offsets[case + 1]]
        count = 0
        for i in range(series.size):
            count += sign * series[i] > sign * centres[case]
        out[case, 0] = count


def _count_beyond_mean(sign: float) -> Prepare:
    def prepare(arguments: Sequence[Arguments]) -> Kernel:  # noqa: ARG001 - there are none
        return lambda batch, out: _counts_beyond(
            batch.values, batch.offsets, batch.means, sign, out
        )

    return prepare


count_above_mean = _count_beyond_mean(1.0)
count_below_mean = _count_beyond_mean(-1.0)
