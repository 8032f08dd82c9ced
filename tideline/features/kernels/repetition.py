"""Which values a series repeats, and how its values spread over bins and over leading digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tideline.features.kernels.kernel import Arguments, Kernel, Prepare, compiled
from tideline.features.kernels.sums import longest, mean_of, sum_first
from tideline.panel import FloatArray

if TYPE_CHECKING:
    from tideline.features.batch import Batch

LEAST = 5e-324
"""The least number above zero."""


@compiled
def _tallies(ascending: FloatArray, offsets: NDArray[np.int64]) -> FloatArray:
    """Count what the series repeat.

    Returns
    -------
    float64 array of shape (3, n_cases)
        The different values (all NaN together are one), those of them that occur more than once,
        and the data points, without NaN, whose value occurs more than once.
    """
    result = np.zeros((3, offsets.size - 1))
    for case in range(offsets.size - 1):
        start, stop = offsets[case], offsets[case + 1]
        first = start  # of the values equal to the one at hand
        for i in range(start, stop):
            is_nan = np.isnan(ascending[first])
            if i + 1 < stop and (ascending[i + 1] == ascending[first] or is_nan):
                continue
            result[0, case] += 1
            if i > first:
                result[1, case] += 1
                result[2, case] += 0 if is_nan else i + 1 - first
            first = i + 1
    return result


def _from_tallies(value: Callable[[FloatArray, NDArray[np.int64]], NDArray[np.generic]]) -> Prepare:
    """Return the calculator of what the tallies and the lengths tell."""

    def prepare(arguments: Sequence[Arguments]) -> Kernel:  # noqa: ARG001 - there are none
        def kernel(batch: Batch, out: FloatArray) -> None:
            tallies = _tallies(batch.ascending, batch.offsets)
            out[:] = value(tallies, batch.lengths)[:, np.newaxis]

        return kernel

    return prepare


has_duplicate = _from_tallies(lambda tallies, lengths: tallies[0] != lengths)
ratio_value_number_to_time_series_length = _from_tallies(
    lambda tallies, lengths: tallies[0] / lengths
)
percentage_of_reoccurring_values_to_all_values = _from_tallies(
    lambda tallies, lengths: tallies[1] / tallies[0]  # noqa: ARG005 - by values, not by points
)
percentage_of_reoccurring_datapoints_to_all_datapoints = _from_tallies(
    lambda tallies, lengths: tallies[2] / lengths
)


@compiled
def _occur_twice(
    values: FloatArray, offsets: NDArray[np.int64], wanted: FloatArray, out: FloatArray
) -> None:
    for case in range(out.shape[0]):
        series = values[offsets[case] : offsets[case + 1]]
        count = 0
        for i in range(series.size):
            count += series[i] == wanted[case]
        out[case, 0] = np.nan if series.size == 0 else min(count // 2, 1)


def has_duplicate_max(arguments: Sequence[Arguments]) -> Kernel:  # noqa: ARG001 - there are none
    """Return the kernel of `has_duplicate_max`: whether the greatest value occurs twice."""
    return lambda batch, out: _occur_twice(batch.values, batch.offsets, batch.maxima, out)


def has_duplicate_min(arguments: Sequence[Arguments]) -> Kernel:  # noqa: ARG001 - there are none
    """Return the kernel of `has_duplicate_min`: whether the least value occurs twice."""
    return lambda batch, out: _occur_twice(batch.values, batch.offsets, batch.minima, out)


@compiled
def _repeated_sums(
    ascending: FloatArray, offsets: NDArray[np.int64], most: int, out: FloatArray
) -> None:
    """Add up the repeated values, each as often as it occurs, or `most` times.

    What occurs once adds zero times itself, as in tsfresh: one infinity makes the sum NaN.
    """
    work = np.empty(longest(offsets))
    for case in range(out.shape[0]):
        start, stop = offsets[case], offsets[case + 1]
        first = filled = start
        for i in range(start, stop):
            value = ascending[first]
            if i + 1 < stop and (ascending[i + 1] == value or np.isnan(value)):
                continue
            count = i + 1 - first
            work[filled - start] = value * (min(count, most) if count > 1 else 0)
            filled += 1
            first = i + 1
        out[case, 0] = sum_first(work, filled - start)


def sum_of_reoccurring_values(
    arguments: Sequence[Arguments],  # noqa: ARG001 - there are none
) -> Kernel:
    """Return the kernel of `sum_of_reoccurring_values`: each value once."""
    return lambda batch, out: _repeated_sums(batch.ascending, batch.offsets, 1, out)


def sum_of_reoccurring_data_points(
    arguments: Sequence[Arguments],  # noqa: ARG001 - there are none
) -> Kernel:
    """Return the kernel of `sum_of_reoccurring_data_points`: each as often as it occurs."""
    return lambda batch, out: _repeated_sums(
        batch.ascending, batch.offsets, batch.ascending.size, out
    )


@compiled
def _set_edges(low: float, high: float, bins: int, edges: FloatArray) -> bool:
    """Set the edges of bins of one width as `numpy.linspace` does; return whether all differ."""
    if low == high:
        low, high = low - 0.5, high + 0.5
    step = (high - low) / bins
    for k in range(bins):
        # A step too small for a number is taken apart, to the bit as numpy takes it.
        edges[k] = (k / bins * (high - low) if step == 0 else k * step) + low
    edges[bins] = high
    for k in range(bins):
        if not edges[k] < edges[k + 1]:
            return False
    return bool(np.isfinite(high - low))


@compiled
def _count_in_bins(series: FloatArray, bins: int, edges: FloatArray, counts: FloatArray) -> None:
    """Count as `numpy.histogram` does: a guess by division, put right by the edges."""
    for place in range(bins):
        counts[place] = 0.0
    low = edges[0]
    width = edges[bins] - low
    for i in range(series.size):
        place = min(int((series[i] - low) / width * bins), bins - 1)
        if series[i] < edges[place]:
            place -= 1
        if place != bins - 1 and series[i] >= edges[place + 1]:
            place += 1
        counts[place] += 1.0


@compiled
def binned_entropies(
    values: FloatArray,
    offsets: NDArray[np.int64],
    extremes: FloatArray,
    bins: NDArray[np.int64],
    out: FloatArray,
) -> None:
    """Fill in the entropy of each series over some numbers of bins.

    NaN where the extremes, of shape (2, n_cases), are not finite or too close for so many bins.
    """
    edges, counts = np.empty(1), np.empty(1)
    for k in range(bins.size):
        if edges.size <= bins[k]:
            edges, counts = np.empty(bins[k] + 1), np.empty(bins[k])
        for case in range(out.shape[0]):
            out[case, k] = np.nan
            if _set_edges(extremes[0, case], extremes[1, case], bins[k], edges):
                series = values[offsets[case] : offsets[case + 1]]
                _count_in_bins(series, bins[k], edges, counts)
                for place in range(bins[k]):
                    share = counts[place] / series.size
                    counts[place] = share * np.log(share) if share > 0 else 0.0
                out[case, k] = -sum_first(counts, bins[k])


def binned_entropy(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `binned_entropy`: `max_bins`, a whole number from 1.

    NaN where a value is not finite, and where the values are too close for so many bins.
    """
    bins = np.array([each["max_bins"] for each in arguments], dtype=np.int64)

    def kernel(batch: Batch, out: FloatArray) -> None:
        extremes = np.stack((batch.minima, batch.maxima))
        binned_entropies(batch.values, batch.offsets, extremes, bins, out)

    return kernel


