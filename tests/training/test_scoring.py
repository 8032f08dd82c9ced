"""Tests of the one number that a search raises."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    get_scorer,
    log_loss,
    roc_auc_score,
)

from tests.training.small import target_of
from tideline.spec.metrics import METRICS
from training.scoring import TIE_BREAK, default_metric, ranked, score_of
from training.task import Target

BINARY_ONLY = {"f1", "precision", "recall"}


class Known:
    """An estimator as scikit-learn's scorers ask it: its features are what it answers."""

    def __init__(self, n_classes: int) -> None:
        self._estimator_type = "classifier" if n_classes else "regressor"
        self.classes_ = np.arange(n_classes)

    def __sklearn_tags__(self) -> Any:
        from sklearn.dummy import DummyClassifier, DummyRegressor  # noqa: PLC0415 - for the tags

        kind = DummyClassifier if self._estimator_type == "classifier" else DummyRegressor
        return kind().__sklearn_tags__()

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return X

    def predict(self, X: np.ndarray) -> np.ndarray:
        return X.argmax(axis=1) if self.classes_.size else X[:, 0]


def expected(metric: str, n_classes: int, y: np.ndarray, answers: np.ndarray) -> float | None:
    """Return scikit-learn's own, or None where it has none that is a number."""
    if metric == "roc_auc" and n_classes > 2:
        metric = "roc_auc_ovr"
    if metric == "r2" and np.ptp(y) == 0:
        return None  # scikit-learn says 0 or 1 where there is nothing to explain
    if metric == "neg_log_loss":
        return -float(log_loss(y, answers, labels=np.arange(n_classes)))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = float(get_scorer(metric)(Known(n_classes), answers, y))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


@st.composite
def answered(draw: st.DrawFn, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    n = draw(st.integers(2, 12))
    cells = st.integers(0, 4)  # few values: many ties
    if not n_classes:
        numbers = st.lists(st.integers(-3, 3), min_size=n, max_size=n)
        return np.array(draw(numbers), float), np.array(draw(numbers), float)[:, np.newaxis]
    y = np.array(draw(st.lists(st.integers(0, n_classes - 1), min_size=n, max_size=n)))
    rows = st.lists(cells, min_size=n_classes, max_size=n_classes)
    raw = np.array(draw(st.lists(rows, min_size=n, max_size=n)), float)
    raw[:, 0] += raw.sum(axis=1) == 0
    return y, raw / raw.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("metric", "n_classes"),
    [
        *(
            (m, n)
            for m in METRICS["classification"]
            for n in (2, 3)
            if n == 2 or m not in BINARY_ONLY
        ),
        *((m, 0) for m in METRICS["regression"]),
    ],
)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_every_metric_is_scikit_learns_own(metric: str, n_classes: int, data: Any) -> None:
    y, answers = data.draw(answered(n_classes))
    wanted = expected(metric, n_classes, y, answers)
    target = target_of(n_classes)
    if wanted is None:
        with pytest.raises(ValueError, match=r"."):
            ranked(metric, target, y, answers)
        return
    value, rank = ranked(metric, target, y, answers)
    assert value == pytest.approx(wanted, abs=1e-9)
    assert value - TIE_BREAK <= rank <= value


def test_areas_are_those_of_the_answers_as_they_are_however_small() -> None:
    target, y = target_of(2), np.array([0, 1, 0, 1])
    small = np.array([2e-30, 1e-30, 3e-30, 4e-30])
    value, _ = ranked("roc_auc", target, y, np.column_stack([1.0 - small, small]))
    assert value == roc_auc_score(y, small) == 0.5


def test_answers_that_are_equal_tie_though_they_were_rounded() -> None:
    y = np.array([0, 1, 2, 0])
    answers = np.array([[0.3, 0.6, 0.1], [0.3, 0.2, 0.5], [0.3, 0.1, 0.6], [0.3, 0.3, 0.4]])
    value, _ = ranked("roc_auc", target_of(3), y, answers.astype(np.float32))
    wanted = np.mean([roc_auc_score(y == c, answers[:, c]) for c in range(3)])
    assert value == pytest.approx(wanted, abs=1e-12)


def test_of_two_that_are_as_good_the_surer_ranks_higher() -> None:
    target, y = target_of(2), np.arange(10) % 2
    sure, unsure = (np.eye(2)[y] * share + (1 - share) / 2 for share in (0.9, 0.1))
    (value, rank), (value_of_unsure, rank_of_unsure) = (
        ranked("roc_auc", target, y, answers) for answers in (sure, unsure)
    )
    assert value == value_of_unsure == 1.0
    assert rank > rank_of_unsure


def test_a_log_loss_without_bounds_decides_no_more_than_a_tie() -> None:
    target, y = target_of(2, 200), np.arange(200) % 2
    answers = np.eye(2)[np.where(np.arange(200) < 8, 1 - y, y)]
    value, rank = ranked("accuracy", target, y, answers)
    assert value == 0.96
    assert rank == pytest.approx(value - TIE_BREAK)


def test_regression_has_no_tie_break() -> None:
    target, y = target_of(0), np.arange(5.0)
    value, rank = ranked("r2", target, y, y[:, np.newaxis] + 0.1)
    assert value == rank < 1.0


@pytest.mark.parametrize(
    ("metric", "n_classes", "y"),
    [
        ("roc_auc", 2, np.zeros(4, int)),
        ("roc_auc", 3, np.array([0, 1, 0, 1])),
        ("r2", 0, np.ones(4)),
    ],
)
def test_refuses_what_is_no_number(metric: str, n_classes: int, y: np.ndarray) -> None:
    answers = np.full((4, max(n_classes, 1)), 0.5)
    with pytest.raises(ValueError, match=f"its {metric} is nan; a finite number is needed"):
        score_of(metric, target_of(n_classes), y, answers)


def test_a_score_tells_every_metric_that_is_defined() -> None:
    y = np.array([0, 1, 0, 1])
    answers = np.eye(3)[y] * 0.8 + 0.2 / 3
    score = score_of("accuracy", target_of(3), y, answers.astype(np.float32))
    assert score.value == score.metrics["accuracy"] == 1.0
    assert set(score.metrics) == {"accuracy", "log_loss", "brier"}


@pytest.mark.parametrize(("n_classes", "metric"), [(0, "r2"), (2, "roc_auc"), (3, "neg_log_loss")])
def test_the_task_decides_the_default_metric(n_classes: int, metric: str) -> None:
    target: Target = target_of(n_classes)
    assert default_metric(target) == metric
    assert default_metric(target, [np.arange(10), np.arange(10, 30)]) == metric


def test_without_both_classes_in_every_comparison_there_is_no_area_to_raise() -> None:
    target = Target("classification", (0, 1), np.repeat([0, 1], 15))
    metric = default_metric(target, [np.arange(30), np.arange(20, 30)])
    answers = np.full((10, 2), 0.5)
    assert score_of(metric, target, target.y[20:], answers).value == pytest.approx(np.log(0.5))
