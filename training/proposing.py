"""What TPOT is asked for: the spec's wishes, and where the search begins."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import ExitStack

from tideline.features.selection import RelevanceSelection
from tideline.spec import ModelTrainingSpec
from tideline.spec.search_arguments import SearchArguments
from training.finder import Finder
from training.proposer.handle import Proposer
from training.proposer.task import ProposerTask
from training.schedule import FIT_SHARE, FOLDS_A_SEARCH, Schedule
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


def search_in_turn(
    parts: Sequence[tuple[Finder, float]], wanted: ModelTrainingSpec, tools: Tools
) -> None:
    """Let TPOT search on one part after the other.

    Parameters
    ----------
    parts : sequence of (Finder, seconds)
        How long each search may take. What one leaves is for those that follow.
    """
    ends = time.monotonic() + sum(seconds for _, seconds in parts)
    with ExitStack() as stack:
        proposer: Proposer | None = None
        for number, (finder, own) in enumerate(parts):
            if proposer is None or not proposer.is_alive:
                folder = tools.scratch / f"proposer-{finder.part.name}"
                proposer = stack.enter_context(Proposer(folder))
            left = max(0.0, ends - time.monotonic())
            seconds = left * own / sum(each for _, each in parts[number:])
            tools.journal.say(f"TPOT searches for {seconds:.0f} s ({number + 1} of {len(parts)})")
            over = _search(finder, proposer, seconds, wanted, tools)
            tools.journal.say(f"the search is over: {over}")
            tools.ledger.end_search(finder.part.name)


def _search(
    finder: Finder, proposer: Proposer, seconds: float, wanted: ModelTrainingSpec, tools: Tools
) -> str:
    """Search on one part; return why it is over."""
    arguments = SearchArguments.model_validate(wanted.model_args)
    # What takes longer in a fold could not be fitted once more at the end.
    longest = min(
        arguments.max_eval_time_mins * 60,
        FIT_SHARE * Schedule(tools.clock).left / FOLDS_A_SEARCH,
    )
    return finder.search(
        proposer,
        proposer_task(finder, wanted, tools.workers.count),
        time.monotonic() + seconds,
        longest,
        seconds=(arguments.max_time_mins or math.inf) * 60,
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
