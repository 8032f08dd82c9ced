"""tsfresh's own calculators: the reference, and what computes a feature that has no kernel."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from tideline.errors import DataError, ModelRefused
from tideline.features.feature import Call
from tideline.panel import Channel, FloatArray, Panel


def reference_values(
    name: str, arguments: Sequence[Mapping[str, Any]], series: FloatArray | pd.Series[float]
) -> list[float]:
    """Return what tsfresh's function computes of one series, a value for each set of arguments.

    Raises
    ------
    ModelRefused
        When tsfresh has no calculator of this name.
    Exception
        Whatever the function raises.
    """
    function = calculator(name)
    if getattr(function, "input", None) == "pd.Series" and not isinstance(series, pd.Series):
        series = pd.Series(series)
    if getattr(function, "fctype", None) == "combiner":
        # The results come in the order of the arguments; tsfresh's names for them are not needed.
        values = [value for _, value in function(series, param=[dict(a) for a in arguments])]
        if len(values) != len(arguments):
            raise ValueError(f"{len(values)} results for {len(arguments)} parameter sets")
        return values
    return [function(series, **each) for each in arguments]


def values_by_tsfresh(panel: Panel, chunk: range, call: Call) -> FloatArray:
    """Return what tsfresh computes for a call, for some of the cases, one after the other.

    Returns
    -------
    float64 array of shape (n_cases of the chunk, n_arguments)

    Raises
    ------
    DataError
        When the function fails on a series; the case is named.
    ModelRefused
        When tsfresh has no such calculator.
    """
    function = calculator(call.calculator)
    channel = panel.channels[call.channel]
    values = np.empty((len(chunk), len(call.columns)))
    with quiet(), np.errstate(all="ignore"):
        for row, position in enumerate(chunk):
            series = _argument(channel, position, function)
            try:
                values[row] = reference_values(call.calculator, call.arguments, series)
            except Exception as error:
                raise _failed(panel, position, call, error) from error
    return values


def _argument(
    channel: Channel, position: int, function: Callable[..., Any]
) -> FloatArray | pd.Series[float]:
    series = channel.series(position)
    if not hasattr(function, "index_type"):
        return series
    if channel.index is None:
        raise ValueError("the calculator needs the time of each value")
    part = slice(channel.offsets[position], channel.offsets[position + 1])
    return pd.Series(series, index=pd.DatetimeIndex(channel.index[part]))


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
def quiet() -> Iterator[None]:
    """Keep the calculators' many warnings (short series, division by zero) from the caller."""
    _silence.enter()
    try:
        yield
    finally:
        _silence.leave()
