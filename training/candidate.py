"""A candidate: a model that may be published, not fitted, and the features that it is fitted to."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import BuiltinFunctionType, FunctionType
from typing import Literal

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline as Steps

from tideline.features.imputation import RangeImputer
from tideline.features.selection import RelevanceSelection
from tideline.labels import Task

Step = tuple[str, BaseEstimator]
Origin = Literal["portfolio", "search", "spec"]
Family = Literal["features", "convolutions"]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A model and what it is fitted to.

    Attributes
    ----------
    origin
        Where it comes from.
    family
        The columns of the table that it is fitted to.
    steps
        The steps after the preparation, the last an estimator.
    selects
        Whether irrelevant features are left out first, inside each fold.
    """

    origin: Origin
    family: Family
    steps: tuple[Step, ...]
    selects: bool = False

    @property
    def name(self) -> str:
        """The classes of its steps, as a log shows them."""
        return describe(self.steps)

    @property
    def title(self) -> str:
        """Its name, and what it is fitted to."""
        return f"{self.name} on {self.family}"

    @property
    def model_type(self) -> str:
        """The class of its last step."""
        return type(self.steps[-1][1]).__name__

    @property
    def is_forest(self) -> bool:
        """Whether it is extremely randomised trees, and nothing before them."""
        return len(self.steps) == 1 and self.model_type.startswith("ExtraTrees")

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The parameters of its steps that are not the defaults, by `step.parameter`, as text."""
        return {
            f"{name}.{key}": _text(value)
            for name, step in self.steps
            for key, value in _settings(step)
        }

    @cached_property
    def key(self) -> str:
        """A digest: the same steps on the same features have the same."""
        classes = [f"{type(step).__module__}.{type(step).__qualname__}" for _, step in self.steps]
        told = repr((self.family, self.selects, classes, sorted(self.parameters.items())))
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def preparation(self, task: Task) -> list[Step]:
        """Return the steps before its own, not fitted; convolutions always are finite."""
        if self.family == "convolutions":
            return []
        return preparation(task, selects=self.selects)

    def whole(self, task: Task) -> Steps:
        """Return preparation and model as one pipeline, not fitted, each step a clone."""
        return Steps([(n, clone(s)) for n, s in (*self.preparation(task), *self.steps)])


def proposed(steps: Sequence[Step]) -> Candidate:
    """Return the candidate of steps that TPOT proposes."""
    return Candidate("search", "features", tuple(steps), selects=True)


def preparation(task: Task, *, selects: bool) -> list[Step]:
    """Return the steps before every model: imputation and, if asked for, selection."""
    steps: list[Step] = [("impute", RangeImputer())]
    if selects:
        steps.append(("relevance", RelevanceSelection(task=task)))
    return steps


def describe(steps: Sequence[Step]) -> str:
    """Return the classes of some steps, in order."""
    return " > ".join(type(step).__name__ for _, step in steps)


def _text(value: object) -> str:
    """Return a parameter as text that is the same in every process: without addresses."""
    if isinstance(value, BaseEstimator) and not isinstance(value, type):
        told = ", ".join(f"{key}={_text(each)}" for key, each in _settings(value))
        return f"{type(value).__name__}({told})"
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, type | FunctionType | BuiltinFunctionType | np.ufunc):
        return value.__name__
    return repr(value)


def _settings(step: BaseEstimator) -> Iterator[tuple[str, object]]:
    """Yield the parameters that are not what the class has when nothing is said."""
    usual = inspect.signature(type(step)).parameters
    for key, value in sorted(step.get_params(deep=False).items()):
        # By what they look like: True is equal to 1, and yet another parameter.
        if key not in usual or _text(value) != _text(usual[key].default):
            yield key, value
