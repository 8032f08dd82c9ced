"""Ends a run in time: when it is told to stop, or when its budget is long over.

A signal's Python handler waits for the main thread, which may be inside a fit for minutes. The
byte that the interpreter writes to the wake-up descriptor does not wait, and a thread reads it.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

import psutil  # type: ignore[import-untyped]  # it ships no types

from tideline.errors import BudgetExceeded, Interrupted, TidelineError

SECONDS_TO_PUBLISH = 8.0
"""Less than what a trainer or Kubernetes waits between SIGTERM and SIGKILL."""
SECONDS_TO_SAVE = 8.0
STOPPING = (signal.SIGTERM, signal.SIGINT)


class Guard:
    """A thread that can end this process, its children and its scratch folder at any moment.

    Parameters
    ----------
    on_end
        Called once, from the guard's thread, with the reason; it writes the result.
    """

    def __init__(self, on_end: Callable[[TidelineError], None]) -> None:
        self._on_end = on_end
        self._deadline: float | None = None
        self._budget = 0.0
        self._scratch: list[tuple[Path, bool]] = []
        self._saves: list[Callable[[], None]] = []
        self._drops: list[Callable[[], None]] = []
        self._ending = threading.Lock()
        self._committed = False
        self._released = threading.Event()
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._thread = threading.Thread(target=self._watch, name="guard", daemon=True)

    def start(self) -> None:
        """Take over SIGTERM and SIGINT; to be called from the main thread."""
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in STOPPING:
            signal.signal(number, _no_more_than_the_byte)
        self._thread.start()

    def limit(self, deadline: float, budget: float) -> None:
        """Set the moment, on `time.monotonic`, at which the run is ended."""
        self._deadline, self._budget = deadline, budget
        self._writer.send(b"\0")  # wakes the thread, so that it counts from now on

    def sweep(self, folder: Path, *, unless_retried: bool = False) -> None:
        """Remove a folder, too, when the run is ended.

        Parameters
        ----------
        unless_retried
            Whether it stays where another start of the run can help.
        """
        self._scratch.append((folder, unless_retried))

    def save_by(self, save: Callable[[], None]) -> None:
        """Have something called before the run is ended where another start of it can help.

        It is waited for `SECONDS_TO_SAVE` at most.
        """
        self._saves.append(save)

    def drop_by(self, drop: Callable[[], None]) -> None:
        """Have something called before the run is ended where no other start of it can help."""
        self._drops.append(drop)

    def commit(self) -> None:
        """Tell that the run begins to publish.

        From here on it is given `SECONDS_TO_PUBLISH` to come to its own end before it is ended,
        and is never said to have published nothing. Does not return when the guard is already
        ending the process.
        """
        with self._ending:
            self._committed = True

    def release(self) -> None:
        """Let the run end by itself from here on.

        Does not return when the guard is already ending the process.
        """
        self._ending.acquire()
        self._released.set()

    def _watch(self) -> None:
        while True:
            left = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
            ready, _, _ = select.select([self._reader], [], [], left)
            numbers = self._reader.recv(64) if ready else b""
            if any(number in STOPPING for number in numbers):
                self._end(_interrupted(next(n for n in numbers if n in STOPPING)))
            elif not ready:
                self._end(_overdue(self._budget))

    def _end(self, reason: TidelineError) -> None:
        self._ending.acquire()  # never given back: one end only
        if self._committed:
            self._ending.release()
            self._released.wait(SECONDS_TO_PUBLISH)
            self._ending.acquire()  # for ever, when the run has come to its own end
            reason = _committed(reason)
        try:
            # Ended they are last: the run's own thread would take their death for failures of
            # what they are at work on, and the next start of the run would believe it.
            _stop_descendants()
            _in_turn(self._saves if reason.retryable else self._drops)
            for folder, unless_retried in self._scratch:
                if not (unless_retried and reason.retryable):
                    shutil.rmtree(folder, ignore_errors=True)
            self._on_end(reason)
        finally:
            end_descendants()
            os._exit(reason.exit_code)


def _in_turn(calls: Sequence[Callable[[], None]]) -> None:
    """Call one after the other; each is waited for `SECONDS_TO_SAVE` at most."""
    for call in calls:
        caller = threading.Thread(target=call, name="last call", daemon=True)
        caller.start()
        caller.join(SECONDS_TO_SAVE)


def end_descendants() -> None:
    """Kill every process that this one started, and those that they started."""
    for process in psutil.Process().children(recursive=True):
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue  # it ended by itself in between


def _stop_descendants() -> None:
    """Stop every process that this one started: they work no further, and end no sooner."""
    for process in psutil.Process().children(recursive=True):
        try:
            process.suspend()
        except psutil.NoSuchProcess:
            continue  # it ended by itself in between


def _no_more_than_the_byte(_number: int, _frame: FrameType | None) -> None:
    """Keep the default action away; the guard's thread does the work."""


def _interrupted(number: int) -> Interrupted:
    return Interrupted(
        f"the run was told to stop by {signal.Signals(number).name} before it had published.",
        mend="Start it again; nothing was published.",
    )


def _overdue(budget: float) -> BudgetExceeded:
    return BudgetExceeded(
        f"the budget of {budget:g} s is over, and no pipeline was published within it.",
        mend="Raise budget, name a cheaper model, or a smaller set of features. Kernels that this "
        "run had to compile are kept: the next start has that time.",
        field="budget",
    )


def _committed(reason: TidelineError) -> TidelineError:
    why = "its budget was over" if isinstance(reason, BudgetExceeded) else "it was told to stop"
    return Interrupted(
        f"{why} while the run was publishing; it may have published.",
        mend="Start it again with the same --run-id: a run publishes once, and tells it.",
    )
