"""Where a machine keeps what Tideline makes."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_path


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
