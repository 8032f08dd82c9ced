"""The lock of a run: of two processes that are started under one name, one is at work."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from tideline.errors import RunBusy


class Lock:
    """A lock on a file, held until `release`, or until the process ends.

    The kernel lets it go however the process ends. Python opens files such that programs which are
    started do not inherit them, and no process here is forked from this one: a worker that
    outlives its run for a moment holds nothing.

    Parameters
    ----------
    path
        Of the file, which is made; its folder is there.

    Raises
    ------
    RunBusy
        When another process holds it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        while True:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(self._file)
                raise RunBusy(
                    "another process is at work on this run, under the same --run-id.",
                    mend="Wait until it has ended, or give another --run-id.",
                ) from None
            if self._is_in_place():
                return
            # Who held it has removed the file since it was opened.
            os.close(self._file)

    def release(self) -> None:
        """Remove the file, and let others take the lock. May be called again."""
        if self._file < 0:
            return
        # First removed: after the release the file of this name may be another's.
        self._path.unlink(missing_ok=True)
        os.close(self._file)
        self._file = -1

    def _is_in_place(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._file), self._path.stat())
        except FileNotFoundError:
            return False
