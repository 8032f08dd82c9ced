"""Tables in Parquet."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq

from tideline.errors import DataError
from tideline.panel import named
from tideline.readers.arrow_column import ArrowColumn
from tideline.readers.table import Table

MAX_BYTES = 4 * 2**30
"""How many bytes a file may become when it is uncompressed."""

MAX_CELLS = 2**28
"""How many cells a file may have: 2 GiB as float64."""

PANDAS_INDEX = "__index_level_"
"""How pandas names an index that has no name; it is no channel."""


def parquet_table(content: bytes, field: str) -> Table:
    """Return the table that a Parquet file holds.

    Raises
    ------
    DataError
        When it is damaged, larger than memory may hold, or nested, or columns share a name. The
        size is read from the metadata, before anything is uncompressed.
    """
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        require_flat(file.schema, field)
        _require_bounded(file.metadata, field)
        require_distinct(file.schema_arrow.names, field)
        cells = _cells(content, file.schema_arrow)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{field} begins like Parquet, but cannot be read: {str(error)[:200]}",
            mend="Write it again, and send all of it.",
            field=field,
        ) from error
    columns = {
        name: ArrowColumn(name, column.combine_chunks(), field)
        for name, column in zip(cells.column_names, cells.columns, strict=True)
        if not name.startswith(PANDAS_INDEX)
    }
    return Table(columns, field)


def _cells(content: bytes, schema: pa.Schema) -> pa.Table:
    """Read the columns; text stays a dictionary and codes, however often it is repeated."""
    texts = [
        f.name for f in schema if pa.types.is_string(f.type) or pa.types.is_large_string(f.type)
    ]
    file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=texts)
    cells = file.read()
    cells.validate(full=True)
    return cells.unify_dictionaries()


def require_flat(schema: pq.ParquetSchema, field: str) -> None:
    """Refuse a column of lists or records: of these, one row holds any number of values."""
    columns = [schema.column(c) for c in range(len(schema))]
    # The path of a column that is no part of another is its name, dots and all.
    nested = [c.path for c in columns if c.max_repetition_level > 0 or c.path != c.name]
    if nested:
        raise DataError(
            f"{field} has nested columns: {named(nested)}; one value a row is expected.",
            mend="Write one row for each value, with the id of its case, or leave the columns out.",
            field=field,
        )


def _require_bounded(metadata: pq.FileMetaData, field: str) -> None:
    groups = [metadata.row_group(g) for g in range(metadata.num_row_groups)]
    size = sum(group.total_byte_size for group in groups)
    cells = sum(group.column(c).num_values for group in groups for c in range(group.num_columns))
    if size > MAX_BYTES or cells > MAX_CELLS:
        raise DataError(
            f"{field} is a table of {cells} cells and {size} bytes when uncompressed; "
            f"at most {MAX_CELLS} cells and {MAX_BYTES} bytes are read.",
            mend="Leave out columns that are not needed, or send fewer cases.",
            field=field,
        )


def require_distinct(names: list[str], field: str) -> None:
    """Refuse columns that share a name."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise DataError(
            f"the columns of {field} name {named(repeated)} more than once: found {named(names)}.",
            mend="Give each column a name of its own.",
            field=field,
        )
