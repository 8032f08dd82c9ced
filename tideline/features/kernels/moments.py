"""Sums, means and moments of a series, its quantiles and its extremes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tideline.features.kernels.kernel import Arguments, Kernel, Prepare, compiled, each
from tideline.features.kernels.order import quantile_of
from tideline.features.kernels.sums import block_at, longest, sum_between, sum_first
from tideline.panel import FloatArray

if TYPE_CHECKING:
    from tideline.features.batch import Batch

LEAF = 256
"""How many values pandas adds up one after the other before it adds in pairs."""


def _known(values: Callable[[Batch], NDArray[np.number]]) -> Prepare:
    """Return the calculator of what the batch knows of each series, shape (n_cases,)."""

    def prepare(arguments: Sequence[Arguments]) -> Kernel:  # noqa: ARG001 - there are none
        def kernel(batch: Batch, out: FloatArray) -> None:
            out[:] = values(batch)[:, np.newaxis]

        return kernel

    return prepare


mean = _known(lambda batch: batch.means)
median = _known(lambda batch: batch.medians)
variance = _known(lambda batch: batch.variances)
standard_deviation = _known(lambda batch: batch.deviations)
maximum = _known(lambda batch: batch.maxima)
minimum = _known(lambda batch: batch.minima)
absolute_maximum = _known(lambda batch: np.maximum(np.abs(batch.minima), np.abs(batch.maxima)))
length = _known(lambda batch: batch.lengths)


def _relative_deviations(batch: Batch) -> FloatArray:
    return np.where(batch.means == 0, np.nan, batch.deviations / batch.means)


variation_coefficient = _known(_relative_deviations)


@compiled
def _sums(values: FloatArray, offsets: NDArray[np.int64], out: FloatArray) -> None:
    for case in range(out.shape[0]):
        start, stop = offsets[case], offsets[case + 1]
        out[case, 0] = sum_between(values, start, stop - start)


@compiled
def _square_sums(values: FloatArray, offsets: NDArray[np.int64], out: FloatArray) -> None:
    squares = np.empty(longest(offsets))
    for case in range(out.shape[0]):
        series = values[offsets[case] : offsets[case + 1]]
        for i in range(series.size):
            squares[i] = series[i] * series[i]
        out[case, 0] = sum_first(squares, series.size)


sum_values = each(_sums)
abs_energy = each(_square_sums)


def root_mean_square(arguments: Sequence[Arguments]) -> Kernel:  # noqa: ARG001 - there are none
    """Return the kernel of `root_mean_square`: of the mean of the squares."""

    def kernel(batch: Batch, out: FloatArray) -> None:
        _square_sums(batch.values, batch.offsets, out)
        np.sqrt(out / batch.lengths[:, np.newaxis], out=out)

    return kernel


@compiled
def _quantiles(
    ascending: FloatArray, offsets: NDArray[np.int64], shares: FloatArray, out: FloatArray
) -> None:
    for case in range(out.shape[0]):
        start, stop = offsets[case], offsets[case + 1]
        if start == stop or np.isnan(ascending[stop - 1]):
            continue
        for k in range(shares.size):
            count = stop - start
            out[case, k] = quantile_of(ascending[start:stop], count, count, shares[k])


def quantile(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `quantile`: `q`, from 0 to 1."""
    shares = np.array([each["q"] for each in arguments], dtype=np.float64)
    # Of a whole `q`, 0 or 1, numpy takes the extreme itself; of 0.0 or 1.0 it interpolates, which
    # makes an infinity NaN.
    whole = [k for k, each in enumerate(arguments) if isinstance(each["q"], int)]

    def kernel(batch: Batch, out: FloatArray) -> None:
        out.fill(np.nan)
        _quantiles(batch.ascending, batch.offsets, shares, out)
        for k in whole:
            out[:, k] = batch.maxima if shares[k] == 1 else batch.minima

    return kernel


@compiled
def _means_of_largest(
    ascending: FloatArray,
    offsets: NDArray[np.int64],
    counts: NDArray[np.int64],
    work: FloatArray,
    out: FloatArray,
) -> None:
    for case in range(out.shape[0]):
        start, stop = offsets[case], offsets[case + 1]
        if start == stop or np.isnan(ascending[stop - 1]):
            continue
        for k in range(counts.size):
            if stop - start > counts[k]:
                _take_largest(ascending, start, stop, counts[k], work)
                out[case, k] = sum_first(work, counts[k]) / counts[k]


@compiled
def _take_largest(
    ascending: FloatArray, start: int, stop: int, count: int, work: FloatArray
) -> None:
    """Put the greatest magnitudes into `work`, ascending: they are at the two ends."""
    low, high = start, stop - 1
    for place in range(count - 1, -1, -1):
        if abs(ascending[low]) > abs(ascending[high]):
            work[place] = abs(ascending[low])
            low += 1
        else:
            work[place] = abs(ascending[high])
            high -= 1


