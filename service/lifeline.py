"""What ends the whole service when its worker dies."""

from __future__ import annotations

import os
import subprocess
from typing import Self

RELEASED = b"released\n"
WATCH = 'read -r word; [ "$word" = released ] || kill -KILL "$1"'


class Lifeline:
    """Ends BentoML's supervisor when this worker is gone without having said so.

    The supervisor would start another worker in its place; meanwhile it holds the port, so that
    connections hang, and a cluster, which would take the pod out and start it anew, sees nothing.
    A shell waits at the other end of a pipe, which the kernel closes however the worker dies. It
    ends the supervisor at once: told to stop, that would hold the port for seconds more, and with
    no worker there is nothing in hand that could be finished.

    Parameters
    ----------
    supervisor
        The process to end.
    """

    def __init__(self, supervisor: int) -> None:
        self._watcher = subprocess.Popen(  # noqa: S603 - a constant script and a number
            ["/bin/sh", "-c", WATCH, "sh", str(supervisor)],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    @classmethod
    def of_this_worker(cls) -> Self:
        """Tie the process that started this one to this one."""
        return cls(os.getppid())

    def release(self) -> None:
        """Say that the worker ends because it was told to."""
        self._watcher.communicate(RELEASED)
