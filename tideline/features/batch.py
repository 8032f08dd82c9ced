"""A batch: one series of each of some cases, and the work that calculators share on them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from tideline.features.kernels.density import LONGEST_SEGMENT, power_density
from tideline.features.kernels.order import extremes, medians
from tideline.features.kernels.sums import means, variances
from tideline.panel import Channel, FloatArray

Shared = TypeVar("Shared")


class Batch:
    """The series that a chunk of cases have for one channel, as one flat buffer.

    What more than one calculator needs is computed when the first asks for it, and kept.

    Parameters
    ----------
    values : float64 array of shape (n_values,), in C order
        The series, one after the other.
    offsets : int64 array of shape (n_cases + 1,)
        Where each series begins in `values`; the last is the end of the last series.
    """

    def __init__(self, values: FloatArray, offsets: NDArray[np.int64]) -> None:
        self.values = values
        self.offsets = offsets
        self._shared: dict[Hashable, object] = {}

    @classmethod
    def of_channel(cls, channel: Channel, start: int, stop: int) -> Batch:
        """Return the series of the cases from `start` up to `stop`: a view, not a copy.

        Values that cannot be written to are copied: to numba they are of another type, for which
        all kernels would be compiled once more.
        """
        offsets = channel.offsets[start : stop + 1]
        values = channel.values[offsets[0] : offsets[-1]]
        return cls(np.require(values, requirements=["C", "W"]), offsets - offsets[0])

    @property
    def n_cases(self) -> int:
        """The number of cases."""
        return self.offsets.size - 1

    def shared(self, key: Hashable, compute: Callable[[], Shared]) -> Shared:
        """Return what `compute` returns: called for the first who asks for the key, and kept.

        For work that depends on parameters too, which are part of the key.
        """
        if key not in self._shared:
            self._shared[key] = compute()
        return cast("Shared", self._shared[key])

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """The number of values of each series, int64 array of shape (n_cases,)."""
        return np.diff(self.offsets)

    @cached_property
    def by_length(self) -> list[tuple[int, NDArray[np.intp]]]:
        """Each length that occurs, with the positions of the cases whose series have it."""
        return self.grouped(self.lengths)

    @cached_property
    def present(self) -> Batch:
        """The batch without the series that hold no value; itself where there are none."""
        positions = np.flatnonzero(self.lengths)
        return self if positions.size == self.n_cases else self.take(positions)

    @cached_property
    def stacks(self) -> list[tuple[NDArray[np.intp], FloatArray]]:
        """The series stacked by length, for what numpy does faster with many at once.

        One pair for each length that occurs: the positions of the cases, and their series as an
        array of shape (n_positions, length). A view of `values` where all are of one length.
        """
        if len(self.by_length) == 1:
            length, positions = self.by_length[0]
            return [(positions, self.values.reshape(self.n_cases, length))]
        return [
            (positions, self.values[self.offsets[positions, np.newaxis] + np.arange(length)])
            for length, positions in self.by_length
        ]

    @cached_property
    def ascending(self) -> FloatArray:
        """The values of each series in ascending order, NaN last; laid out as `values` are."""
        if len(self.by_length) == 1:
            return np.sort(self.stacks[0][1], axis=1).reshape(-1)
        ascending = self.values.copy()
        for start, stop in zip(self.offsets[:-1], self.offsets[1:], strict=True):
            ascending[start:stop].sort()
        return ascending

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Where in its series each value of `ascending` stands; laid out as `values` are."""
        if len(self.by_length) == 1:
            return np.argsort(self.stacks[0][1], axis=1).reshape(-1)
        order = np.empty(self.values.size, dtype=np.int64)
        for start, stop in zip(self.offsets[:-1], self.offsets[1:], strict=True):
            order[start:stop] = np.argsort(self.values[start:stop])
        return order

    @cached_property
    def means(self) -> FloatArray:
        """The mean of each series, shape (n_cases,), to the bit as numpy computes it."""
        return means(self.values, self.offsets)

    @cached_property
    def variances(self) -> FloatArray:
        """The variance (divided by n) of each series, shape (n_cases,), as numpy computes it."""
        return variances(self.values, self.offsets, self.means)

    @cached_property
    def deviations(self) -> FloatArray:
        """The standard deviation (divided by n) of each series, shape (n_cases,)."""
        return np.sqrt(self.variances)

    @cached_property
    def minima(self) -> FloatArray:
        """The least value of each series, shape (n_cases,); NaN where it holds a NaN."""
        return extremes(np.minimum, self.values, self.offsets)

    @cached_property
    def maxima(self) -> FloatArray:
        """The greatest value of each series, shape (n_cases,); NaN where it holds a NaN."""
        return extremes(np.maximum, self.values, self.offsets)

    @cached_property
    def medians(self) -> FloatArray:
        """The median of each series, shape (n_cases,), as numpy computes it."""
        return medians(self.ascending, self.offsets)

    @cached_property
    def spectra(self) -> list[tuple[NDArray[np.intp], NDArray[np.complex128]]]:
        """The discrete Fourier transform of each series, stacked by length as `stacks` are.

        One pair for each length that occurs: the positions of the cases, and an array of shape
        (n_positions, length // 2 + 1), by `numpy.fft.rfft`.
        """
        return [(positions, np.fft.rfft(stacked, axis=1)) for positions, stacked in self.stacks]

    @cached_property
    def welch(self) -> list[tuple[NDArray[np.intp], FloatArray]]:
        """The power density of each series by Welch's method, in segments of 256 values at most.

        One pair for each length of segment: the positions of the cases, and an array of shape
        (n_positions, segment // 2 + 1), as `scipy.signal.welch` gives it.
        """
        return [
            (positions, power_density(self.values, self.offsets, positions, span))
            for span, positions in self.grouped(np.minimum(self.lengths, LONGEST_SEGMENT))
        ]

    def grouped(self, numbers: NDArray[np.int64]) -> list[tuple[int, NDArray[np.intp]]]:
        """Return the positions of the cases by a number that each has, such as its length."""
        if np.all(numbers == numbers[0]):
            return [(int(numbers[0]), np.arange(self.n_cases))]
        return [(int(number), np.flatnonzero(numbers == number)) for number in np.unique(numbers)]

    @cached_property
    def difference(self) -> Batch:
        """The first difference of each series, one value shorter than that."""
        steps = np.empty(self.values.size)
        np.subtract(self.values[1:], self.values[:-1], out=steps[:-1])
        kept = np.ones(steps.size, dtype=np.bool_)
        kept[self.offsets[1:] - 1] = False
        lengths = np.maximum(self.lengths - 1, 0)
        return Batch(steps[kept], _offsets(lengths))

    @cached_property
    def amplitudes(self) -> Batch:
        """The amplitude spectrum of each series, length // 2 + 1 values."""
        offsets = _offsets(self.lengths // 2 + 1)
        amplitudes = np.empty(offsets[-1])
        for positions, spectra in self.spectra:
            at = offsets[positions, np.newaxis] + np.arange(spectra.shape[1])
            amplitudes[at] = np.abs(spectra)
        return Batch(amplitudes, offsets)

    def between(self, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> Batch:
        """Return the parts of `values` from each start up to each stop, one a case."""
        lengths = stops - starts
        offsets = _offsets(lengths)
        kept = np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1])
        return Batch(self.values[kept], offsets)

    def take(self, positions: NDArray[np.intp]) -> Batch:
        """Return the batch of some of the cases, in the order asked for."""
        return self.between(self.offsets[positions], self.offsets[positions + 1])


def _offsets(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths)])
