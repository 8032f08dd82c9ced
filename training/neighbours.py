"""The nearest neighbour by dynamic time warping: the baseline that papers compare with.

What sktime's and aeon's `KNeighborsTimeSeriesClassifier` do with one neighbour: values as they
are, several channels warped together. The answer costs a comparison with every training case, so
that it is foreseen first whether the time does.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tideline.errors import DataError
from tideline.features.extraction import filled
from tideline.features.kernels.warping import bounds, envelopes, nearest, warped
from tideline.labels import Task
from tideline.panel import Channel, FloatArray, Panel, named

PUBLISHED_WINDOW: dict[Task, float] = {"classification": 1.0, "regression": 0.1}
"""With which window the figures of papers come out: all paths for classes, a band for numbers."""
PAIRS = 3
"""How many pairs are compared to foresee the time of all."""
CUT_MOMENTS = 200
"""Of how many moments at most they are: a pair of whole series may take minutes."""
FIRST_CASES = 2
"""After how many cases a thread the time of the others is foreseen from theirs."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """What the nearest neighbours answer, or that there was no time to find them.

    Attributes
    ----------
    answers : array of shape (n_test,), or None
        The label or value of the nearest training case of each test case; None where the time
        did not suffice.
    seconds : float
        What it took; where it took too long, what all would have taken as far as was seen.
    """

    answers: NDArray[Any] | None
    seconds: float


def nearest_by_warping(
    train: Panel,
    y: NDArray[Any],
    test: Panel,
    *,
    window: float = 1.0,
    deadline: float = np.inf,
    workers: int = 1,
) -> Neighbours:
    """Answer for each test case what its nearest training case is.

    Parameters
    ----------
    train, test
        With the same channels. Cases may be of several lengths, the channels of a case not.
        Missing values are filled as for features.
    y : array of shape (n_train,)
        Labels or values.
    window
        How far from the diagonal a path may be, as a share, 0 to 1, of the longer series. For
        what papers give see `PUBLISHED_WINDOW`; a narrower band is as much quicker.
    deadline
        On `time.monotonic`. All is given up as soon as it is plain that it cannot be met; no
        training case is left out to meet it.
    workers
        How many threads share the test cases.

    Raises
    ------
    DataError
        When a series is infinite somewhere, has fewer than two values, or another length than
        another channel of its case.
    """
    if not 0 <= window <= 1:
        raise ValueError(f"window is {window}; a share from 0 to 1 is expected")
    series, asked = _Series.of(train), _Series.of(test, list(train.channels))
    began = time.monotonic()
    rate = _seconds_of_a_cell(series, asked, window)
    one, least = (rate * cells for cells in _cells_to_do(series, asked, window))
    # Of each case the first comparison is never given up: so long it takes at the very least.
    if time.monotonic() + max(one, least / workers) > deadline:
        return Neighbours(None, max(one * asked.n_cases, least) / workers)
    search = _Search.among(series, asked, window, deadline)
    found = np.full(asked.n_cases, -1, dtype=np.int64)
    with ThreadPoolExecutor(workers, thread_name_prefix="warp") as pool:
        for part in _parts(asked.n_cases, FIRST_CASES * workers):
            found[part] = list(pool.map(search.nearest, range(part.start, part.stop)))
            seconds = (time.monotonic() - began) * asked.n_cases / part.stop
            # The fewer cases, the less sure they tell the time of all: four, half as sure.
            at_least = seconds * (1 - 1 / math.sqrt(part.stop))
            late = part.stop < asked.n_cases and began + at_least > deadline
            if late or (found[part] < 0).any():
                return Neighbours(None, seconds)
    return Neighbours(y[found], time.monotonic() - began)


def _parts(total: int, first: int) -> Iterator[slice]:
    """Yield parts that double: seldom enough that threads wait little for each other."""
    start, size = 0, first
    while start < total:
        yield slice(start, min(start + size, total))
        start, size = start + size, 2 * size


@dataclass(frozen=True, eq=False)
class _Series:
    """The series of a panel as the kernel takes them: case by case, channel by channel.

    Attributes
    ----------
    values : float64 array of shape (n_values,)
    starts, lengths : int64 arrays of shape (n_cases,)
        Where each case begins, and how many moments it has.
    n_channels : int
    """

    values: FloatArray
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    n_channels: int

    @classmethod
    def of(cls, panel: Panel, names: list[str] | None = None) -> _Series:
        """Order the values of a panel, its channels as in `names`."""
        panel.require_usable()
        channels = [filled(panel.channels[name]) for name in names or panel.channels]
        _require_one_length(panel, channels)
        lengths = channels[0].lengths
        cases = [c.series(position) for position in range(panel.n_cases) for c in channels]
        starts = np.concatenate([[0], np.cumsum(lengths * len(channels))[:-1]])
        return cls(np.concatenate(cases), starts, lengths, len(channels))

    @property
    def n_cases(self) -> int:
        return self.lengths.size

    def case(self, position: int) -> FloatArray:
        """Return one case, of shape (n_channels, n_moments)."""
        length = self.lengths[position]
        start = self.starts[position]
        whole = self.values[start : start + self.n_channels * length]
        return whole.reshape(self.n_channels, length)


def _require_one_length(panel: Panel, channels: list[Channel]) -> None:
    lengths = np.stack([channel.lengths for channel in channels])
    uneven = np.flatnonzero(np.ptp(lengths, axis=0) > 0)
    if uneven.size:
        raise DataError(
            f"the channels of {uneven.size} of {panel.n_cases} cases differ in length: "
            f"{named((panel.ids[i] for i in uneven), uneven.size)}; dynamic time warping takes "
            "all channels of a case together.",
            mend="Give the channels of a case the same times.",
            field="raw_data",
        )


@dataclass(frozen=True, eq=False)
class _Search:
    """Training cases with their envelopes, and who asks for the nearest."""

    series: _Series
    asked: _Series
    window: float
    deadline: float
    low: FloatArray
    high: FloatArray

    @classmethod
    def among(cls, series: _Series, asked: _Series, window: float, deadline: float) -> _Search:
        """Compute the envelopes."""
        lengths = np.concatenate([series.lengths, asked.lengths])
        longest = int(lengths.max())
        # The band of two series of different lengths is as wide as it must be, up to all.
        radius = int(window * longest) if np.ptp(lengths) == 0 else longest
        low = np.empty((series.n_cases, series.n_channels, longest))
        high = np.empty_like(low)
        envelopes(series.values, series.starts, series.lengths, radius, low, high)
        return cls(series, asked, window, deadline, low, high)

    def nearest(self, position: int) -> int:
        """Return the position of the training case nearest to a test case; -1 past the deadline."""
        if time.monotonic() > self.deadline:
            return -1
        asked, series = self.asked.case(position), self.series
        least = np.empty(series.n_cases)
        bounds(asked, self.low, self.high, least)
        order = np.argsort(least, kind="stable")
        return nearest(
            asked,
            series.values,
            series.starts,
            series.lengths,
            self.low,
            self.high,
            order,
            least,
            self.window,
        )


def _radii(window: float, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how far from the diagonal a path may be, as the kernel has it."""
    band = (window * np.maximum(one, other)).astype(np.int64)
    radii: NDArray[np.int64] = np.maximum(band, np.abs(one - other))
    return radii


