"""How sure a score on few cases is: 95 % intervals."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from training.ranges import range_of

FloatArray = NDArray[np.float64]
Interval = tuple[float, float]

Z_95 = 1.959963984540054
RESAMPLES = 1000
EDGE = 1e-9
MOST_DRAWS = 4_000_000
"""Cases drawn over all resamples, so that a large test set costs seconds and not minutes."""
FEWEST_RESAMPLES = 200
"""Of however many cases; so that memory does not grow with them, they are drawn in parts."""
ROUNDING = 1e-9
"""By how much of their size scores may differ that are the same but for rounding."""


def varies(scores: FloatArray, floor: float = 1.0) -> bool:
    """Tell whether scores differ by more than rounding makes them.

    Parameters
    ----------
    scores : float64 array of shape (n_scores,)
        All finite, one at least.
    floor
        The least size that they are taken to be of; see `training.ranges.floor_of`.
    """
    return float(np.ptp(scores)) > ROUNDING * max(floor, float(np.abs(scores).max()))


@dataclass(frozen=True)
class Known:
    """A score whose interval follows from it and the number of cases, without resampling.

    Attributes
    ----------
    n_cases
        How many cases the score is of.
    variance
        Of the score, were the cases independent.
    among
        Returns the 95 % interval as of so many independent cases, which need be no whole number.
    """

    n_cases: int
    variance: float
    among: Callable[[float], Interval]


def known_share(successes: int, trials: int) -> Known:
    """Return what is known of a share, as the accuracy; see `wilson`."""
    share = successes / trials
    variance = share * (1 - share) / trials
    return Known(trials, variance, lambda n: wilson(share * n, n))


def known_area(area: float, n_positive: int, n_negative: int) -> Known:
    """Return what is known of an area under a ROC curve of two classes; see `newcombe`.

    Of fewer cases, both classes have fewer in proportion.
    """
    n_cases = n_positive + n_negative
    variance = _variance_of_area(area, n_positive, n_negative)
    return Known(
        n_cases,
        variance,
        lambda n: newcombe(area, n_positive * n / n_cases, n_negative * n / n_cases),
    )


def wilson(successes: float, trials: float) -> Interval:
    """Return the 95 % interval of a share, after Wilson (1927).

    It stays inside 0 and 1, and is sound for few trials and for shares of 0 and 1. Neither need be
    a whole number, as where cases in groups count for fewer than they are.
    """
    share = successes / trials
    spread = Z_95**2 / trials
    centre = (share + spread / 2) / (1 + spread)
    half = Z_95 * math.sqrt(share * (1 - share) / trials + spread / (4 * trials)) / (1 + spread)
    # Exactly 0 and 1 where all fail or succeed, which rounding would miss.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return low, high


def newcombe(area: float, n_positive: float, n_negative: float) -> Interval:
    """Return the 95 % interval of an area under a ROC curve of two classes.

    Method 5 of Newcombe (2006), Confidence intervals for an effect size measure based on the
    Mann-Whitney statistic, part 2, Statistics in Medicine 25: the score interval from the variance
    of Hanley and McNeil (1982), symmetric in the two classes. It stays inside 0 and 1, and has a
    width also for classes that are told apart without a fault.
    """

    def beyond(true: float) -> float:
        variance = _variance_of_area(true, n_positive, n_negative)
        return float((area - true) ** 2 - Z_95**2 * variance)

    # Inside of both roots also for 0 and 1, which are roots themselves.
    within = min(max(area, EDGE), 1 - EDGE)
    low = brentq(beyond, 0.0, within) if area > 0 else 0.0
    high = brentq(beyond, within, 1.0) if area < 1 else 1.0
    return float(low), float(high)


def _variance_of_area(area: float, n_positive: float, n_negative: float) -> float:
    """Return the variance after Hanley and McNeil (1982), with the mean of the class sizes."""
    mean = (n_positive + n_negative) / 2 - 1
    beside = mean * (1 - area) / (2 - area) + mean * area / (1 + area)
    return area * (1 - area) * (1 + beside) / (n_positive * n_negative)


def bootstrap(
    score: Callable[[NDArray[np.intp]], FloatArray],
    strata: NDArray[np.int64],
    random_state: int = 0,
    *,
    floor: float = 1.0,
) -> Interval | None:
    """Return the 95 % percentile interval of a score over resampled cases, after Efron (1979).

    None where every resample has one score, but for rounding: this says nothing of how sure it is.

    Parameters
    ----------
    score
        Takes positions, intp array of shape (n_resamples, n_cases), and returns float64 scores of
        shape (n_resamples,).
    strata : int64 array of shape (n_cases,)
        Cases are drawn within their stratum, so that no resample lacks a class.
    floor
        As for `varies`.
    """
    rng = np.random.default_rng(random_state)
    at_once = max(1, min(MOST_DRAWS // max(strata.size, 1), RESAMPLES))
    members = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    found: list[float] = []
    for _ in range(0, max(at_once, FEWEST_RESAMPLES), at_once):
        drawn = np.empty((at_once, strata.size), dtype=np.intp)
        for each in members:
            drawn[:, each] = rng.choice(each, size=(at_once, each.size))
        found.extend(score(drawn))
    scores = np.array(found)
    if not varies(scores, floor):
        return None
    low, high = np.quantile(scores, [0.025, 0.975])
    return float(low), float(high)


def joined(name: str, *intervals: Interval) -> Interval:
    """Return the least interval that holds several, and no value that the metric cannot have."""
    least, most = range_of(name)
    low, high = min(low for low, _ in intervals), max(high for _, high in intervals)
    return max(low, least), min(high, most)


def over_folds(name: str, score: float, interval: Interval, n_folds: int) -> Interval:
    """Return the interval of a score that was put together from folds.

    The models of the folds were fitted to cases that they share, so that their errors go together,
    and an interval for independent cases is too narrow. Nadeau and Bengio (2003), Inference for
    the generalization error: the variance is that of independent folds times 1 + k / (k - 1).
    """
    factor = math.sqrt(1 + n_folds / (n_folds - 1))
    low, high = (score + factor * (end - score) for end in interval)
    return joined(name, (low, high))
