"""From a panel to the feature matrix, by tsfresh's own calculators.

The calculators are called on the series themselves, with no data frame on the way:
`tsfresh.extract_features` takes at least two milliseconds for one case, and most of that is not
spent on the features. Values are those of tsfresh.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from tideline.errors import DataError, InputMismatch, ModelRefused
from tideline.features.plan import TIMEWISE, Call, FeaturePlan
from tideline.panel import Channel, FloatArray, Panel, named

Progress = Callable[[int, int], None]
"""Told how many cases are done, and of how many."""

CHUNKS_PER_WORKER = 8


def extract(
    panel: Panel, plan: FeaturePlan, *, workers: int = 1, progress: Progress | None = None
) -> FloatArray:
    """Compute the features of a plan.

    Parameters
    ----------
    panel
        Holds every channel of the plan; others are not looked at. Missing values are filled as
        `plan.missing` says.
    plan
        The features, in the order of the columns.
    workers
        How many processes share the cases; 1 computes in this one.
    progress
        Called in this process, with the number of cases done and the number of all cases.

    Returns
    -------
    float64 array of shape (n_cases, n_features), in C order
        The values that tsfresh computes, NaN and infinities included.

    Raises
    ------
    InputMismatch
        When the panel lacks a channel of the plan, or the dates that a feature needs.
    DataError
        When a series is infinite somewhere, or has fewer than two values; or when a calculator
        fails on a series, as tsfresh's do for some parameters.
    """
    _require_channels(panel, plan)
    needed = Panel(panel.ids, {name: panel.channels[name] for name in plan.channels})
    needed.require_usable()
    if workers > 1 and panel.n_cases > 1:
        return _shared(needed, plan, workers, progress)
    return _computed(needed, plan, progress)


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


def _shared(panel: Panel, plan: FeaturePlan, workers: int, progress: Progress | None) -> FloatArray:
    from joblib import Parallel, delayed, parallel_config  # noqa: PLC0415 - not for predictions

    size = max(1, -(-panel.n_cases // (workers * CHUNKS_PER_WORKER)))
    starts = range(0, panel.n_cases, size)
    chunks = (panel.take(range(s, min(s + size, panel.n_cases))) for s in starts)
    matrix = np.empty((panel.n_cases, len(plan.features)))
    # Idle workers hold some 300 MB each: they go soon, but not between two calls in a row.
    with parallel_config(backend="loky", n_jobs=workers, idle_worker_timeout=20):
        parts = Parallel(return_as="generator")(delayed(_computed)(c, plan) for c in chunks)
        for start, part in zip(starts, parts, strict=True):
            matrix[start : start + len(part)] = part
            if progress is not None:
                progress(start + len(part), panel.n_cases)
    return matrix


def _computed(panel: Panel, plan: FeaturePlan, progress: Progress | None = None) -> FloatArray:
    matrix = np.empty((panel.n_cases, len(plan.features)))
    channels = {name: _filled(channel) for name, channel in panel.channels.items()}
    calls = [(call, calculator(call.calculator)) for call in plan.calls]
    with _quiet(), np.errstate(all="ignore"):
        for position in range(panel.n_cases):
            row = matrix[position]
            for call, function in calls:
                series = _argument(channels[call.channel], position, function)
                try:
                    row[call.columns] = _values(function, series, call)
                except Exception as error:
                    raise _failed(panel, position, call, error) from error
            if progress is not None:
                progress(position + 1, panel.n_cases)
    return matrix


def _filled(channel: Channel) -> Channel:
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


def _argument(
    channel: Channel, position: int, function: Callable[..., Any]
) -> FloatArray | pd.Series[float]:
    series = channel.series(position)
    if getattr(function, "input", None) != "pd.Series":
        return series
    if not hasattr(function, "index_type"):
        return pd.Series(series)
    if channel.index is None:
        raise ValueError("the calculator needs the time of each value")
    part = slice(channel.offsets[position], channel.offsets[position + 1])
    return pd.Series(series, index=pd.DatetimeIndex(channel.index[part]))


def _values(
    function: Callable[..., Any], series: FloatArray | pd.Series[float], call: Call
) -> list[float]:
    if getattr(function, "fctype", None) == "combiner":
        # The results come in the order of the arguments; tsfresh's names for them are not needed.
        values = [value for _, value in function(series, param=list(call.arguments))]
        if len(values) != len(call.arguments):
            raise ValueError(f"{len(values)} results for {len(call.arguments)} parameter sets")
        return values
    return [function(series, **arguments) for arguments in call.arguments]


def _failed(panel: Panel, position: int, call: Call, error: Exception) -> DataError:
    return DataError(
        f"calculator {call.calculator} failed on channel {call.channel!r} of case "
        f"{panel.ids[position]!r}, a series of {panel.channels[call.channel].lengths[position]} "
        f"values: {type(error).__name__}: {error}",
        mend="Leave the case or the calculator out, or give the calculator other parameters.",
        field="raw_data",
    )


@cache
def calculator(name: str) -> Callable[..., Any]:
    """Return tsfresh's function of a name.

    Raises
    ------
    ModelRefused
        When tsfresh has no calculator of this name: only a plan made by another version, or by
        hand, can ask for one.
    """
    from tsfresh.feature_extraction import feature_calculators  # noqa: PLC0415 - takes seconds

    function: Any = getattr(feature_calculators, name, None)
    if not hasattr(function, "fctype"):
        raise ModelRefused(
            f"the feature plan asks for calculator {name!r}, which tsfresh does not have.",
            mend="Publish the model again with this version of Tideline.",
        )
    return function  # type: ignore[no-any-return]  # tsfresh has no types


class _Silence:
    """Warnings off while anybody is inside, in any thread; on again when the last has left.

    `warnings.catch_warnings` alone is not for threads: the one that leaves last may put back the
    silence that another had put in place.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = 0
        self.caught: warnings.catch_warnings[None] | None = None

    def enter(self) -> None:
        with self.lock:
            self.inside += 1
            if self.inside == 1:
                self.caught = warnings.catch_warnings()
                self.caught.__enter__()
                warnings.simplefilter("ignore")

    def leave(self) -> None:
        with self.lock:
            self.inside -= 1
            if self.inside == 0 and self.caught is not None:
                self.caught.__exit__(None, None, None)


_silence = _Silence()


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the calculators' many warnings (short series, division by zero) from the caller."""
    _silence.enter()
    try:
        yield
    finally:
        _silence.leave()
