"""From a panel to the feature matrix: chunks of cases, series by series, call by call.

A calculator with a kernel computes a whole chunk at once, and leaves the interpreter free, so
that workers are threads. Values are those of tsfresh.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from tideline.errors import InputMismatch
from tideline.features.batch import Batch
from tideline.features.catalogue import TIMEWISE
from tideline.features.imputation import LARGEST
from tideline.features.kernels.kernel import Kernel
from tideline.features.plan import FeaturePlan
from tideline.features.reference import values_by_tsfresh
from tideline.features.threads import thread_count
from tideline.panel import Channel, FloatArray, Panel, named

Progress = Callable[[int, int], None]
"""Told how many cases are done, and of how many."""

CHUNKS_PER_WORKER = 2
CHUNK_VALUES = 131_072
"""The most values of one channel that are worked on together, but for a longer case. With fewer,
threads wait for each other between the calls."""


CHUNK_CELLS = 4_194_304
"""The most cells of the matrix that are worked on together, but for a wider case."""

Matrix = FloatArray | NDArray[np.float32]
Given = TypeVar("Given", FloatArray, NDArray[np.float32])


@overload
def extract(
    panel: Panel,
    plan: FeaturePlan,
    *,
    workers: int = 1,
    progress: Progress | None = None,
    out: None = None,
) -> FloatArray: ...


@overload
def extract(
    panel: Panel,
    plan: FeaturePlan,
    *,
    workers: int = 1,
    progress: Progress | None = None,
    out: Given,
) -> Given: ...


def extract(
    panel: Panel,
    plan: FeaturePlan,
    *,
    workers: int = 1,
    progress: Progress | None = None,
    out: Matrix | None = None,
) -> Matrix:
    """Compute the features of a plan.

    Parameters
    ----------
    panel
        Holds every channel of the plan; others are not looked at. Missing values are filled as
        `plan.missing` says.
    plan
        The features, in the order of the columns.
    workers
        How many threads share the cases, -1 for one a processor; 1 computes in the caller's.
    progress
        Called in the caller's thread, with the number of cases done and the number of all cases.

    out : float64 or float32 array of shape (n_cases, n_features)
        Is filled, and returned, where it is given; it may be a memory map. In float32, a number
        beyond its range is drawn in to it; infinities stay.

    Returns
    -------
    float64 array of shape (n_cases, n_features), in C order
        The values that tsfresh computes, NaN and infinities included, and those of our own
        calculators. NaN where tsfresh's function fails on a series, and where a view leaves
        nothing of it.

    Raises
    ------
    InputMismatch
        When the panel lacks a channel of the plan, or the dates that a feature needs.
    DataError
        When a series is infinite somewhere, or has fewer than two values; or when a calculator
        of tsfresh that has no kernel fails on a series.
    ModelRefused
        When the plan asks for a calculator that there is not.
    SpecError
        When `workers` is no number of threads.
    ValueError
        When `out` has another shape or type.
    """
    _require_channels(panel, plan)
    needed = Panel(panel.ids, {name: panel.channels[name] for name in plan.channels})
    needed.require_usable()
    whole = Panel(needed.ids, {name: filled(c) for name, c in needed.channels.items()})
    shape = (panel.n_cases, len(plan.features))
    matrix: Matrix = np.empty(shape) if out is None else out
    if matrix.shape != shape or matrix.dtype not in (np.float64, np.float32):
        found = f"{matrix.dtype} of shape {matrix.shape}"
        raise ValueError(f"out: float64 or float32 of shape {shape} expected, {found} found")
    _compute(whole, plan, matrix, workers, progress)
    return matrix


def compute(
    panel: Panel, plan: FeaturePlan, *, workers: int = 1, progress: Progress | None = None
) -> FloatArray:
    """Compute the features of series as they are, missing and infinite values included.

    As `extract`, which looks at the panel first; each series has one value or more.
    """
    matrix = np.empty((panel.n_cases, len(plan.features)))
    _compute(panel, plan, matrix, workers, progress)
    return matrix


def _compute(
    panel: Panel, plan: FeaturePlan, matrix: Matrix, workers: int, progress: Progress | None
) -> None:
    for done in _computed(panel, plan, matrix, thread_count(workers, field="workers")):
        if progress is not None:
            progress(done, panel.n_cases)


def _require_channels(panel: Panel, plan: FeaturePlan) -> None:
    lacking = [name for name in plan.channels if name not in panel.channels]
    if lacking:
        raise InputMismatch(
            f"the data lacks channels {named(lacking)}; found {named(panel.channels)}, "
            f"expected {named(plan.channels)}.",
            mend="Send every channel under the name that it was trained with.",
            field="raw_data",
        )
    for call in plan.calls:
        if call.calculator == TIMEWISE and not _dated(panel.channels[call.channel]):
            raise InputMismatch(
                f"channel {call.channel!r} has no dates, and {TIMEWISE} needs the time of each "
                "value.",
                mend="Send the column of dates that the pipeline was trained with.",
                field="raw_data",
            )


def _dated(channel: Channel) -> bool:
    return channel.index is not None and channel.index.dtype.kind == "M"


def filled(channel: Channel) -> Channel:
    """Return the channel with missing values drawn on a line between their neighbours."""
    missing = np.isnan(channel.values)
    if not missing.any():
        return channel
    values = np.array(channel.values)
    for position in range(channel.offsets.size - 1):
        part = slice(channel.offsets[position], channel.offsets[position + 1])
        gaps = np.flatnonzero(missing[part])
        if gaps.size:
            known = np.flatnonzero(~missing[part])
            values[part][gaps] = np.interp(gaps, known, values[part][known])
    return Channel(values, channel.offsets, channel.index)


def _computed(panel: Panel, plan: FeaturePlan, matrix: Matrix, workers: int) -> Iterator[int]:
    """Fill the matrix, and tell after each chunk how many cases are done."""
    chunks = chunks_of(panel, workers, len(plan.features))

    def fill(chunk: range) -> int:
        # Division by zero and the like are what some features are, as in tsfresh.
        with np.errstate(all="ignore"):
            _fill(panel, plan, chunk, matrix[chunk.start : chunk.stop])
        return chunk.stop

    if workers == 1 or len(chunks) == 1:
        yield from map(fill, chunks)
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="extract")
    try:
        yield from pool.map(fill, chunks)
    finally:
        pool.shutdown(cancel_futures=True)


def chunks_of(panel: Panel, workers: int, n_features: int = 0) -> list[range]:
    """Cut the cases into chunks of at most `CHUNK_VALUES` of each channel, or of one case."""
    fair = -(-panel.n_cases // (CHUNKS_PER_WORKER * workers)) if workers > 1 else panel.n_cases
    fair = max(1, min(fair, CHUNK_CELLS // max(1, n_features)))
    chunks: list[range] = []
    start = 0
    while start < panel.n_cases:
        stop = min(start + fair, panel.n_cases)
        for channel in panel.channels.values():
            most = channel.offsets[start] + CHUNK_VALUES
            stop = min(stop, int(np.searchsorted(channel.offsets, most, side="right")) - 1)
        chunks.append(range(start, max(stop, start + 1)))
        start = chunks[-1].stop
    return chunks


def _fill(panel: Panel, plan: FeaturePlan, chunk: range, rows: Matrix) -> None:
    """Compute the features of the cases of a chunk into their rows."""
    for name, of_channel in groupby(plan.calls, key=lambda call: call.channel):
        whole = Batch.of_channel(panel.channels[name], chunk.start, chunk.stop)
        for view, calls in groupby(of_channel, key=lambda call: call.view):
            batch = view.of(whole)
            for call in calls:
                if call.kernel is None:
                    values = values_by_tsfresh(panel, chunk, call)
                else:
                    values = _values(call.kernel, batch, len(call.columns))
                _put(values, rows, call.place)


def _put(values: FloatArray, rows: Matrix, place: slice | NDArray[np.intp]) -> None:
    """Write values to some columns; what float32 has no number for is drawn in to its range."""
    if rows.dtype == np.float32:
        beyond = np.isfinite(values) & (np.abs(values) > LARGEST)
        if beyond.any():
            values = np.where(beyond, np.copysign(LARGEST, values), values)
    rows[:, place] = values


def _values(kernel: Kernel, batch: Batch, n_columns: int) -> FloatArray:
    """Return what a kernel computes; NaN where a view leaves nothing of the series."""
    values = np.empty((batch.n_cases, n_columns))
    if batch.present is batch:
        kernel(batch, values)
        return values
    values.fill(np.nan)
    if batch.present.n_cases:
        part = np.empty((batch.present.n_cases, n_columns))
        kernel(batch.present, part)
        values[batch.lengths > 0] = part
    return values
