"""Kernels of the calculators that look at where in a series something is, and how often."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tideline.features.kernels.kernel import Arguments, Kernel, Prepare, compiled
from tideline.features.kernels.sums import longest, sum_between
from tideline.panel import FloatArray

if TYPE_CHECKING:
    from tideline.features.batch import Batch


@compiled
def _steps_to_largest(x: FloatArray, step: int, sign: float) -> int:
    """Return `numpy.argmax` of the values times `sign`, backwards if `step` is -1; NaN is largest.

    There is at least one value.
    """
    first = 0 if step > 0 else x.size - 1
    best, most = 0, sign * x[first]
    for k in range(x.size):
        value = sign * x[first + k * step]
        if np.isnan(value):
            return k
        if value > most:
            best, most = k, value
    return best


@compiled
def _locations(
    values: FloatArray, offsets: NDArray[np.int64], sign: float, step: int, out: FloatArray
) -> None:
    for case in range(out.shape[0]):
        x = values[offsets[case] : offsets[case + 1]]
        out[case, 0] = np.nan
        if x.size > 0:
            share = _steps_to_largest(x, step, sign) / x.size
            out[case, 0] = share if step > 0 else 1.0 - share


def _location(sign: float, step: int) -> Prepare:
    def prepare(arguments: Sequence[Arguments]) -> Kernel:  # noqa: ARG001 - there are none
        return lambda batch, out: _locations(batch.values, batch.offsets, sign, step, out)

    return prepare


first_location_of_maximum = _location(1.0, 1)
last_location_of_maximum = _location(1.0, -1)
first_location_of_minimum = _location(-1.0, 1)
last_location_of_minimum = _location(-1.0, -1)


@compiled
def _longest_strikes(
    values: FloatArray, offsets: NDArray[np.int64], means: FloatArray, sign: float, out: FloatArray
) -> None:
    for case in range(out.shape[0]):
        best = strike = 0
        for value in values[offsets[case] : offsets[case + 1]]:
            strike = strike + 1 if sign * value > sign * means[case] else 0
            best = max(best, strike)
        out[case, 0] = best


def _longest_strike(sign: float) -> Prepare:
    def prepare(arguments: Sequence[Arguments]) -> Kernel:  # noqa: ARG001 - there are none
        def kernel(batch: Batch, out: FloatArray) -> None:
            _longest_strikes(batch.values, batch.offsets, batch.means, sign, out)

        return kernel

    return prepare


longest_strike_below_mean = _longest_strike(-1.0)
longest_strike_above_mean = _longest_strike(1.0)


@compiled
def _number_crossing_m(
    values: FloatArray, offsets: NDArray[np.int64], thresholds: FloatArray, out: FloatArray
) -> None:
    for case in range(out.shape[0]):
        x = values[offsets[case] : offsets[case + 1]]
        following = x[1:]
        for k in range(thresholds.size):
            crossings = 0
            for i in range(following.size):
                crossings += (x[i] > thresholds[k]) != (following[i] > thresholds[k])
            out[case, k] = crossings


def number_crossing_m(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `number_crossing_m`: how often a series crosses a threshold."""
    thresholds = np.array([entry["m"] for entry in arguments], dtype=np.float64)
    return lambda batch, out: _number_crossing_m(batch.values, batch.offsets, thresholds, out)


@compiled
def _support(x: FloatArray, place: int) -> int:
    """Return for how many neighbours, on both sides, the value at a place is the only largest."""
    support = 0
    while (
        support < min(place, x.size - 1 - place)
        and x[place] > x[place - support - 1]
        and x[place] > x[place + support + 1]
    ):
        support += 1
    return support


@compiled
def _number_peaks(
    values: FloatArray, offsets: NDArray[np.int64], supports: NDArray[np.int64], out: FloatArray
) -> None:
    out[:] = 0.0
    for case in range(out.shape[0]):
        x = values[offsets[case] : offsets[case + 1]]
        for place in range(1, x.size - 1):
            # To look until it fails takes n log n steps in all, however large the supports are.
            support = _support(x, place)
            if support > 0:
                for k in range(supports.size):
                    out[case, k] += support >= supports[k]


def number_peaks(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `number_peaks`: of values larger than `n` neighbours on each side."""
    supports = np.array([entry["n"] for entry in arguments], dtype=np.int64)
    return lambda batch, out: _number_peaks(batch.values, batch.offsets, supports, out)


@compiled
def _index_mass_quantile(
    values: FloatArray,
    offsets: NDArray[np.int64],
    shares: FloatArray,
    columns: NDArray[np.int64],
    out: FloatArray,
) -> None:
    work = np.empty(longest(offsets))
    for case in range(out.shape[0]):
        x = values[offsets[case] : offsets[case + 1]]
        for i in range(x.size):
            work[i] = abs(x[i])
        whole = sum_between(work, 0, x.size)
        for i in range(1, x.size):
            work[i] += work[i - 1]
        place = 0
        for k in range(shares.size):
            # The shares ascend, so the search goes on; a share that is never reached (NaN, or lost
            # in rounding) is put at the first value, as `numpy.argmax` of nothing but False does.
            while place < x.size and not work[place] / whole >= shares[k]:
                place += 1
            reached = place if place < x.size else 0
            out[case, columns[k]] = np.nan if whole == 0 else (reached + 1) / x.size


def index_mass_quantile(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `index_mass_quantile`: how far in a share of the sum is reached."""
    shares = np.array([entry["q"] for entry in arguments], dtype=np.float64)
    columns = np.argsort(shares, kind="stable").astype(np.int64)
    shares = shares[columns]

    def kernel(batch: Batch, out: FloatArray) -> None:
        _index_mass_quantile(batch.values, batch.offsets, shares, columns, out)

    return kernel


@compiled
def _energy_ratio_by_chunks(
    values: FloatArray,
    offsets: NDArray[np.int64],
    segments: NDArray[np.int64],
    focuses: NDArray[np.int64],
    out: FloatArray,
) -> None:
    squares = np.empty(longest(offsets))
    for case in range(out.shape[0]):
        x = values[offsets[case] : offsets[case + 1]]
        for i in range(x.size):
            squares[i] = x[i] * x[i]
        whole = sum_between(squares, 0, x.size)
        for k in range(segments.size):
            # The first segments are one longer where the length is not a multiple.
            size, longer = x.size // segments[k], x.size % segments[k]
            first = focuses[k] * size + min(focuses[k], longer)
            energy = sum_between(squares, first, size + int(focuses[k] < longer))
            out[case, k] = np.nan if whole == 0 else energy / whole


def energy_ratio_by_chunks(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `energy_ratio_by_chunks`: one segment's share of the sum of squares."""
    segments = np.array([entry["num_segments"] for entry in arguments], dtype=np.int64)
    focuses = np.array([entry["segment_focus"] for entry in arguments], dtype=np.int64)

    def kernel(batch: Batch, out: FloatArray) -> None:
        _energy_ratio_by_chunks(batch.values, batch.offsets, segments, focuses, out)

    return kernel
