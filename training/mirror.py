"""A copy of a run's folder in the store: a pod that is lost takes its disk along."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tideline.store.bucket import Bucket

MOST_BYTES = 64 * 2**20
"""A folder that holds more is not copied any further: the copies would cost more than they save."""
FEATURES = ".npy"
"""Of the files at the top; they are large, and computed again in seconds."""


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
        """Fill the folder from the copy, where there is one; tell whether there was.

        Raises
        ------
        StoreUnavailable
            When the store does not answer.
        """
        content = self._bucket.read(self._name, 2 * MOST_BYTES)
        if content is None:
            return False
        with zipfile.ZipFile(io.BytesIO(content)) as copy:
            copy.extractall(self._folder)
        return True

    def send(self) -> None:
        """Copy the folder as it is now, but for what is too much.

        Raises
        ------
        StoreUnavailable
            When the store does not take it.
        """
        files = tuple(self._files())
        if sum(path.stat().st_size for path in files) > MOST_BYTES:
            return
        copy = io.BytesIO()
        with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in files:
                archive.write(path, path.relative_to(self._folder))
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
        for path in sorted(self._folder.rglob("*")):
            top = path.parent == self._folder
            if (
                path.is_file()
                and not path.name.startswith(".")
                and not (top and path.suffix == FEATURES)
            ):
                yield path
