"""Ctrl-C and its like, let in only where they do no harm."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType
from typing import Self


class Interruptions:
    """SIGINT, SIGTERM and SIGHUP, told as one `KeyboardInterrupt` inside `with interruptions:`.

    A signal that comes outside of the block is told when the block is next entered, so that a
    process which has just been started is known to whoever stops it, and tidying up is not cut
    short. The first signal is told, and those that follow it are not: it is on its way out.
    """

    def __init__(self) -> None:
        self._has_come = False
        self._is_open = False

    def watch(self) -> None:
        """Take the signals over from here on."""
        # `nohup` asks that the end of the terminal be ignored. That SIGINT is ignored is no wish
        # of anybody's: a shell does it to all that it starts in the background.
        is_kept_up = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        for number in (signal.SIGINT, signal.SIGTERM, *(() if is_kept_up else (signal.SIGHUP,))):
            signal.signal(number, self._on_signal)

    def __enter__(self) -> Self:
        """Let signals in, first of all the one that has come before.

        Raises
        ------
        KeyboardInterrupt
            When one has.
        """
        # In this order, a signal between the two lines is told by one of them at least.
        self._is_open = True
        if self._has_come:
            raise KeyboardInterrupt
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Keep signals out again."""
        self._is_open = False

    def _on_signal(self, _: int, __: FrameType | None) -> None:
        is_first, self._has_come = not self._has_come, True
        if is_first and self._is_open:
            raise KeyboardInterrupt
