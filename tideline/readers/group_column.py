"""The column of a table that says which cases belong together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tideline.errors import DataError
from tideline.groups import GroupColumn
from tideline.panel import CaseId, case_key, named
from tideline.readers.table import Table
from tideline.wording import counted, shown


def group_column(
    table: Table, column: str | None, ids: Sequence[CaseId], codes: NDArray[np.int64]
) -> GroupColumn | None:
    """Return the group of each case of a table, where the table has that column.

    Parameters
    ----------
    table
        The table; it may have several rows a case.
    column
        The name of the column; None where nothing is asked for.
    ids : sequence of str, int, float or bool
        The cases of the table.
    codes : int64 array of shape (n_rows,)
        The position in `ids` of each row's case.

    Raises
    ------
    DataError
        When a row names no group, or the rows of a case name several.
    """
    if column is None:
        return None
    found = tuple(table.columns)
    if column not in table.columns:
        return GroupColumn(table.field, found)
    factor = table.columns[column].factor()
    groups = [
        require_group(value, column, f"row {factor.first_row(code)}", table.field)
        for code, value in enumerate(factor.values)
    ]
    # `7` and `"7"` are one group.
    numbers: dict[str, int] = {}
    known = [numbers.setdefault(case_key(group), len(numbers)) for group in groups]
    group_of_row = np.array(known, dtype=np.int64)[factor.codes]
    first = np.zeros(len(ids), dtype=np.int64)
    # Written from the end, so that the first row of each case is what remains.
    first[codes[::-1]] = np.arange(codes.size - 1, -1, -1)
    wrong = np.flatnonzero(group_of_row != group_of_row[first[codes]])
    if wrong.size:
        cases = [ids[case] for case in dict.fromkeys(codes[wrong].tolist())]
        rows = (int(first[codes[wrong[0]]]), int(wrong[0]))
        raise _several(table, column, cases, {row: groups[factor.codes[row]] for row in rows})
    return GroupColumn(
        table.field, found, tuple(ids), tuple(groups[factor.codes[r]] for r in first)
    )


def _several(
    table: Table, column: str, cases: Sequence[CaseId], group_at: Mapping[int, CaseId]
) -> DataError:
    told = " and ".join(f"{shown(group)} at row {row + 1}" for row, group in group_at.items())
    return DataError(
        f"column {column!r} of {table.field} differs within {counted(len(cases), 'case')}: "
        f"{named(cases)}; the first has {told}, and one group a case is expected.",
        mend="Give every row of a case the same group, or set group_id to another column.",
        field=table.field,
    )


def require_group(value: object, column: str, place: str, field: str) -> CaseId:
    """Return the name of a group, or refuse what cannot be one.

    Raises
    ------
    DataError
        When the value is missing, not a number or text, or not finite.
    """
    finite = not isinstance(value, float) or math.isfinite(value)
    if isinstance(value, str | int | float) and finite and value != "":
        return value
    found = "nothing" if value is None or value == "" else shown(value)
    raise DataError(
        f"column {column!r} has {found} at {place}; the group of the case (text, a number or a "
        "boolean) is expected throughout.",
        mend="Name the group of every case, or leave the case out.",
        field=field,
    )
