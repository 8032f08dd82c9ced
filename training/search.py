"""The search: from features and labels to the model that is published, and its honest score."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from tideline.errors import SearchFailed
from tideline.panel import Panel
from tideline.spec import ModelTrainingSpec
from training.candidate import Candidate
from training.choice import NO_TIME_TO_JUDGE, Choice, default_choice
from training.evaluator import Part
from training.failures import could_not_be_fitted
from training.finder import Finder, Until
from training.fitting import Fits
from training.heldout import Asking, HeldOut, Trust, beside_neighbours, held_out_by, out_of_fold
from training.ledger import MAIN
from training.named_model import evaluate_named
from training.opening import add_forests, compare_portfolio
from training.outer import (
    FEWEST_TO_SEARCH,
    JOB_SECONDS,
    NESTED_FOLDS,
    OuterFold,
    affordable,
    seconds_beside,
)
from training.portfolio import default_blend, portfolio
from training.proposing import Searches, can_go_on, has_ended, recall_searches
from training.schedule import (
    CHOICE_SHARE,
    FIT_SHARE,
    PORTFOLIO_SHARE,
    WARPING_SHARE,
    WHOLE,
    Schedule,
)
from training.scoring import default_metric
from training.search_time import SearchTime, least_left
from training.split import Split
from training.table import Table
from training.task import Target
from training.tools import Tools


@dataclass(frozen=True, eq=False)
class Data:
    """What is learned from.

    Attributes
    ----------
    panel : Panel
    target : Target
        The labels of its cases, in its order.
    split : Split
    table : Table
        The features of all cases.
    """

    panel: Panel
    target: Target
    split: Split
    table: Table


@dataclass(frozen=True, eq=False)
class Found:
    """What a search has found.

    Attributes
    ----------
    choice
        What is published.
    fits
        Its members, fitted to all cases.
    held_out
        What was answered for cases that no step had seen; None where no case was spared.
    metric
        What was raised, under scikit-learn's name.
    """

    choice: Choice
    fits: Fits
    held_out: HeldOut | None
    metric: str


class Search:
    """One search; `find` is its way from top to bottom.

    Parameters
    ----------
    wanted
        How the spec wants the model found.
    until
        What ends the search beside the time.
    """

    def __init__(self, wanted: ModelTrainingSpec, until: Until, data: Data, tools: Tools) -> None:
        self._wanted = wanted
        self._until = until
        self._data = data
        self._tools = tools
        self._schedule = Schedule(tools.clock)
        parts = (data.split, *chain.from_iterable(data.split.outer_splits()))
        tested = (part.train[part.fold_of >= 0] for part in parts)
        self._metric = wanted.metric or default_metric(data.target, tested)
        self._candidates: list[Candidate] = []
        self._nested: Sequence[OuterFold] = ()
        self._may_choose, self._beside = True, JOB_SECONDS
        self._main = self._finder(MAIN, data.split)
        everything = np.arange(data.panel.n_cases, dtype=np.intp)
        self._fits = Fits(data.table, data.target, everything, tools.workers)

    def find(self) -> Found:
        """Find the model.

        Raises
        ------
        SearchFailed
            When no model could be fitted, or more failed than not.
        """
        default = self._start()
        self._fits.begin((c for _, c in default.members), first=True)
        self._repeat_in_outer_folds()
        if self._wanted.is_search and self._may_choose:
            self._search()
        choice = self._choose(default)
        # They are fitted beside the evaluation, and come first: a model is worth more than a score.
        self._fits.begin((c for _, c in choice.members), first=True)
        choice, held_out = self._scored(choice, default)
        fitted = self._fitted(choice, default)
        if held_out is not None and not fitted.is_like(choice):
            held_out = None
            self._tools.journal.notice("what was scored on cases held out is another model.")
        if held_out is not None:
            # Last: nobody else needs the time that is left now.
            data, seconds = self._data, WARPING_SHARE * max(self._schedule.left, 0.0)
            held_out = beside_neighbours(
                held_out, data.panel, data.target, tools=self._tools, seconds=seconds
            )
        return Found(fitted, self._fits, held_out, self._metric)

    def _finder(self, name: str, split: Split) -> Finder:
        data, tools = self._data, self._tools
        part = Part(
            name,
            data.table,
            data.target,
            split.folds,
            self._metric,
            str(tools.scratch / "prepared"),
            data.split.basis.groups,
        )
        return Finder(part, tools, self._until)

    def _start(self) -> Choice:
        """Evaluate what is tried first, and return what would be published now."""
        if not self._wanted.is_search:
            until = self._schedule.at(1 - FIT_SHARE)
            return evaluate_named(self._main, self._wanted, self._tools, until)
        journal, schedule = self._tools.journal, self._schedule
        journal.enter("portfolio", f"comparing models by {self._metric}")
        self._candidates = portfolio(
            self._data.target.task, self._data.table.files, self._wanted.random_state
        )
        began = self._tools.clock.elapsed
        compare_portfolio(self._main, self._candidates, schedule.at(PORTFOLIO_SHARE))
        self._main.require_sound()
        trials = [found.trial for found in self._main.found]
        seconds = self._tools.clock.elapsed - began
        self._beside = seconds_beside(trials, seconds, self._tools.workers.count)
        add_forests(self._main, self._wanted.random_state, self._tools)
        default = default_choice(self._main.found, self._main.part)
        journal.say(f"the default: {default.name} {default.score.value:.4f}", 1.0)
        return default

    def _repeat_in_outer_folds(self) -> None:
        """Compare the same in each outer fold, where there are any; or choose nothing at all.

        Where the time does not do for it, a choice could not be judged. The default blend can: it
        is chosen before anything is known.
        """
        if not self._data.split.outer:
            return
        if not self._wanted.is_search:
            self._may_choose = False
            return
        candidates = self._compared_again
        again = {candidate.key for candidate in candidates}
        folds = affordable(
            map(self._outer_folds, self._data.split.outer_splits()),
            {f.candidate.key: f.trial for f in self._main.found if f.candidate.key in again},
            self._tools.ledger,
            self._last_fits,
            left=self._schedule.left,
            n_workers=self._tools.workers.count,
            beside=self._beside,
            searches=self._main.enough is None,
        )
        if not folds:
            self._choose_nothing("the time is too short to repeat a choice in outer folds")
        elif not all(fold.finder.part.is_comparable for fold in folds):
            self._choose_nothing(
                f"a class has too few members to compare by {self._metric} without an outer fold"
            )
        if not self._may_choose:
            return
        self._tools.journal.say(f"the same in {len(folds)} outer folds")
        until = self._schedule.at(1 - FIT_SHARE)
        for fold in folds:
            found = fold.finder.compare(candidates, until)
            if not found or not fold.finder.has_tried(default_blend(candidates)):
                self._choose_nothing("the default could not be compared in an outer fold in time")
                return
        self._nested = folds

    def _outer_folds(self, splits: Sequence[Split]) -> list[OuterFold]:
        """Return outer folds, each with a finder that has compared nothing yet."""
        return [
            OuterFold(
                self._finder(f"outer-{number}-of-{len(splits)}", split.in_folds(NESTED_FOLDS)),
                split,
            )
            for number, split in enumerate(splits, 1)
        ]

    def _choose_nothing(self, why: str) -> None:
        self._may_choose = False
        self._tools.journal.notice(
            f"nothing was chosen, and TPOT was not asked: {why}, and nothing could be said of it."
        )

    def _search(self) -> None:
        """Let TPOT search; where there are outer folds, in each of them too."""
        journal, n_outer = self._tools.journal, len(self._nested)
        nested = [fold.finder for fold in self._nested]
        for_tpot = SearchTime.before(self._last_fits(n_outer), self._schedule.left, n_outer)
        if self._main.enough is not None:
            journal.say(f"TPOT was not asked: {self._main.enough}")
        elif has_ended(self._main, nested, self._tools):
            recall_searches(self._main, nested, self._tools)
        elif for_tpot.is_enough or can_go_on(for_tpot.seconds, self._main, nested, self._tools):
            journal.enter("search", f"TPOT searches for at most {for_tpot.seconds:.0f} s")
            parts = [(finder, for_tpot.each) for finder in nested]
            Searches(self._wanted, self._tools).run((self._main, for_tpot.main), parts)
        else:
            journal.notice(for_tpot.told_as_too_short(self._budget_to_search()))
            recall_searches(self._main, nested, self._tools)

    def _budget_to_search(self) -> int:
        """Return a budget, roughly, of which TPOT would have enough."""
        numbers = sorted(map(len, self._data.split.outer_splits())) if self._nested else [0]
        numbers = [n for n in numbers if n >= FEWEST_TO_SEARCH] or numbers[-1:]
        budgets = [self._schedule.budget_for(least_left(self._last_fits(n), n)) for n in numbers]
        return next((b for b in budgets if b > self._tools.clock.budget), budgets[-1])

    def _last_fits(self, n_outer: int) -> float:
        """Return what the default takes to be fitted to all cases, and without each held-out part.

        As if there were so many outer folds, in which larger forests are not compared.
        """
        once = self._seconds_to_fit(self._default)
        if n_outer:
            return once + n_outer * self._seconds_to_fit(default_blend(self._compared_again))
        return once * (1 + int(self._data.split.held_out.size > 0))

    @property
    def _compared_again(self) -> list[Candidate]:
        """What is compared in outer folds too: of the portfolio, but no larger forest."""
        known = {found.candidate.key for found in self._main.found}
        return [candidate for candidate in self._candidates if candidate.key in known]

    @property
    def _default(self) -> list[Candidate]:
        """The members of the default blend."""
        return default_blend([found.candidate for found in self._main.found])

    def _seconds_to_fit(self, candidates: Iterable[Candidate]) -> float:
        """Return what it takes to fit some candidates once to as many cases as in a fold."""
        seconds = {f.candidate.key: f.trial.fit_seconds for f in self._main.found}
        return sum(seconds[c.key] for c in candidates) / self._tools.workers.count

    def _choose(self, default: Choice) -> Choice:
        """Choose among what was found, where the choice can be judged."""
        if not self._may_choose or not self._wanted.is_search:
            return default
        journal = self._tools.journal
        self._main.require_sound()
        journal.enter("ensemble", f"choosing among {len(self._main.found)} models")
        choice = self._main.choice(
            self._wanted.random_state, deadline=self._schedule.at(CHOICE_SHARE)
        )
        journal.say(f"chosen: {choice.name}, {choice.reason}", 1.0)
        if choice.is_like(default):
            return default
        n_fits = 1 + (len(self._nested) or int(self._data.split.held_out.size > 0))
        needed = WHOLE * n_fits * self._seconds_to_fit(c for _, c in choice.members)
        if needed > self._schedule.left:
            journal.notice(
                f"{choice.name} is better, but to fit and to score it takes about {needed:.0f} s, "
                f"and {max(self._schedule.left, 0):.0f} s are left: the default is published."
            )
            return default
        return choice

    def _scored(self, choice: Choice, default: Choice) -> tuple[Choice, HeldOut | None]:
        """Return the honest score of a choice; of the default, where the choice has none.

        What fails here must not cost the model that is fitted already.
        """
        try:
            held_out = self._ask_held_out(choice)
        except SearchFailed as error:
            if not self._wanted.is_search:
                raise
            self._tools.journal.notice(f"{error.message} The default is published in its place.")
        else:
            if held_out is not None or not self._nested:
                return choice, held_out
            # The default has a score, which has cost its time already.
            self._tools.journal.notice("The default, which has been scored, is published.")
        # In outer folds its answers are there already: nothing had a part in choosing it.
        self._may_choose = self._may_choose and not self._nested
        try:
            return default, self._ask_held_out(default)
        except SearchFailed as error:
            self._tools.journal.notice(f"there is no score on held-out cases: {error.message}")
            return default, None

    def _ask_held_out(self, choice: Choice) -> HeldOut | None:
        """Return what is answered for cases that no step of the search has seen, if any."""
        trusts = self._trusts(choice)
        n = sum(trust.asked.size for trust in trusts)
        self._tools.journal.enter("evaluate", f"asking for {n} cases that nothing has seen")
        if not trusts:
            return None
        data, schedule = self._data, self._schedule
        beside = next((c for c in self._candidates if c.family == "convolutions"), None)
        if self._may_choose:
            asking = Asking(data.table, data.target, self._tools.workers)
            held_out = held_out_by(trusts, beside, asking, schedule.fitted_at)
        else:
            held_out = out_of_fold(self._main, choice, beside)
        if held_out is None:
            self._tools.journal.notice("there was no time to score on cases that were held out.")
        return held_out

    def _trusts(self, choice: Choice) -> list[Trust]:
        """Return who is asked for what: nobody for a case that had a part in its choice."""
        split, main = self._data.split, self._main
        if not self._may_choose:
            return [Trust(choice, fit_on, asked) for fit_on, asked in main.part.folds]
        if split.held_out.size:
            return [Trust(choice, split.train, split.held_out)]
        trusts = []
        for number, fold in enumerate(self._nested):
            until = self._schedule.at(CHOICE_SHARE / (len(self._nested) - number))
            choice = fold.finder.choice(self._wanted.random_state, deadline=until)
            trusts.append(Trust(choice, fold.split.train, fold.split.held_out))
        late = sum(trust.choice.reason == NO_TIME_TO_JUDGE for trust in trusts)
        if late:
            self._tools.journal.notice(
                f"in {late} of {len(trusts)} outer folds there was no time to choose: the default "
                "answers in them."
            )
        return trusts

    def _fitted(self, choice: Choice, default: Choice) -> Choice:
        """Return the choice once it is fitted to all cases; where time is over, what is."""
        journal = self._tools.journal
        members = [candidate for _, candidate in choice.members]
        journal.enter("fit", f"fitting {choice.name} to all cases")
        if self._fits.wait(members, self._schedule.fitted_at):
            return choice
        why = next(
            (self._fits.failures[c.key] for c in members if c.key in self._fits.failures), ""
        )
        journal.notice(f"{choice.name} could not be fitted to all cases: {why or 'time was over'}.")
        if self._fits.wait([c for _, c in default.members], self._schedule.published_at):
            return default
        ranked = sorted(self._main.found, key=lambda found: found.rank)
        ready = [found for found in ranked if self._fits.has([found.candidate])]
        if not ready:
            self._fits.wait([self._main.found[0].candidate], self._schedule.last_at)
            ready = [found for found in ranked if self._fits.has([found.candidate])]
        if ready:
            return default_choice(ready[:1], self._main.part)
        raise could_not_be_fitted(
            f"{default.name} could not be fitted to all cases",
            "; ".join(self._fits.failures.values()) or "the time was over",
            self._tools.workers.told_memory,
            mend="Raise budget, name another model, or fewer features.",
        )
