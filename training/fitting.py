"""Fits candidates to all cases, in the workers, ahead of when they are needed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable

from sklearn.pipeline import Pipeline as Steps

from training.candidate import Candidate
from training.fold import Fit, Positions
from training.table import Table
from training.task import Target
from training.workers import Outcome, Workers


class Fits:
    """Candidates that are fitted to the same cases, or will be.

    Parameters
    ----------
    fit_on
        Positions of the cases.
    """

    def __init__(self, table: Table, target: Target, fit_on: Positions, workers: Workers) -> None:
        self._table, self._target, self._fit_on = table, target, fit_on
        self._workers = workers
        self._fitted: dict[str, Steps] = {}
        self._asked: dict[str, int] = {}
        self.failures: dict[str, str] = {}
        """Why a candidate could not be fitted, by its key."""

    def begin(self, candidates: Iterable[Candidate], *, first: bool = False) -> None:
        """Have some candidates fitted; at once returns."""
        for candidate in candidates:
            if candidate.key in self._asked:
                continue
            job = Fit(self._table, self._target, candidate, self._fit_on)
            told = self._teller(candidate.key)
            self._asked[candidate.key] = self._workers.submit(job, told, first=first)

    def has(self, candidates: Iterable[Candidate]) -> bool:
        """Tell whether all of some candidates are fitted."""
        return all(candidate.key in self._fitted for candidate in candidates)

    def wait(self, candidates: Iterable[Candidate], deadline: float = math.inf) -> bool:
        """Wait until some candidates are fitted or failed, and tell whether all are fitted.

        Parameters
        ----------
        deadline
            On `time.monotonic`.
        """
        wanted = tuple(candidates)
        keys = {candidate.key for candidate in wanted}
        self.begin(wanted, first=True)
        while keys - self._fitted.keys() - self.failures.keys() and time.monotonic() < deadline:
            self._workers.wait()
        return keys <= self._fitted.keys()

    def fitted(self, candidate: Candidate) -> Steps:
        """Return preparation and model, fitted.

        Raises
        ------
        KeyError
            When it is not.
        """
        return self._fitted[candidate.key]

    def _teller(self, key: str) -> Callable[[Outcome], None]:
        def told(outcome: Outcome) -> None:
            if outcome.failure is None:
                self._fitted[key] = outcome.result
            else:
                self.failures[key] = outcome.failure

        return told
