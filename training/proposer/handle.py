"""The run's end of its proposer: the child process that TPOT runs in, and what it says."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from training.proposer.messages import DONE, FAILED, PROPOSE, READY, SCORED, TASK
from training.proposer.task import ProposerTask
from training.workers import ONE_THREAD

if TYPE_CHECKING:
    from training.candidate import Step

LOG = "proposer.log"
MOST_LAST_WORDS = 300
"""Characters."""
GRACE_SECONDS = 2.0
"""What a proposer that has closed its end gets to end altogether."""


@dataclass(frozen=True)
class Ready:
    """TPOT is imported and has the task; proposals follow."""


@dataclass(frozen=True, eq=False)
class Proposal:
    """A pipeline to evaluate, not fitted.

    Attributes
    ----------
    number
        Counts from 0 in each search; the seeds of the task are the first.
    steps
        Named after their places: `scale`, `select`, `reduce`, `model`.
    """

    number: int
    steps: list[Step]


@dataclass(frozen=True)
class Done:
    """There will be no more proposals in this search.

    Attributes
    ----------
    reason
        Why, in words.
    failed
        Whether the proposer died rather than came to its end: it can begin no other.
    """

    reason: str
    failed: bool = False


class Proposer:
    """A child process that proposes pipelines, in one search after the other.

    A context manager that ends it. The import of TPOT, which takes seconds, is made once for all
    searches. Nothing here waits for it but
    `receive`.

    Parameters
    ----------
    folder
        Where its log and its temporary files go.

    Attributes
    ----------
    connection
        For `multiprocessing.connection.wait`; `receive` then answers without waiting.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._log = folder / LOG
        self._search = 0
        self.connection, theirs = Pipe(duplex=True)
        try:
            self._process = _started(folder, self._log, theirs)
        finally:
            # Theirs alone: else the death of the child would not be heard.
            theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.end()

    @property
    def pid(self) -> int:
        """Of the child, and of its process group."""
        return self._process.pid

    def begin(self, task: ProposerTask) -> None:
        """Give it a task, once it is ready for one; the search before, if there is any, is over."""
        self._search += 1
        self._say(TASK, self._search, task)

    def receive(self) -> Ready | Proposal | Done | None:
        """Return the next that it says of this search, waiting for it if need be.

        None where what it said is of a search that is over.
        """
        try:
            name, search, *rest = self.connection.recv()
        except (EOFError, OSError):
            return Done(self._last_words(), failed=True)
        if search != self._search:
            return None
        if name == READY:
            return Ready()
        if name == PROPOSE:
            return Proposal(*rest)
        if name == DONE:
            return Done(*rest)
        raise ValueError(f"{name!r} found, {READY!r}, {PROPOSE!r} or {DONE!r} expected")

    def answer(self, number: int, score: float) -> None:
        """Tell the score of a proposal, larger is better.

        Raises
        ------
        ValueError
            When it is not finite: it could not be compared. Refuse the proposal instead.
        """
        if not math.isfinite(score):
            raise ValueError(f"the score of proposal {number} is {score}; a finite one is expected")
        self._say(SCORED, number, float(score))

    def refuse(self, number: int, reason: str) -> None:
        """Tell that a proposal has no score."""
        self._say(FAILED, number, reason)

    def end(self) -> None:
        """End the process and whatever it has started. May be called again."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.connection.close()

    def _say(self, *message: object) -> None:
        try:
            self.connection.send(message)
        except (BrokenPipeError, ConnectionResetError):
            # It is dead already, as `receive` will tell, with its last words. Waiting here would
            # hold up the run.
            return

    def _last_words(self) -> str:
        try:
            code: Any = self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            code = "none yet"
        lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
        said = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
        return f"exit code {code}: {said[:MOST_LAST_WORDS]}"


def _started(folder: Path, log: Path, theirs: Connection) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen(  # noqa: S603 - this very program
            [sys.executable, "-m", "training.proposer", str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            pass_fds=[theirs.fileno()],
            # The cores are for the evaluations. Whatever a library writes on the side goes when
            # the folder goes.
            env={**os.environ, "TMPDIR": str(folder), **dict.fromkeys(ONE_THREAD, "1")},
            start_new_session=True,
        )
