"""The alarm: ends what is not worth the model, in the middle of it, when its time is over."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

LEAST = 1e-3
"""Seconds: a timer of none would never ring."""
AGAIN = 1.0
"""Seconds until it rings again where nobody heard it: what catches every exception goes on."""


class OverdueError(Exception):
    """The time is over; raised wherever the work was."""


@contextmanager
def ended_at(deadline: float) -> Iterator[None]:
    """End what is done within when its time is over.

    Between two steps of Python: one call into compiled code comes to its end first. In another
    than the main thread, which no signal reaches, nothing is ended. There is one alarm: within
    what it may end no other is set.

    Parameters
    ----------
    deadline
        On `time.monotonic`.

    Raises
    ------
    OverdueError
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, max(LEAST, deadline - time.monotonic()), AGAIN)
    try:
        yield
    finally:
        # It may ring as it is put off, after the work was done; entering `suppress` would be late.
        try:  # noqa: SIM105
            signal.setitimer(signal.ITIMER_REAL, 0)
        except OverdueError:
            pass
        signal.signal(signal.SIGALRM, before)


def _ring(_number: int, _frame: FrameType | None) -> None:
    raise OverdueError
