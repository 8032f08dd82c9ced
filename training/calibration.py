"""How sure a blend may be: the one number that its probabilities are sharpened by.

The mean of several models is less sure than it could be, for they err on different cases; a single
one is often surer than the few cases that it was right on can speak for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from tideline.blend import SMALLEST_PROBABILITY, sharpened
from training.task import Target

RANGE = (1 / 64, 8.0)


def sharpness_of(target: Target, y: NDArray[Any], answers: NDArray[Any]) -> float:
    """Return the power of the probabilities that has the least log-loss; see `tideline.blend`.

    With n cases, each counts for its own class by all but 1/2 in n + 1, and by that for the others:
    so often, under the prior of Jeffreys, is wrong what was right n times of n. As with the targets
    of Platt (1999), Probabilistic outputs for support vector machines, this bounds how sure an
    answer may be where every answer is right.

    Parameters
    ----------
    y : array of shape (n_cases,)
    answers : array of shape (n_cases, n_classes)
        Of models that were not fitted to these cases.

    Returns
    -------
    float
        1 for a regression.
    """
    if not target.n_classes:
        return 1.0
    wide = np.clip(answers.astype(np.float64), SMALLEST_PROBABILITY, 1.0)
    rows = np.arange(y.size)
    doubt = 0.5 / (y.size + 1)
    of_others = doubt / (target.n_classes - 1)

    def loss(log_power: float) -> float:
        sure = np.clip(sharpened(wide, float(np.exp(log_power))), SMALLEST_PROBABILITY, 1.0)
        told = np.log(sure)
        of_its_own = told[rows, y].sum()
        return float(-(1 - doubt - of_others) * of_its_own - of_others * told.sum())

    found = minimize_scalar(loss, bounds=np.log(RANGE), method="bounded")
    return float(np.exp(found.x))
