"""What TPOT raises: the cross-validation of a pipeline, written down as soon as it is known.

The search's process may be ended at any moment, so everything worth keeping is in files by then: a
line an evaluation, and the pipeline itself whenever it is the best so far.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import skops.io
from sklearn.pipeline import Pipeline as Steps
from tpot import BaseIndividual

from training.candidates import describe
from training.folds import CrossValidation, Fold, Step, cross_validate
from training.search_space import steps_of
from training.search_task import EVALUATIONS
from training.task import Target

MOST_OF_A_FAILURE = 200
"""Characters; beyond them messages of one failure differ, by a number say."""


class Objective:
    """Evaluates pipelines on the folds and keeps the record of a search.

    Parameters
    ----------
    folder
        Gets `evaluations.jsonl` and `candidate-<n>.skops`.
    seconds_each
        No fold of a pipeline is begun that would end later than this after its first.
    """

    def __init__(
        self,
        folds: Sequence[Fold],
        target: Target,
        metric: str,
        folder: Path,
        seconds_each: float,
    ) -> None:
        self._folds = folds
        self._target = target
        self._metric = metric
        self._folder = folder
        self._seconds_each = seconds_each
        self._lock = threading.Lock()
        self._best = -float("inf")
        self._count = 0

    def evaluate(self, steps: list[Step]) -> float:
        """Return the score of a pipeline, larger is better.

        Raises
        ------
        TimeoutError
            When not every fold could be used: a mean over fewer does not compare.
        """
        deadline = time.monotonic() + self._seconds_each
        result = cross_validate(steps, self._folds, self._target, self._metric, deadline)
        if result.n_folds < len(self._folds):
            raise TimeoutError("not every fold was done in time")
        with self._lock:
            self._record(steps, result)
        return result.score

    def fail(self, error: Exception) -> None:
        """Write down why a pipeline has no score; TPOT itself says nothing of it."""
        failure = " ".join(f"{type(error).__name__}: {error}".split())[:MOST_OF_A_FAILURE]
        with self._lock:
            self._write({"failure": failure})

    def _record(self, steps: list[Step], result: CrossValidation) -> None:
        self._count += 1
        entry: dict[str, Any] = {"pipeline": describe(steps), "result": asdict(result)}
        if result.score > self._best:
            entry["file"] = f"candidate-{self._count}.skops"
            # Not fitted, and under its name only once it is there as a whole.
            draft = self._folder / f".{entry['file']}"
            skops.io.dump(Steps(steps), draft)
            draft.replace(self._folder / entry["file"])
            self._best = result.score
        self._write(entry)

    def _write(self, entry: dict[str, Any]) -> None:
        with (self._folder / EVALUATIONS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


_current: list[Objective] = []


def install(objective: Objective) -> None:
    """Make an objective the one that `score` uses.

    Dask pickles what it runs, even within one process; it pickles a function of a module by name,
    and an objective, with its lock and its folds, not at all.
    """
    _current[:] = [objective]


def score(individual: BaseIndividual, **_unused: object) -> float:
    """Return the score of one of TPOT's individuals; what TPOT calls."""
    objective = _current[0]
    try:
        return objective.evaluate(steps_of(individual))
    except Exception as error:
        objective.fail(error)
        raise
