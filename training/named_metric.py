"""A metric that the spec names and that is not measured in any case, on held-out cases.

It is asked of scikit-learn anew for every resample, and so of fewer resamples, of fewer cases, and
for so long only.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from training.evaluation import Scores, strata_of
from training.fold import Answers
from training.intervals import Interval, joined, varies
from training.ranges import floor_of
from training.scoring import OF_PROBABILITIES, OWN_METRICS, ranked
from training.task import Target

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

RESAMPLES = 200
FEWEST_RESAMPLES = 40
"""Of which one at each end is left out of the interval."""
MOST_CASES = 5000
"""Cases in a resample; of more, so many are drawn, and the interval is narrowed to fit."""
MOST_BLOCKS = 200
"""Groups that are left out one by one; of more, several are left out together."""
FEWEST_BLOCKS = 20
MOST_SCORED = 1_000_000
"""Cases scored over all blocks: where there are many cases, there are fewer blocks."""


@dataclass(frozen=True, eq=False)
class NamedMetric:
    """A metric beside those of the task.

    Attributes
    ----------
    name
        Scikit-learn's.
    target
        Tells the task and the classes.
    """

    name: str
    target: Target

    @classmethod
    def of(cls, name: str | None, target: Target) -> Self | None:
        """Return the metric; None for none, and for one that is measured in any case."""
        return None if name is None or name in OWN_METRICS else cls(name, target)

    @property
    def is_of_classes(self) -> bool:
        """Whether it judges classes or values, and asks for no probabilities."""
        return self.name not in OF_PROBABILITIES

    def measure(self, y: NDArray[Any], answers: NDArray[Any]) -> dict[str, float]:
        """Return the metric by its name; empty where it is not defined on these cases.

        Parameters
        ----------
        y : array of shape (n_cases,)
        answers : array of shape (n_cases, n_classes or 1)
        """
        value = self._value(y, answers)
        return {} if math.isnan(value) else {self.name: value}

    def beside(
        self,
        scores: Scores,
        y: NDArray[Any],
        answers: Answers,
        majority: NDArray[Any],
        *,
        random_state: int = 0,
        groups: IntArray | None = None,
        seconds: float = math.inf,
    ) -> Scores:
        """Return scores with this one beside the others, where it is defined.

        Parameters
        ----------
        scores
            Of the same answers.
        y : array of shape (n_cases,)
        answers, majority : arrays of shape (n_cases, n_classes or 1)
            The model's, and what is answered without a look at the series.
        groups : int64 array of shape (n_cases,) or None
        seconds
            What its interval may take; where that is too little, there is none.
        """
        found = self.measure(y, answers)
        if not found:
            return scores
        more = replace(
            scores,
            metrics={**scores.metrics, **found},
            majority={**scores.majority, **self.measure(y, majority)},
        )
        rng = np.random.default_rng(random_state)
        began = time.monotonic()
        drawn = self._resampled(y, answers, rng, began + seconds / 2)
        each = (time.monotonic() - began) / max(drawn.size, 1) / _share(y)
        blocks = _blocks(y.size, groups, seconds / 2 / max(each, 1e-6))
        if drawn.size < FEWEST_RESAMPLES or blocks is None:
            return replace(more, slow=(*scores.slow, self.name))
        interval = self._interval(found[self.name], drawn, _share(y))
        if interval is not None:
            more = replace(more, intervals={**scores.intervals, self.name: interval})
        if groups is None:
            return more
        without = [self._value(y[kept], answers[kept]) for kept in _kept(groups, blocks, rng)]
        return more.over_groups({self.name: np.array(without)})

    def _value(self, y: NDArray[Any], answers: NDArray[Any]) -> float:
        if not y.size:
            return math.nan
        try:
            return ranked(self.name, self.target, y, answers)[0]
        except ValueError:
            # As an area without one of two classes.
            return math.nan

    def _resampled(
        self, y: NDArray[Any], answers: NDArray[Any], rng: np.random.Generator, until: float
    ) -> FloatArray:
        """Return the scores of resampled cases, as many as there is time for."""
        strata = strata_of(self.target, y)
        members = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
        found: list[float] = []
        while len(found) < RESAMPLES and time.monotonic() < until:
            drawn = np.concatenate([rng.choice(m, math.ceil(_share(y) * m.size)) for m in members])
            found.append(self._value(y[drawn], answers[drawn]))
        return np.array(found)

    def _interval(self, value: float, drawn: FloatArray, share: float) -> Interval | None:
        """Return the percentile interval over resampled cases; None where it did not vary.

        Of a share of the cases, after Bickel, Götze and van Zwet (1997), Resampling fewer than n
        observations: how far they scatter falls with the root of their number.
        """
        scores = drawn[np.isfinite(drawn)]
        # What most resamples do not define is not known from the others.
        if 2 * scores.size < drawn.size or not varies(scores, floor_of(self.name)):
            return None
        low, high = (float(end) for end in np.quantile(scores, [0.025, 0.975]))
        narrower = math.sqrt(share)
        return joined(
            self.name, (value + narrower * (low - value), value + narrower * (high - value))
        )


def _share(y: NDArray[Any]) -> float:
    """Return which share of some cases is drawn at once."""
    return min(1.0, MOST_CASES / y.size)


def _blocks(n_cases: int, groups: IntArray | None, affordable: float) -> int | None:
    """Return in how many blocks groups are left out; None where there is no time for it."""
    if groups is None:
        return 0
    n_groups = np.unique(groups).size
    blocks = min(n_groups, MOST_BLOCKS, max(FEWEST_BLOCKS, MOST_SCORED // n_cases))
    return None if affordable < min(blocks, FEWEST_BLOCKS) else int(min(blocks, affordable))


def _kept(groups: IntArray, n_blocks: int, rng: np.random.Generator) -> Iterator[NDArray[np.bool_]]:
    """Yield which cases are left without each block of groups."""
    names, group_of = np.unique(groups, return_inverse=True)
    block_of = rng.permutation(names.size) % n_blocks
    for block in range(n_blocks):
        yield block_of[group_of] != block
