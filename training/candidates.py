"""Candidates: models that may be published, and the strong defaults compared before any search."""

from __future__ import annotations

from dataclasses import dataclass

from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.preprocessing import StandardScaler

from tideline.labels import Task
from training.folds import CrossValidation, Step

TREES = 500
FEWER_TREES = 100
BRIEF = 60.0
"""Seconds of budget below which fewer trees have to do: they cost a fifth, and little accuracy."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A model, not fitted, and what the folds say of it.

    Attributes
    ----------
    origin
        Where it comes from: `portfolio`, `search` or `spec`.
    steps
        The steps after the preparation, the last an estimator.
    result
        Its cross-validation.
    """

    origin: str
    steps: list[Step]
    result: CrossValidation

    @property
    def name(self) -> str:
        """The classes of its steps, as a log shows them."""
        return describe(self.steps)


def describe(steps: list[Step]) -> str:
    """Return the classes of some steps, in order."""
    return " > ".join(type(step).__name__ for _, step in steps)


def portfolio(task: Task, random_state: int, workers: int, budget: float) -> list[list[Step]]:
    """Return the models that are compared before a search, the safest first.

    Extremely randomised trees on tsfresh's features are hard to beat, and need no tuning; a linear
    model is better where the panel is small and the classes lie far apart.
    """
    size = FEWER_TREES if budget < BRIEF else TREES
    if task == "regression":
        trees = ExtraTreesRegressor(size, n_jobs=workers, random_state=random_state)
        return [[("model", trees)], [("scale", StandardScaler()), ("model", RidgeCV())]]
    trees = ExtraTreesClassifier(
        size, n_jobs=workers, random_state=random_state, class_weight="balanced"
    )
    linear = LogisticRegression(max_iter=1000, random_state=random_state)
    return [[("model", trees)], [("scale", StandardScaler()), ("model", linear)]]
