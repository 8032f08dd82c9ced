"""How sure a score is where cases come in groups: what it would be without each of them.

Cases of one group, as of one machine, go right or wrong together: a hundred of them tell less than
a hundred machines would. The variance is that of the jackknife by groups, CV3 of Cameron and
Miller (2015), A practitioner's guide to cluster-robust inference, Journal of Human Resources 50.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from scipy.stats import t as student

from training.intervals import Z_95, Interval, Known, varies

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Jackknife:
    """How far a score depends on each of the groups.

    Attributes
    ----------
    score
        Of all cases.
    n_groups
        How many can be left out, at least two.
    variance
        Of the score, were other groups drawn; 0 where it is the same without each.
    """

    score: float
    n_groups: int
    variance: float

    @classmethod
    def of(cls, score: float, without: FloatArray, floor: float = 1.0) -> Self | None:
        """Return what the groups tell; None with fewer than two to reckon with.

        Parameters
        ----------
        score
            Of all cases.
        without : float64 array of shape (n_groups,)
            The score without each group; NaN where there is none, as of an area without one of two
            classes. Such groups are not reckoned with.
        floor
            As for `training.intervals.varies`: what rounding leaves of no variance at all is none.
        """
        defined = without[np.isfinite(without)]
        n = defined.size
        if n < 2:
            return None
        if not varies(np.append(defined, score), floor):
            return cls(score, n, 0.0)
        return cls(score, n, (n - 1) / n * float(((defined - score) ** 2).sum()))

    @property
    def quantile(self) -> float:
        """Student's t, of one degree less than there are groups, that 95 % lie within."""
        return float(student.ppf(0.975, self.n_groups - 1))

    @property
    def interval(self) -> Interval:
        """The 95 % interval that lies evenly about the score."""
        half = self.quantile * math.sqrt(self.variance)
        return self.score - half, self.score + half

    def cases_of(self, known: Known) -> float:
        """Return as many independent cases as would tell as much as these do in their groups.

        After Korn and Graubard (1998), Confidence intervals for proportions with small expected
        number of positive counts estimated from survey data, Survey Methodology 24: those of which
        the variance would be that of the groups, fewer as it is known from few of them, and at most
        the cases themselves. Where the groups do not differ, each may be of one piece, and counts
        as one case.
        """
        if not self.variance:
            return float(self.n_groups)
        cases = known.n_cases * known.variance / self.variance * (Z_95 / self.quantile) ** 2
        return min(cases, float(known.n_cases))


def means_without(values: FloatArray, group_of: IntArray) -> FloatArray:
    """Return the mean of the cases outside each group.

    Parameters
    ----------
    values : float64 array of shape (n_cases,)
    group_of : int64 array of shape (n_cases,)
        Counted from 0, each with a case.

    Returns
    -------
    float64 array of shape (n_groups,), NaN for a group that has all cases
    """
    left = values.size - np.bincount(group_of)
    sums = values.sum() - np.bincount(group_of, weights=values)
    return _shares(sums, left)


def areas_without(
    positive: NDArray[np.bool_], scores: FloatArray, group_of: IntArray
) -> FloatArray:
    """Return the area under the ROC curve of the cases outside each group.

    It is the share of the pairs that are told apart (Mann and Whitney 1947): of all of them, less
    those that have a case of the group, which takes two sorts, however many groups there are.

    Parameters
    ----------
    positive, scores : arrays of shape (n_cases,)
    group_of : int64 array of shape (n_cases,)
        Counted from 0, each with a case.

    Returns
    -------
    float64 array of shape (n_groups,), NaN where one of the classes is in the group alone
    """
    among = np.empty(scores.size)
    for own in (positive, ~positive):
        among[own] = rankdata(scores[own])
    below = rankdata(scores) - among  # cases of the other class; of a tie half
    n_positive = int(positive.sum())
    won = np.where(positive, below, n_positive - below)
    pairs_won = won[positive].sum() - np.bincount(group_of, weights=won)
    inside, positive_inside = _won_inside(positive, scores, group_of)
    sizes = np.bincount(group_of)
    negative_left = positive.size - n_positive - (sizes - positive_inside)
    pairs = (n_positive - positive_inside) * negative_left
    # The pairs within a group were taken off twice.
    return _shares(pairs_won + inside, pairs)


def _won_inside(
    positive: NDArray[np.bool_], scores: FloatArray, group_of: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return the pairs within each group that are told apart, and its positive cases."""
    _, places = np.unique(scores, return_inverse=True)
    sizes = np.bincount(group_of)
    before = np.cumsum(sizes) - sizes
    ranks = rankdata(group_of * (int(places.max()) + 1) + places) - before[group_of]
    positives = np.bincount(group_of[positive], minlength=sizes.size).astype(np.float64)
    sums = np.bincount(group_of, weights=np.where(positive, ranks, 0.0))
    won: FloatArray = sums - positives * (positives + 1) / 2
    return won, positives


def _shares(parts: NDArray[Any], wholes: NDArray[Any]) -> FloatArray:
    """Return quotients, NaN where there is nothing to divide by."""
    nothing = np.full(wholes.size, np.nan)
    shares: FloatArray = np.divide(parts, wholes, out=nothing, where=wholes > 0)
    return shares