def _cells(
    one: NDArray[np.int64], other: NDArray[np.int64], radius: NDArray[np.int64]
) -> FloatArray:
    """Return how many pairs of moments a comparison looks at, corners of the band included."""
    across: FloatArray = np.minimum(other, 2 * radius + 1) * one.astype(np.float64)
    return across


def _cells_to_do(series: _Series, asked: _Series, window: float) -> tuple[float, float]:
    """Return the cells of a case of middle length with all training cases, and the least of all.

    The second is one comparison of each case, with the shortest training case.
    """
    middle = np.sort(asked.lengths)[[asked.n_cases // 2]]
    with_all = _cells(middle, series.lengths, _radii(window, middle, series.lengths))
    shortest = series.lengths.min(keepdims=True)
    radii = _radii(window, asked.lengths, shortest)
    return float(with_all.sum()), float(_cells(asked.lengths, shortest, radii).sum())


def _seconds_of_a_cell(series: _Series, asked: _Series, window: float) -> float:
    """Return how long a pair of moments takes, all channels: the middle of some cut pairs."""
    rates = []
    for number in range(PAIRS + 1):
        one = asked.case(number * (asked.n_cases - 1) // PAIRS)
        other = series.case(number * (series.n_cases - 1) // PAIRS)
        whole = _radii(window, np.array([one.shape[1]]), np.array([other.shape[1]]))
        one, other = (np.ascontiguousarray(case[:, :CUT_MOMENTS]) for case in (one, other))
        sizes = np.array([one.shape[1]]), np.array([other.shape[1]])
        radius = np.minimum(whole, CUT_MOMENTS)
        began = time.monotonic()
        warped(one, other, int(radius[0]), np.inf, np.zeros(one.shape[1] + 1))
        seconds = time.monotonic() - began
        rates.append(seconds / float(_cells(*sizes, radius)[0]))
    # The first may have compiled.
    return float(np.median(rates[1:]))
