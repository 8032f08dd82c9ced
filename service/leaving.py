"""The sign that the service is about to stop."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import FrameType

SUPERVISOR_POLL = 0.5


class Leaving:
    """Is set when SIGTERM or SIGINT comes in, before the server begins to drain.

    The server lets open calls finish before it tells the application to stop; calls that wait for
    a job look here, and so do readiness and the jobs, which begin no more runs.
    """

    def __init__(self) -> None:
        self._event = threading.Event()

    @property
    def is_set(self) -> bool:
        """Whether the service is about to stop."""
        return self._event.is_set()

    def set(self) -> None:
        """Say that it is."""
        self._event.set()

    def wait(self, seconds: float) -> bool:
        """Wait for it, and return whether it is."""
        return self._event.wait(seconds)

    def follow_signals(self) -> None:
        """Be set by the signals that stop the server, besides what it does on them itself."""
        for number in (signal.SIGTERM, signal.SIGINT):
            before = signal.getsignal(number)

            def on_signal(
                number: int,
                frame: FrameType | None,
                before: signal._HANDLER = before,
            ) -> None:
                self.set()
                if callable(before):
                    before(number, frame)

            signal.signal(number, on_signal)

    def follow_supervisor(self) -> None:
        """Stop this process when the one that started it is gone.

        BentoML's supervisor holds the port with its workers; were it killed alone, a worker would
        go on unseen and a restart would find the port taken.
        """
        supervisor = os.getppid()

        def watch() -> None:
            while os.getppid() == supervisor:
                time.sleep(SUPERVISOR_POLL)
            os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=watch, name="supervisor-watch", daemon=True).start()
