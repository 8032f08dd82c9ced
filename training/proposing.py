"""Searches by TPOT, on one part of the cases after the other: what it is asked for, and when."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tideline.features.selection import RelevanceSelection
from tideline.spec import ModelTrainingSpec
from tideline.spec.search_arguments import SearchArguments
from tideline.wording import counted
from training.finder import Finder, Searched
from training.proposer.handle import Proposer
from training.proposer.task import ProposerTask
from training.schedule import FIT_SHARE, FOLDS_A_SEARCH, Schedule
from training.search_time import LEAST_NESTED, LEAST_SEARCH
from training.tools import Tools

EARLY_STOP = 10
"""Generations without a better pipeline that end a search which the spec does not bound."""
SEEDS = 5
"""Pipelines of the portfolio that TPOT starts from."""
EVOLUTION = (
    "crossover_probability",
    "mutate_probability",
    "mutate_then_crossover_probability",
    "crossover_then_mutate_probability",
    "survival_percentage",
)


class Searches:
    """Searches on one part after the other, with one process that imports TPOT.

    Parameters
    ----------
    start
        Begins a proposer, whose files go into a folder.
    """

    def __init__(
        self,
        wanted: ModelTrainingSpec,
        tools: Tools,
        start: Callable[[Path], Proposer] = Proposer,
    ) -> None:
        self._wanted, self._tools, self._start = wanted, tools, start
        self._arguments = SearchArguments.model_validate(wanted.model_args)
        # What takes longer in a fold could not be fitted once more at the end. The same for all:
        # what may be chosen of all cases may be chosen in each outer fold.
        self._longest = min(
            self._arguments.max_eval_time_mins * 60,
            FIT_SHARE * Schedule(tools.clock).left / FOLDS_A_SEARCH,
        )
        self._proposer: Proposer | None = None
        self._n_started = 0
        self._began = self._ends = 0.0

    def run(self, main: tuple[Finder, float], nested: Sequence[tuple[Finder, float]]) -> None:
        """Let TPOT search on all cases, then in the outer folds.

        A part whose search came to its end at an earlier start is not searched again. Where all
        cases cannot be searched, no outer fold is: its score would be of a search that was better
        than the one it speaks for.

        Parameters
        ----------
        main, nested : (Finder, seconds)
            How long each search may take. What one leaves is for those that follow.
        """
        try:
            self._run(main, nested)
        finally:
            self._end()

    def _run(self, main: tuple[Finder, float], nested: Sequence[tuple[Finder, float]]) -> None:
        ledger = self._tools.ledger
        parts = [p for p in (main, *nested) if not ledger.has_searched(p[0].part.name)]
        for finder, _ in (main, *nested):
            if ledger.has_searched(finder.part.name):
                finder.recall()
        self._began = time.monotonic()
        self._ends = ends = self._began + sum(seconds for _, seconds in parts)
        for number, (finder, own) in enumerate(parts):
            share = own / sum(each for _, each in parts[number:])
            seconds = share * max(0.0, ends - time.monotonic())
            told = f"TPOT searches for {seconds:.0f} s ({number + 1} of {len(parts)})"
            self._tools.journal.say(told, self._share_of_time())
            searched = self._search(finder, ends, share)
            self._tools.journal.say(f"the search is over: {searched.over}")
            if searched.is_whole:
                ledger.end_search(finder.part.name)
            elif finder is main[0] and nested:
                self._tools.journal.notice("TPOT was not asked in the outer folds either.")
                return
        _tell_lacking([finder for finder, _ in nested], self._tools)

    def _search(self, finder: Finder, ends: float, share: float) -> Searched:
        """Search on one part; where TPOT dies, once more."""
        searched = self._search_once(finder, ends, share)
        if not searched.is_whole and time.monotonic() < ends:
            searched = self._search_once(finder, ends, share)
        return searched

    def _search_once(self, finder: Finder, ends: float, share: float) -> Searched:
        proposer, deadline = self._proposer, ends
        if proposer is None:
            self._n_started += 1
            folder = self._tools.scratch / f"proposer-{self._n_started}"
            proposer = self._proposer = self._start(folder)
        else:
            # It has nothing to import: its silence must not cost the others their time.
            now = time.monotonic()
            deadline, share = now + share * (ends - now), 1.0
        searched = finder.search(
            proposer,
            proposer_task(finder, self._wanted, self._tools.workers.count),
            deadline,
            self._longest,
            share=share,
            seconds=(self._arguments.max_time_mins or math.inf) * 60,
            within=self._share_of_time,
        )
        if not searched.is_whole:
            self._end()
        return searched

    def _share_of_time(self) -> float:
        """Return how much of the time for all searches has passed."""
        return (time.monotonic() - self._began) / max(self._ends - self._began, 0.001)

    def _end(self) -> None:
        if self._proposer is not None:
            self._proposer.end()
        self._proposer = None


def can_go_on(seconds: float, main: Finder, nested: Sequence[Finder], tools: Tools) -> bool:
    """Tell whether the time does for what an earlier start left, where it had searched all cases.

    TPOT has to be imported again for it.

    Parameters
    ----------
    seconds
        What TPOT may have in all.
    """
    has_searched = tools.ledger.has_searched
    n_left = sum(not has_searched(finder.part.name) for finder in nested)
    least = LEAST_SEARCH + (n_left - 1) * LEAST_NESTED
    return has_searched(main.part.name) and n_left > 0 and seconds >= least


def has_ended(main: Finder, nested: Sequence[Finder], tools: Tools) -> bool:
    """Tell whether every search came to its end at an earlier start."""
    return all(tools.ledger.has_searched(finder.part.name) for finder in (main, *nested))


def recall_searches(main: Finder, nested: Sequence[Finder], tools: Tools) -> None:
    """Take up what TPOT found at an earlier start, where there is no time to ask it again."""
    recalled = main.recall()
    if recalled:
        tools.journal.say(f"{counted(recalled, 'pipeline')} of an earlier start count")
    for finder in nested:
        finder.recall()
    if recalled:
        _tell_lacking(nested, tools)


def _tell_lacking(nested: Sequence[Finder], tools: Tools) -> None:
    """Tell that the score is of less than was done with all cases, where it is."""
    lacking = sum(not tools.ledger.has_searched(finder.part.name) for finder in nested)
    if lacking:
        tools.journal.notice(
            f"in {lacking} of {len(nested)} outer folds no search has come to its end: what these "
            "say of the score is of a choice from fewer models."
        )


def proposer_task(finder: Finder, wanted: ModelTrainingSpec, workers: int) -> ProposerTask:
    """Return the task of a search on the finder's part, which begins with its best models.

    Parameters
    ----------
    workers
        How many pipelines are evaluated at once.
    """
    part, arguments = finder.part, SearchArguments.model_validate(wanted.model_args)
    bounded = arguments.max_time_mins or arguments.generations or arguments.early_stop
    ranked = sorted(finder.found, key=lambda found: found.rank)
    seeds = [f.candidate for f in ranked if f.candidate.family == "features"]
    return ProposerTask(
        task=part.target.task,
        classes=part.target.classes,
        n_samples=min(fit_on.size for fit_on, _ in part.folds),
        n_features=min(part.table.matrix("features").shape[1], RelevanceSelection().min_features),
        random_state=wanted.random_state,
        population=arguments.population_size,
        first_population=arguments.initial_population_size or arguments.population_size,
        generations=arguments.generations,
        early_stop=arguments.early_stop if bounded else EARLY_STOP,
        workers=workers,
        light=arguments.search_space == "linear-light",
        evolution={name: float(getattr(arguments, name)) for name in EVOLUTION},
        seeds=[list(candidate.steps) for candidate in seeds[:SEEDS]],
    )
