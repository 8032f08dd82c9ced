"""Reading labels: a table of ids and labels, or a mapping of one to the other."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from difflib import get_close_matches

from tideline.errors import DataError, LabelError
from tideline.labels import Label, Labels
from tideline.panel import require_case_id
from tideline.readers.column import Column
from tideline.readers.csv_table import csv_table
from tideline.readers.group_column import group_column
from tideline.readers.json_table import json_table, parse_json
from tideline.readers.parquet_table import parquet_table
from tideline.readers.source import Format, decode, load, sniff
from tideline.readers.table import Table
from tideline.wording import shown

FIELD = "labels"


def read_labels(
    source: bytes | str | os.PathLike[str],
    column_id: str | None,
    column_label: str | None = None,
    column_group: str | None = None,
) -> Labels:
    """Return the labels that a file holds, and the groups where it has their column.

    The format is told from the content: a table in column JSON, record JSON, CSV or Parquet, or a
    JSON object of id and label (`{"8": 1, "15": 0}`).

    Parameters
    ----------
    source
        The content, or the path of the file that holds it.
    column_id
        The column of ids, named as in the series; a mapping has no use for it.
    column_label
        The column of labels; where it is left out, the only other column.
    column_group
        The column that tells which cases belong together, which need not be there.

    Raises
    ------
    InputNotFound
        When there is no such file.
    DataError
        When the content is empty, in another format, unsound, or lacks a column; or when a row
        of `column_group` names no group.
    LabelError
        When a label is missing, or is no text, number or boolean.
    """
    found = _content(load(source, FIELD))
    if isinstance(found, Table):
        return _of_table(found, column_id, column_label, column_group)
    return _of_mapping(found)


def _content(content: bytes) -> Table | Mapping[str, object]:
    """Return the table, or the mapping of id to label, that some content is."""
    match sniff(content, FIELD):
        case Format.PARQUET:
            return parquet_table(content, FIELD)
        case Format.CSV:
            return csv_table(decode(content, FIELD), FIELD)
        case Format.TS:
            raise LabelError(
                "labels is a .ts file; a table of ids and labels, or a mapping, is expected.",
                mend="Send the .ts file as raw_data, and leave labels out: it holds them.",
                field=FIELD,
            )
        case Format.JSON:
            document = parse_json(decode(content, FIELD), FIELD)
    nested = isinstance(document, Mapping) and any(
        isinstance(part, dict | list) for part in document.values()
    )
    if isinstance(document, Mapping) and not nested:
        return document
    return json_table(document, FIELD)


def _of_mapping(document: Mapping[str, object]) -> Labels:
    values = tuple(_label(value, f"id {shown(key)}") for key, value in document.items())
    return Labels(tuple(document), values)


def _of_table(
    table: Table, column_id: str | None, column_label: str | None, column_group: str | None
) -> Labels:
    if column_id is None:
        raise DataError(
            f"column_id is not set, and a table of labels needs it: {table.found}.",
            mend="Set extract_features.column_id, or send the labels as a mapping of id to label.",
            field=FIELD,
        )
    id_column = table.column("column_id", column_id)
    ids = id_column.factor()
    labels = _label_column(table, column_id, column_label, column_group).labels()
    known = [
        require_case_id(value, column_id, ids.first_row(code), field=FIELD)
        for code, value in enumerate(ids.values)
    ]
    classes = []
    for code, value in enumerate(labels.values):
        row = labels.first_row(code)
        classes.append(_label(value, f"row {row}, id {shown(known[ids.codes[row - 1]])}"))
    return Labels(
        tuple(known[code] for code in ids.codes),
        tuple(classes[code] for code in labels.codes),
        group_column(table, column_group, known, ids.codes),
    )


def _label_column(
    table: Table, column_id: str, column_label: str | None, column_group: str | None
) -> Column:
    if column_label is not None:
        return table.column("column_label", column_label)
    taken = (column_id, column_group)
    others = [column for name, column in table.columns.items() if name not in taken]
    if len(others) != 1:
        near = get_close_matches(column_group or "", [column.name for column in others], 1)
        guess = f"Did you mean {near[0]!r} by group_id {shown(column_group)}? " if near else ""
        raise DataError(
            f"labels has {len(others)} columns beside column_id {column_id!r}, and one is "
            f"expected: {table.found}.",
            mend=f"{guess}Set column_label to the column of labels, or send no other.",
            field=FIELD,
        )
    return others[0]


def _label(value: object, place: str) -> Label:
    sound = isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))
    if isinstance(value, str | int | float) and sound and value != "":
        return value
    found = "nothing" if value is None or value == "" else shown(value)
    raise LabelError(
        f"the label at {place} is {found}; text, a finite number or a boolean is expected.",
        mend="Give every case a label, or leave it out of both labels and raw_data.",
        field=FIELD,
    )
