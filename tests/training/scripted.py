"""The run's end of lines at whose other end everything that will be said is known beforehand."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from multiprocessing import Pipe
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from training.proposer.handle import Proposer
from training.proposer.messages import DONE, FAILED, PROPOSE, READY, SCORED, TASK


def logistic(number: int) -> LogisticRegression:
    return LogisticRegression(C=1.0 + number)


def failing(number: int) -> LogisticRegression:
    return LogisticRegression(C=-1.0 - number)


class Scripted(Proposer):
    """A proposer of one search, of which everything has been said already."""

    def __init__(self, models: Sequence[BaseEstimator], done: str | None = "all was said") -> None:
        self.connection, self._theirs = Pipe(duplex=True)
        self._search = 0
        # What is left in the line of a search that is over.
        self._theirs.send((PROPOSE, 0, 7, [("model", failing(7))]))
        self._theirs.send((DONE, 0, "the search before is over"))
        self._theirs.send((READY, 1))
        for number, model in enumerate(models):
            self._theirs.send((PROPOSE, 1, number, [("model", model)]))
        if done is not None:
            self._theirs.send((DONE, 1, done))

    def told(self) -> dict[int, tuple[str, Any]]:
        """Return what was told of each proposal."""
        found = {}
        while self._theirs.poll():
            name, *rest = self._theirs.recv()
            if name in (SCORED, FAILED):
                found[rest[0]] = (name, rest[1])
        return found

    def end(self) -> None:
        self.connection.close()
        self._theirs.close()


@dataclass(frozen=True)
class Course:
    """What is said in one search: some models; then the end, nothing, or the process dies."""

    models: Sequence[BaseEstimator] = ()
    is_heard: bool = True
    dies: bool = False
    ends: bool = True


class InTurn(Proposer):
    """A proposer that says something in each search once its task has come."""

    def __init__(self, courses: Sequence[Course]) -> None:
        self.connection, self._theirs = Pipe(duplex=True)
        self._search = 0
        self.tasks = 0
        self._thread = threading.Thread(target=self._say_all, args=(courses,))
        self._thread.start()

    def end(self) -> None:
        self.connection.close()
        self._thread.join()
        self._theirs.close()

    def _last_words(self) -> str:
        return "exit code 9: it had had enough"

    def _say_all(self, courses: Sequence[Course]) -> None:
        # As a proposer does, it stays until the run is gone.
        for course in chain(courses, repeat(Course(is_heard=False))):
            if not self._hears(TASK):
                return
            self.tasks += 1
            if course.is_heard and not self._says(course):
                return
            if course.dies:
                self._theirs.close()
                return

    def _says(self, course: Course) -> bool:
        """Say all of a course; False where the run does not hear it any more."""
        self._theirs.send((READY, self.tasks))
        for number, model in enumerate(course.models):
            self._theirs.send((PROPOSE, self.tasks, number, [("model", model)]))
            if not self._hears(SCORED, FAILED):
                return False
        if course.ends and not course.dies:
            self._theirs.send((DONE, self.tasks, "all was said"))
        return True

    def _hears(self, *names: str) -> bool:
        """Wait for a message of one of some names; False where the run is gone."""
        try:
            while self._theirs.recv()[0] not in names:
                pass
        except (EOFError, OSError):
            return False
        return True
