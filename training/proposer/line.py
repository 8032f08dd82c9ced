"""The proposer's end of the connection. It ends the process as soon as the other end is closed."""

from __future__ import annotations

import os
import threading
import traceback
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
DEAF = 70
"""The exit code of a proposer that cannot read what the run says."""
IN_RESERVE = 2
"""How many proposals wait beyond those that are evaluated, so that no worker does."""


class NextTask(Exception):
    """The run has given another task: what is at hand is wanted no more."""


class Line:
    """What the run says and is told.

    A thread listens, for the main one may be busy, or importing TPOT, when the run dies.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._heard: SimpleQueue[tuple[Any, ...]] = SimpleQueue()
        self._proposed = 0
        self._task: tuple[int, ProposerTask] | None = None
        self._search = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def next_task(self) -> ProposerTask:
        """Wait for a task, take the newest that has come, and say that its search begins."""
        while self._task is None or not self._heard.empty():
            self._hear()
        (self._search, task), self._task = self._task, None
        self._proposed = 0
        self._say(READY, self._search)
        return task

    def scores(self, proposals: Sequence[list[Step]], workers: int) -> list[float | None]:
        """Propose some pipelines, and return the score of each, None for one that failed.

        They are proposed in their order, and numbered on from the last of the search; the scores
        may come in any order.

        Raises
        ------
        NextTask
            When the run wants no more of this search.
        """
        first = self._proposed
        end = first + len(proposals)
        found: dict[int, float | None] = {}
        while len(found) < len(proposals):
            while self._proposed < min(end, first + len(found) + workers + IN_RESERVE):
                number = self._proposed
                self._proposed += 1
                self._say(PROPOSE, self._search, number, proposals[number - first])
            heard = self._hear()
            if heard is None:
                raise NextTask
            number, score = heard
            found[number] = score
        return [found[number] for number in range(first, end)]

    def done(self, reason: str) -> None:
        """Say that there will be no more proposals in this search."""
        self._say(DONE, self._search, reason)

    def _hear(self) -> tuple[int, float | None] | None:
        """Wait for a message: a proposal and its score, or None for a task, which is kept."""
        name, number, told = self._heard.get()
        if name == TASK:
            self._task = number, told
            return None
        return number, told if name == SCORED else None

    def _say(self, *message: object) -> None:
        try:
            self._connection.send(message)
        except BrokenPipeError:
            os._exit(WITHOUT_A_RUN)

    def _listen(self) -> None:
        try:
            while True:
                self._heard.put(self._connection.recv())
        except (EOFError, ConnectionResetError):
            os._exit(WITHOUT_A_RUN)
        except Exception:  # noqa: BLE001 - whatever it is, nobody would hear the run any more
            traceback.print_exc()
            os._exit(DEAF)
