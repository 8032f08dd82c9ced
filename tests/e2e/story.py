"""The log of the run, which reads as a story, and the bounded waits that it tells of."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

_BEGAN = time.monotonic()


def tell(text: str) -> None:
    """Say what happens, with the minutes and seconds since the run began."""
    minutes, seconds = divmod(int(time.monotonic() - _BEGAN), 60)
    print(f"{minutes:3d}:{seconds:02d}  {text}", flush=True)


def until(
    what: str,
    seconds: float,
    look: Callable[[], Found | None],
    *,
    every: float = 0.5,
    otherwise: Callable[[], object] = lambda: "",
) -> Found:
    """Look again and again until there is something to see, and return it.

    Parameters
    ----------
    what
        What is waited for, in words that go with "until".
    seconds
        After how many it fails.
    look
        Returns what is there, or None or False.
    otherwise
        Tells, after the time, how things stand instead.
    """
    began = time.monotonic()
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() - began > seconds:
            raise AssertionError(f"waited {seconds:g} s until {what}; {otherwise()}")
        time.sleep(every)


class Stopwatch:
    """Counts seconds from when it is made."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """How many have passed."""
        return time.monotonic() - self._began
