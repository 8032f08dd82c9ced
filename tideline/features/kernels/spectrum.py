"""Kernels of the calculators that look at a series' frequencies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tideline.features.kernels.kernel import Arguments, Kernel, compiled
from tideline.features.kernels.repetition import binned_entropies
from tideline.features.kernels.sums import sum_of
from tideline.panel import FloatArray

if TYPE_CHECKING:
    from tideline.features.batch import Batch

_ATTRIBUTES = ("real", "imag", "abs", "angle")
_AGGREGATES = ("centroid", "variance", "skew", "kurtosis")
_DEGREES = 180 / math.pi
_WIDEST_KEPT = 2049
"""The most frequencies whose powers are kept for the next batch: 64 kB, of which 64 are kept."""

_NARROWEST = 0.5
"""The variance of a spectrum below which tsfresh gives no skewness and no kurtosis."""


def fft_coefficient(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `fft_coefficient`: parts of single coefficients, angles in degrees."""
    coefficients = np.array([each["coeff"] for each in arguments], dtype=np.int64)
    attributes = np.array([_ATTRIBUTES.index(each["attr"]) for each in arguments], dtype=np.int64)

    def kernel(batch: Batch, out: FloatArray) -> None:
        for cases, spectra in batch.spectra:
            _parts(spectra, cases, coefficients, attributes, out)

    return kernel


@compiled
def _parts(
    spectra: NDArray[np.complex128],
    cases: NDArray[np.intp],
    coefficients: NDArray[np.int64],
    attributes: NDArray[np.int64],
    out: FloatArray,
) -> None:
    width = spectra.shape[1]
    for row in range(cases.size):
        for k in range(coefficients.size):
            if coefficients[k] >= width:
                out[cases[row], k] = np.nan
                continue
            found = spectra[row, coefficients[k]]
            if attributes[k] == 0:
                part = found.real
            elif attributes[k] == 1:
                part = found.imag
            elif attributes[k] == 2:
                part = math.hypot(found.real, found.imag)
            else:
                part = math.atan2(found.imag, found.real) * _DEGREES
            out[cases[row], k] = part


def fft_aggregated(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `fft_aggregated`: moments of the amplitudes over the frequencies."""
    aggregates = np.array([_AGGREGATES.index(each["aggtype"]) for each in arguments])

    def kernel(batch: Batch, out: FloatArray) -> None:
        for cases, spectra in batch.spectra:
            width = spectra.shape[1]
            powers = _kept_powers(width) if width <= _WIDEST_KEPT else _powers(width)
            _aggregate(np.abs(spectra), cases, powers, aggregates, out)

    return kernel


def _powers(width: int) -> FloatArray:
    """Return the places in the spectrum to the power of 1 to 4, shape (4, width)."""
    places = np.arange(width, dtype=np.float64)
    return np.array([places**power for power in range(1, 5)])


_kept_powers = lru_cache(maxsize=64)(_powers)


@compiled
def _aggregate(
    amplitudes: FloatArray,
    cases: NDArray[np.intp],
    powers: FloatArray,
    aggregates: NDArray[np.int64],
    out: FloatArray,
) -> None:
    moments = np.empty(4)
    results = np.empty(4)
    for row in range(cases.size):
        total = sum_of(amplitudes[row])
        for power in range(4):
            # By BLAS, as tsfresh's: what cancels below has to have the same bits.
            moments[power] = np.dot(amplitudes[row], powers[power]) / total
        _shape(moments, results)
        for k in range(aggregates.size):
            out[cases[row], k] = results[aggregates[k]]


@compiled
def _shape(moments: FloatArray, results: FloatArray) -> None:
    """Fill in the centroid, the variance, and tsfresh's skewness and kurtosis."""
    centroid, second, third, fourth = moments
    variance = second - centroid * centroid
    results[0], results[1] = centroid, variance
    if variance < _NARROWEST:
        results[2] = results[3] = np.nan
        return
    skew = third - 3 * centroid * variance - centroid**3.0
    results[2] = skew / variance**1.5
    # The last term is three times the fourth power of the centroid by the book, and tsfresh's
    # own is kept.
    kurtosis = fourth - 4 * centroid * third + 6 * second * centroid**2.0 - 3 * centroid
    results[3] = kurtosis / variance**2.0


def spkt_welch_density(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `spkt_welch_density`: each coefficient in its own column.

    Of a short series tsfresh gives some to the wrong columns, where the coefficients that are
    asked for do not ascend.
    """
    coefficients = np.array([each["coeff"] for each in arguments], dtype=np.int64)

    def kernel(batch: Batch, out: FloatArray) -> None:
        for cases, densities in batch.welch:
            there = coefficients < densities.shape[1]
            found = densities[:, np.where(there, coefficients, 0)]
            out[cases] = np.where(there, found, np.nan)

    return kernel


def fourier_entropy(arguments: Sequence[Arguments]) -> Kernel:
    """Return the kernel of `fourier_entropy`: of the densities as shares of the greatest."""
    bins = np.array([each["bins"] for each in arguments], dtype=np.int64)

    def kernel(batch: Batch, out: FloatArray) -> None:
        for cases, densities in batch.welch:
            shares, extremes = np.empty(densities.size), np.empty((2, cases.size))
            _share(densities, shares, extremes)
            offsets = np.arange(0, shares.size + 1, densities.shape[1])
            entropies = np.empty((cases.size, bins.size))
            binned_entropies(shares, offsets, extremes, bins, entropies)
            out[cases] = entropies

    return kernel


@compiled
def _share(densities: FloatArray, shares: FloatArray, extremes: FloatArray) -> None:
    """Fill in the densities as shares of the greatest, and the least and the greatest share."""
    width = densities.shape[1]
    for row in range(densities.shape[0]):
        greatest = least = densities[row, 0]
        known = True
        for k in range(width):
            greatest = max(greatest, densities[row, k])
            least = min(least, densities[row, k])
            known &= not np.isnan(densities[row, k])
        for k in range(width):
            shares[row * width + k] = densities[row, k] / greatest
        extremes[0, row] = least / greatest if known else np.nan
        extremes[1, row] = greatest / greatest
