"""How fast a long computation goes, and how long it has to go, in a sentence."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

WINDOW = 60.0
"""The seconds whose work the rate is of: the first ones, in which code is compiled, pass."""

STEP = 1.0
"""The seconds between two points that are kept of the way."""


class Pace:
    """Counts what is done, and tells about it now and then.

    An instance is called as `progress` of `extract` is: with what is done, and of how much.

    Parameters
    ----------
    things
        What is counted, in the plural: `cases`.
    tell
        Takes a sentence such as `120,000 of 1,000,000 cases, 2,300 a second, 6 min left`.
    every
        The seconds between two sentences, at least; the last, when all is done, always comes.
    clock
        Tells the seconds.
    """

    def __init__(
        self,
        things: str,
        tell: Callable[[str], None],
        *,
        every: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._things, self._tell, self._every, self._clock = things, tell, every, clock
        self._began = self._told = clock()
        self._marks = deque([(self._began, 0)])

    def __call__(self, done: int, of: int) -> None:
        """Take note of what is done, and tell if it is time."""
        now = self._clock()
        rate = self._rate(now, done)
        if done < of and now - self._told < self._every:
            return
        self._told = now
        self._tell(self._finished(now, of) if done >= of else self._sentence(rate, done, of))

    def _rate(self, now: float, done: int) -> float:
        """Return how much is done in a second, of late; zero where that is not known."""
        if now - self._marks[-1][0] >= STEP:
            self._marks.append((now, done))
        # The oldest mark is the youngest of those that are a window old.
        while len(self._marks) > 1 and now - self._marks[1][0] >= WINDOW:
            self._marks.popleft()
        since, before = self._marks[0]
        return (done - before) / (now - since) if now > since else 0.0

    def _sentence(self, rate: float, done: int, of: int) -> str:
        counted = f"{done:,} of {of:,} {self._things}"
        if rate <= 0:
            return counted
        return f"{counted}, {_per_time(rate)}, {_duration((of - done) / rate)} left"

    def _finished(self, now: float, of: int) -> str:
        spent = now - self._began
        rate = f", {_per_time(of / spent)}" if spent > 0 and of else ""
        return f"{of:,} {self._things} in {_duration(spent)}{rate}"


def _per_time(rate: float) -> str:
    """Return a number a second, to two figures; a minute where it is below one a second."""
    number, unit = (rate, "second") if rate >= 1 else (rate * 60, "minute")
    figures = 1 - math.floor(math.log10(number))
    # Rounding 9.96 makes a third figure of it, which a whole number may have.
    shown = f"{round(number, figures):,.{max(figures, 0)}f}"
    return f"{shown.rstrip('0').rstrip('.') if '.' in shown else shown} a {unit}"


def _duration(seconds: float) -> str:
    """Return seconds as people say them: `45 s`, `6 min`, `2 h 5 min`."""
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min"
