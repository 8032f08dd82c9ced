"""Long tables in Parquet that are read a part at a time, for data that memory does not hold."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tideline.errors import DataError, InputNotFound
from tideline.panel import CaseId, Channel, Panel, case_key
from tideline.readers.arrow_column import ArrowColumn
from tideline.readers.column import Factor
from tideline.readers.long import panel_of_table, require_bounded
from tideline.readers.parquet_table import PANDAS_INDEX, require_distinct, require_flat
from tideline.readers.seen import Seen
from tideline.readers.table import Table
from tideline.roles import ColumnRoles
from tideline.wording import shown

PART_CELLS = 2**22
"""How many cells are read at a time when nothing else is asked for: 32 MiB as float64."""

MAX_CASE_CELLS = 2**25
"""How many cells a case may have that does not end with its part: 256 MiB as float64."""

MAX_KINDS = 2**16
"""How many channels the rows of a stacked file may name."""

BUFFER_BYTES = 2**20
"""What is read of a column at once; without a bound it is all that a row group has of it."""


def panels_of_parquet(
    path: str | os.PathLike[str],
    roles: ColumnRoles,
    *,
    rows: int | None = None,
    field: str = "raw_data",
) -> Iterator[Panel]:
    """Return the panels of the cases in a long Parquet file, a part of the file at a time.

    Joined in order they are the panel that `read_panel` returns for the whole file: the same
    ids, channels, values and times. See `LongParquet` for the parameters and the errors.
    """
    return (part.panel for part in LongParquet(path, roles, rows=rows, field=field).parts())


@dataclass(frozen=True, eq=False)
class Part:
    """Some of the cases of a file.

    Attributes
    ----------
    panel
        The cases.
    start, stop
        Which rows of the file they are, from zero, `stop` not among them.
    """

    panel: Panel
    start: int
    stop: int

    def rows_of(self, position: int) -> tuple[int, int]:
        """Return the first and the last row that a case has in the file, from 1."""
        counts = np.max([channel.lengths for channel in self.panel.channels.values()], axis=0)
        if counts.sum() < self.stop - self.start:
            # Stacked: each row is a value of one channel.
            counts = np.sum([channel.lengths for channel in self.panel.channels.values()], axis=0)
        ends = self.start + np.cumsum(counts)
        return int(ends[position] - counts[position]) + 1, int(ends[position])


class LongParquet:
    """A long Parquet file, the rows of each case standing together, of any size.

    Parameters
    ----------
    path
        The file.
    roles
        What its columns mean.
    rows
        How many rows are read at a time; a part of the file ends where a case does. As many as
        make 4 million cells when left out.
    field
        The part of the input that this is, for messages.

    Attributes
    ----------
    n_rows : int
        The rows of the whole file, known before any is read.
    id_type : pyarrow.DataType
        The type of a column of ids: text, booleans, float64, or integers as the file has them.

    Raises
    ------
    InputNotFound
        When there is no such file.
    DataError
        When it is no sound Parquet file, is nested, has two columns of one name, or lacks one
        that a role names.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        roles: ColumnRoles,
        *,
        rows: int | None = None,
        field: str = "raw_data",
    ) -> None:
        if rows is not None and rows < 1:
            raise ValueError(f"rows: at least one expected, {rows} found")
        self.path, self.roles, self.field = Path(path), roles, field
        with self._readable(), pq.ParquetFile(path) as file:
            require_flat(file.schema, field)
            schema = file.schema_arrow
            require_distinct(schema.names, field)
            self.n_rows: int = file.metadata.num_rows
        self._texts = [f.name for f in schema if _is_text(f.type)]
        self._columns = self._needed(schema)
        self.rows = rows or max(1, PART_CELLS // len(self._columns))
        self.id_type = _id_type(schema.field(self._id).type)

    def parts(self) -> Iterator[Part]:
        """Yield the cases, in the order of the file; a file without a row is one part.

        A channel that `column_kind` names in another part only has series of length zero in
        this one, so that all parts have the same channels.

        Raises
        ------
        DataError
            When the file is damaged, what `panel_of_table` refuses is met, the rows of a case
            do not stand together, or a single case is larger than memory should hold.
        """
        start = 0
        seen = Seen()
        for cells in self._whole_cases():
            table = self._table(cells)
            panel = self._panel(table, start)
            self._require_together(table.columns[self._id].factor(), panel, start, seen)
            yield Part(self._widened(panel), start, start + cells.num_rows)
            start += cells.num_rows

    @property
    def _id(self) -> str:
        return str(self.roles.column_id)

    @cached_property
    def _kinds(self) -> tuple[str, ...]:
        """The channels that the rows name, in order of first appearance; read for this alone."""
        column = self.roles.column_kind
        if column is None:
            return ()
        kinds: dict[str, None] = {}
        for batch in self._batches([column]):
            factor = self._column(column, batch.column(0)).factor()
            # What cannot be a name is refused with its row, when its part is read.
            names = (case_key(v) for v in factor.values if isinstance(v, str | int | float))
            kinds.update(dict.fromkeys(names))
            if len(kinds) > MAX_KINDS:
                raise DataError(
                    f"column_kind {column!r} names more than {MAX_KINDS} channels; at most so "
                    "many are read from a file in parts.",
                    mend="Set extract_features.column_kind to the column that names channels, "
                    "not times or values.",
                    field=self.field,
                )
        return tuple(kinds)

    def _needed(self, schema: pa.Schema) -> list[str]:
        """Return the columns that have a role, or are channels, in the order of the file."""
        columns = {
            f.name: self._column(f.name, pa.array([], f.type))
            for f in schema
            if not f.name.startswith(PANDAS_INDEX)
        }
        table = Table(columns, self.field)
        if self.roles.column_id is None:
            panel_of_table(table, self.roles)  # It refuses that, with the names that were found.
        roles = ("column_id", "column_sort", "column_kind", "column_value")
        taken = {role: name for role in roles if (name := getattr(self.roles, role)) is not None}
        for role, name in taken.items():
            table.column(role, name)
        chosen = columns if self.roles.column_value is None else taken.values()
        return [name for name in columns if name in set(chosen)]

    def _whole_cases(self) -> Iterator[pa.Table]:
        """Yield the rows in tables that end where a case does."""
        held: list[pa.RecordBatch] = []
        n_held, last = 0, None
        for batch in self._batches(self._columns):
            ids = self._column(self._id, batch.column(self._id)).factor()
            changes = np.flatnonzero(np.diff(ids.codes)) + 1
            cut = int(changes[-1]) if changes.size else 0
            if cut or (held and _value(ids, 0) != last):
                yield pa.Table.from_batches([*held, batch.slice(0, cut)])
                held, n_held = [], 0
            held.append(batch.slice(cut))
            n_held, last = n_held + batch.num_rows - cut, _value(ids, -1)
            if len(held) > 1:
                self._require_bounded(n_held, last)
        yield pa.Table.from_batches(held) if held else self._no_row()

    def _no_row(self) -> pa.Table:
        with self._readable(), self._open() as file:
            return file.schema_arrow.empty_table().select(self._columns)

    def _batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        with self._readable(), self._open() as file:
            for batch in file.iter_batches(self.rows, columns=columns):
                if batch.num_rows:
                    # Asked for `x`, the file gives `x.y` as well.
                    yield batch.select(columns)

    def _open(self) -> pq.ParquetFile:
        """Open the file; text stays a dictionary and codes, however often it is repeated."""
        return pq.ParquetFile(
            self.path,
            read_dictionary=self._texts,
            # Read ahead, row groups would be in memory as a whole, and more than one.
            pre_buffer=False,
            buffer_size=BUFFER_BYTES,
        )

    def _table(self, cells: pa.Table) -> Table:
        with self._readable():
            cells.validate(full=True)
            columns = cells.unify_dictionaries().combine_chunks()
            return Table(
                {name: self._column(name, _joined(columns[name])) for name in self._columns},
                self.field,
            )

    def _column(self, name: str, values: pa.Array) -> ArrowColumn:
        return ArrowColumn(name, values, self.field)

    def _panel(self, table: Table, start: int) -> Panel:
        try:
            return panel_of_table(table, self.roles)
        except DataError as error:
            if start == 0:
                raise
            # The row that the message may name is counted within the part.
            raise DataError(
                f"counting rows from {start + 1:,} of the file as 1: {error.message}",
                mend=error.mend,
                field=error.field,
            ) from error

    def _widened(self, panel: Panel) -> Panel:
        """Return the panel with all channels of the file."""
        if self.roles.column_kind is None:
            return panel
        require_bounded(panel.n_cases, list(self._kinds), self.field)
        index = next(iter(panel.channels.values())).index
        nothing = Channel(
            np.empty(0),
            np.zeros(panel.n_cases + 1, dtype=np.int64),
            None if index is None else index[:0],
        )
        return Panel(panel.ids, {name: panel.channels.get(name, nothing) for name in self._kinds})

    def _require_together(self, ids: Factor, panel: Panel, start: int, seen: Seen) -> None:
        """Refuse a case whose rows do not stand together, in this part or since an earlier one."""
        back = np.flatnonzero(np.diff(ids.codes) < 0) + 1
        if back.size:
            row = int(back[0])
            self._require_first(panel.ids[ids.codes[row]], start + row)
        for position in seen.again(panel.keys):
            self._require_first(panel.ids[position], start + ids.first_row(position) - 1)

    def _require_first(self, case_id: CaseId, row: int) -> None:
        first = self._first_row(case_key(case_id))
        if first < row:
            then = f" and {self.roles.column_sort!r}" if self.roles.column_sort else ""
            raise DataError(
                f"case {shown(case_id)} begins at row {first + 1:,} and comes again at row "
                f"{row + 1:,}, after other cases; in a file that is read in parts the rows of a "
                "case are expected to stand together.",
                mend=f"Sort the file by {self._id!r}{then}.",
                field=self.field,
            )

    def _first_row(self, key: str) -> int:
        """Return the row, from zero, at which a case that the file holds begins."""
        before = 0
        for batch in self._batches([self._id]):
            factor = self._column(self._id, batch.column(0)).factor()
            for code, value in enumerate(factor.values):
                if case_key(value) == key:  # type: ignore[arg-type]  # ids, or refused with them
                    return before + factor.first_row(code) - 1
            before += batch.num_rows
        raise ValueError(f"no row of {key!r}")

    def _require_bounded(self, n_rows: int, case_id: object) -> None:
        cells = n_rows * len(self._columns)
        if cells > MAX_CASE_CELLS:
            raise DataError(
                f"case {shown(case_id)} has {n_rows:,} rows or more, {cells:,} cells; a single "
                f"case of at most {MAX_CASE_CELLS:,} cells is expected.",
                mend=f"See that {self._id!r} tells the cases apart, or cut the series into "
                "shorter ones, each with an id of its own.",
                field=self.field,
            )

    @contextmanager
    def _readable(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise InputNotFound(
                f"there is no file {shown(str(self.path))}.",
                mend=f"Name an existing file in {self.field}.",
                field=self.field,
            ) from error
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise DataError(
                f"{self.field} cannot be read as Parquet: {str(error)[:200]}",
                mend="Write it again as Parquet, and all of it.",
                field=self.field,
            ) from error


def _value(factor: Factor, row: int) -> object:
    return factor.values[factor.codes[row]]


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _id_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return kind
    return pa.float64() if pa.types.is_floating(kind) else pa.string()


def _joined(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array, whether it is in one piece already or in none."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
