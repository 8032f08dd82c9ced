"""What the columns of a table mean."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ColumnRoles:
    """The columns of a long table, by tsfresh's names for their roles.

    With `column_kind`, each row is one value of the channel that it names, in `column_value`
    (or in the one column left over). With `column_value` alone, that column is the only channel.
    With neither, every column that has no role is a channel.

    Attributes
    ----------
    column_id
        Tells the cases apart. Every table needs it; a format that holds whole cases (`.ts`,
        instances) does not.
    column_sort
        The time of each row: numbers or ISO 8601 datetimes. Without it, rows stand in order.
    column_kind
        The channel of each row, in a stacked table.
    column_value
        The column of values.
    column_group
        Tells which cases belong together. A table may have it, which then is no channel; it says
        nothing of a series.
    """

    column_id: str | None = None
    column_sort: str | None = None
    column_kind: str | None = None
    column_value: str | None = None
    column_group: str | None = None
