"""The bytes of an input, and which format they are in, told from the content and never a name."""

from __future__ import annotations

import codecs
import errno
import os
from enum import Enum
from pathlib import Path

from tideline.errors import DataError, InputNotFound
from tideline.wording import shown

ACCEPTED = "column JSON, record JSON, long CSV, long Parquet or .ts"

FOREIGN = (
    (b"\x1f\x8b", "gzip"),
    (b"PK\x03\x04", "a zip archive or a spreadsheet"),
    (b"\x93NUMPY", "a NumPy file"),
    (b"\x80\x03", "a pickle"),
    (b"\x80\x04", "a pickle"),
    (b"\x80\x05", "a pickle"),
    (b"\x89HDF", "HDF5"),
    (b"ARROW1", "Arrow IPC (Feather)"),
    (codecs.BOM_UTF16_LE, "UTF-16 text"),
    (codecs.BOM_UTF16_BE, "UTF-16 text"),
)
"""How some formats that are not read begin, and what to call them."""


class Format(Enum):
    """A format that the readers know."""

    JSON = "JSON"
    CSV = "CSV"
    PARQUET = "Parquet"
    TS = ".ts"


def load(source: bytes | str | os.PathLike[str], field: str) -> bytes:
    """Return the bytes of an input.

    Raises
    ------
    InputNotFound
        When there is no such file.
    DataError
        When there is nothing in it.
    """
    content = source if isinstance(source, bytes) else _content(Path(source), field)
    if not content.removeprefix(codecs.BOM_UTF8).strip():
        raise DataError(
            f"{field} is empty: {len(content)} bytes, none of them data; {ACCEPTED} is expected.",
            mend="Send the file's content.",
            field=field,
        )
    return content


def _content(path: Path, field: str) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        # A content that is given as text makes a name that is too long, or holds a null.
        none = (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError)
        if not isinstance(error, none) and error.errno != errno.ENAMETOOLONG:
            raise
        raise InputNotFound(
            f"there is no file {shown(str(path))}.",
            mend=f"Name an existing file in {field}.",
            field=field,
        ) from error


def sniff(content: bytes, field: str) -> Format:
    """Return the format that some content is in.

    Raises
    ------
    DataError
        When it is in one of the formats that are not read.
    """
    if content.startswith(b"PAR1"):
        return Format.PARQUET
    for beginning, name in FOREIGN:
        if content.startswith(beginning):
            raise _unread(name, field)
    text = content.removeprefix(codecs.BOM_UTF8).lstrip()
    if text[:1] in (b"{", b"["):
        return Format.JSON
    if text[:1] == b"<":
        raise _unread("HTML or XML", field)
    return Format.TS if _begins_like_ts(text) else Format.CSV


def _begins_like_ts(text: bytes) -> bool:
    """Whether the first line that is no comment is a `@` directive."""
    start = 0
    while start < len(text):
        end = text.find(b"\n", start)
        line = text[start : len(text) if end < 0 else end].strip()
        if line and line[:1] not in (b"#", b"%"):
            return line[:1] == b"@"
        if end < 0:
            break
        start = end + 1
    return False


def _unread(name: str, field: str) -> DataError:
    return DataError(
        f"{field} is {name}; {ACCEPTED} is expected.",
        mend="Write the table in one of these formats, uncompressed.",
        field=field,
    )


def decode(content: bytes, field: str) -> str:
    """Return the text of some content, without a byte order mark.

    Raises
    ------
    DataError
        When it is not UTF-8; the first byte at fault is named.
    """
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{field} is not UTF-8: byte 0x{content[error.start]:02x} was found at position "
            f"{error.start}, in line {line}.",
            mend="Save it as UTF-8 (it may be Latin-1 or Windows-1252 now).",
            field=field,
        ) from error
