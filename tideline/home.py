"""Where a machine keeps what Tideline makes."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from platformdirs import user_data_path

from tideline.errors import SpecError


def default_home() -> Path:
    """Return the folder of the models and the jobs: TIDELINE_HOME, or the user's data folder.

    An empty TIDELINE_HOME is as good as none.
    """
    named = os.environ.get("TIDELINE_HOME")
    return Path(named) if named else user_data_path("tideline")


def store_folder(home: Path | None = None) -> Path:
    """Return the BentoML home of the published models, an absolute path.

    Parameters
    ----------
    home
        The folder that holds it; `default_home()` when left out. `~` is the user's.
    """
    return (home or default_home()).expanduser().absolute() / "bentoml"


def runs_folder(home: Path | None = None) -> Path:
    """Return the folder of what runs of training keep until they have ended.

    Parameters
    ----------
    home
        As for `store_folder`.
    """
    return (home or default_home()).expanduser().absolute() / "runs"


def require_home(folder: Path) -> None:
    """Make sure that a folder of the home can be made and written to.

    Raises
    ------
    SpecError
        When it cannot: to be told before anything is done that would be lost.
    """
    reason = why_unwritable(folder)
    if reason is not None:
        raise SpecError(
            f"the folder {str(folder)!r}, where Tideline keeps what it makes, {reason}.",
            mend="Set TIDELINE_HOME to a folder that you may write to.",
            field="home",
        )


def why_unwritable(folder: Path) -> str | None:
    """Return why a folder cannot be made or written to, in words; None where it can.

    Nothing is made, and so nothing removed that another process has come to use meanwhile: of a
    folder that is not there, the nearest one above it that is there tells.
    """
    what = "made"
    try:
        there = _nearest_there(folder)
        if folder.is_dir():
            what = "written to"
        # A real file: who may write does not tell of a disk that is full or read-only.
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        return f"cannot be {what}: {error.strerror}"
    return None


def _nearest_there(folder: Path) -> Path:
    """Return a path, or the nearest above it that is there; a link that leads nowhere is there."""
    try:
        folder.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return folder if folder == folder.parent else _nearest_there(folder.parent)
    return folder
