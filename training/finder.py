"""Finds the model on one part of the cases: portfolio, then what TPOT proposes, then a choice."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tideline.errors import SearchFailed
from tideline.wording import counted
from training.candidate import Candidate, proposed
from training.choice import Choice, choose
from training.evaluator import Evaluated, Evaluator, Part
from training.journal import Best
from training.ledger import MAIN
from training.proposer.handle import Done, Proposal, Proposer, Ready
from training.proposer.task import ProposerTask
from training.tools import Tools
from training.workers import TOO_LONG

NO_TIME = "the time was over"
TELL_SECONDS = 5.0
"""After which a search tells again how far it has come."""
ENOUGH_TO_JUDGE = 10
"""Pipelines below which a share of failures says nothing."""


@dataclass(frozen=True)
class Until:
    """What ends a search beside the time; None is no bound.

    Attributes
    ----------
    score : float
        A value of the metric that is enough.
    pipelines : int
        How many are tried.
    seconds_without_gain : float
    """

    score: float | None = None
    pipelines: int | None = None
    seconds_without_gain: float | None = None

    @property
    def ends_comparisons(self) -> bool:
        """Whether it may end the comparison of what is known beforehand, too."""
        return self.score is not None or self.pipelines is not None


@dataclass(frozen=True)
class Searched:
    """What came of a search.

    Attributes
    ----------
    over
        Why it ended, in words.
    is_whole
        Whether TPOT proposed until then: not where it was never imported, or died.
    """

    over: str
    is_whole: bool


class Finder:
    """Compares candidates on one part."""

    def __init__(self, part: Part, tools: Tools, until: Until | None = None) -> None:
        self.part = part
        self.evaluator = Evaluator(part, tools)
        self._tools = tools
        self.until = until or Until()
        self._found: list[Evaluated] = []
        self._best: Evaluated | None = None
        self._failures: Counter[str] = Counter()
        self._submitted: set[str] = set()
        self._taken: set[str] = set()
        self._gained = tools.clock.elapsed

    @property
    def found(self) -> Sequence[Evaluated]:
        """The candidates that have scores."""
        return self._found

    @property
    def best(self) -> Evaluated | None:
        """The one that ranks first, if there is any."""
        return self._best

    def has_tried(self, candidates: Iterable[Candidate]) -> bool:
        """Tell whether all of some candidates are known, with scores or without."""
        return all(candidate.key in self._taken for candidate in candidates)

    @property
    def failure(self) -> str | None:
        """Why most of the others have none; None where none has failed."""
        return next((why for why, _ in self._failures.most_common(1)), None)

    def compare(
        self, candidates: Sequence[Candidate], deadline: float, *, enough: int = 0
    ) -> list[Evaluated]:
        """Evaluate some candidates until all are known, or the time is over.

        Parameters
        ----------
        deadline
            On `time.monotonic`.
        enough
            The deadline does not count before so many have succeeded.
        """
        before = len(self._found)
        for candidate in candidates:
            self._submitted.add(candidate.key)
            self.evaluator.submit(candidate, self._take)
        while not self.evaluator.is_idle:
            if time.monotonic() >= deadline and len(self._found) - before >= enough:
                break
            self._tools.workers.wait()
        self.evaluator.drop()
        return self._found[before:]

    def compare_further(self, candidates: Sequence[Candidate], deadline: float) -> None:
        """Evaluate some more candidates, as far as `until` asks for more.

        Where a score is enough they are taken one after the other, so that how many there are does
        not depend on which of them ends first.
        """
        most = self.until.pipelines
        wanted = len(candidates) if most is None else max(0, most - len(self._submitted))
        if self.until.score is None:
            self.compare(candidates[:wanted], deadline)
            return
        for candidate in candidates[:wanted]:
            if self.enough is not None:
                return
            self.compare([candidate], deadline)

    def recall(self) -> int:
        """Take up the best of what TPOT found on this part at an earlier start; tell how many.

        What failed then has failed: half of all may, and it counts among those that were tried.
        """
        before = len(self._found)
        for trial in self._tools.ledger.refused(self.part.name):
            self._submitted.add(trial.key)
            if trial.key not in self._taken:
                self._taken.add(trial.key)
                self._failures[str(trial.failure)] += 1
        for candidate in self._tools.ledger.proposed(self.part.name):
            if self._is_full:
                break
            self._submitted.add(candidate.key)
            self.evaluator.submit(candidate, self._take)
        return len(self._found) - before

    def search(
        self,
        proposer: Proposer,
        task: ProposerTask,
        deadline: float,
        seconds_each: float,
        *,
        share: float = 1.0,
        seconds: float = math.inf,
        within: Callable[[], float] | None = None,
    ) -> Searched:
        """Evaluate what TPOT proposes, and return why that ended.

        What it proposed at an earlier start is taken up first, and known when it is proposed again.

        Parameters
        ----------
        deadline
            On `time.monotonic`.
        seconds_each
            What each fold of a pipeline may take.
        share
            Of the time until the deadline, once TPOT is imported, what the search may take.
        seconds
            What it may take at most, from then on.
        within
            Returns how far all searches have come (0 to 1), to be told every few seconds.
        """
        self.recall()
        proposer.begin(task)
        was_ready = died = False
        self._gained = math.inf
        told = time.monotonic()
        while (over := self._over(deadline)) is None:
            ready = self._tools.workers.wait(also=[proposer.connection])
            if time.monotonic() - told >= TELL_SECONDS:
                told = time.monotonic()
                self._tell_search(within)
            if not ready:
                continue
            message = proposer.receive()
            if isinstance(message, Done):
                over = f"{message.reason}" if message.failed else f"TPOT: {message.reason}"
                died = message.failed
                if died:
                    self._tools.journal.notice(f"TPOT ended early: {message.reason}.")
                break
            if isinstance(message, Ready):
                now, was_ready = time.monotonic(), True
                deadline = now + min(share * (deadline - now), seconds)
                # What came before, the import of TPOT too, was no search without gain.
                self._gained = self._tools.clock.elapsed
            elif isinstance(message, Proposal):
                self._propose(proposer, message, seconds_each)
        self.evaluator.drop()
        return Searched(over, is_whole=not died and (was_ready or over != NO_TIME))

    def choice(self, random_state: int, *, deadline: float = math.inf) -> Choice:
        """Return what is published if nothing more is evaluated; something must have scores.

        Parameters
        ----------
        deadline
            On `time.monotonic`; see `training.choice.choose`.
        """
        return choose(self._found, self.part, random_state, deadline=deadline)

    def require_sound(self) -> None:
        """Refuse a search of which more failed than not: its best would be the best of leftovers.

        What only took longer than it was given tells of the time, and not of the pipelines: beside
        others that have scores it does not count.

        Raises
        ------
        SearchFailed
            With the commonest reason.
        """
        n_failed = self._failures.total() - (self._failures[TOO_LONG] if self._found else 0)
        tried = len(self._found) + n_failed
        if self._found and (tried < ENOUGH_TO_JUDGE or 2 * n_failed <= tried):
            return
        why = self.failure or NO_TIME
        raise SearchFailed(
            f"{n_failed} of {counted(tried, 'pipeline')} failed, most often: {why}.",
            mend="Name a model in model_training.model, other features, or a larger budget.",
            field="model_training",
        )

    def _propose(self, proposer: Proposer, proposal: Proposal, seconds: float) -> None:
        candidate = proposed(proposal.steps)

        def answer(found: Evaluated) -> None:
            self._take(found)
            if found.trial.failure is None:
                proposer.answer(proposal.number, found.trial.score)
            else:
                proposer.refuse(proposal.number, found.trial.failure)

        if candidate.key in self._submitted or not self._is_full:
            self._submitted.add(candidate.key)
            self.evaluator.submit(candidate, answer, seconds)

    def _take(self, found: Evaluated) -> None:
        if found.candidate.key in self._taken:
            return  # proposed twice, and known from the first time
        self._taken.add(found.candidate.key)
        if found.trial.failure is not None:
            self._failures[found.trial.failure] += 1
        else:
            if self._best is None or found.trial.score > self._best.trial.score:
                self._best = found
                self._gained = self._tools.clock.elapsed
            self._found.append(found)
        if self.part.name == MAIN:
            self._tell()

    def _tell(self) -> None:
        best = self.best
        told = Best(best.trial.name, self.part.metric, best.trial.value) if best else None
        self._tools.journal.tally(self._tools.ledger.n_trials, self._tools.ledger.failures, told)
        if self._found and self._found[-1].trial.origin == "portfolio":
            trial = self._found[-1].trial
            self._tools.journal.say(f"{trial.name} on {trial.family}: {trial.value:.4f}")

    def _tell_search(self, within: Callable[[], float] | None) -> None:
        where = "" if self.part.name == MAIN else " in this outer fold"
        message = f"{counted(len(self._taken), 'pipeline')} tried{where}"
        self._tools.journal.say(message, within() if within else None)

    def _over(self, deadline: float) -> str | None:
        """Return why the search is over, or None."""
        if time.monotonic() >= deadline:
            return NO_TIME
        if self.enough is not None:
            return self.enough
        patience = self.until.seconds_without_gain
        if patience is not None and self._tools.clock.elapsed - self._gained >= patience:
            return f"there was no gain for {patience:g} s"
        return None

    @property
    def enough(self) -> str | None:
        """Which bound of `until` is reached, in words; None for none, and time is none."""
        until, best = self.until, self.best
        if until.score is not None and best is not None and best.trial.value >= until.score:
            return f"a score of {until.score:g} was reached"
        if self._is_full and self.evaluator.is_idle:
            return f"{until.pipelines} pipelines were tried"
        return None

    @property
    def _is_full(self) -> bool:
        """Whether as many were submitted as are to be tried: the same ones, whoever is first."""
        most = self.until.pipelines
        return most is not None and len(self._submitted) >= most
