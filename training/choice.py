"""Which model is published: the default blend, unless another is clearly better.

On small panels the best of many by cross-validation is the luckiest of many. The default blend is
the one that many series, of other panels, speak for; what is to replace it must win on resampled
cases too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tideline.blend import sharpened
from training.calibration import sharpness_of
from training.candidate import Candidate
from training.ensemble import Bench, Leader, TimeOver, greedy_counts, leaders_of
from training.evaluator import Evaluated, Part
from training.fold import Positions
from training.importance import sample
from training.portfolio import default_blend
from training.scoring import Score, ranked, score_of
from training.task import Target

SLOWEST = 0.02
"""Seconds that a member may take to answer for one case of many: all are asked every time."""
MOST_CASES = 5000
"""Cases that the greedy selection is scored on; of more a sample is taken."""
RESAMPLES = 200
FEWEST = 4
"""Members of a class, below which resampling them stands for no other cases; of cases that come in
groups, the groups that have members of it."""
NO_TIME_TO_JUDGE = "the default, for there was no time to judge others"
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

    def is_like(self, other: Choice) -> bool:
        """Tell whether another is of the same members with the same weights."""
        ours, theirs = ({c.key: w for w, c in choice.members} for choice in (self, other))
        return ours == theirs

    @property
    def name(self) -> str:
        """The members, as a log shows them."""
        return " + ".join(f"{weight:.2g} {c.title}" for weight, c in self.members)


def choose(
    evaluated: Sequence[Evaluated], part: Part, random_state: int, *, deadline: float = math.inf
) -> Choice:
    """Choose among the default blend, the best single candidate and a greedy ensemble.

    Parameters
    ----------
    evaluated
        Candidates that have answers, at least one.
    part
        What they were evaluated on.
    deadline
        On `time.monotonic`; what is not known to be better by then is not chosen.
    """
    default = default_choice(evaluated, part)
    try:
        return _clear_rival(evaluated, part, default, random_state, deadline) or default
    except TimeOver:
        return replace(default, reason=NO_TIME_TO_JUDGE)


def _clear_rival(
    evaluated: Sequence[Evaluated],
    part: Part,
    default: Choice,
    random_state: int,
    deadline: float,
) -> Choice | None:
    """Return the best of the others that is clearly better than the default, if any is."""
    target = part.target.take(part.tested)
    cases = sample(target, np.random.default_rng(random_state), MOST_CASES)
    bench = Bench(part, cases, deadline)
    leaders = leaders_of(evaluated, bench)
    ensemble = _ensemble(leaders, part, bench)
    single = _weighted([leaders[0].found], [1], part, "the best by cross-validation")
    rivals = [r for r in (ensemble, single) if r.score.rank > default.score.rank]
    for rival in sorted(rivals, key=lambda choice: -choice.score.rank):
        if _is_clear(rival, default, bench, random_state):
            return rival
    return None


def default_choice(evaluated: Sequence[Evaluated], part: Part) -> Choice:
    """Return the default blend; see `training.portfolio.default_blend`."""
    by_key = {found.candidate.key: found for found in evaluated}
    blend = default_blend([found.candidate for found in evaluated])
    chosen = [by_key[candidate.key] for candidate in blend]
    return _weighted(chosen, [1] * len(chosen), part, "the default, which none was clearly above")


def _ensemble(leaders: Sequence[Leader], part: Part, bench: Bench) -> Choice:
    """Return the mean of quick candidates that is best on some cases, scored on all."""
    quick = [one for one in leaders if _seconds_a_case(one.found, part) <= SLOWEST] or leaders
    counts = greedy_counts(quick, bench)
    kept = np.flatnonzero(counts)
    members = [quick[int(place)].found for place in kept]
    found = "an ensemble" if len(members) > 1 else "the one that is left"
    return _weighted(members, counts[kept].tolist(), part, f"{found} by greedy selection")


def _weighted(
    members: Sequence[Evaluated], counts: Sequence[int], part: Part, reason: str
) -> Choice:
    shares = np.array(counts, dtype=np.float64) / sum(counts)
    mean = np.zeros(members[0].known_answers.shape)
    for found, share in zip(members, shares, strict=True):
        mean += share * found.known_answers
    y = part.target.y[part.tested]
    # A model that the spec names is published as it is.
    named = any(found.candidate.origin == "spec" for found in members)
    sharpness = 1.0 if named else sharpness_of(part.target, y, mean, part.tested_groups)
    score = score_of(part.metric, part.target, y, sharpened(mean, sharpness))
    weighted = tuple(zip(shares.tolist(), (found.candidate for found in members), strict=True))
    return Choice(weighted, sharpness, score, mean, reason)


def _seconds_a_case(found: Evaluated, part: Part) -> float:
    return found.trial.predict_seconds * part.n_folds / part.tested.size


def _is_clear(rival: Choice, default: Choice, bench: Bench, random_state: int) -> bool:
    """Tell whether a rival is better on nearly all resamples of the cases (Efron 1979).

    Cases that come in groups are resampled in whole groups. By the metric alone: what breaks ties
    is as sure as it is small. No more are drawn than can change the answer. Of a class of very few
    members, or in very few groups, resamples say nothing: no rival is clear.
    """
    rng, part = np.random.default_rng(random_state), bench.part
    y = part.target.y[part.tested]
    units = _units(part)
    if _fewest(part.target, y, units) < FEWEST:
        return False
    pair = rival.answers, default.answers
    wins = losses = undefined = 0
    for _ in range(RESAMPLES):
        bench.require_time()
        cases = _resampled(units, y.size, rng)
        try:
            ours, theirs = (
                ranked(part.metric, part.target, y[cases], answers[cases])[0] for answers in pair
            )
        except ValueError:
            # The metric is not defined on this resample, as without one of two classes. Where few
            # hold what it needs, they say little.
            undefined += 1
            if 2 * undefined > RESAMPLES:
                return False
            continue
        wins += ours > theirs
        losses += ours <= theirs
        if losses > (1 - CLEARLY) * RESAMPLES:
            return False
    return wins >= CLEARLY * (wins + losses)


def _units(part: Part) -> list[Positions] | None:
    """Return the places of each group among the tested cases; None where each is one by itself."""
    if part.groups is None:
        return None
    groups = part.groups[part.tested]
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)


def _resampled(units: list[Positions] | None, n_cases: int, rng: np.random.Generator) -> Positions:
    if units is None:
        return rng.integers(n_cases, size=n_cases)
    return np.concatenate([units[drawn] for drawn in rng.integers(len(units), size=len(units))])


def _fewest(target: Target, y: NDArray[Any], units: list[Positions] | None) -> float:
    """Return in how many cases, or groups, the rarest class is; for numbers, how many groups."""
    if not target.n_classes:
        return math.inf if units is None else len(units)
    if units is None:
        return float(np.bincount(y, minlength=target.n_classes).min())
    in_units = [np.bincount(y[unit], minlength=target.n_classes) > 0 for unit in units]
    return float(np.sum(in_units, axis=0).min())
