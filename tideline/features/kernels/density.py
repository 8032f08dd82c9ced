"""The power density of series as `scipy.signal.welch` estimates it, to the bit.

The mean of the periodograms of segments that overlap by half, each less its mean and tapered by a
Hann window (Welch 1967, "The use of fast Fourier transform for the estimation of power spectra").
Equal bits, because the density of a constant series is rounding alone, and tsfresh takes the
entropy of that.
"""

from __future__ import annotations

from functools import cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

from tideline.features.kernels.kernel import compiled
from tideline.features.kernels.sums import mean_of, sum_between
from tideline.panel import FloatArray

LONGEST_SEGMENT = 256
"""As tsfresh asks scipy for it: a shorter series is one segment."""

_SEGMENTS_AT_ONCE = 512
"""A megabyte of them stays in the processor's cache, and bounds the memory."""


def power_density(
    values: FloatArray, offsets: NDArray[np.int64], cases: NDArray[np.intp], span: int
) -> FloatArray:
    """Return the densities of some series of a flat buffer, shape (cases.size, span // 2 + 1).

    Parameters
    ----------
    values, offsets
        As in a `Batch`.
    cases
        The positions of the series; each has `span` values, or more where that is the longest
        segment.
    span
        The length of the segments.
    """
    overlap = span // 2
    counts = (offsets[cases + 1] - offsets[cases] - overlap) // (span - overlap)
    at_once = max(1, _SEGMENTS_AT_ONCE // int(counts.max()))
    densities = np.empty((cases.size, overlap + 1))
    for first in range(0, cases.size, at_once):
        some = slice(first, first + at_once)
        _estimate(values, offsets[cases[some]], counts[some], span, densities[some])
    return densities


def _estimate(
    values: FloatArray,
    starts: NDArray[np.int64],
    counts: NDArray[np.int64],
    span: int,
    densities: FloatArray,
) -> None:
    pieces = np.empty((counts.sum(), span))
    _cut(values, starts, counts, _window(span), span - span // 2, pieces)
    work = np.empty((densities.shape[1], counts.max()))
    _average(np.fft.rfft(pieces, axis=1), counts, span % 2 == 0, work, densities)


@cache
def _window(span: int) -> FloatArray:
    """Return the window, one period of it, scaled for a sampling frequency of one."""
    window = np.ones(1)
    if span > 1:
        window = (0.5 + 0.5 * np.cos(np.linspace(-np.pi, np.pi, span + 1)))[:-1]
    power = np.cumsum(window**2)[-1]  # one after the other, and not in pairs
    return cast("FloatArray", window * (1 / np.sqrt(power)))


@compiled
def _cut(
    values: FloatArray,
    starts: NDArray[np.int64],
    counts: NDArray[np.int64],
    window: FloatArray,
    step: int,
    pieces: FloatArray,
) -> None:
    span = window.size
    piece = 0
    for row in range(starts.size):
        for k in range(counts[row]):
            segment = values[starts[row] + k * step : starts[row] + k * step + span]
            mean = mean_of(segment)
            for i in range(span):
                pieces[piece, i] = (segment[i] - mean) * window[i]
            piece += 1


@compiled
def _average(
    spectra: NDArray[np.complex128],
    counts: NDArray[np.int64],
    even: bool,
    powers: FloatArray,
    densities: FloatArray,
) -> None:
    width = densities.shape[1]
    first = 0
    for row in range(counts.size):
        count = counts[row]
        for k in range(width):
            # Each frequency stands for its negative too, but zero and the highest even one.
            sides = 1.0 if k == 0 or (even and k == width - 1) else 2.0
            for piece in range(count):
                found = spectra[first + piece, k]
                powers[k, piece] = (found.real * found.real + found.imag * found.imag) * sides
        for k in range(width):
            total = powers[k, 0] if count == 1 else sum_between(powers[k], 0, count)
            densities[row, k] = total / count
        first += count
