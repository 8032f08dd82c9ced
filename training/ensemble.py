"""Greedy ensembles: which candidates' mean is best, when it is as sure as it may be.

After Caruana et al. (2004), Ensemble selection from libraries of models. What is published is
sharpened (`training.calibration`), and so is what is compared: by their loss as it is, forests
would rank below models that know less and say it more loudly.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tideline.blend import sharpened
from training.calibration import sharpness_of
from training.evaluator import Evaluated, Part
from training.fold import Answers, Positions
from training.portfolio import PORTFOLIO
from training.scoring import ranked

MOST_MEMBERS = 5
"""Models in an ensemble: each is fitted once more, published, and asked for every prediction."""
ROUNDS = 20
"""Of the greedy selection; the weights are multiples of its inverse."""
GAINLESS_ROUNDS = 5
"""Rounds without gain after which the greedy selection ends."""
MOST_RIVALS = 30
"""Candidates that are looked at, the best by themselves, beside those of the portfolio."""


class TimeOver(Exception):
    """The deadline of a choice has passed."""


@dataclass(frozen=True)
class Bench:
    """What candidates are compared on.

    Attributes
    ----------
    part : Part
    cases : intp array
        Places among the part's tested cases.
    deadline : float
        On `time.monotonic`.
    """

    part: Part
    cases: Positions
    deadline: float

    def require_time(self) -> None:
        """Raise `TimeOver` once the deadline has passed."""
        if time.monotonic() >= self.deadline:
            raise TimeOver

    def rank(self, mean: NDArray[Any], sharpness: float) -> float:
        """Return one number to rank by, larger is better; see `training.scoring`."""
        self.require_time()
        wide = sharpened(mean.astype(np.float64), sharpness)
        return ranked(self.part.metric, self.part.target, self._y, wide)[1]

    def sharpness(self, mean: NDArray[Any]) -> float:
        """Return what answers are sharpened by."""
        self.require_time()
        groups = self.part.tested_groups
        groups = None if groups is None else groups[self.cases]
        return sharpness_of(self.part.target, self._y, mean, groups)

    @property
    def _y(self) -> NDArray[Any]:
        return self.part.target.y[self.part.tested[self.cases]]


@dataclass(frozen=True, eq=False)
class Leader:
    """A candidate as it would be published alone.

    Attributes
    ----------
    answers
        For the cases of the bench, not sharpened.
    rank : float
        Once they are; larger is better.
    """

    found: Evaluated
    answers: Answers
    rank: float


def leaders_of(evaluated: Sequence[Evaluated], bench: Bench) -> list[Leader]:
    """Return the candidates to choose from, the best first.

    Parameters
    ----------
    evaluated
        Candidates that have answers.

    Raises
    ------
    TimeOver
    """
    ordered = sorted(evaluated, key=lambda found: found.rank)
    looked_at = ordered[:MOST_RIVALS]
    looked_at += [f for f in ordered[MOST_RIVALS:] if f.candidate.origin == PORTFOLIO]
    leaders = []
    for found in looked_at:
        answers = found.known_answers[bench.cases]
        leaders.append(Leader(found, answers, bench.rank(answers, bench.sharpness(answers))))
    return sorted(leaders, key=lambda leader: (-leader.rank, leader.found.candidate.key))


def greedy_counts(leaders: Sequence[Leader], bench: Bench) -> NDArray[np.int64]:
    """Add, again and again, the candidate that helps most, beginning with the best alone.

    Each that may come next is sharpened by what the mean so far is.

    Parameters
    ----------
    leaders
        The best first, at least one.

    Returns
    -------
    int64 array of shape (n_leaders,)
        How often each was added, up to the best mean.

    Raises
    ------
    TimeOver
    """
    counts = np.zeros(len(leaders), dtype=np.int64)
    counts[0] = 1
    total = leaders[0].answers.astype(np.float64)
    sharpness = bench.sharpness(total)
    best, best_counts = leaders[0].rank, counts.copy()
    for size in range(2, ROUNDS + 1):
        full = np.count_nonzero(counts) >= MOST_MEMBERS
        places = np.flatnonzero(counts).tolist() if full else list(range(len(leaders)))
        means = ((total + leaders[place].answers) / size for place in places)
        added = places[int(np.argmax([bench.rank(mean, sharpness) for mean in means]))]
        counts[added] += 1
        total += leaders[added].answers
        sharpness = bench.sharpness(total / size)
        if (rank := bench.rank(total / size, sharpness)) > best:
            best, best_counts = rank, counts.copy()
        elif size - best_counts.sum() >= GAINLESS_ROUNDS:
            break
    return best_counts
