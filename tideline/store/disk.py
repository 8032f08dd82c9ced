"""Files that are there whole or not at all, also after a power cut."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tideline.errors import StoreUnavailable


def sync_tree(folder: Path, *, files: bool = True) -> None:
    """Wait until a folder, and the files directly in it, are on the disk."""
    if files:
        for path in folder.iterdir():
            sync(path)
    sync(folder)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, or replace it, so that a reader finds all of the old or all of the new."""
    draft = _draft(path, content)
    try:
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def write_new(path: Path, content: bytes) -> bool:
    """Write a file whole if there is none of its name; tell whether it was written."""
    draft = _draft(path, content)
    try:
        # A link to a name that is there fails, whoever else tries it at the same moment.
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    sync(path.parent)
    return True


@contextmanager
def reachable(home: Path) -> Iterator[None]:
    """Turn what the disk refuses into an error of the store.

    Raises
    ------
    StoreUnavailable
        For any `OSError` inside.
    """
    try:
        yield
    except OSError as error:
        raise StoreUnavailable(
            f"the model store cannot be used: {error.strerror or error} ({home}).",
            mend="See that the folder can be read and written, and that the disk has room.",
            field="store",
        ) from error


def _draft(path: Path, content: bytes) -> Path:
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    with draft.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft


def sync(path: Path) -> None:
    """Wait until a file or a folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
