"""The folder of a run: what a start that was killed leaves to the next of the same run."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tideline.errors import RunBusy, StoreUnavailable
from training.lock import Lock
from training.mirror import DamagedCopyError, Mirror
from training.outcome import write_whole

STATE = "state.json"
EVERY_SECONDS = 5.0
COPY_SECONDS = 25.0
"""Between two copies in the store."""
OLD_SECONDS = 30 * 24 * 3600.0
"""After which what another run has left is not expected to be asked for again."""


class Checkpoint:
    """The folder of a run, and the seconds that it has spent, written down all the while.

    A context manager that begins and ends writing.

    Parameters
    ----------
    folder
        Of this run alone; made where it is not there.
    identity
        What the run is given. A folder of another identity is emptied.
    mirror
        The copy of the folder in a store, where there is one: read when the folder is not there,
        written twice a minute.
    tell
        Told when what is there is of another run; and, once, when the copy cannot be written, or is
        damaged: the run goes on without.

    Raises
    ------
    RunBusy
        When another process is at work in the folder. The lock lies beside it, for the folder
        comes and goes as a whole; it is held until the end, that of this process at the latest.
    """

    def __init__(
        self,
        folder: Path,
        identity: dict[str, Any],
        mirror: Mirror | None = None,
        tell: Callable[[str], None] = lambda _message: None,
    ) -> None:
        self.folder = folder
        self._identity = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        self._mirror, self._tell = mirror, tell
        self._is_told = self._is_removed = False
        folder.parent.mkdir(parents=True, exist_ok=True)
        self._held = Lock(_lock_beside(folder))
        if mirror is not None and not folder.exists():
            try:
                mirror.fetch()
            except DamagedCopyError as error:
                tell(f"the copy of an earlier start is damaged, and the run begins anew: {error}")
        self._spent_before = self._read()
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._write_on, name="checkpoint", daemon=True)

    @property
    def spent_before(self) -> float:
        """The seconds that earlier starts have spent."""
        return self._spent_before

    def count_from(self, began: float) -> None:
        """Say when this start began, on `time.monotonic`."""
        self._began = began

    def __enter__(self) -> Self:
        self._write()
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._thread.join()
        self.save()
        self._held.release()

    def save(self) -> None:
        """Write down what was spent, and copy the folder, now; nothing where it was removed."""
        self._write()
        if self._mirror is None:
            return
        try:
            with self._lock:
                if self._is_there():
                    self._mirror.send()
        except StoreUnavailable as error:
            if not self._is_told:
                self._is_told = True
                self._tell(f"what is known so far cannot be kept in the store: {error.message}")

    def remove(self) -> None:
        """Remove the folder and its copy: nothing of it is needed any more."""
        self._closing.set()
        with self._lock:
            self._is_removed = True
            shutil.rmtree(self.folder, ignore_errors=True)
        if self._mirror is not None:
            try:
                self._mirror.remove()
            except StoreUnavailable as error:
                self._tell(f"a copy of what was known stays in the store: {error.message}")
        self._held.release()

    def _read(self) -> float:
        """Return what was spent; empty a folder that is not of this run as it is now."""
        try:
            state = json.loads((self.folder / STATE).read_bytes())
        except (FileNotFoundError, ValueError):
            state = {}
        if isinstance(state, dict) and state.get("identity") == self._identity:
            return float(state["spent"])
        if state:
            self._tell(
                "an earlier start under this name had another spec, or was of another version of "
                "Tideline: nothing of it is used, and the run begins anew"
            )
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        return 0.0

    def _is_there(self) -> bool:
        """Tell whether the folder is there: one that comes after `remove` is another start's."""
        return not self._is_removed and self.folder.is_dir()

    def _write_on(self) -> None:
        saved = time.monotonic()
        while not self._closing.wait(EVERY_SECONDS):
            if time.monotonic() - saved >= COPY_SECONDS:
                saved = time.monotonic()
                self.save()
            else:
                self._write()

    def _write(self) -> None:
        spent = self._spent_before + time.monotonic() - self._began
        state = {"identity": self._identity, "spent": round(spent, 3)}
        with self._lock:
            if not self._is_there():
                return
            write_whole(self.folder / STATE, json.dumps(state).encode())


def remove_old(runs: Path) -> None:
    """Remove the folders of runs that nobody has started again for long.

    Those of runs at work stay, and those of other users, whose locks cannot be taken.
    """
    if not runs.is_dir():
        return
    for folder in runs.iterdir():
        with suppress(RunBusy, PermissionError):
            if _is_old(folder):
                _remove_alone(folder)


def _remove_alone(folder: Path) -> None:
    """Remove the folder of an old run under its lock, so that no start comes in between."""
    held = Lock(_lock_beside(folder))
    try:
        # It may have been started again, and ended, just before the lock was taken.
        if _is_old(folder):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        held.release()


def _is_old(folder: Path) -> bool:
    try:
        written = (folder / STATE).stat().st_mtime
    except (FileNotFoundError, NotADirectoryError):
        return False
    return time.time() - written > OLD_SECONDS


def _lock_beside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")
