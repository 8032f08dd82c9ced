"""Kernels of the calculators that transform a series by wavelets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pywt  # type: ignore[import-untyped]  # has no types
from numpy.typing import NDArray

from tideline.features.kernels.convolution import correlated
from tideline.features.kernels.kernel import Arguments, Kernel, compiled
from tideline.features.kernels.ridges import UNDECIDED, count_peaks, last_of_two_first
from tideline.features.kernels.sums import longest
from tideline.panel import FloatArray

if TYPE_CHECKING:
    from tideline.features.batch import Batch

_REACH = 10
"""How many widths wide a wavelet is that peaks are counted by."""

_ALWAYS_DIRECT = 256
"""The longest wavelet by which scipy never convolves in the way of Fourier transforms.

By its table of what the ways cost (`scipy.signal.choose_conv_method`), however long the series.
"""

_WIDEST_KEPT = 100
"""Wavelets up to a greater width take too much memory to be kept between calls."""


def cwt_coefficients(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `cwt_coefficients`: single values of pywt's transform by `mexh`.

    A value depends on the width `w` and the coefficient alone, not on the other `widths`.
    """
    pairs = np.array([(each["w"], each["coeff"]) for each in arguments], dtype=np.int64)
    columns = np.lexsort((pairs[:, 1], pairs[:, 0]))
    widths, rows = np.unique(pairs[columns, 0], return_inverse=True)
    taps = [_integrated(width) for width in widths]
    bounds = np.concatenate([[0], np.cumsum([each.size for each in taps])])
    forward, backward = np.concatenate(taps), np.concatenate([each[::-1] for each in taps])
    wavelets = forward, backward, bounds, -np.sqrt(widths)
    coefficients = pairs[columns, 1]

    def kernel(batch: Batch, out: FloatArray) -> None:
        _coefficients(batch.values, batch.offsets, *wavelets, rows, coefficients, columns, out)

    return kernel


@cache
def _mexican_hat() -> tuple[FloatArray, FloatArray]:
    """Return the wavelet's integral and where it was taken, each of shape (4096,)."""
    integral, places = pywt.integrate_wavelet("mexh", precision=12)
    return integral, places


def _integrated(width: int) -> FloatArray:
    """Return the wavelet's integral at the steps of a series, as wide as asked for."""
    integral, places = _mexican_hat()
    count = width * (places[-1] - places[0]) + 1
    steps = (np.arange(count) / (width * (places[1] - places[0]))).astype(np.int64)
    kept: FloatArray = integral[steps[steps < integral.size]]
    return kept


@compiled
def _coefficients(
    values: FloatArray,
    offsets: NDArray[np.int64],
    forward: FloatArray,
    backward: FloatArray,
    bounds: NDArray[np.int64],
    scales: FloatArray,
    rows: NDArray[np.int64],
    coefficients: NDArray[np.int64],
    columns: NDArray[np.int64],
    out: FloatArray,
) -> None:
    work = np.empty(longest(offsets))
    for case in range(out.shape[0]):
        series = values[offsets[case] : offsets[case + 1]]
        n = series.size
        mirrored = work[:n]
        for i in range(n):
            mirrored[i] = series[n - 1 - i]
        width, behind, after = -1, -1, 0.0
        for k in range(columns.size):
            row, coefficient = rows[k], coefficients[k]
            start, stop = bounds[row], bounds[row + 1]
            if coefficient >= n:
                out[case, columns[k]] = np.nan
                continue
            # numpy has the longer of the two first, and adds up in the order of that.
            longer, shorter = series, forward[start:stop]
            if stop - start > n:
                longer, shorter = backward[start:stop], mirrored
            place = (stop - start - 2) // 2 + coefficient
            is_known = width == row and behind == place
            before = after if is_known else correlated(longer, shorter, place)
            after = correlated(longer, shorter, place + 1)
            width, behind = row, place + 1
            out[case, columns[k]] = scales[row] * (after - before)


def number_cwt_peaks(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `number_cwt_peaks`: of ridge lines over the widths from 1 to n."""
    widths = np.array([each["n"] for each in arguments], dtype=np.int64)
    widest = int(widths.max())
    rickers = _kept_rickers if widest <= _WIDEST_KEPT else _rickers

    def kernel(batch: Batch, out: FloatArray) -> None:
        for span, cases in batch.grouped(np.minimum(batch.lengths, _REACH * widest)):
            taps, bounds = rickers(widest, span)
            shared = taps, bounds, widths, last_of_two_first()
            if span <= _ALWAYS_DIRECT:
                count_peaks(batch.values, batch.offsets, cases, *shared, _NOTHING, out)
                continue
            for case in cases:
                values = batch.values[batch.offsets[case] : batch.offsets[case + 1]]
                ready = _transformed(values, taps, bounds)
                count_peaks(batch.values, batch.offsets, np.array([case]), *shared, ready, out)
        for case, column in np.argwhere(out == UNDECIDED):
            values = batch.values[batch.offsets[case] : batch.offsets[case + 1]]
            out[case, column] = _counted_by_scipy(values, widths[column])

    return kernel


_NOTHING = np.empty(0)


def _transformed(series: FloatArray, taps: FloatArray, bounds: NDArray[np.int64]) -> FloatArray:
    """Return the transform of a long series, each row in the way that scipy chooses."""
    from scipy.signal import choose_conv_method, fftconvolve  # noqa: PLC0415 - takes a second

    rows = np.empty((bounds.size - 1, series.size))
    for row, (start, stop) in enumerate(pairwise(bounds)):
        wavelet = taps[start:stop]
        by_fourier = choose_conv_method(series, wavelet, mode="same") == "fft"
        convolve = fftconvolve if by_fourier else np.convolve
        rows[row] = convolve(series, wavelet[::-1], mode="same")
    return rows.reshape(-1)


def _counted_by_scipy(series: FloatArray, width: int) -> int:
    from scipy.signal import find_peaks_cwt  # noqa: PLC0415 - takes a second

    return len(find_peaks_cwt(series, np.arange(1, width + 1), wavelet=_ricker))


def _rickers(widest: int, span: int) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return the wavelets of widths from 1, none longer than a span, and where each begins."""
    sizes = np.minimum(_REACH * np.arange(1, widest + 1), span)
    taps = [_ricker(size, width) for width, size in enumerate(sizes, start=1)]
    return np.concatenate(taps), np.concatenate([[0], np.cumsum(sizes)])


_kept_rickers = lru_cache(maxsize=128)(_rickers)


def _ricker(size: int, width: int) -> FloatArray:
    """Return the Ricker wavelet, the second derivative of a Gaussian, in the middle of `size`."""
    height = 2 / (np.sqrt(3 * width) * (np.pi**0.25))
    squares = (np.arange(0, size) - (size - 1.0) / 2) ** 2
    result: FloatArray = height * (1 - squares / width**2) * np.exp(-squares / (2 * width**2))
    return result