@cache
def _digit_borders() -> tuple[FloatArray, NDArray[np.int64]]:
    """Return where the leading decimal digit changes, and where to begin to look.

    The shortest decimal that reads back as x begins with a digit of at least d just when x is at
    least what `d * 10**k` reads as: no other number between the two is nearer.

    Returns
    -------
    borders : float64 array
        The numbers 1, 2, ... 9, 10, 20, ... times every power of ten, ascending, then NaN.
    firsts : int64 array of shape (2048,)
        For each exponent of a float64, the first border above the least number with it.
    """
    read = [float(f"{digit}e{power}") for power in range(-324, 309) for digit in range(1, 10)]
    # Of the numbers that all read as the least, five is the nearest, and is printed.
    read[:9] = [LEAST] * 5 + [2 * LEAST] * 4
    borders = np.array(read)
    borders[np.isinf(borders)] = np.nan
    bits = np.arange(2048, dtype=np.int64) << 52
    firsts = np.searchsorted(borders, bits.view(np.float64), side="right").astype(np.int64)
    return borders, firsts


@compiled
def _digit_counts(
    values: FloatArray,
    bits: NDArray[np.int64],
    offsets: NDArray[np.int64],
    borders: FloatArray,
    firsts: NDArray[np.int64],
    counts: FloatArray,
) -> None:
    """Count the leading digits 1 to 9 of each series; zero and NaN have none that counts."""
    for case in range(counts.shape[0]):
        for i in range(offsets[case], offsets[case + 1]):
            size = abs(values[i])
            if size > 0:
                place = firsts[(bits[i] >> 52) & 2047]
                while borders[place] <= size:
                    place += 1
                counts[case, (place - 1) % 9] += 1.0


@compiled
def _correlations(
    counts: FloatArray, lengths: NDArray[np.int64], law: FloatArray, out: FloatArray
) -> None:
    """Correlate the shares of the digits with the law, which is given less its mean."""
    shares = np.empty(9)
    for case in range(out.shape[0]):
        for digit in range(9):
            shares[digit] = counts[case, digit] / lengths[case]
        centre = mean_of(shares)
        together = spread = expected = 0.0
        for digit in range(9):
            deviation = shares[digit] - centre
            together += law[digit] * deviation
            spread += deviation * deviation
            expected += law[digit] * law[digit]
        scale = np.sqrt(expected / 8) * np.sqrt(spread / 8)
        out[case, 0] = min(max(together / 8 / scale, -1.0), 1.0)


def benford_correlation(arguments: Sequence[Arguments]) -> Kernel:  # noqa: ARG001 - there are none
    """Return the kernel of `benford_correlation`: of the leading digits with Benford's law.

    The leading digit is that of the shortest decimal that reads back as the value.
    """
    borders, firsts = _digit_borders()
    law = np.log10(1 + 1 / np.arange(1, 10))
    law -= law.mean()

    def kernel(batch: Batch, out: FloatArray) -> None:
        counts = np.zeros((batch.n_cases, 9))
        bits = batch.values.view(np.int64)
        _digit_counts(batch.values, bits, batch.offsets, borders, firsts, counts)
        _correlations(counts, batch.lengths, law, out)

    return kernel
