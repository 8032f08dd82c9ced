"""How sure a score on few cases is: 95 % intervals."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Interval = tuple[float, float]

Z_95 = 1.959963984540054
RESAMPLES = 1000
MOST_DRAWS = 4_000_000
"""Cases drawn over all resamples, so that a large test set costs seconds and not minutes."""


def wilson(successes: int, trials: int) -> Interval:
    """Return the 95 % interval of a share, after Wilson (1927).

    It stays inside 0 and 1, and is sound for few trials and for shares of 0 and 1.
    """
    share = successes / trials
    spread = Z_95**2 / trials
    centre = (share + spread / 2) / (1 + spread)
    half = Z_95 * math.sqrt(share * (1 - share) / trials + spread / (4 * trials)) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)


def bootstrap(
    score: Callable[[NDArray[np.intp]], FloatArray],
    strata: NDArray[np.int64],
    random_state: int = 0,
) -> Interval:
    """Return the 95 % percentile interval of a score over resampled cases, after Efron (1979).

    Parameters
    ----------
    score
        Takes positions, intp array of shape (n_resamples, n_cases), and returns float64 scores of
        shape (n_resamples,).
    strata : int64 array of shape (n_cases,)
        Cases are drawn within their stratum, so that no resample lacks a class.
    """
    rng = np.random.default_rng(random_state)
    resamples = int(np.clip(MOST_DRAWS // max(strata.size, 1), 200, RESAMPLES))
    drawn = np.empty((resamples, strata.size), dtype=np.intp)
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        drawn[:, members] = rng.choice(members, size=(resamples, members.size))
    low, high = np.quantile(score(drawn), [0.025, 0.975])
    return float(low), float(high)
