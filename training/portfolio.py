"""The portfolio: strong models for time series that are evaluated before any search.

Extremely randomised trees (Geurts, Ernst and Wehenkel 2006) on features of views and intervals, and
a ridge on random convolutions (Dempster, Petitjean and Webb 2020), err on different cases: their
mean is better than either, and than choosing one of them by cross-validation.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from tideline.labels import Task
from tideline.ridge import CalibratedRidgeClassifier, WideRidgeRegressor
from training.candidate import Candidate

TREES = 500
FEWER_TREES = 100
SHARE_OF_FEATURES = 0.1
"""Of the features, those that a tree looks at for each of its cuts."""


def portfolio(task: Task, families: Container[str], random_state: int) -> list[Candidate]:
    """Return the candidates that are evaluated first, the cheapest first.

    Parameters
    ----------
    families
        The features that there are.
    """
    ridge = CalibratedRidgeClassifier() if task == "classification" else WideRidgeRegressor()
    found = []
    if "convolutions" in families:
        found.append(Candidate("portfolio", "convolutions", (("model", ridge),)))
    if "features" in families:
        found.append(Candidate("portfolio", "features", (("model", ridge),)))
        found.append(forest(task, random_state, FEWER_TREES))
        if task == "classification":
            found.append(_logistic(random_state))
    return found


def forest(task: Task, random_state: int, trees: int) -> Candidate:
    """Return the candidate of so many extremely randomised trees."""
    kind = ExtraTreesClassifier if task == "classification" else ExtraTreesRegressor
    model = kind(trees, max_features=SHARE_OF_FEATURES, random_state=random_state)
    return Candidate("portfolio", "features", (("model", model),))


def default_blend(candidates: Sequence[Candidate]) -> list[tuple[int, Candidate]]:
    """Return what is published unless another is clearly better: parts of a mean, by candidate.

    One part the largest forest on features, and two the ridge on convolutions, which are two
    families themselves; where one is lacking, the other; where both are, the first there is.
    """
    forests = [c for c in candidates if c.is_forest and c.origin == "portfolio"]
    ridges = [c for c in candidates if c.family == "convolutions"]
    largest = sorted(forests, key=lambda c: int(c.steps[-1][1].n_estimators))[-1:]
    blend = [*((1, c) for c in largest), *((2, c) for c in ridges)]
    return blend or [(1, c) for c in candidates[:1]]


def _logistic(random_state: int) -> Candidate:
    model = LogisticRegression(C=0.1, max_iter=1000, random_state=random_state)
    steps = (("scale", StandardScaler()), ("model", model))
    return Candidate("portfolio", "features", steps, selects=True)
