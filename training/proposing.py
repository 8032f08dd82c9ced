"""What TPOT is asked for: the spec's wishes, and where the search begins."""

from __future__ import annotations

from tideline.spec import ModelTrainingSpec
from tideline.spec.search_arguments import SearchArguments
from training.finder import Finder
from training.proposer.task import ProposerTask

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


def proposer_task(finder: Finder, wanted: ModelTrainingSpec, workers: int) -> ProposerTask:
    """Return the task of a search on the finder's part, which begins with its best models.

    Parameters
    ----------
    workers
        How many pipelines are evaluated at once.
    """
    part, arguments = finder.part, SearchArguments.model_validate(wanted.model_args)
    bounded = arguments.max_time_mins or arguments.generations or arguments.early_stop
    ranked = sorted(finder.found, key=lambda found: -found.trial.score)
    seeds = [f.candidate for f in ranked if f.candidate.family == "features"]
    return ProposerTask(
        task=part.target.task,
        classes=part.target.classes,
        n_samples=min(fit_on.size for fit_on, _ in part.folds),
        n_features=part.table.matrix("features").shape[1],
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
