"""Where compiled kernels are kept, and what is said while they are compiled.

numba looks whether a function's own file has changed, and not at the files of what it calls. So the
folder's name holds a digest of all kernels' sources: a change of any compiles them anew.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numba
from numba.core import config, event
from platformdirs import user_cache_path

LOG = logging.getLogger(__name__)
SOURCES = Path(__file__).parent


def _digest() -> str:
    found = hashlib.sha256(numba.__version__.encode())
    for source in sorted(SOURCES.glob("*.py")):
        found.update(source.read_bytes())
    return found.hexdigest()[:12]


def _home() -> Path:
    """Return where compiled code may be kept: as asked, beside the sources, or with the user."""
    if asked := os.environ.get("NUMBA_CACHE_DIR"):
        return Path(asked)
    beside = SOURCES / "__pycache__"
    parent = beside if beside.is_dir() else SOURCES
    return beside if os.access(parent, os.W_OK) else user_cache_path("tideline")


FOLDER = _home() / f"kernels-{_digest()}"


@contextmanager
def kept_here() -> Iterator[None]:
    """Have numba keep the functions that are declared inside in `FOLDER`."""
    # numba writes its settings into the module as it is imported, where mypy does not see them.
    before = config.CACHE_DIR  # type: ignore[attr-defined]
    config.CACHE_DIR = str(FOLDER)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        config.CACHE_DIR = before  # type: ignore[attr-defined]


def unpack() -> None:
    """Copy what an image ships, in the folder that `TIDELINE_COMPILED` names, to `FOLDER`.

    The image's own folder cannot be written to, which numba wants of a folder that it reads.
    """
    shipped = Path(os.environ.get("TIDELINE_COMPILED", "")) / FOLDER.name
    if FOLDER.exists() or not shipped.is_dir():
        return
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    # Under another name first: of two processes that start together, neither sees half of it.
    with tempfile.TemporaryDirectory(dir=FOLDER.parent) as folder:
        copy = Path(shutil.copytree(shipped, Path(folder) / FOLDER.name))
        try:
            copy.rename(FOLDER)
        except OSError:
            if not FOLDER.exists():
                raise


class _Announcement(event.Listener):
    """Says, once a process, that kernels are being compiled; found on disk they are not."""

    said = False

    def on_start(self, happening: event.Event) -> None:
        function = happening.data["dispatcher"].py_func
        if not self.said and function.__module__.startswith("tideline."):
            self.said = True
            LOG.warning(
                "compiling the feature kernels for this machine; they are kept, so that this "
                "happens once and takes less than a minute in all"
            )

    def on_end(self, happening: event.Event) -> None:
        pass


def announce() -> None:
    """Have it said when a kernel of ours is compiled."""
    event.register("numba:compile", _Announcement())  # type: ignore[no-untyped-call]
