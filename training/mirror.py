"""A copy of a run's folder in the store: a pod that is lost takes its disk along."""

from __future__ import annotations

import io
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from tideline.errors import ModelRefused
from tideline.store.bucket import Bucket
from training.recipes import RECIPE

MOST_BYTES = 64 * 2**20
"""Answers beyond it are not copied: the copies would cost more than they save."""
ARRAY = ".npy"
"""Features, at the top, which are large and computed again in seconds; and answers, below."""
LAST = (RECIPE, ARRAY)
"""What is copied as far as there is room, in this order."""


_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    # Of zipfile: something is encrypted, or of a later version; NotImplementedError is one.
    RuntimeError,
    # A name that is both a file and a folder.
    FileExistsError,
    IsADirectoryError,
    NotADirectoryError,
)


class DamagedCopyError(Exception):
    """A copy that is none of what was sent; nothing was made of it."""


class Mirror:
    """The copy of one folder, as one object.

    Parameters
    ----------
    url
        Of the object.
    folder
        What is copied.
    """

    def __init__(self, url: str, folder: Path) -> None:
        base, _, self._name = url.rpartition("/")
        self._bucket = Bucket(base)
        self._folder = folder

    def fetch(self) -> bool:
        """Make the folder from the copy, where there is one; tell whether there was.

        Raises
        ------
        DamagedCopyError
            When the copy is damaged, or larger than any that is sent.
        StoreUnavailable
            When the store does not answer.
        """
        try:
            content = self._bucket.read(self._name, 2 * MOST_BYTES)
        except ModelRefused as error:
            raise DamagedCopyError(error.message) from error
        if content is None:
            return False
        draft = self._folder.with_name(f".{self._folder.name}")
        shutil.rmtree(draft, ignore_errors=True)
        try:
            _unpack(content, draft)
        except _DAMAGED as error:
            shutil.rmtree(draft, ignore_errors=True)
            raise DamagedCopyError(f"{type(error).__name__}: {error}") from error
        # The folder appears as a whole: of one that is there, nothing more is looked for here.
        draft.replace(self._folder)
        return True

    def send(self) -> None:
        """Copy the folder as it is now, but for what is too much.

        Raises
        ------
        StoreUnavailable
            When the store does not take it.
        """
        copy, room = io.BytesIO(), MOST_BYTES
        with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in self._files():
                size = path.stat().st_size
                if path.suffix not in LAST or size <= room:
                    archive.write(path, path.relative_to(self._folder))
                    room -= size
        self._bucket.upload(self._name, [copy.getvalue()])

    def remove(self) -> None:
        """Remove the copy.

        Raises
        ------
        StoreUnavailable
            When the store does not answer.
        """
        self._bucket.remove([self._name])

    def _files(self) -> Iterator[Path]:
        yield from (path for path in self._whole() if path.suffix not in LAST)
        # Looked for last: the steps and answers of every trial that was copied are there by now.
        whole = self._whole()
        for suffix in LAST:
            found = (path for path in whole if path.suffix == suffix)
            yield from (path for path in found if path.parent != self._folder)

    def _whole(self) -> list[Path]:
        files = sorted(path for path in self._folder.rglob("*") if path.is_file())
        return [path for path in files if not path.name.startswith(".")]


def _unpack(content: bytes, folder: Path) -> None:
    """Make a folder from a copy; raises one of `_DAMAGED` where it is none."""
    with zipfile.ZipFile(io.BytesIO(content)) as copy:
        files = copy.infolist()
        size = sum(file.file_size for file in files)
        if size > 2 * MOST_BYTES:
            raise ValueError(f"{size} bytes, over {2 * MOST_BYTES}")
        if any(
            file.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} for file in files
        ):
            raise ValueError("a file is compressed in a way that is not used here")
        copy.extractall(folder)
