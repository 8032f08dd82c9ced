"""The portfolio: strong models for time series that are evaluated before any search.

Extremely randomised trees (Geurts, Ernst and Wehenkel 2006) on features of views and intervals, and
a ridge and trees on random convolutions (Dempster, Petitjean and Webb 2020), err on different
cases: their mean is better than each, and than choosing one of them by cross-validation.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from types import MappingProxyType

from sklearn.base import RegressorMixin
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from tideline.labels import Task
from tideline.ridge import CalibratedRidgeClassifier, WideRidgeRegressor
from training.candidate import Candidate, Family

TREES = 300
FEWER_TREES = 100
PORTFOLIO = "portfolio"
SHARE_OF: Mapping[Family, float] = MappingProxyType({"features": 0.1, "convolutions": 0.02})
"""Of the features of a family, those that a tree looks at for each of its cuts."""


def portfolio(task: Task, families: Container[str], random_state: int) -> list[Candidate]:
    """Return the candidates that are evaluated first.

    The cheapest of them, then what the default blend is made of, so that it is there where the
    time does not do for all.

    Parameters
    ----------
    families
        The features that there are.
    """
    ridge = CalibratedRidgeClassifier() if task == "classification" else WideRidgeRegressor()
    is_class = task == "classification"
    found = [
        Candidate("portfolio", "convolutions", (("model", ridge),)),
        *([forest(task, "convolutions", random_state, FEWER_TREES)] if is_class else []),
        forest(task, "features", random_state, FEWER_TREES),
        Candidate("portfolio", "features", (("model", ridge),)),
        *([_logistic(random_state)] if is_class else []),
    ]
    return [candidate for candidate in found if candidate.family in families]


def forest(task: Task, family: Family, random_state: int, trees: int) -> Candidate:
    """Return the candidate of so many extremely randomised trees on a family of features."""
    kind = ExtraTreesClassifier if task == "classification" else ExtraTreesRegressor
    model = kind(trees, max_features=SHARE_OF[family], random_state=random_state)
    return Candidate("portfolio", family, (("model", model),))


def default_blend(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates whose mean is published unless another is clearly better.

    For classes the largest forest on each family, and the ridge on convolutions, as far as they
    are there. For values the forest on features alone: convolutions are of standard scores, and
    do not know how large anything is. Where none of these is there, the first there is.
    """
    forests = [_largest(candidates, family) for family in SHARE_OF]
    ridges = [c for c in candidates if c.family == "convolutions" and not c.is_forest]
    if any(isinstance(c.steps[-1][1], RegressorMixin) for c in candidates):
        forests, ridges = forests[:1], []
    chosen = [*(c for c in forests if c is not None), *ridges[:1]]
    return chosen or list(candidates[:1])


def _largest(candidates: Sequence[Candidate], family: str) -> Candidate | None:
    """Return the portfolio's largest forest on a family, if there is any."""
    forests = [c for c in candidates if c.is_forest and (c.origin, c.family) == (PORTFOLIO, family)]
    return max(forests, key=lambda c: int(c.steps[-1][1].n_estimators), default=None)


def _logistic(random_state: int) -> Candidate:
    model = LogisticRegression(C=0.1, max_iter=1000, random_state=random_state)
    steps = (("scale", StandardScaler()), ("model", model))
    return Candidate("portfolio", "features", steps, selects=True)
