"""Scores of predictions, on the folds and on the held-out cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.metrics import log_loss, r2_score, roc_auc_score

from tideline.pipeline import Prediction
from training.intervals import Interval, bootstrap, newcombe, wilson
from training.task import Target

FloatArray = NDArray[np.float64]
SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Scores:
    """Scores on cases that took no part in the fit.

    Attributes
    ----------
    metrics : mapping of metric to score
    intervals : mapping of metric to its 95 % interval
        Without the metrics that did not vary over resampled cases.
    majority : mapping of metric to what needs no features scores on the same cases
        The largest class, or the mean; and for the log-loss the shares of the classes.
    """

    metrics: dict[str, float]
    intervals: dict[str, Interval]
    majority: dict[str, float]

    @property
    def note(self) -> str | None:
        """Which metrics have no interval and why, if any."""
        lacking = [name for name in self.metrics if name not in self.intervals]
        if not lacking:
            return None
        return f"no interval for {' and '.join(lacking)}: it did not vary over resampled cases"


def measure(target: Target, y: NDArray[Any], answers: Prediction) -> dict[str, float]:
    """Return every metric of the task.

    For classes `accuracy`, `roc_auc` (of the later class; over more than two, the mean of each
    class against the rest), `log_loss` and `brier`; for numbers `r2`, `mae` and `rmse`. A metric
    that is not defined on these cases is left out.
    """
    if answers.probabilities is None:
        error = _values(answers) - y
        metrics = {
            "mae": float(np.abs(error).mean()),
            "rmse": float(np.sqrt((error**2).mean())),
        }
        return {"r2": float(r2_score(y, _values(answers))), **metrics} if np.ptp(y) > 0 else metrics
    codes = np.arange(target.n_classes)
    metrics = {"accuracy": float((answers.probabilities.argmax(axis=1) == y).mean())}
    if np.unique(y).size == codes.size:
        metrics["roc_auc"] = _roc_auc(y, answers.probabilities)
    metrics["log_loss"] = float(log_loss(y, _proper(answers.probabilities), labels=codes))
    metrics["brier"] = float(_squares(y, answers.probabilities).mean())
    return metrics


def assess(
    target: Target,
    y: NDArray[Any],
    answers: Prediction,
    y_train: NDArray[Any],
    random_state: int = 0,
) -> Scores:
    """Return the scores on held-out cases, how sure they are, and what to compare them with.

    Parameters
    ----------
    y : array of shape (n_held_out,)
    y_train : array of shape (n_train,)
        What the majority class, or the mean, is taken from.
    """
    baseline = _baseline(target, y_train, y.size)
    metrics = measure(target, y, answers)
    intervals = {
        **_known_intervals(target, y, answers, metrics),
        **{
            name: bootstrap(score, _strata(target, y), random_state)
            for name, score in _resampled(target, y, answers).items()
            if name in metrics
        },
    }
    varying = {name: interval for name, interval in intervals.items() if interval is not None}
    return Scores(metrics, varying, measure(target, y, baseline))


def _known_intervals(
    target: Target, y: NDArray[Any], answers: Prediction, metrics: dict[str, float]
) -> dict[str, Interval]:
    """Return the intervals that need no resampling."""
    if answers.probabilities is None:
        return {}
    right = int((answers.probabilities.argmax(axis=1) == y).sum())
    found = {"accuracy": wilson(right, y.size)}
    if target.n_classes == 2 and "roc_auc" in metrics:
        n_later = int(y.sum())
        found["roc_auc"] = newcombe(metrics["roc_auc"], n_later, y.size - n_later)
    return found


def _roc_auc(y: NDArray[Any], probabilities: FloatArray) -> float:
    if probabilities.shape[1] == 2:
        return float(roc_auc_score(y, probabilities[:, 1]))
    # Class by class: sklearn's own way refuses rows that do not sum to one.
    return float(
        np.mean([roc_auc_score(y == c, probabilities[:, c]) for c in range(probabilities.shape[1])])
    )


def _values(answers: Prediction) -> FloatArray:
    if answers.values is None:
        raise ValueError("a prediction of numbers expected")
    return answers.values


def _proper(probabilities: FloatArray) -> FloatArray:
    clipped = np.clip(probabilities, SMALLEST_PROBABILITY, 1.0)
    proper: FloatArray = clipped / clipped.sum(axis=1, keepdims=True)
    return proper


def _squares(y: NDArray[Any], probabilities: FloatArray) -> FloatArray:
    """Return each case's part in the score of Brier (1950); of two classes, in the half of it."""
    missed = _proper(probabilities) - np.eye(probabilities.shape[1])[y]
    squares: FloatArray = (missed**2).sum(axis=1)
    return squares / 2 if probabilities.shape[1] == 2 else squares


def _baseline(target: Target, y_train: NDArray[Any], n: int) -> Prediction:
    if not target.n_classes:
        return Prediction((), values=np.full(n, y_train.mean(), dtype=np.float64))
    shares = np.bincount(y_train, minlength=target.n_classes) / y_train.size
    return Prediction((), target.classes, np.tile(shares, (n, 1)))


def _strata(target: Target, y: NDArray[Any]) -> NDArray[np.int64]:
    return y.astype(np.int64) if target.n_classes else np.zeros(y.size, dtype=np.int64)


def _resampled(
    target: Target, y: NDArray[Any], answers: Prediction
) -> dict[str, Callable[[NDArray[np.intp]], FloatArray]]:
    """Return each metric as a function of resampled positions, all resamples at once."""
    probabilities = answers.probabilities
    if probabilities is None:
        return _resampled_errors(y, _values(answers))
    losses = -np.log(_proper(probabilities)[np.arange(y.size), y])
    squares = _squares(y, probabilities)
    found = {
        "log_loss": lambda drawn: losses[drawn].mean(axis=1),
        "brier": lambda drawn: squares[drawn].mean(axis=1),
    }
    if target.n_classes > 2:
        classes = range(target.n_classes)
        found["roc_auc"] = lambda drawn: np.mean(
            [_areas(y[drawn] == c, probabilities[:, c][drawn]) for c in classes], axis=0
        )
    return found


def _resampled_errors(
    y: FloatArray, values: FloatArray
) -> dict[str, Callable[[NDArray[np.intp]], FloatArray]]:
    error = values - y

    def r2(drawn: NDArray[np.intp]) -> FloatArray:
        spread = y[drawn].var(axis=1)
        left = (error**2)[drawn].mean(axis=1)
        # A resample of one value only has no spread to explain.
        share: FloatArray = 1.0 - left[spread > 0] / spread[spread > 0]
        return share

    return {
        "r2": r2,
        "mae": lambda drawn: np.abs(error)[drawn].mean(axis=1),
        "rmse": lambda drawn: np.sqrt((error**2)[drawn].mean(axis=1)),
    }


def _areas(positive: NDArray[np.bool_], scores: FloatArray) -> FloatArray:
    """Return the area under the ROC curve of each row, after Mann and Whitney (1947)."""
    ranks = rankdata(scores, axis=1)
    n_positive = positive.sum(axis=1)
    n_negative = positive.shape[1] - n_positive
    above = np.where(positive, ranks, 0.0).sum(axis=1) - n_positive * (n_positive + 1) / 2
    areas: FloatArray = above / (n_positive * n_negative)
    return areas
