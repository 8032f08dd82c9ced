"""Where the workers' server listens: a folder whose path is short enough for a socket."""

from __future__ import annotations

import os
import tempfile
from multiprocessing.util import get_temp_dir
from pathlib import Path

LONGEST = 70
"""Bytes of a temporary folder's path: a socket's whole path has 107 at most (unix(7))."""
SHORT = "/tmp"  # noqa: S108 - a folder of its own is made in it, which nobody else may enter


def server_folder() -> Path:
    """Return the folder of this process's server; made the first time.

    In the usual temporary folder, but where its path is too long for a socket.
    """
    usual = tempfile.tempdir
    if len(os.fsencode(tempfile.gettempdir())) > LONGEST:
        tempfile.tempdir = SHORT
    try:
        return Path(get_temp_dir())
    finally:
        tempfile.tempdir = usual
