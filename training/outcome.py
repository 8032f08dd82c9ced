"""How a run ended, as the file that `--result` names says it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tideline.errors import TidelineError
from training.journal import Journal


def write_failure(error: TidelineError, journal: Journal, path: Path | None) -> None:
    """Tell why nothing was published, to people and in the result."""
    document = {
        "error": {
            "code": error.code,
            "message": error.message,
            "mend": error.mend,
            "field": error.field,
            "retryable": error.retryable,
            "exit_code": error.exit_code,
        }
    }
    # First what a program reads: people may not be listening.
    write_result(path, document, journal)
    field = f"{error.field}: " if error.field else ""
    journal.last_words(f"failed ({error.code}): {field}{error}")


def write_result(path: Path | None, document: dict[str, Any], journal: Journal) -> None:
    """Write the document whole or not at all; without a path, do nothing.

    A disk that is full changes nothing of how the run ended, and so of its exit code: the journal
    is told.
    """
    if path is None:
        return
    try:
        _write_whole(path, document)
    except OSError as error:
        journal.last_words(f"the result cannot be written to {str(path)!r}: {error.strerror}.")


def _write_whole(path: Path, document: dict[str, Any]) -> None:
    complete = path.with_name(f".{path.name}.{os.getpid()}")
    with complete.open("w", encoding="utf-8") as file:
        json.dump(document, file, indent=2, allow_nan=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    complete.replace(path)
