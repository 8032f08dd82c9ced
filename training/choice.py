"""Which model is published: the default blend, unless another is clearly better.

On small panels the best of many by cross-validation is the luckiest of many. The default blend is
the one that many series, of other panels, speak for; what is to replace it must win on resampled
cases too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tideline.blend import sharpened
from training.calibration import sharpness_of
from training.candidate import Candidate
from training.evaluator import Evaluated, Part
from training.fold import Answers
from training.portfolio import default_blend
from training.scoring import Score, ranked, score_of

MOST_MEMBERS = 5
"""Models in an ensemble: each is fitted once more, published, and asked for every prediction."""
SLOWEST = 0.02
"""Seconds that a member may take to answer for one case of many: all are asked every time."""
ROUNDS = 20
"""Of the greedy selection; the weights are multiples of its inverse."""
MOST_RIVALS = 30
"""Candidates that the selection looks at, the best by themselves."""
RESAMPLES = 200
CLEARLY = 0.99
"""The share of resamples on which a rival must be better than the default blend."""


@dataclass(frozen=True, eq=False)
class Choice:
    """A weighted mean of candidates.

    Attributes
    ----------
    members : tuple of (weight, Candidate)
        The weights sum to one.
    sharpness : float
        What the mean probabilities are sharpened by, fitted to the out-of-fold answers.
    score
        Of the out-of-fold answers: what the choice was made by.
    mean : float64 array of shape (n_tested, n_classes or 1)
        The out-of-fold answers, not sharpened.
    reason
        Why it is this one, in words.
    """

    members: tuple[tuple[float, Candidate], ...]
    sharpness: float
    score: Score
    mean: NDArray[np.float64]
    reason: str

    @property
    def answers(self) -> NDArray[np.float64]:
        """The out-of-fold answers, sharpened."""
        return sharpened(self.mean, self.sharpness)

    @property
    def name(self) -> str:
        """The members, as a log shows them."""
        return " + ".join(f"{weight:.2g} {c.title}" for weight, c in self.members)


def choose(evaluated: Sequence[Evaluated], part: Part, random_state: int) -> Choice:
    """Choose among the default blend, the best single candidate and a greedy ensemble.

    Parameters
    ----------
    evaluated
        Candidates that have answers, at least one.
    part
        What they were evaluated on.
    """
    default = default_choice(evaluated, part)
    ensemble = _ensemble(evaluated, part)
    best = max(evaluated, key=lambda found: found.trial.score)
    single = _weighted([best], [1], part, "the best by cross-validation")
    rivals = [r for r in (ensemble, single) if r.score.rank > default.score.rank]
    for rival in sorted(rivals, key=lambda choice: -choice.score.rank):
        if _is_clear(rival, default, part, random_state):
            return rival
    return default


def default_choice(evaluated: Sequence[Evaluated], part: Part) -> Choice:
    """Return the default blend; see `training.portfolio.default_blend`."""
    by_key = {found.candidate.key: found for found in evaluated}
    blend = default_blend([found.candidate for found in evaluated])
    chosen = [by_key[candidate.key] for candidate in blend]
    return _weighted(chosen, [1] * len(chosen), part, "the default, which none was clearly above")


def _ensemble(evaluated: Sequence[Evaluated], part: Part) -> Choice:
    """Add, again and again, the candidate that helps most, as Caruana et al. (2004) do."""
    quick = [found for found in evaluated if _seconds_a_case(found, part) <= SLOWEST] or evaluated
    evaluated = sorted(quick, key=lambda found: -found.trial.score)[:MOST_RIVALS]
    y = part.target.y[part.tested]
    counts = np.zeros(len(evaluated), dtype=np.int64)
    total: NDArray[Any] = np.zeros_like(_answers(evaluated[0]), dtype=np.float64)
    best, best_counts = -np.inf, counts
    for size in range(1, ROUNDS + 1):
        full = np.count_nonzero(counts) >= MOST_MEMBERS
        ranks = [
            -np.inf
            if full and not counts[place]
            else ranked(part.metric, part.target, y, (total + _answers(found)) / size)[1]
            for place, found in enumerate(evaluated)
        ]
        added = int(np.argmax(ranks))
        counts[added] += 1
        total += _answers(evaluated[added])
        if ranks[added] > best:
            best, best_counts = ranks[added], counts.copy()
    kept = np.flatnonzero(best_counts)
    members = [evaluated[int(place)] for place in kept]
    return _weighted(members, best_counts[kept].tolist(), part, "an ensemble by greedy selection")


def _weighted(
    members: Sequence[Evaluated], counts: Sequence[int], part: Part, reason: str
) -> Choice:
    shares = np.array(counts, dtype=np.float64) / sum(counts)
    mean = np.zeros(_answers(members[0]).shape)
    for found, share in zip(members, shares, strict=True):
        mean += share * _answers(found)
    y = part.target.y[part.tested]
    # A model that the spec names is published as it is.
    named = any(found.candidate.origin == "spec" for found in members)
    sharpness = 1.0 if named else sharpness_of(part.target, y, mean)
    score = score_of(part.metric, part.target, y, sharpened(mean, sharpness))
    weighted = tuple(zip(shares.tolist(), (found.candidate for found in members), strict=True))
    return Choice(weighted, sharpness, score, mean, reason)


def _seconds_a_case(found: Evaluated, part: Part) -> float:
    return found.trial.predict_seconds * part.n_folds / part.tested.size


def _answers(found: Evaluated) -> Answers:
    if found.answers is None:
        raise ValueError("a candidate with answers expected")
    return found.answers


def _is_clear(rival: Choice, default: Choice, part: Part, random_state: int) -> bool:
    """Tell whether a rival is better on nearly all resamples of the cases (Efron 1979).

    By the metric alone: what breaks ties is as sure as it is small.
    """
    rng = np.random.default_rng(random_state)
    y = part.target.y[part.tested]
    pair = rival.answers, default.answers
    wins = drawn = 0
    for _ in range(RESAMPLES):
        cases = rng.integers(y.size, size=y.size)
        try:
            ours, theirs = (
                ranked(part.metric, part.target, y[cases], answers[cases])[0] for answers in pair
            )
        except ValueError:
            continue  # the metric is not defined on this resample, as without one of two classes
        drawn += 1
        wins += ours > theirs
    # Where few resamples hold what the metric needs, they say little.
    return 2 * drawn >= RESAMPLES and wins >= CLEARLY * drawn
