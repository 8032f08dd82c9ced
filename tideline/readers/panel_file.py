"""Reading a panel from any of the formats."""

from __future__ import annotations

import os

from tideline.readers.csv_table import csv_table
from tideline.readers.instances import is_instances, reading_of_instances
from tideline.readers.json_table import json_table, parse_json
from tideline.readers.long import reading_of_table
from tideline.readers.parquet_table import parquet_table
from tideline.readers.reading import Reading
from tideline.readers.source import Format, decode, load, sniff
from tideline.readers.ts import read_ts
from tideline.roles import ColumnRoles

NO_ROLES = ColumnRoles()
"""What a format that holds whole cases needs."""


def read_panel(
    source: bytes | str | os.PathLike[str],
    roles: ColumnRoles = NO_ROLES,
    *,
    field: str = "raw_data",
) -> Reading:
    """Return the panel that a file holds, and its labels and groups where it has them.

    The format is told from the content: column JSON as pandas writes it, record JSON, prediction
    JSON (`{"instances": [...]}`), long CSV, long Parquet, or `.ts`.

    Parameters
    ----------
    source
        The content, or the path of the file that holds it.
    roles
        What the columns of a table mean, which has to have a `column_id`; a format that holds
        whole cases (`.ts`, prediction JSON) has no use for them.
    field
        The part of the input that this is, for messages.

    Returns
    -------
    Reading
        Its panel may hold infinities and series too short: `Panel.require_usable` refuses them.

    Raises
    ------
    InputNotFound
        When there is no such file.
    DataError
        When the content is empty, in another format, unsound, or does not fit the roles.
    """
    content = load(source, field)
    match sniff(content, field):
        case Format.TS:
            return read_ts(decode(content, field), field)
        case Format.PARQUET:
            return reading_of_table(parquet_table(content, field), roles)
        case Format.CSV:
            return reading_of_table(csv_table(decode(content, field), field), roles)
        case Format.JSON:
            document = parse_json(decode(content, field), field)
    if is_instances(document):
        return reading_of_instances(document, roles, field)
    return reading_of_table(json_table(document, field), roles)
