"""What a run tells while it works: lines for people on stderr, JSON lines for a program."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

STAGES = {
    "read": 0.02,
    "split": 0.04,
    "extract": 0.05,
    "search": 0.45,
    "evaluate": 0.85,
    "fit": 0.92,
    "publish": 0.97,
    "report": 1.0,
}
"""The stages in their order, and the share of the work that is behind when each begins."""
PATIENCE_SECONDS = 1.0


class Journal:
    """The log of one run; safe to write to from several threads.

    Parameters
    ----------
    progress
        A file that gets one JSON object a line: `time`, `stage`, `share` (0 to 1, never falling),
        `message`.
    stream
        Where the lines for people go; stderr when left out.
    listener
        Is given each of these objects too; it must return at once.
    """

    def __init__(
        self,
        progress: Path | None = None,
        stream: TextIO | None = None,
        listener: Callable[[Mapping[str, object]], None] | None = None,
    ) -> None:
        self._progress = progress
        self._listener = listener
        self._stream = stream
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._stage = "read"
        self._share = 0.0
        self.notices: list[str] = []
        """What the reader of the published model should know."""

    def enter(self, stage: str, message: str) -> None:
        """Begin a stage."""
        self._stage = stage
        self.say(message, within=0.0)

    def say(self, message: str, within: float | None = None) -> None:
        """Tell something, and how far the stage has come (0 to 1) where that is known."""
        with self._lock:
            if within is not None:
                self._share = max(self._share, self._overall(within))
            self._write(message)

    def last_words(self, message: str) -> None:
        """Tell something, and go on after a moment when nobody takes it.

        For the end of a run: the reader of a pipe may be gone or stuck, and another thread with it.
        """
        teller = threading.Thread(target=self.say, args=(message,), name="teller", daemon=True)
        teller.start()
        teller.join(PATIENCE_SECONDS)

    def notice(self, message: str) -> None:
        """Tell something that also belongs in the published model's record."""
        self.notices.append(message)
        self.say(f"notice: {message}")

    def counter(self, things: str) -> Callable[[int, int], None]:
        """Return a function that is told how many things are done, and of how many.

        It passes this on at most once a second.
        """
        last = time.monotonic()

        def count(done: int, total: int) -> None:
            nonlocal last
            if time.monotonic() - last >= 1.0:
                last = time.monotonic()
                self.say(f"{done} of {total} {things}", done / total)

        return count

    def _overall(self, within: float) -> float:
        starts = list(STAGES.values())
        here = STAGES[self._stage]
        after = starts[min(starts.index(here) + 1, len(starts) - 1)]
        return here + (after - here) * min(max(within, 0.0), 1.0)

    def _write(self, message: str) -> None:
        elapsed = time.monotonic() - self._began
        stream = self._stream or sys.stderr
        stream.write(f"{elapsed:7.1f} s  {self._stage:<8}  {message}\n")
        stream.flush()
        if self._progress is None and self._listener is None:
            return
        entry = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "stage": self._stage,
            "share": round(self._share, 4),
            "message": message,
        }
        if self._listener is not None:
            self._listener(entry)
        if self._progress is not None:
            with self._progress.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
