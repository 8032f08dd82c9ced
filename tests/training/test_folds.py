"""Tests of the comparison by cross-validation."""

from __future__ import annotations

import time

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from training.folds import (
    TIE_BREAK,
    Fold,
    cross_validate,
    default_metric,
    preparation,
    prepare_folds,
)
from training.split import split_cases
from training.task import Target

RNG = np.random.default_rng(3)


def problem(classes: int = 2, n: int = 60) -> tuple[Target, np.ndarray, tuple[Fold, ...]]:
    y = np.arange(n) % classes
    X = RNG.normal(size=(n, 5)) + y[:, np.newaxis]
    target = Target("classification", tuple(range(classes)), y)
    fold_of = split_cases(target, test_fraction=0.0).fold_of
    return target, X, prepare_folds(X, y, fold_of, preparation("classification", True))


def test_each_case_is_tested_once() -> None:
    _, X, folds = problem()
    assert sum(len(fold.y_test) for fold in folds) == len(X)
    assert all(len(fold.y_test) + len(fold.y_train) == len(X) for fold in folds)


def test_labels_of_a_folds_test_cases_reach_no_preparation() -> None:
    """Selection over all cases would let noise look useful (tsfresh issue 162)."""
    rng = np.random.default_rng(0)
    y = np.arange(40) % 2
    target = Target("classification", (0, 1), y)
    X = rng.normal(size=(40, 3000))
    fold_of = split_cases(target, test_fraction=0.0).fold_of
    folds = prepare_folds(X, y, fold_of, preparation("classification", True))
    result = cross_validate([("model", LogisticRegression())], folds, target, "accuracy")
    assert 0.2 < result.metrics["accuracy"] < 0.8


def test_missing_and_infinite_features_are_imputed_inside_the_fold() -> None:
    target, X, _ = problem()
    X[0, 0], X[1, 1], X[2, 2] = np.nan, np.inf, -np.inf
    fold_of = split_cases(target, test_fraction=0.0).fold_of
    folds = prepare_folds(X, target.y, fold_of, preparation("classification", False))
    assert all(np.isfinite(fold.X_train).all() for fold in folds)
    assert all(np.isfinite(fold.X_test).all() for fold in folds)


@pytest.mark.parametrize("metric", ["roc_auc", "accuracy", "neg_log_loss", "f1", "recall"])
def test_a_better_model_ranks_higher(metric: str) -> None:
    target, _, folds = problem()
    good = cross_validate([("model", LogisticRegression())], folds, target, metric)
    poor = cross_validate([("model", DummyClassifier())], folds, target, metric)
    assert good.score > poor.score


def test_a_model_without_probabilities_is_measured_too() -> None:
    target, _, folds = problem(3)
    result = cross_validate([("model", LinearSVC())], folds, target, "roc_auc")
    assert result.metrics["roc_auc"] > 0.7


def test_log_loss_decides_between_equals() -> None:
    target, _, folds = problem(n=40)
    for fold in folds:
        fold.X_train[:] = fold.y_train[:, np.newaxis] * 10.0
        fold.X_test[:] = fold.y_test[:, np.newaxis] * 10.0
    sure = cross_validate([("model", DecisionTreeClassifier())], folds, target, "roc_auc")
    unsure = cross_validate([("model", LogisticRegression(C=1e-4))], folds, target, "roc_auc")
    assert sure.metrics["roc_auc"] == unsure.metrics["roc_auc"] == 1.0
    assert sure.score > unsure.score


def test_regression_is_ranked_by_r2() -> None:
    y = RNG.normal(size=50)
    X = np.column_stack([y + RNG.normal(size=50) * 0.1, RNG.normal(size=50)])
    target = Target("regression", (), y)
    fold_of = split_cases(target, test_fraction=0.0).fold_of
    folds = prepare_folds(X, y, fold_of, preparation("regression", True))
    result = cross_validate([("model", LinearRegression())], folds, target, default_metric(target))
    assert result.score == result.metrics["r2"] > 0.9


def test_a_log_loss_without_bounds_decides_no_more_than_a_tie() -> None:
    target, _, folds = problem(n=200)
    for fold in folds:
        # All right but one, of which the tree is sure: its log-loss is 36 times that share.
        fold.X_train[:] = fold.y_train[:, np.newaxis]
        fold.X_test[:] = fold.y_test[:, np.newaxis]
        fold.X_test[:8] = 1.0 - fold.X_test[:8]
    result = cross_validate([("model", DecisionTreeClassifier())], folds, target, "accuracy")
    assert result.metrics["log_loss"] > 5
    assert result.score == pytest.approx(result.value - TIE_BREAK)


def test_refuses_a_metric_that_is_no_number() -> None:
    y = np.arange(8, dtype=np.float64)
    target = Target("regression", (), y)
    one = np.where(y == 0, 0, 1)  # a fold of one case, which r2 says nothing of
    folds = prepare_folds(y[:, np.newaxis], y, one, preparation("regression", False))
    with pytest.raises(ValueError, match="r2 is nan on a fold"):
        cross_validate([("model", LinearRegression())], folds, target, "r2")


def test_no_fold_is_begun_after_the_deadline_but_the_first() -> None:
    target, _, folds = problem()
    late = time.monotonic() - 1.0
    result = cross_validate([("model", LogisticRegression())], folds, target, "roc_auc", late)
    assert result.n_folds == 1


@pytest.mark.parametrize(("classes", "metric"), [(2, "roc_auc"), (3, "neg_log_loss")])
def test_the_number_of_classes_decides_the_default_metric(classes: int, metric: str) -> None:
    assert default_metric(problem(classes)[0]) == metric
