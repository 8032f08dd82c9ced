"""How sure a blend may be: the one number that its probabilities are sharpened by.

The mean of several models is less sure than it could be, for they err on different cases; a single
one is often surer than the few cases that it was right on can speak for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from tideline.blend import sharpened
from training.task import Target

RANGE = (1 / 64, 8.0)


def sharpness_of(
    target: Target,
    y: NDArray[Any],
    answers: NDArray[Any],
    groups: NDArray[np.int64] | None = None,
) -> float:
    """Return the power of the probabilities that has the least log-loss; see `tideline.blend`.

    With n cases, each counts for its own class by all but 1/2 in n + 1, and by that for the others:
    so often, under the prior of Jeffreys, is wrong what was right n times of n. Platt (1999),
    Probabilistic outputs for support vector machines, has such targets. Where every answer is
    right, this bounds how sure they are as a whole; some may be surer, and others less so.

    Parameters
    ----------
    y : array of shape (n_cases,)
    answers : array of shape (n_cases, n_classes)
        Of models that were not fitted to these cases.
    groups : int64 array of shape (n_cases,) or None
        Which belong together: n is then the number of groups.

    Returns
    -------
    float
        1 for a regression.
    """
    if not target.n_classes:
        return 1.0
    wide = answers.astype(np.float64)
    rows = np.arange(y.size)
    doubt = 0.5 / ((y.size if groups is None else np.unique(groups).size) + 1)
    of_others = doubt / (target.n_classes - 1)

    def loss(log_power: float) -> float:
        told = np.log(sharpened(wide, float(np.exp(log_power))))
        of_its_own = told[rows, y].sum()
        return float(-(1 - doubt - of_others) * of_its_own - of_others * told.sum())

    found = minimize_scalar(loss, bounds=np.log(RANGE), method="bounded")
    return float(np.exp(found.x))
