"""How a run ended, as a file, an object in a store, or a pod's termination message says it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tideline.errors import TidelineError
from training.journal import Journal

MAX_MESSAGE_BYTES = 4096
"""As much of a termination message is kept by Kubernetes."""
DISPENSABLE = ("notices", "scores", "classes", "trainShape")
"""What a summary does without, where there is too little room, the first first."""
SHORTER = (MAX_MESSAGE_BYTES, 1000, 300)
"""To how many characters texts are cut, step by step."""


@dataclass(frozen=True)
class Outcome:
    """Where the end of a run is told, besides the log.

    A disk that is full, or a store that is away, changes nothing of how the run ended, and so of
    its exit code: the journal is told.

    Attributes
    ----------
    result
        A file, or a URL in a store, that gets the whole document; or None.
    message
        A file that gets as much of it as a termination message holds; or None.
    """

    result: str | None = None
    message: Path | None = None

    def published(self, summary: dict[str, Any], journal: Journal) -> None:
        """Tell what was published."""
        self._write({"published": summary}, journal)

    def failed(self, error: TidelineError, journal: Journal) -> None:
        """Tell why nothing was published."""
        told = {
            "code": error.code,
            "message": error.message,
            "mend": error.mend,
            "field": error.field,
            "retryable": error.retryable,
            "exit_code": error.exit_code,
        }
        # First what a program reads: people may not be listening.
        self._write({"error": told}, journal)
        is_named = error.field and not error.message.startswith(error.field)
        field = f"{error.field}: " if is_named else ""
        journal.last_words(f"failed ({error.code}): {field}{error}")

    def _write(self, document: dict[str, Any], journal: Journal) -> None:
        # First what cannot fail for want of a network.
        if self.message is not None:
            _write_file(self.message, brief(document), journal, is_whole=False)
        if self.result is None:
            return
        content = json.dumps(document, indent=2, allow_nan=False).encode() + b"\n"
        if "://" not in self.result:
            _write_file(Path(self.result), content, journal, is_whole=True)
            return
        try:
            put(self.result, content)
        except TidelineError as error:
            # What was published is published; the termination message tells it too.
            journal.last_words(f"the result cannot be kept in the store: {error}")


def _write_file(path: Path, content: bytes, journal: Journal, *, is_whole: bool) -> None:
    # A termination message is a file that is mounted: it can be written, not replaced.
    try:
        write_whole(path, content) if is_whole else path.write_bytes(content)
    except OSError as error:
        journal.last_words(f"the result cannot be written to {str(path)!r}: {error.strerror}.")


def brief(document: dict[str, Any]) -> bytes:
    """Return a document as JSON of at most `MAX_MESSAGE_BYTES`, without what can be missed."""
    (kind, told), *_ = document.items()
    for most in (*SHORTER, 0):
        for name in (None, *DISPENSABLE):
            told = {k: _cut(v, most) for k, v in told.items() if k != name}
            content = json.dumps({kind: told}, allow_nan=False, ensure_ascii=False).encode()
            if len(content) <= MAX_MESSAGE_BYTES:
                return content
    return b""


def _cut(value: object, most: int) -> object:
    return value[:most] if isinstance(value, str) else value


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    complete = path.with_name(f".{path.name}.{os.getpid()}")
    with complete.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    complete.replace(path)


def put(url: str, content: bytes) -> None:
    """Write an object of a store.

    Raises
    ------
    StoreUnavailable
        When it cannot be written.
    SpecError
        When the URL is of no store.
    """
    from tideline.store.bucket import Bucket  # noqa: PLC0415 - only runs in a cluster need it

    base, _, name = url.rpartition("/")
    bucket = Bucket(base)
    bucket.make()
    bucket.upload(name, [content])
