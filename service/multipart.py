"""Multipart bodies: named parts, streamed to disk, complete or refused."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING

import python_multipart
from anyio import to_thread
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import ClientDisconnect, Request

from tideline.errors import RequestError, TidelineError

if TYPE_CHECKING:
    from hashlib import _Hash

HELD_IN_MEMORY = 1024 * 1024
"""A part of more bytes than this goes to a temporary file."""


def _new_file() -> SpooledTemporaryFile[bytes]:
    return SpooledTemporaryFile(max_size=HELD_IN_MEMORY)


@dataclass(eq=False)
class Part:
    """One named part of a body, whether it was sent as a file or as a plain field.

    The file name that a client sends is not looked at: what is written where, this service says.
    """

    name: str
    file: SpooledTemporaryFile[bytes] = field(default_factory=_new_file)
    size: int = 0
    sha256: _Hash = field(default_factory=hashlib.sha256)

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self.file.write(data)
        self.sha256.update(data)
        self.size += len(data)

    def read(self) -> bytes:
        """Return all bytes."""
        self.file.seek(0)
        return self.file.read()

    def save(self, path: Path) -> None:
        """Write all bytes to a new file."""
        self.file.seek(0)
        with path.open("xb") as target:
            shutil.copyfileobj(self.file, target)


@contextmanager
def faults_of(part: str) -> Iterator[None]:
    """Name the part in an error that names no field, such as that of a file as a whole."""
    try:
        yield
    except TidelineError as error:
        error.field = error.field or part
        raise


class PartsParser:
    """Parses a body, chunk by chunk, into parts of which the names are known.

    Parameters
    ----------
    boundary
        The boundary that the Content-Type header names.
    names
        The parts that are taken.
    """

    def __init__(self, boundary: bytes, names: Collection[str]) -> None:
        self.names = names
        self.parts: dict[str, Part] = {}
        self.is_complete = False
        self._header = (b"", b"")
        self._disposition = b""
        self._pending: list[tuple[Part, bytes]] = []
        self._pending_bytes = 0
        self._parser = python_multipart.MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_end": self._on_end,
            },
        )

    def feed(self, chunk: bytes) -> bool:
        """Parse a chunk; return whether enough has come together to be flushed."""
        self._parser.write(chunk)
        return self._pending_bytes >= HELD_IN_MEMORY

    def flush(self) -> None:
        """Write what was parsed to its files; this may wait for the disk."""
        for part, data in self._pending:
            part.write(data)
        self._pending.clear()
        self._pending_bytes = 0

    def close(self) -> None:
        """Remove the temporary files."""
        for part in self.parts.values():
            part.file.close()

    def _on_part_begin(self) -> None:
        self._disposition = b""

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0] + data[start:end], self._header[1])

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0], self._header[1] + data[start:end])

    def _on_header_end(self) -> None:
        if self._header[0].lower() == b"content-disposition":
            self._disposition = self._header[1]
        self._header = (b"", b"")

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode("utf-8", errors="replace")
        if name not in self.names:
            raise RequestError(
                f"the body holds a part {name[:100]!r}; {_listed(self.names)} are taken.",
                mend="Leave it out, or give it the right name.",
                field=name[:100],
            )
        if name in self.parts:
            raise RequestError(
                f"the body holds the part {name!r} twice; one is expected.",
                mend="Send it once.",
                field=name,
            )
        self.parts[name] = self._part = Part(name)

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._pending.append((self._part, data[start:end]))
        self._pending_bytes += end - start

    def _on_end(self) -> None:
        self.is_complete = True


@asynccontextmanager
async def posted_parts(
    request: Request, required: Collection[str], optional: Collection[str] = ()
) -> AsyncIterator[dict[str, Part]]:
    """Yield the parts of a multipart body by name, and remove their files afterwards.

    Raises
    ------
    RequestError
        When the body is not multipart, ends before its closing boundary, or has a part that is
        unknown, missing or sent twice.
    PayloadTooLarge
        As `service.limits.BodyLimit` finds it.
    """
    parser = PartsParser(_boundary(request), [*required, *optional])
    try:
        await _receive(request, parser)
        missing = [name for name in required if name not in parser.parts]
        if missing:
            raise RequestError(
                f"the body lacks the part {missing[0]!r}; found: "
                f"{_listed(parser.parts) or 'none'}.",
                mend=f"Send it: curl -F {missing[0]}=@FILE",
                field=missing[0],
            )
        yield parser.parts
    finally:
        parser.close()


async def _receive(request: Request, parser: PartsParser) -> None:
    try:
        async for chunk in request.stream():
            if parser.feed(chunk):
                await to_thread.run_sync(parser.flush)
    except FormParserError as error:
        raise RequestError(
            f"the body is not well-formed multipart/form-data: {error}",
            mend="Let the HTTP library build the body and the Content-Type header.",
        ) from error
    except ClientDisconnect as error:
        raise _cut_off(parser) from error
    # The parsing libraries take a body that just stops for a whole one.
    if not parser.is_complete:
        raise _cut_off(parser)
    parser.flush()


def _boundary(request: Request) -> bytes:
    kind, options = parse_options_header(request.headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise RequestError(
            f"the Content-Type is {kind.decode(errors='replace')[:100] or 'missing'!r}; "
            "multipart/form-data with a boundary is expected.",
            mend="Send the files as a form: curl -F raw_data=@FILE -F params=@FILE",
            field="Content-Type",
        )
    return boundary


def _cut_off(parser: PartsParser) -> RequestError:
    last = next(reversed(parser.parts), None)
    return RequestError(
        f"the body ends in the middle{f' of the part {last!r}' if last else ''}; "
        "its closing boundary is missing.",
        mend="Send the whole body again.",
        field=last,
    )


def _listed(names: Collection[str]) -> str:
    return ", ".join(names)
