"""A small made-up table, and what a search on it works with."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression, Ridge

from tideline.spec import TrainingSpec
from training.candidate import Candidate
from training.clock import Clock
from training.evaluator import Part
from training.journal import Journal
from training.ledger import Ledger
from training.proposer.task import ProposerTask
from training.run import Run
from training.split import split_cases
from training.table import Table, new_matrix
from training.task import Target
from training.tools import Tools
from training.workers import Workers

N_CASES = 30
N_FEATURES = 20
TASK = ProposerTask(
    task="classification",
    classes=(0, 1),
    n_samples=20,
    n_features=20,
    random_state=0,
    population=4,
    first_population=4,
    generations=1,
    early_stop=None,
    workers=2,
    light=True,
    evolution={"crossover_probability": 0.4, "mutate_probability": 0.6},
)
"""Of a short search."""


def target_of(n_classes: int, n_cases: int = N_CASES) -> Target:
    """Return labels: so many classes, or values where there are none."""
    if not n_classes:
        return Target("regression", (), np.random.default_rng(1).normal(size=n_cases))
    return Target("classification", tuple(range(n_classes)), np.arange(n_cases) % n_classes)


def table_of(folder: Path, target: Target, signal: float = 1.0) -> Table:
    """Write two families of features, both of which know something of the labels."""
    rng = np.random.default_rng(2)
    files = {}
    for family in ("features", "convolutions"):
        matrix = new_matrix(folder / f"{family}.npy", target.y.size, N_FEATURES)
        matrix[:] = rng.normal(size=matrix.shape) + signal * target.y[:, np.newaxis]
        matrix.flush()
        files[family] = str(folder / f"{family}.npy")
    return Table(files)


def part_of(
    folder: Path, n_classes: int = 2, metric: str = "neg_log_loss", name: str = "main"
) -> Part:
    """Return all cases, and three folds over them."""
    target = target_of(n_classes)
    split = split_cases(target, test_fraction=0.0, folds=3)
    table = table_of(folder, target)
    return Part(name, table, target, split.folds, metric, str(folder / "prepared"))


def tools_of(folder: Path, workers: Workers, budget: float = 60.0) -> Tools:
    """Return what a search works with."""
    journal = Journal(stream=io.StringIO())
    return Tools(Clock(budget), journal, workers, Ledger(folder / "trials"), folder)


def candidate_of(model: BaseEstimator | None = None, **fields: object) -> Candidate:
    """Return a candidate of one step, a logistic regression unless another is given."""
    told = {"origin": "portfolio", "family": "features", **fields}
    # By identity: an ensemble that is not fitted has no length, and so is neither true nor false.
    model = LogisticRegression() if model is None else model
    return Candidate(steps=(("model", model),), **told)  # type: ignore[arg-type]  # of many kinds


def model_of(target: Target) -> BaseEstimator:
    """Return a quick model for the task."""
    return LogisticRegression() if target.n_classes else Ridge()


def run_of(folder: Path, **fields: object) -> Run:
    """Return a run of a spec, everything of which is in one folder."""
    return Run(
        spec=TrainingSpec.from_mapping({"pipeline_id": "a", **fields}),
        folder=folder,
        run_id="a",
        scratch=folder,
        kept=folder,
        clock=Clock(60.0),
        journal=Journal(stream=io.StringIO()),
    )
