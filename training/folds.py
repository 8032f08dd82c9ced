"""Comparison by cross-validation: every candidate is fitted and asked on the same folds.

Imputation and selection are fitted inside each fold, once, before any candidate: they are the same
for all, and the labels of a fold's test cases never reach them.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import get_scorer
from sklearn.pipeline import Pipeline as Steps

from tideline.features.imputation import RangeImputer
from tideline.features.plan import FeaturePlan
from tideline.features.selection import RelevanceSelection
from tideline.labels import Task
from tideline.pipeline import Pipeline, Prediction
from training.evaluation import measure
from training.task import Target

FloatArray = NDArray[np.float64]
TIE_BREAK = 1e-3
"""The weight of the log-loss, or of 1 where it is more, beside the metric: on small panels many
pipelines share a score, and no more than such a tie is to be decided."""

OWN_METRICS = {
    "accuracy": ("accuracy", 1),
    "roc_auc": ("roc_auc", 1),
    "roc_auc_ovr": ("roc_auc", 1),
    "neg_log_loss": ("log_loss", -1),
    "r2": ("r2", 1),
    "neg_mean_absolute_error": ("mae", -1),
    "neg_root_mean_squared_error": ("rmse", -1),
}
"""The metrics that are measured in any case, which also work where there are no probabilities."""

Step = tuple[str, BaseEstimator]


@dataclass(frozen=True, eq=False)
class Fold:
    """One division of the training part, imputed and selected.

    Attributes
    ----------
    X_train, X_test : float64 arrays of shape (n_cases of the part, n_selected)
    y_train, y_test : arrays of shape (n_cases of the part,)
    """

    X_train: FloatArray
    y_train: NDArray[Any]
    X_test: FloatArray
    y_test: NDArray[Any]


@dataclass(frozen=True)
class CrossValidation:
    """What the folds say of a candidate.

    Attributes
    ----------
    metrics : mapping of metric to its mean over the folds
    score : float
        One number to rank by, larger is better: the metric, less a little of the log-loss.
    value : float
        The mean of the metric.
    fit_seconds : float
        The mean time of one fit.
    n_folds : int
        How many folds were used; fewer than there are when the time ran out.
    """

    metrics: dict[str, float]
    score: float
    value: float
    fit_seconds: float
    n_folds: int


def preparation(task: Task, select_features: bool) -> list[Step]:
    """Return the steps before every model, not fitted: imputation and, if asked for, selection."""
    steps: list[Step] = [("impute", RangeImputer())]
    if select_features:
        steps.append(("select", RelevanceSelection(task=task)))
    return steps


def prepare_folds(
    X: FloatArray, y: NDArray[Any], fold_of: NDArray[np.int64], steps: Sequence[Step]
) -> tuple[Fold, ...]:
    """Impute and select within each fold.

    Parameters
    ----------
    X : float64 array of shape (n_train, n_features)
    y : array of shape (n_train,)
    fold_of : int64 array of shape (n_train,)
        The fold in which each case is tested.
    """
    folds = []
    for number in range(int(fold_of.max()) + 1):
        tested = fold_of == number
        fitted = Steps([(name, clone(step)) for name, step in steps])
        X_train = fitted.fit_transform(X[~tested], y[~tested])
        folds.append(Fold(X_train, y[~tested], fitted.transform(X[tested]), y[tested]))
    return tuple(folds)


def cross_validate(
    model: Sequence[Step],
    folds: Sequence[Fold],
    target: Target,
    metric: str,
    deadline: float = np.inf,
) -> CrossValidation:
    """Fit clones of a model on the folds and measure them.

    Parameters
    ----------
    model
        The steps after the preparation, the last an estimator.
    metric
        What to rank by, under scikit-learn's name.
    deadline
        On `time.monotonic`. No fold is begun that would end after it; the first always is.

    Raises
    ------
    ValueError
        When a metric is no finite number: it could not be compared. Besides, whatever the
        estimators raise.
    """
    measured: list[dict[str, float]] = []
    values: list[float] = []
    seconds: list[float] = []
    for fold in folds:
        if seconds and time.monotonic() + max(seconds) > deadline:
            break
        began = time.monotonic()
        fitted = fit_steps(model, fold.X_train, fold.y_train)
        seconds.append(time.monotonic() - began)
        measured.append(measure(target, fold.y_test, predict(fitted, fold.X_test, target)))
        values.append(_value(metric, measured[-1], fitted, fold))
        _require_finite({**measured[-1], metric: values[-1]})
    names = set(measured[0]).intersection(*measured)
    metrics = {name: float(np.mean([m[name] for m in measured])) for name in sorted(names)}
    value = float(np.mean(values))
    score = value - TIE_BREAK * min(metrics.get("log_loss", 0.0), 1.0)
    return CrossValidation(metrics, score, value, float(np.mean(seconds)), len(seconds))


def default_metric(target: Target) -> str:
    """Return what the search raises when the spec names nothing."""
    if target.task == "regression":
        return "r2"
    return "roc_auc" if target.n_classes == 2 else "neg_log_loss"


def _value(metric: str, measured: dict[str, float], fitted: Steps, fold: Fold) -> float:
    name, sign = OWN_METRICS.get(metric, ("", 1))
    if name in measured:
        return sign * measured[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(get_scorer(metric)(fitted, fold.X_test, fold.y_test))


def _require_finite(measured: dict[str, float]) -> None:
    wrong = {name: value for name, value in measured.items() if not math.isfinite(value)}
    if wrong:
        name, value = next(iter(wrong.items()))
        raise ValueError(f"its {name} is {value} on a fold; a finite number is needed to compare")


def fit_steps(steps: Sequence[Step], X: FloatArray, y: NDArray[Any]) -> Steps:
    """Return clones of some steps as one fitted scikit-learn pipeline.

    Warnings of the estimators, which are many in a search and say little, are kept silent.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Steps([(name, clone(step)) for name, step in steps]).fit(X, y)


def predict(fitted: Steps, X: FloatArray, target: Target) -> Prediction:
    """Return the `Prediction` of a fitted scikit-learn pipeline, made as the published one's is."""
    pipeline = Pipeline(FeaturePlan(()), fitted, target.task, target.classes, ())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pipeline.predict_features(X, tuple(range(len(X))))
