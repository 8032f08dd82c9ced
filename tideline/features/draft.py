"""A file that is written under another name until it is complete."""

from __future__ import annotations

import fcntl
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def complete(target: Path) -> Iterator[Path]:
    """Give a name to write under; what was written gets the target's when all went well.

    The draft is locked while it is written. A process that was killed leaves a draft without a
    lock, which the next one onto the same target removes.
    """
    _remove_abandoned(target)
    draft, lock = _locked(target)
    try:
        yield draft
        os.fsync(lock)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
        os.close(lock)


def _locked(target: Path) -> tuple[Path, int]:
    """Return a new draft, and the descriptor that holds its lock."""
    while True:
        draft = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        lock = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        if _lock(lock) is not False and draft.exists():
            return draft, lock
        # Another process took it for abandoned before the lock was on it.
        os.close(lock)


def _remove_abandoned(target: Path) -> None:
    name = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{32}}")
    for draft in target.parent.iterdir():
        if name.fullmatch(draft.name):
            _remove_unlocked(draft)


def _remove_unlocked(draft: Path) -> None:
    try:
        file = os.open(draft, os.O_RDWR)
    except (FileNotFoundError, PermissionError):
        # Complete in the meantime, or somebody else's.
        return
    try:
        if _lock(file):
            draft.unlink(missing_ok=True)
    finally:
        os.close(file)


def _lock(file: int) -> bool | None:
    """Return whether the lock was to be had; None where the file system has no locks."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
