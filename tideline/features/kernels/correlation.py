"""Calculators that compare a series with itself, some steps later."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tideline.features.batch import Batch
from tideline.features.kernels.aggregates import CODES, aggregate
from tideline.features.kernels.kernel import Arguments, Kernel, compiled
from tideline.features.kernels.least_squares import inner
from tideline.features.kernels.sums import longest, sum_between
from tideline.panel import FloatArray

FLAT = 1e-8
"""The variance up to which `autocorrelation` is NaN (`numpy.isclose(variance, 0)`)."""

FLATTER = 10**-10
"""The variance below which `agg_autocorrelation` is 0."""

TRANSFORMED = 1250
"""The length beyond which tsfresh takes the autocorrelation from a Fourier transform."""

FEW_LAGS = 200
"""Up to here, sums are quicker than a transform, and equal to it: they lose less to rounding."""


def autocorrelation(arguments: Sequence[Arguments]) -> Kernel:
    """The autocovariance at a lag, averaged over its terms, by the variance.

    NaN where the variance is 1e-8 or less, and where the lag leaves no term.
    """
    lags = np.array([argument["lag"] for argument in arguments])

    def kernel(batch: Batch, out: FloatArray) -> None:
        _autocorrelations(batch.values, batch.offsets, batch.means, batch.variances, lags, out)

    return kernel


@compiled
def _autocorrelations(
    values: FloatArray,
    offsets: NDArray[np.int64],
    means: FloatArray,
    variances: FloatArray,
    lags: NDArray[np.int64],
    out: FloatArray,
) -> None:
    centred, products = np.empty(longest(offsets)), np.empty(longest(offsets))
    for case in range(means.size):
        count = _centre(values, offsets, means, case, centred)
        for column in range(lags.size):
            terms = count - lags[column]
            if terms <= 0 or abs(variances[case]) <= FLAT:
                out[case, column] = np.nan
                continue
            for t in range(terms):
                products[t] = centred[t] * centred[t + lags[column]]
            out[case, column] = sum_between(products, 0, terms) / (terms * variances[case])


@compiled
def _centre(
    values: FloatArray,
    offsets: NDArray[np.int64],
    means: FloatArray,
    case: int,
    centred: FloatArray,
) -> int:
    """Write a series without its mean, and return its length."""
    count: int = offsets[case + 1] - offsets[case]
    for t in range(count):
        centred[t] = values[offsets[case] + t] - means[case]
    return count


@compiled
def _covary(centred: FloatArray, count: int, covariances: FloatArray) -> None:
    """Write the covariances of a series with itself, at the lags from 0 on, averaged over terms."""
    for lag in range(min(covariances.size, count)):
        terms = count - lag
        covariances[lag] = inner(centred[:terms], centred[lag:]) / terms


def agg_autocorrelation(arguments: Sequence[Arguments]) -> Kernel:
    """An aggregate of the autocorrelations at the lags from 1 to `maxlag`, or to the last.

    As `statsmodels.tsa.stattools.acf(x, adjusted=True)` gives them; all 0 where the variance is
    less than 1e-10, and for a single value.
    """
    codes = np.array([CODES[argument["f_agg"]] for argument in arguments])
    lags = np.array([argument["maxlag"] for argument in arguments])
    most = lags.max()

    def kernel(batch: Batch, out: FloatArray) -> None:
        longest_lag = max(1, min(most, batch.lengths.max() - 1))
        table = np.empty((batch.n_cases, longest_lag))
        _tabulate(batch.values, batch.offsets, batch.means, batch.variances, table)
        if longest_lag > FEW_LAGS:
            _tabulate_transformed(batch, table)
        _aggregate(table, batch.lengths, codes, lags, out)

    return kernel


@compiled
def _tabulate(
    values: FloatArray,
    offsets: NDArray[np.int64],
    means: FloatArray,
    variances: FloatArray,
    table: FloatArray,
) -> None:
    """Fill the row of each case with its autocorrelations, from lag 1 on."""
    centred, covariances = np.empty(longest(offsets)), np.empty(table.shape[1] + 1)
    for case in range(means.size):
        count = _centre(values, offsets, means, case, centred)
        if count == 1 or abs(variances[case]) < FLATTER:
            table[case] = 0.0
        elif count <= TRANSFORMED or table.shape[1] <= FEW_LAGS:
            _covary(centred, count, covariances)
            for lag in range(1, min(covariances.size, count)):
                table[case, lag - 1] = covariances[lag] / covariances[0]


def _tabulate_transformed(batch: Batch, table: FloatArray) -> None:
    """Fill the rows of long series, by statsmodels' transform: rounding errors are alike then."""
    for positions, stacked in batch.stacks:
        length = stacked.shape[1]
        if length > TRANSFORMED:
            kept = ~(np.abs(batch.variances[positions]) < FLATTER)
            centred = stacked[kept] - batch.means[positions[kept], np.newaxis]
            spectrum = np.fft.fft(centred, _regular(2 * length + 1), axis=1)
            squares = np.fft.ifft(spectrum * np.conjugate(spectrum), axis=1)
            covariances = (squares[:, :length] / np.arange(length, 0, -1)).real
            count = min(table.shape[1], length - 1)
            correlations = covariances[:, 1 : count + 1] / covariances[:, :1]
            table[positions[kept], :count] = correlations


