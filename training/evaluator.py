"""Evaluates candidates on the folds of a part of the cases, in the workers.

The folds of one candidate are jobs of their own, so that no worker idles. What is known from the
ledger, of an earlier start of the same run, is not evaluated again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.candidate import Candidate
from training.failures import reason_of
from training.fold import Answered, Answers, Fold, Positions
from training.scoring import ranked, score_of
from training.table import Table
from training.task import Target
from training.tools import Tools
from training.trial import Trial
from training.workers import Outcome


@dataclass(frozen=True, eq=False)
class Part:
    """Some of the cases, and the folds over them.

    Attributes
    ----------
    name
        `main`, or that of an outer fold: `outer-1-of-10` and so on.
    table
        The features of all cases.
    target
        The labels of all cases.
    folds : tuple of (fit_on, asked)
        Positions among all cases, of each fold.
    metric
        What is raised, under scikit-learn's name.
    prepared
        The folder for prepared features.
    groups : int64 array of shape (n_cases,) or None
        Which of all cases belong together, where they come in groups.
    """

    name: str
    table: Table
    target: Target
    folds: tuple[tuple[Positions, Positions], ...]
    metric: str
    prepared: str
    groups: NDArray[np.int64] | None = None

    @property
    def tested(self) -> Positions:
        """The positions of the cases that a fold asks for, rising: all, but in order of time."""
        return np.sort(np.concatenate([asked for _, asked in self.folds]))

    @property
    def tested_groups(self) -> NDArray[np.int64] | None:
        """The groups of `tested`; None where the cases come in none."""
        return None if self.groups is None else self.groups[self.tested]

    @property
    def n_folds(self) -> int:
        """The number of folds."""
        return len(self.folds)

    @property
    def is_comparable(self) -> bool:
        """Whether the metric is defined on the cases that the folds ask for."""
        y, n = self.target.y[self.tested], max(self.target.n_classes, 1)
        try:
            ranked(self.metric, self.target, y, np.full((y.size, n), 1 / n))
        except ValueError:
            return False
        return True

    def job(self, candidate: Candidate, fold: int) -> Fold:
        """Return the job of one fold."""
        fit_on, asked = self.folds[fold]
        prepared = f"{self.prepared}/{self.name}-{fold}"
        return Fold(self.table, self.target, candidate, fit_on, asked, prepared)


@dataclass(frozen=True, eq=False)
class Evaluated:
    """A candidate, and what the folds say of it.

    Attributes
    ----------
    candidate
    trial
        With its scores; or with why there are none.
    answers : float32 array of shape (n_tested, n_classes or 1), or None for one that failed
        For each case by the model of the fold that was not fitted to it.
    """

    candidate: Candidate
    trial: Trial
    answers: Answers | None

    @property
    def rank(self) -> tuple[float, str]:
        """The best comes first, and of equals the same one, whichever was known sooner."""
        return -self.trial.score, self.candidate.key

    @property
    def known_answers(self) -> Answers:
        """The answers of one that succeeded."""
        if self.answers is None:
            raise ValueError("a candidate with answers expected")
        return self.answers


Then = Callable[[Evaluated], None]


@dataclass(eq=False)
class _Pending:
    candidate: Candidate
    then: list[Then]
    tickets: list[int] = field(default_factory=list)
    answered: dict[int, Answered] = field(default_factory=dict)


class Evaluator:
    """Evaluates candidates on one part."""

    def __init__(self, part: Part, tools: Tools) -> None:
        self.part = part
        self._workers = tools.workers
        self._ledger = tools.ledger
        self._clock = tools.clock
        self._pending: dict[str, _Pending] = {}

    @property
    def is_idle(self) -> bool:
        """Whether all that was submitted is evaluated."""
        return not self._pending

    def submit(self, candidate: Candidate, then: Then, seconds: float = math.inf) -> None:
        """Evaluate a candidate, as soon as workers are free.

        Parameters
        ----------
        then
            Is given the result, from within `Workers.wait`; at once where it is known.
        seconds
            What each fold may take.
        """
        known = self._ledger.find(self.part.name, candidate.key)
        if known is not None:
            then(Evaluated(candidate, *known))
            return
        if candidate.key in self._pending:
            self._pending[candidate.key].then.append(then)
            return
        pending = self._pending[candidate.key] = _Pending(candidate, [then])
        for fold in range(len(self.part.folds)):
            job = self.part.job(candidate, fold)
            told = self._teller(pending, fold)
            pending.tickets.append(self._workers.submit(job, told, seconds=seconds))

    def drop(self) -> None:
        """Forget all that is not evaluated yet."""
        # All at once: else the next would be begun when one is ended.
        tickets = [ticket for pending in self._pending.values() for ticket in pending.tickets]
        self._pending.clear()
        self._workers.drop(tickets)

    def _teller(self, pending: _Pending, fold: int) -> Callable[[Outcome], None]:
        def told(outcome: Outcome) -> None:
            if outcome.failure is not None:
                self._workers.drop(pending.tickets)
                self._finish(pending, self._failed(pending.candidate, outcome.failure), None)
                return
            pending.answered[fold] = outcome.result
            if len(pending.answered) == len(self.part.folds):
                self._finish(pending, *self._scored(pending))

        return told

    def _finish(self, pending: _Pending, trial: Trial, answers: Answers | None) -> None:
        del self._pending[pending.candidate.key]
        kept = self._ledger.record(self.part.name, trial, answers, pending.candidate.steps)
        for then in pending.then:
            then(Evaluated(pending.candidate, trial, kept))

    def _scored(self, pending: _Pending) -> tuple[Trial, Answers | None]:
        try:
            return self._compared(pending)
        except ValueError as error:
            return self._failed(pending.candidate, reason_of(error)), None

    def _compared(self, pending: _Pending) -> tuple[Trial, Answers]:
        part, candidate = self.part, pending.candidate
        answered = [pending.answered[fold] for fold in range(len(part.folds))]
        answers = _in_order(part, [a.answers for a in answered])
        score = score_of(part.metric, part.target, part.target.y[part.tested], answers)
        trial = Trial(
            **self._told(candidate),
            metrics=score.metrics,
            fold_scores=tuple(
                _fold_score(part, asked, one.answers)
                for (_, asked), one in zip(part.folds, answered, strict=True)
            ),
            value=score.value,
            score=score.rank,
            fit_seconds=float(np.mean([a.fit_seconds for a in answered])),
            predict_seconds=float(np.mean([a.predict_seconds for a in answered])),
        )
        return trial, answers

    def _failed(self, candidate: Candidate, failure: str) -> Trial:
        return Trial(**self._told(candidate), failure=failure)

    def _told(self, candidate: Candidate) -> dict[str, Any]:
        return {
            "key": candidate.key,
            "name": candidate.name,
            "model_type": candidate.model_type,
            "origin": candidate.origin,
            "family": candidate.family,
            "selects": candidate.selects,
            "at": round(self._clock.elapsed, 3),
            "parameters": candidate.parameters,
        }


def _in_order(part: Part, answers: list[NDArray[Any]]) -> Answers:
    """Return the answers of the folds in the order of `Part.tested`."""
    asked = np.concatenate([asked for _, asked in part.folds])
    together: Answers = np.concatenate(answers)[np.argsort(asked, kind="stable")]
    return together


def _fold_score(part: Part, asked: Positions, answers: NDArray[Any]) -> float:
    """Return the metric of one fold; NaN where it is not defined, as the AUC of one class."""
    try:
        return score_of(part.metric, part.target, part.target.y[asked], answers).value
    except ValueError:
        return math.nan
