"""What the run asks of its proposer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tideline.labels import Label, Task

if TYPE_CHECKING:
    from training.candidate import Step


@dataclass(frozen=True)
class ProposerTask:
    """The search that TPOT is to make.

    Attributes
    ----------
    task, classes
        As in `Target`.
    n_samples
        Of the smallest training part.
    n_features
        Columns that are left in every training part after its preparation, at least.
    random_state
        The same number and the same scores give the same proposals, however many workers there
        are and in whichever order they answer.
    population, first_population, generations, early_stop
        As TPOT means them; None is no bound. The first generation is made larger where it would
        not hold every seed.
    workers
        How many pipelines are evaluated at once.
    light
        Whether only cheap estimators are searched.
    evolution
        TPOT's shares of crossover, mutation and survival, by its names.
    seeds
        Pipelines that are proposed first, exactly as they are, and that evolution starts from.
    """

    task: Task
    classes: tuple[Label, ...]
    n_samples: int
    n_features: int
    random_state: int
    population: int
    first_population: int
    generations: int | None
    early_stop: int | None
    workers: int
    light: bool
    evolution: dict[str, float] = field(default_factory=dict)
    seeds: list[list[Step]] = field(default_factory=list)
