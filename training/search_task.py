"""What the run tells its search: written to one process, read by the other."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from tideline.labels import Label, Task

EVALUATIONS = "evaluations.jsonl"
"""The record: a line when the search begins, and one for each pipeline."""


@dataclass(frozen=True)
class SearchTask:
    """What the search is asked to do.

    Attributes
    ----------
    folder
        Holds `search.npz` (X, y, fold_of), and gets the record.
    task, classes
        As in `Target`.
    metric
        What to raise, under scikit-learn's name.
    select_features
        Whether irrelevant features are left out first.
    population, first_population, generations, early_stop
        As TPOT means them; None is no bound.
    seconds, seconds_each
        For the whole search, and for one pipeline.
    workers
        How many pipelines are evaluated at once.
    light
        Whether only cheap estimators are searched.
    evolution
        TPOT's shares of crossover, mutation and survival, by its names.
    """

    folder: str
    task: Task
    classes: tuple[Label, ...]
    metric: str
    select_features: bool
    random_state: int
    population: int
    first_population: int
    generations: int | None
    early_stop: int | None
    seconds: float
    seconds_each: float
    workers: int
    light: bool
    evolution: dict[str, float]

    def to_line(self) -> str:
        """Return it as one line of JSON."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def from_line(cls, line: str) -> SearchTask:
        """Read what `to_line` wrote."""
        fields = json.loads(line)
        return cls(**{**fields, "classes": tuple(fields["classes"])})
