"""From a long table, whose rows are points in time, to a panel."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tideline.errors import DataError
from tideline.panel import (
    CaseId,
    Channel,
    FloatArray,
    Panel,
    case_key,
    named,
    require_case_id,
)
from tideline.readers.column import Column, TimeArray
from tideline.readers.group_column import group_column
from tideline.readers.reading import Reading
from tideline.readers.table import Table
from tideline.roles import ColumnRoles
from tideline.wording import shown

TimeIndex = FloatArray | NDArray[np.datetime64]

MAX_SERIES = 2**25
"""How many series a panel may have, cases times channels: 256 MiB of offsets."""


@dataclass(frozen=True, eq=False)
class _Rows:
    """Which case each row belongs to, and when it was."""

    ids: tuple[CaseId, ...]
    codes: NDArray[np.int64]
    times: TimeArray | None

    def place(self, row: int) -> str:
        return f"case {shown(self.ids[self.codes[row]])}, row {row + 1}"

    def offsets(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where each case begins among rows that are sorted by case."""
        counts = np.bincount(codes, minlength=len(self.ids))
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def reading_of_table(table: Table, roles: ColumnRoles) -> Reading:
    """Return what a long table holds: its panel, and the groups where the roles ask for them.

    Raises
    ------
    DataError
        As `panel_of_table`; or when a row names no group, or the rows of a case name several.
    """
    rows = _rows(table, roles)
    groups = group_column(table, roles.column_group, rows.ids, rows.codes)
    return Reading(_panel(table, roles, rows), groups=groups)


def panel_of_table(table: Table, roles: ColumnRoles) -> Panel:
    """Return the panel that a long table holds.

    Cases stand in the order in which they first appear, as do channels. A case's rows are sorted
    by `column_sort`, or stay in the order of the file. A case without a row of a kind has a
    series of length zero there.

    Raises
    ------
    DataError
        When a column that a role names is missing, an id or time is missing, a value is no
        number, or no column is left for the values.
    """
    return _panel(table, roles, _rows(table, roles))


def _panel(table: Table, roles: ColumnRoles, rows: _Rows) -> Panel:
    if roles.column_kind is not None:
        return _stacked(table, roles, rows)
    channels = _value_columns(table, roles)
    order = _order(rows.times, rows.codes)
    offsets = rows.offsets(rows.codes)
    index = time_index(rows.times, order)
    return Panel(
        rows.ids,
        {
            column.name: Channel(_sorted(column.numbers(rows.place), order), offsets, index)
            for column in channels
        },
    )


def _rows(table: Table, roles: ColumnRoles) -> _Rows:
    if roles.column_id is None:
        raise DataError(
            f"column_id is not set, and a table needs it: {table.found}.",
            mend="Set extract_features.column_id to the column that tells the cases apart.",
            field=table.field,
        )
    column = table.column("column_id", roles.column_id)
    factor = column.factor()
    ids = tuple(
        value
        if isinstance(value, str)
        else require_case_id(value, column.name, factor.first_row(code), field=table.field)
        for code, value in enumerate(factor.values)
    )
    rows = _Rows(ids, factor.codes, None)
    if roles.column_sort is None:
        return rows
    times = table.column("column_sort", roles.column_sort).times(rows.place)
    return _Rows(ids, factor.codes, times)


def _value_columns(table: Table, roles: ColumnRoles) -> list[Column]:
    if roles.column_value is not None:
        return [table.column("column_value", roles.column_value)]
    taken = {roles.column_id, roles.column_sort, roles.column_kind, roles.column_group}
    return [column for name, column in table.columns.items() if name not in taken]


def _stacked(table: Table, roles: ColumnRoles, rows: _Rows) -> Panel:
    """Return the panel of a table that names the channel of each row."""
    kinds, names = _kinds(table, roles, rows)
    values = _value_column(table, roles).numbers(rows.place)
    order = _order(rows.times, rows.codes, kinds)
    codes, values = _sorted(rows.codes, order), _sorted(values, order)
    index = time_index(rows.times, order)
    ends = np.cumsum(np.bincount(kinds, minlength=len(names)))
    channels = {}
    for name, begin, end in zip(names, [0, *ends[:-1]], ends, strict=True):
        part = slice(int(begin), int(end))
        offsets = rows.offsets(codes[part])
        channels[name] = Channel(values[part], offsets, None if index is None else index[part])
    return Panel(rows.ids, channels)


def _value_column(table: Table, roles: ColumnRoles) -> Column:
    columns = _value_columns(table, roles)
    if len(columns) != 1:
        raise DataError(
            "column_kind is set without column_value, which needs one column to be left for the "
            f"values; {len(columns)} are: {table.found}.",
            mend="Set extract_features.column_value to the column of values.",
            field=table.field,
        )
    return columns[0]


def _kinds(
    table: Table, roles: ColumnRoles, rows: _Rows
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the channel of each row, as codes, and the channels' names."""
    column = table.column("column_kind", str(roles.column_kind))
    factor = column.factor()
    names = [
        _channel_name(value, f"column_kind {column.name!r}, row {factor.first_row(code)}", table)
        for code, value in enumerate(factor.values)
    ]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise DataError(
            f"column_kind {column.name!r} names {named(repeated)} both as text and as a number.",
            mend="Write each channel's name in one way.",
            field=table.field,
        )
    require_bounded(len(rows.ids), names, table.field)
    return factor.codes, tuple(names)


def _channel_name(value: object, place: str, table: Table) -> str:
    if isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return case_key(value)
    raise DataError(
        f"{place} is {shown(value)}; the name of a channel is expected, text or a number.",
        mend="Name the channel in every row.",
        field=table.field,
    )


def require_bounded(n_cases: int, names: list[str], field: str) -> None:
    """Refuse more series than memory may hold; most would be empty.

    Raises
    ------
    DataError
        When cases times channels are over the limit.
    """
    if n_cases * len(names) > MAX_SERIES:
        raise DataError(
            f"{n_cases} cases of {len(names)} channels ({named(names)}) are "
            f"{n_cases * len(names)} series; at most {MAX_SERIES} are read.",
            mend="Check that the channels' names are not times or values; or send fewer cases.",
            field=field,
        )


def _order(times: TimeArray | None, *keys: NDArray[np.int64]) -> NDArray[np.intp] | None:
    """Return the rows sorted by the keys, the last counting most; None where they are already."""
    if times is None and len(keys) == 1 and bool((np.diff(keys[0]) >= 0).all()):
        return None
    return np.lexsort(keys if times is None else (times, *keys))


def _sorted(array: NDArray[Any], order: NDArray[np.intp] | None) -> NDArray[Any]:
    return array if order is None else array[order]


def time_index(times: TimeArray | None, order: NDArray[np.intp] | None) -> TimeIndex | None:
    """Return the sorted times as a channel keeps them."""
    if times is None:
        return None
    index = _sorted(times, order)
    return index if index.dtype.kind == "M" else index.astype(np.float64)
