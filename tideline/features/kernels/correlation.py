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
    """Return the kernel of `autocorrelation`: the autocovariance at a lag, by the variance.

    It is averaged over its terms. NaN where the variance is 1e-8 or less, and where the lag leaves
    no term.
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
    """Return the kernel of `agg_autocorrelation`: over the lags from 1 to `maxlag`, or the last.

    As `statsmodels.tsa.stattools.acf(x, adjusted=True)` gives them; all 0 where the variance is
    less than 1e-10, and for a single value. Of a long series, many lags are taken from a transform
    and few are not, whatever else is asked for.
    """
    codes = np.array([CODES[argument["f_agg"]] for argument in arguments])
    lags = np.array([argument["maxlag"] for argument in arguments])
    far = np.flatnonzero(lags > FEW_LAGS)

    def kernel(batch: Batch, out: FloatArray) -> None:
        series = batch.values, batch.offsets, batch.means, batch.variances
        _aggregate_directly(*series, codes, lags, out)
        if far.size and batch.lengths.max() > TRANSFORMED:
            for positions, stacked in batch.stacks:
                if stacked.shape[1] > TRANSFORMED:
                    found = _transformed(batch, positions, stacked, lags.max())
                    out[np.ix_(positions, far)] = _aggregates(found, codes[far], lags[far])

    return kernel


@compiled
def _aggregate_directly(
    values: FloatArray,
    offsets: NDArray[np.int64],
    means: FloatArray,
    variances: FloatArray,
    codes: NDArray[np.int64],
    lags: NDArray[np.int64],
    out: FloatArray,
) -> None:
    """Fill `out`, without what is taken from a transform: many lags of long series."""
    room = max(1, min(lags.max(), longest(offsets) - 1))
    centred, covariances = np.empty(longest(offsets)), np.empty(room + 1)
    correlations, work = np.empty(room), np.empty(room)
    for case in range(means.size):
        count = _centre(values, offsets, means, case, centred)
        most = 0
        for lag in lags:
            if count <= TRANSFORMED or lag <= FEW_LAGS:
                most = max(most, min(lag, count - 1))
        if count == 1 or abs(variances[case]) < FLATTER:
            correlations[: max(most, 1)] = 0.0
        elif most > 0:
            _covary(centred, count, covariances[: most + 1])
            for lag in range(1, most + 1):
                correlations[lag - 1] = covariances[lag] / covariances[0]
        for column in range(codes.size):
            if count <= TRANSFORMED or lags[column] <= FEW_LAGS:
                terms = min(lags[column], max(count - 1, 1))
                out[case, column] = aggregate(codes[column], correlations, terms, work)


def _transformed(
    batch: Batch, positions: NDArray[np.intp], stacked: FloatArray, most: int
) -> FloatArray:
    """Return the autocorrelations of long series, at the lags from 1 to `most` or to the last.

    By statsmodels' transform: rounding errors are alike then.
    """
    length = stacked.shape[1]
    count = min(most, length - 1)
    correlations = np.zeros((positions.size, count))
    kept = ~(np.abs(batch.variances[positions]) < FLATTER)
    centred = stacked[kept] - batch.means[positions[kept], np.newaxis]
    spectrum = np.fft.fft(centred, _regular(2 * length + 1), axis=1)
    squares = np.fft.ifft(spectrum * np.conjugate(spectrum), axis=1)
    covariances = (squares[:, :length] / np.arange(length, 0, -1)).real
    correlations[kept] = covariances[:, 1 : count + 1] / covariances[:, :1]
    return correlations


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
def _aggregates(
    correlations: FloatArray, codes: NDArray[np.int64], lags: NDArray[np.int64]
) -> FloatArray:
    """Return the aggregates of the leading autocorrelations, shape (n_cases, n_arguments)."""
    work = np.empty(correlations.shape[1])
    out = np.empty((correlations.shape[0], codes.size))
    for case in range(out.shape[0]):
        for column in range(codes.size):
            terms = min(lags[column], correlations.shape[1])
            out[case, column] = aggregate(codes[column], correlations[case], terms, work)
    return out


def partial_autocorrelation(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `partial_autocorrelation`: by the Levinson-Durbin recursion.

    On the averaged covariances, as `statsmodels.tsa.stattools.pacf(x, method="ld")` does it. NaN
    for lags of half the length or more, and for all where no lag from 1 on can be had. Lag 0 is 1
    elsewhere; tsfresh gives NaN where no other is asked for, so that a part of a plan would differ
    from the whole.
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
