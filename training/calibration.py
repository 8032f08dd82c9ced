"""How sure a blend may be: the one number that its probabilities are sharpened by.

The mean of several models is less sure than it could be, for they err on different cases.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from tideline.blend import sharpened
from training.evaluation import SMALLEST_PROBABILITY
from training.task import Target

RANGE = (1 / 3, 8.0)
PRIOR = 4.0
"""The weight of staying near 1, in cases: where every answer is right, nothing else bounds it."""


def sharpness_of(target: Target, y: NDArray[Any], answers: NDArray[Any]) -> float:
    """Return the power of the probabilities that has the least log-loss; see `tideline.blend`.

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

    def loss(log_power: float) -> float:
        sure = np.clip(sharpened(wide, float(np.exp(log_power))), SMALLEST_PROBABILITY, 1.0)
        return float(-np.log(sure[rows, y]).sum() + PRIOR * log_power**2)

    found = minimize_scalar(loss, bounds=np.log(RANGE), method="bounded")
    return float(np.exp(found.x))
