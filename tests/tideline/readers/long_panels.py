"""Panels for the round trips, and the long tables that say the same."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from tideline.panel import Channel, Panel, case_key
from tideline.readers import ColumnRoles

ROLES = ColumnRoles(column_id="id", column_sort="t")
STACKED = ColumnRoles(column_id="id", column_sort="t", column_kind="kind", column_value="value")

WHOLE = st.integers(-(2**62), 2**62)
TEXT = st.text(min_size=1, max_size=8)
DECIMAL = st.floats(allow_nan=False, allow_infinity=False, width=32)
VALUES = st.floats(allow_nan=True, allow_infinity=False)
NAMES = TEXT.filter(lambda name: name not in {"id", "t", "kind", "value"})


@st.composite
def panels(
    draw: Any,
    ids: st.SearchStrategy[Any] | None = None,
    names: st.SearchStrategy[str] = NAMES,
    *,
    ragged: bool = False,
    least: int = 1,
) -> Panel:
    """Draw a panel; unless it is ragged, the channels of a case have one length."""
    kind = ids if ids is not None else draw(st.sampled_from([WHOLE, TEXT, DECIMAL]))
    case_ids = draw(st.lists(kind, min_size=1, max_size=5, unique_by=case_key))
    channel_names = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    size = st.integers(least, 4)
    lengths = [draw(size) for _ in case_ids]
    channels = {}
    for name in channel_names:
        own = [draw(size) for _ in case_ids] if ragged else lengths
        series = [draw(st.lists(VALUES, min_size=n, max_size=n)) for n in own]
        channels[name] = Channel.from_series(series)
    return Panel(tuple(case_ids), channels)


def long_rows(panel: Panel) -> list[dict[str, Any]]:
    """Return one row a case and time, newest first within a case."""
    first = next(iter(panel.channels.values()))
    return [
        {"id": case_id, "t": at}
        | {name: _value(channel.series(case)[at]) for name, channel in panel.channels.items()}
        for case, case_id in enumerate(panel.ids)
        for at in reversed(range(first.lengths[case]))
    ]


def stacked_rows(panel: Panel) -> list[dict[str, Any]]:
    """Return one row a case, time and channel."""
    return [
        {"id": case_id, "t": at, "kind": name, "value": _value(value)}
        for case, case_id in enumerate(panel.ids)
        for name, channel in panel.channels.items()
        for at, value in reversed(list(enumerate(channel.series(case))))
    ]


def _value(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return rows as columns."""
    return {name: [row[name] for row in rows] for name in rows[0]}


def assert_same(found: Panel, expected: Panel) -> None:
    """Compare ids, their types, names, offsets and values."""
    assert found.ids == expected.ids
    assert [type(i) for i in found.ids] == [type(i) for i in expected.ids]
    assert list(found.channels) == list(expected.channels)
    for name, channel in expected.channels.items():
        assert found.channels[name].offsets.tolist() == channel.offsets.tolist()
        np.testing.assert_array_equal(found.channels[name].values, channel.values)
