"""The bar that a run draws below its log on a terminal."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TextIO

from tqdm import tqdm  # type: ignore[import-untyped]  # it ships no types

EVERY_SECONDS = 0.5
"""How often the bar is drawn again without news: the time goes on."""
PATIENCE_SECONDS = 1.0
COLUMNS = 80
"""Of a terminal that does not tell its width, or of what is no terminal."""


class Bar:
    """A last line on a terminal that is drawn again and again, below lines that scroll away.

    Parameters
    ----------
    stream
        The terminal.
    look
        Asked, from a thread of the bar's own as well, how long the bar is (0 to 1) and what
        stands beside it.
    """

    def __init__(self, stream: TextIO, look: Callable[[], tuple[float, str]]) -> None:
        self._stream = stream
        self._look = look
        # As it comes, tqdm's lock is one of processes, and a thread of its own watches over it.
        tqdm.set_lock(threading.RLock())
        tqdm.monitor_interval = 0
        share, told = look()
        self._line = tqdm(
            total=1.0,
            initial=share,
            desc=told,
            file=stream,
            bar_format="{bar:12} {desc}",
            ncols=self._columns(),
            leave=False,
        )
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="bar", daemon=True)
        self._thread.start()

    def write_above(self, text: str) -> None:
        """Write whole lines above the bar."""
        self._take()
        tqdm.write(text, file=self._stream, end="")
        self._stream.flush()

    def end(self) -> None:
        """Remove the bar from the terminal."""
        self._ended.set()
        # What the thread has begun to draw would stand there for good.
        self._thread.join(PATIENCE_SECONDS)
        self._line.close()

    def _work(self) -> None:
        while not self._ended.wait(EVERY_SECONDS):
            self._take()
            self._line.refresh()

    def _take(self) -> None:
        share, told = self._look()
        self._line.n, self._line.ncols = share, self._columns()
        self._line.set_description_str(told, refresh=False)

    def _columns(self) -> int:
        # tqdm draws nothing at all where a terminal does not know its width, and says 0.
        try:
            known = os.get_terminal_size(self._stream.fileno()).columns
        except OSError:
            known = 0
        # The last column stays free: some terminals go to the next line when it is written to.
        return (known or COLUMNS) - 1
