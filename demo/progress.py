"""The progress line: how far the jobs have come."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TextIO

from tideline.client import Job

BAR = 12
# Where the output is a file, a line every so many seconds is enough.
QUIET_SECONDS = 5.0


class ProgressLine:
    """One line that is written over and over on a terminal, and now and then elsewhere."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._is_terminal = stream.isatty()
        self._started = time.monotonic()
        self._last = -QUIET_SECONDS
        self._width = 0

    def show(self, jobs: Sequence[Job]) -> None:
        """Write how far some jobs have come."""
        elapsed = time.monotonic() - self._started
        text = f"  {elapsed:3.0f} s  " + "   ".join(_told(job) for job in jobs)
        if self._is_terminal:
            # Spaces wipe what a longer line left.
            self._stream.write(f"\r{text.ljust(self._width)}")
            self._width = len(text)
        elif elapsed - self._last >= QUIET_SECONDS:
            self._last = elapsed
            self._stream.write(f"{text}\n")
        self._stream.flush()

    def end(self) -> None:
        """Leave the line as it is and go to the next."""
        if self._is_terminal and self._width:
            self._stream.write("\n")


def _told(job: Job) -> str:
    share = 1.0 if job.state == "succeeded" else job.progress.share if job.progress else 0.0
    stage = job.progress.stage if job.progress and not job.is_over else job.state
    done = round(share * BAR)
    return f"{job.pipeline_id} [{'#' * done}{'.' * (BAR - done)}] {stage:<9}"
