"""Kinds of steps, and steps that evolve: the genes of TPOT's individuals.

TPOT's own `EstimatorNode` draws every parameter anew when it mutates, so that nothing of a good
pipeline is left but the class; it copies its space into each individual, a hundred milliseconds
every time; and it knows no values but those that it draws. Hence these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from ConfigSpace.hyperparameters import Hyperparameter
from sklearn.base import BaseEstimator, clone
from tpot.search_spaces.base import SearchSpace, SklearnIndividual

DIGITS = 3
"""Of a number that is drawn; more would tell nothing apart, and fill a report."""
HALF = 0.5
CHANGED = 0.3
"""The chance of each parameter to be drawn anew in a mutation; one always is."""


@dataclass(frozen=True, eq=False)
class Kind(SearchSpace):  # type: ignore[misc]  # TPOT has no types
    """A class of steps: what they have in common, and what may differ.

    Attributes
    ----------
    template
        A step, not fitted, with the parameters that all have in common. None stands for no step.
    ranges : mapping of parameter to what it may be
        Parameters as `set_params` names them; none depends on another, so that any mixture of two
        steps of a kind is one too.
    scaled
        Whether it is of little use on columns of different scales.
    narrow
        Whether it is of little use on many columns, or takes far too long.
    reduces
        Whether it makes few columns of many itself, and may need more than are left of them.
    """

    template: BaseEstimator | None
    ranges: Mapping[str, Hyperparameter[Any, Any]] = field(default_factory=dict)
    scaled: bool = False
    narrow: bool = False
    reduces: bool = False

    def generate(self, rng: Any = None) -> Gene:  # noqa: ANN401 - a seed or a generator
        """Draw a step."""
        drawn = Gene(self, {})
        drawn.draw(list(self.ranges), np.random.default_rng(rng))
        return drawn

    def holds(self, step: BaseEstimator) -> bool:
        """Tell whether a step is one of this kind, whatever its parameters are."""
        return self.template is not None and _classes(step) == _classes(self.template)

    def gene(self, step: BaseEstimator) -> Gene:
        """Return exactly this step as one that evolves.

        What the ranges do not name stays as it is in whatever becomes of the step; what they name
        may lie beyond them until evolution draws another value.
        """
        given = step.get_params(deep=True)
        seeded = replace(self, template=clone(step))
        return Gene(seeded, {name: given[name] for name in self.ranges})

    def mixes_with(self, other: Kind) -> bool:
        """Tell whether steps of the two may take parameters of each other."""
        if self.template is None or other.template is None:
            return False
        return other.holds(self.template) and list(self.ranges) == list(other.ranges)

    def __deepcopy__(self, _memo: object) -> Self:
        """Return itself: TPOT copies individuals, and what they are drawn from never changes."""
        return self


class Gene(SklearnIndividual):  # type: ignore[misc]  # TPOT has no types
    """A step that evolves.

    Parameters
    ----------
    values : mapping of parameter to its value
        Of each that the kind's ranges name.
    """

    def __init__(self, kind: Kind, values: Mapping[str, Any]) -> None:
        super().__init__()
        self.kind = kind
        self.values = dict(values)

    def draw(self, names: list[str], rng: np.random.Generator) -> None:
        """Draw some parameters anew."""
        for name in names:
            source = np.random.RandomState(rng.integers(2**32))
            self.values[name] = _plain(self.kind.ranges[name].sample_value(seed=source))

    def mutate(self, rng: Any = None) -> bool:  # noqa: ANN401 - a seed or a generator
        """Draw one parameter anew, and each other perhaps; tell whether there is any."""
        rng = np.random.default_rng(rng)
        names = list(self.kind.ranges)
        if not names:
            return False
        chosen = rng.random(len(names)) < CHANGED
        chosen[rng.integers(len(names))] = True
        self.draw([name for name, is_chosen in zip(names, chosen, strict=True) if is_chosen], rng)
        return True

    def crossover(self, other: Gene, rng: Any = None) -> bool:  # noqa: ANN401 - as above
        """Take half of the parameters of a step of the same kind; tell whether it is one."""
        if not self.kind.mixes_with(other.kind):
            return False
        rng = np.random.default_rng(rng)
        for name in self.values:
            if rng.random() < HALF:
                self.values[name] = other.values[name]
        return bool(self.values)

    def export_pipeline(self, **_options: object) -> BaseEstimator | None:
        """Return the step, not fitted; None for none."""
        if self.kind.template is None:
            return None
        return clone(self.kind.template).set_params(**self.values)

    def unique_id(self) -> str:
        """Return a text that two steps have in common only if they are the same."""
        if self.kind.template is None:
            return ""
        return f"{self.kind.template!r} with {self.values}"


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a parameter may be
    """Return what ConfigSpace drew as Python has it, which is what estimators expect."""
    value = value.item() if isinstance(value, np.generic) else value
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def _classes(step: BaseEstimator) -> list[str]:
    """Return the classes of a step and of the estimators that it holds."""
    parts = {
        name: value
        for name, value in step.get_params(deep=True).items()
        if isinstance(value, BaseEstimator)
    }
    inner = [f"{name}={_named(parts[name])}" for name in sorted(parts)]
    return [_named(step), *inner]


def _named(step: BaseEstimator) -> str:
    return f"{type(step).__module__}.{type(step).__qualname__}"
