"""Tables in CSV, with a header: separated by commas, semicolons or tabs."""

from __future__ import annotations

import csv
import io
from collections import Counter

import pyarrow as pa
import pyarrow.csv as arrow_csv

from tideline.errors import DataError
from tideline.panel import named
from tideline.readers.arrow_column import TextColumn
from tideline.readers.table import Table
from tideline.wording import shown

SEPARATORS = ",;\t"

MAX_ROW = 2**26
"""The length of a row, in bytes, up to which it is read."""


def csv_table(text: str, field: str) -> Table:
    """Return the table that some CSV holds, every cell as text.

    A first column without a name is the index that `DataFrame.to_csv` adds, and is left out.

    Raises
    ------
    DataError
        When there is no header and row, rows differ in length, or columns have no name of
        their own.
    """
    text = text.lstrip("\r\n")
    if text.count('"') % 2:
        # Arrow would read to the end of the file, and take all of it for one cell.
        raise _unsound("a quote is not closed", field)
    header, separator = _header(text, field)
    cells = _cells(text.encode(), header, separator, field)
    columns = {
        name: TextColumn(name, column.combine_chunks(), field)
        for name, column in zip(header, cells.columns, strict=True)
        if name
    }
    return Table(columns, field)


def _header(text: str, field: str) -> tuple[list[str], str]:
    """Return the names in the first line, and what separates them."""
    lines = io.StringIO(text, newline="")
    separator = max(SEPARATORS, key=lines.readline().count)
    if not lines.read(1):
        raise DataError(
            f"{field} is one line of text, {shown(text.strip())}: no table.",
            mend="Send CSV with a header and rows, column JSON, record JSON, Parquet or .ts.",
            field=field,
        )
    lines.seek(0)
    try:
        names = next(csv.reader(lines, delimiter=separator))
    except csv.Error as error:
        raise _unsound(str(error), field) from error
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated or "" in names[1:]:
        what = f"name {named(repeated)} more than once" if any(repeated) else "leave a name empty"
        raise DataError(
            f"the columns of {field} {what}: found {named(names)}.",
            mend="Give each column a name of its own in the first line.",
            field=field,
        )
    return names, separator


def _cells(content: bytes, header: list[str], separator: str, field: str) -> pa.Table:
    try:
        return arrow_csv.read_csv(
            io.BytesIO(content),
            # One thread, so that an error counts the rows.
            read_options=arrow_csv.ReadOptions(
                use_threads=False,
                block_size=MAX_ROW,
                column_names=header,
                skip_rows_after_names=1,
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=separator, newlines_in_values=b'"' in content
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise _unsound(str(error).removeprefix("CSV parse error: "), field) from error


def _unsound(reason: str, field: str) -> DataError:
    return DataError(
        f"{field} is not sound CSV: {reason[:200]}.",
        mend="Give every row as many cells as the header has, quote cells that hold the "
        "separator, and close every quote.",
        field=field,
    )
