"""The proposer's end of the connection. It ends the process as soon as the other end is closed."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from training.proposer.messages import DONE, PROPOSE, READY, SCORED, TASK
from training.proposer.task import ProposerTask

if TYPE_CHECKING:
    from training.candidate import Step

WITHOUT_A_RUN = 1
"""The exit code of a proposer whose run is gone."""
IN_RESERVE = 2
"""How many proposals wait beyond those that are evaluated, so that no worker does."""


class Line:
    """What the run says and is told.

    A thread listens, for the main one may be busy, or importing TPOT, when the run dies.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._heard: SimpleQueue[tuple[Any, ...]] = SimpleQueue()
        self._proposed = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def ready(self) -> ProposerTask:
        """Say that a task may come, and wait for it."""
        self._say(READY)
        name, task = self._heard.get()
        if name != TASK:
            raise ValueError(f"{name!r} found, {TASK!r} expected")
        return task  # type: ignore[no-any-return]  # what is pickled has no type

    def scores(self, proposals: Sequence[list[Step]], workers: int) -> list[float | None]:
        """Propose some pipelines, and return the score of each, None for one that failed.

        They are proposed in their order, and numbered on from the last; the scores may come in
        any order.
        """
        first = self._proposed
        end = first + len(proposals)
        found: dict[int, float | None] = {}
        while len(found) < len(proposals):
            while self._proposed < min(end, first + len(found) + workers + IN_RESERVE):
                number = self._proposed
                self._proposed += 1
                self._say(PROPOSE, number, proposals[number - first])
            name, number, answer = self._heard.get()
            found[number] = answer if name == SCORED else None
        return [found[number] for number in range(first, end)]

    def done(self, reason: str) -> None:
        """Say that there will be no more proposals."""
        self._say(DONE, reason)

    def _say(self, *message: object) -> None:
        try:
            self._connection.send(message)
        except BrokenPipeError:
            os._exit(WITHOUT_A_RUN)

    def _listen(self) -> None:
        while True:
            try:
                self._heard.put(self._connection.recv())
            except (EOFError, ConnectionResetError):
                os._exit(WITHOUT_A_RUN)
