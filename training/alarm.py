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


class OverdueError(Exception):
    """The time is over; raised wherever the work was."""


@contextmanager
def ended_at(deadline: float) -> Iterator[None]:
    """End what is done within when its time is over.

    Between two steps of Python: one call into compiled code comes to its end first. In another
    than the main thread, which no signal reaches, nothing is ended.

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
    signal.setitimer(signal.ITIMER_REAL, max(LEAST, deadline - time.monotonic()))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _ring(_number: int, _frame: FrameType | None) -> None:
    raise OverdueError