def _regular(least: int) -> int:
    """Return the least product of twos, threes and fives from `least` on."""
    found = 1 << (least - 1).bit_length()
    five = 1
    while five < found:
        factor = five
        while factor < found:
            found = min(found, factor << (-(-least // factor) - 1).bit_length())
            factor *= 3
        five *= 5
    return found


@compiled
def _aggregate(
    table: FloatArray,
    lengths: NDArray[np.int64],
    codes: NDArray[np.int64],
    lags: NDArray[np.int64],
    out: FloatArray,
) -> None:
    work = np.empty(table.shape[1])
    for case in range(lengths.size):
        for column in range(codes.size):
            count = min(lags[column], max(lengths[case] - 1, 1))
            out[case, column] = aggregate(codes[column], table[case], count, work)


def partial_autocorrelation(arguments: Sequence[Arguments]) -> Kernel:
    """Partial autocorrelations by the Levinson-Durbin recursion, on the averaged covariances.

    As `statsmodels.tsa.stattools.pacf(x, method="ld")` gives them. NaN for lags of half the
    length or more, and for all where no lag from 1 on can be had. Lag 0 is 1 elsewhere; tsfresh
    gives NaN where no other is asked for, so that a part of a plan would differ from the whole.
    """
    lags = np.array([argument["lag"] for argument in arguments])

    def kernel(batch: Batch, out: FloatArray) -> None:
        _partial_autocorrelations(batch.values, batch.offsets, batch.means, lags, out)

    return kernel


@compiled
def _partial_autocorrelations(
    values: FloatArray,
    offsets: NDArray[np.int64],
    means: FloatArray,
    lags: NDArray[np.int64],
    out: FloatArray,
) -> None:
    asked = max(lags.max(), 1)
    most = min(asked, max(longest(offsets) // 2 - 1, 0))
    centred = np.empty(longest(offsets))
    partial = np.empty(most + 1)
    work = np.empty((3, most + 1))
    for case in range(means.size):
        count = _centre(values, offsets, means, case, centred)
        order = min(asked, count // 2 - 1)
        if order > 0:
            _recurse(centred, count, order, work, partial)
        for column in range(lags.size):
            known = order > 0 and lags[column] <= order
            out[case, column] = partial[lags[column]] if known else np.nan


@compiled
def _recurse(
    centred: FloatArray, count: int, order: int, work: FloatArray, partial: FloatArray
) -> None:
    """Write the partial autocorrelations at the lags from 0 to `order`."""
    covariances, weights, before = work[0], work[1], work[2]
    _covary(centred, count, covariances[: order + 1])
    partial[0] = 1.0
    rest = covariances[0]
    for k in range(1, order + 1):
        explained = 0.0
        for j in range(1, k):
            explained += weights[j] * covariances[k - j]
            before[j] = weights[j]
        partial[k] = (covariances[k] - explained) / rest
        for j in range(1, k):
            weights[j] = before[j] - partial[k] * before[k - j]
        weights[k] = partial[k]
        rest *= 1 - partial[k] ** 2