def mean_n_absolute_max(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `mean_n_absolute_max`: `number_of_maxima`, a whole number from 1."""
    counts = np.array([each["number_of_maxima"] for each in arguments], dtype=np.int64)
    most = counts.max()

    def kernel(batch: Batch, out: FloatArray) -> None:
        out.fill(np.nan)
        _means_of_largest(batch.ascending, batch.offsets, counts, np.empty(most), out)

    return kernel


@compiled
def _set_powers(x: FloatArray, start: int, count: int, centre: float, sums: FloatArray) -> None:
    """Set the sums of the first four powers of the deviations, of even places, then of odd ones.

    NaN count nothing.
    """
    a1 = a2 = a3 = a4 = b1 = b2 = b3 = b4 = 0.0
    for i in range(start, start + count, 2):
        a = 0.0 if np.isnan(x[i]) else x[i] - centre
        b = 0.0 if np.isnan(x[i + 1]) else x[i + 1] - centre
        a1, b1 = a1 + a, b1 + b
        a2, b2 = a2 + a * a, b2 + b * b
        a3, b3 = a3 + a * a * a, b3 + b * b * b
        a4, b4 = a4 + (a * a) * (a * a), b4 + (b * b) * (b * b)
    sums[0], sums[1], sums[2], sums[3] = a1, a2, a3, a4
    sums[4], sums[5], sums[6], sums[7] = b1, b2, b3, b4


@compiled
def _add_powers(x: FloatArray, centre: float, sums: FloatArray) -> None:
    """Put the sums of the first four powers of the deviations into `sums[0, :4]`.

    In the order in which pandas adds: two by two, in leaves, and the leaves in pairs.
    """
    even = x.size // 2 * 2
    row = done = x.size - x.size  # not a literal zero, of which numba compiles a function anew
    while done < even:
        size, ends = block_at(done, even, LEAF, 2)
        _set_powers(x, done, size, centre, sums[row])
        for _ in range(ends):
            row -= 1
            for k in range(8):
                sums[row, k] += sums[row + 1, k]
        row += 1
        done += size
    last = x[-1] - centre if even < x.size and not np.isnan(x[-1]) else 0.0
    square = last * last
    sums[0, 0] = (sums[0, 0] + sums[0, 4]) + last
    sums[0, 1] = (sums[0, 1] + sums[0, 5]) + square
    sums[0, 2] = (sums[0, 2] + sums[0, 6]) + square * last
    sums[0, 3] = (sums[0, 3] + sums[0, 7]) + square * square


@compiled
def _shape_of(x: FloatArray, n: int, order: int, sums: FloatArray) -> float:
    """Return the skewness (order 3) or the excess kurtosis (order 4) of `n` values.

    Two passes with a correction for the error of the mean: Pébay, Terriberry, Kolla and Bennett
    2016, "Numerically stable, scalable formulas for parallel and online computation of
    higher-order multivariate central moments with arbitrary weights".
    """
    _add_powers(x, 0.0, sums)
    _add_powers(x, sums[0, 0] / n, sums)
    s1, s2, s3, s4 = sums[0, 0], sums[0, 1], sums[0, 2], sums[0, 3]
    error = s1 / n
    m2 = s2 - s1 * error
    m2 = max(m2, 0.0)
    if order == 3:
        m3 = s3 - 3.0 * s2 * error + 2.0 * error * (s1 * error)
        skew: float = m3 / (m2 * np.sqrt(m2)) * ((n * np.sqrt(n - 1.0)) / (n - 2.0))
        return skew
    m4 = s4 - 4.0 * s3 * error + 6.0 * s2 * (error * error) - 3.0 * (s1 * error) * (error * error)
    m4 = max(m4, 0.0)
    excess: float = n * (n + 1.0) * (m4 / (m2 * m2)) - 3.0 * (n - 1.0)
    return (n - 1.0) / ((n - 2.0) * (n - 3.0)) * excess


@compiled
def _shapes(values: FloatArray, offsets: NDArray[np.int64], order: int, out: FloatArray) -> None:
    sums = np.empty((64, 8))  # a row for each time that a series can be halved
    for case in range(out.shape[0]):
        series = values[offsets[case] : offsets[case + 1]]
        n = series.size
        for i in range(series.size):
            n -= np.isnan(series[i])
        # tsfresh leaves NaN out of the kurtosis, and not out of the skewness.
        if n < order or (order == 3 and n < series.size):
            out[case, 0] = np.nan
        else:
            out[case, 0] = _shape_of(series, n, order, sums)


def skewness(arguments: Sequence[Arguments]) -> Kernel:  # noqa: ARG001 - there are none
    """Return the kernel of `skewness`: `pandas.Series.skew`."""
    return lambda batch, out: _shapes(batch.values, batch.offsets, 3, out)


def kurtosis(arguments: Sequence[Arguments]) -> Kernel:  # noqa: ARG001 - there are none
    """Return the kernel of `kurtosis`: `pandas.Series.kurtosis`."""
    return lambda batch, out: _shapes(batch.values, batch.offsets, 4, out)
