"""What a score can be, and which end of it is the best."""

from __future__ import annotations

import math

FALLING = frozenset({"log_loss", "brier", "mae", "rmse"})
"""The published metrics of which less is better; of scikit-learn's scorers more always is."""

_RANGES = {
    "brier": (0.0, 2.0),
    "log_loss": (0.0, math.inf),
    "mae": (0.0, math.inf),
    "rmse": (0.0, math.inf),
    "r2": (-math.inf, 1.0),
    "explained_variance": (-math.inf, 1.0),
    "d2_absolute_error_score": (-math.inf, 1.0),
    "matthews_corrcoef": (-1.0, 1.0),
}
_CLOSE = 1e-12
_IN_UNITS = frozenset(
    {
        "mae",
        "rmse",
        "neg_max_error",
        "neg_mean_absolute_error",
        "neg_mean_squared_error",
        "neg_median_absolute_error",
        "neg_root_mean_squared_error",
    }
)
"""Errors in the unit of what is foretold: of picofarads all are far below 1."""


def range_of(metric: str) -> tuple[float, float]:
    """Return the least and the most that a metric can be.

    Parameters
    ----------
    metric
        As the scores of a model have it, or one that `tideline.spec.metrics` lists.
    """
    if metric.startswith("neg_"):
        return -math.inf, 0.0
    return _RANGES.get(metric, (0.0, 1.0))


def floor_of(metric: str) -> float:
    """Return the least size by which a difference of two scores is judged to be small.

    It is 1, so that a rounding error about a score of 0 is none, but 0 for an error that has a
    unit: that is small or large by its own size alone.
    """
    return 0.0 if metric in _IN_UNITS else 1.0


def is_best(metric: str, score: float) -> bool:
    """Tell whether no score can be better, but for what rounding adds or takes."""
    best = range_of(metric)[0 if metric in FALLING else 1]
    return math.isclose(score, best, rel_tol=_CLOSE, abs_tol=_CLOSE * floor_of(metric))
