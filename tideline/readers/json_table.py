"""Tables in JSON: columns as pandas writes them, or a list of row objects."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from tideline.errors import DataError
from tideline.panel import named
from tideline.readers.json_column import JsonColumn
from tideline.readers.table import Table
from tideline.wording import shown

EXPECTED = (
    'columns ({"x": {"0": 1.0}, "id": {"0": 7}}) or a list of row objects ([{"x": 1.0, "id": 7}])'
)


class _RepeatedKey(ValueError):
    """An object names the same key twice, so that one of its values would be lost."""


def parse_json(text: str, field: str) -> object:
    """Return what some JSON holds; `NaN` is a missing value, as pandas writes it.

    Raises
    ------
    DataError
        When it is no JSON, an object repeats a key, it is nested too deeply to read, or a text
        in it is no Unicode.
    """
    try:
        document: object = json.loads(text, object_pairs_hook=_object)
        _require_unicode(text, document)
    except _RepeatedKey as error:
        raise _refusal(f"an object has the key {error} twice", field) from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _refusal(f"{error.msg} at {where}", field) from error
    except RecursionError as error:
        raise _refusal("it is nested too deeply", field) from error
    except UnicodeEncodeError as error:
        raise _refusal("a text holds half of a surrogate pair", field) from error
    except ValueError as error:  # A whole number of more digits than Python converts.
        raise _refusal("a number has thousands of digits", field) from error
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        raise _RepeatedKey(shown(counts.most_common(1)[0][0]))
    return found


def _require_unicode(text: str, document: object) -> None:
    """Refuse half of a surrogate pair, which JSON can spell but no file or answer can hold."""
    if "\\ud" in text or "\\uD" in text:
        json.dumps(document, ensure_ascii=False).encode()


def _refusal(reason: str, field: str) -> DataError:
    return DataError(
        f"{field} is not sound JSON: {reason}.",
        mend="Write it with a JSON library, and send all of it.",
        field=field,
    )


def json_table(document: object, field: str) -> Table:
    """Return the table that a JSON document holds.

    Parameters
    ----------
    document
        A mapping of column name to mapping of row key to value (or to a list of values), or a
        list of row objects. Columns are aligned by row key, in the order of the first column; row
        keys that a client sorted as text ("0", "1", "10", "2") are put in numeric order.

    Raises
    ------
    DataError
        When it is no table, or columns have different rows.
    """
    if isinstance(document, Mapping) and document:
        parts = list(document.values())
        if all(isinstance(part, Mapping) for part in parts):
            return _table(_aligned(document, field), field)
        if all(isinstance(part, list) for part in parts):
            return _table(_of_one_length(document, field), field)
    if isinstance(document, list) and document and all(isinstance(r, Mapping) for r in document):
        return _table(_turned(document), field)
    raise DataError(
        f"{field} is JSON, but not a table: found {_told(document)}; expected {EXPECTED}.",
        mend="Write it with pandas' DataFrame.to_json(), or to_json(orient='records').",
        field=field,
    )


def _told(document: object) -> str:
    """Return what a document is, in a few words."""
    if isinstance(document, Mapping):
        return f"an object of {shown(dict(document))}" if document else "an empty object"
    if isinstance(document, list):
        return f"a list of {shown(document)}" if document else "an empty list"
    return shown(document)


def _table(columns: Mapping[str, Sequence[object]], field: str) -> Table:
    return Table({n: JsonColumn(n, values, field) for n, values in columns.items()}, field)


def _aligned(document: Mapping[str, Mapping[str, object]], field: str) -> dict[str, list[object]]:
    """Return the columns of column JSON, each in the row order of the first."""
    first, rows = next((name, list(cells)) for name, cells in document.items())
    ordered = _in_numeric_order(rows)
    columns = {}
    for name, cells in document.items():
        # Equal keys in equal order, as pandas writes them, need no look-up.
        if ordered is rows and list(cells) == rows:
            columns[name] = list(cells.values())
        elif cells.keys() == document[first].keys():
            columns[name] = [cells[row] for row in ordered]
        else:
            raise _uneven(first, rows, name, cells, field)
    return columns


def _uneven(
    first: str, rows: list[str], name: str, cells: Mapping[str, object], field: str
) -> DataError:
    lacking = [row for row in rows if row not in cells]
    known = set(rows)
    surplus = [row for row in cells if row not in known]
    parts = [f"it lacks {len(lacking)}: {named(lacking)}"] if lacking else []
    parts += [f"it adds {len(surplus)}: {named(surplus)}"] if surplus else []
    return DataError(
        f"column {name!r} does not have the rows of column {first!r}; {'; '.join(parts)}.",
        mend="Give every column every row; write null where a value is missing.",
        field=field,
    )


def _in_numeric_order(rows: list[str]) -> list[str]:
    """Return the rows as they came, unless a client sorted whole numbers as text."""
    if not all(row.isascii() and row.isdecimal() and len(row) < 19 for row in rows):
        return rows
    numbers = np.array([int(row) for row in rows], dtype=np.int64)
    rising = bool((np.diff(numbers) > 0).all())
    if rising or any(a > b for a, b in pairwise(rows)):
        return rows
    return [rows[at] for at in np.argsort(numbers, kind="stable")]


def _of_one_length(document: Mapping[str, list[object]], field: str) -> Mapping[str, list[object]]:
    lengths = {name: len(values) for name, values in document.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(
            f"the columns of {field} differ in length: {shown(lengths)}.",
            mend="Give every column every row; write null where a value is missing.",
            field=field,
        )
    return document


def _turned(rows: Sequence[Mapping[str, object]]) -> dict[str, list[object]]:
    """Return the columns of a list of rows; a key that a row leaves out is null there."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}
