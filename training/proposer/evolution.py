"""TPOT's evolution, generation by generation, with evaluations made elsewhere.

TPOT gives pipelines to Dask, with limits of time that hold for the first of each generation only,
and its answers depend on which is evaluated sooner. Here a generation is asked for as a whole and
goes on when all its scores are known, so that neither the number of workers nor their pace
matters; time is the run's business, which ends this process.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from tpot.evolvers import BaseEvolver

from training.proposer.individual import Individual, Layout
from training.proposer.line import Line
from training.proposer.space import search_space
from training.proposer.task import ProposerTask

SCORE = "score"
FAILURE = "Eval Error"
"""TPOT's column."""
INVALID = "INVALID"
GAIN = 0.001
"""A generation that adds less than this to the best score counts as none; TPOT's own bound."""
FIRST_ATTEMPTS = 3
"""How many first generations may fail as a whole, as in TPOT."""


class Evolution(BaseEvolver):  # type: ignore[misc]  # TPOT has no types
    """Evolves pipelines from the seeds of a task, and from random ones."""

    def __init__(self, task: ProposerTask, line: Line) -> None:
        self._task = task
        self._line = line
        super().__init__(
            individual_generator=_individuals(task, search_space(task)),
            objective_functions=[],
            objective_function_weights=[1],
            objective_names=[SCORE],
            population_size=task.population,
            initial_population_size=max(task.first_population, len(task.seeds)),
            generations=task.generations,
            n_jobs=task.workers,
            rng=task.random_state,
            **task.evolution,
        )

    def run(self) -> str:
        """Evolve; return why it is over."""
        if not self._begin():
            tried = len(self.population.evaluated_individuals)
            return f"none of the first {tried} pipelines has a score"
        best, poor = self._best(), 0
        while self._task.generations is None or self.generation < self._task.generations:
            self.step()
            found = self._best()
            poor = poor + 1 if found - best < GAIN else 0
            best = max(best, found)
            if self._task.early_stop is not None and poor >= self._task.early_stop:
                return f"{poor} generations without a better pipeline"
        return f"{self.generation} generations are over"

    def evaluate_population_full(self, budget: object = None) -> None:  # noqa: ARG002 - TPOT's form
        """Ask for the scores of a generation; those that have none leave the population."""
        new = self.get_unevaluated_individuals(self.objective_names)
        if not len(new):
            return
        scores = self._line.scores([each.steps() for each in new], self._task.workers)
        values = [[np.nan if score is None else score] for score in scores]
        failures = [INVALID if score is None else None for score in scores]
        self.population.update_column(new, column_names=self.objective_names, data=values)
        self.population.update_column(new, column_names=FAILURE, data=failures)
        self.population.remove_invalid_from_population(column_names=FAILURE)

    def _begin(self) -> bool:
        self.evaluate_population()
        for _ in range(FIRST_ATTEMPTS - 1):
            if self.population.population:
                break
            fresh = [next(self.individual_generator) for _ in range(self.cur_population_size)]
            self.population.add_to_population(fresh, rng=self.rng)
            self.evaluate_population()
        self.generation += 1
        return bool(self.population.population)

    def _best(self) -> float:
        return float(self.population.evaluated_individuals[SCORE].max())


def _individuals(task: ProposerTask, space: Layout) -> Iterator[Individual]:
    rng = np.random.default_rng(task.random_state)
    for steps in task.seeds:
        yield space.seed(steps, rng)
    while True:
        yield space.generate(rng)
