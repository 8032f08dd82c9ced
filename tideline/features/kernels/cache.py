"""Where compiled kernels are kept, and what is said while they are compiled.

numba looks whether a function's own file has changed, and not at the files of what it calls. So the
folder's name holds a digest of all kernels' sources, and of the file whose constants they freeze: a
change of any compiles them anew.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numba
from numba.core import config, event
from platformdirs import user_cache_path

LOG = logging.getLogger(__name__)
SOURCES = Path(__file__).parent
FROZEN = (SOURCES.parent / "parameter_rules.py",)
"""What else is compiled in: limits that kernels take from elsewhere."""


def _digest() -> str:
    found = hashlib.sha256(numba.__version__.encode())
    for source in (*sorted(SOURCES.glob("*.py")), *FROZEN):
        found.update(source.read_bytes())
    return found.hexdigest()[:12]


def _home() -> Path | None:
    """Return where compiled code may be kept; None where it may be nowhere.

    As asked, beside the sources, with the user, or in a folder of the user's among temporary files.
    """
    asked = os.environ.get("NUMBA_CACHE_DIR")
    places = (SOURCES / "__pycache__", user_cache_path("tideline"))
    for place in (Path(asked).absolute(), *places) if asked else places:
        if _can_be_written(place):
            return place
    return _temporary_home()


def _can_be_written(folder: Path) -> bool:
    # Without any home the user's folder begins with a bare "~", under the working folder.
    if not folder.is_absolute():
        return False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def _temporary_home() -> Path | None:
    """Return a folder that nobody else can have put code into, or None."""
    if not hasattr(os, "getuid"):
        return None
    try:
        folder = Path(tempfile.gettempdir()) / f"tideline-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return None
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    private = stat.S_IMODE(found.st_mode) == 0o700
    return folder if ours and private and _can_be_written(folder) else None


HOME = _home()
FOLDER = HOME / f"kernels-{_digest()}" if HOME else None
"""Where this version's compiled kernels are; None where they cannot be kept."""


@contextmanager
def kept_here() -> Iterator[bool]:
    """Have numba keep the functions that are declared inside in `FOLDER`; tell whether it can."""
    # numba writes its settings into the module as it is imported, where mypy does not see them.
    before = config.CACHE_DIR  # type: ignore[attr-defined]
    config.CACHE_DIR = str(FOLDER or "")  # type: ignore[attr-defined]
    try:
        yield FOLDER is not None
    finally:
        config.CACHE_DIR = before  # type: ignore[attr-defined]


def unpack() -> None:
    """Copy what an image ships, in the folder that `TIDELINE_COMPILED` names, to `FOLDER`.

    The image's own folder cannot be written to, which numba wants of a folder that it reads.
    """
    compiled = os.environ.get("TIDELINE_COMPILED")
    if not compiled or FOLDER is None or FOLDER.exists():
        return
    shipped = Path(compiled) / FOLDER.name
    if not shipped.is_dir():
        return
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
                "compiling the feature kernels for this machine, which takes about a minute in all "
                "and some minutes where it is busy; %s",
                "they can be kept nowhere here, so that every process compiles them anew: "
                "NUMBA_CACHE_DIR may name a folder that can be written to"
                if FOLDER is None
                else "they are kept, so that this happens once",
            )

    def on_end(self, happening: event.Event) -> None:
        pass


def announce() -> None:
    """Have it said when a kernel of ours is compiled."""
    event.register("numba:compile", _Announcement())  # type: ignore[no-untyped-call]
