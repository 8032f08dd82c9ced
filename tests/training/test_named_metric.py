"""Tests of the held-out score by a metric that the spec names."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from tests.training.small import target_of
from tideline.pipeline import Prediction
from tideline.spec.metrics import METRICS
from training import named_metric
from training.evaluation import Scores, assess
from training.intervals import wilson
from training.named_metric import NamedMetric
from training.scoring import OF_PROBABILITIES, OWN_METRICS
from training.task import Target


def named(metric: str, target: Target) -> NamedMetric:
    found = NamedMetric.of(metric, target)
    assert found is not None
    return found


def told(metric: str, target: Target, answers: np.ndarray, **more: object) -> Scores:
    """Return the named metric alone, of all cases."""
    width = max(target.n_classes, 1)
    even = np.full((target.y.size, width), 1 / width)
    return named(metric, target).beside(Scores({}, {}, {}), target.y, answers, even, **more)  # type: ignore[arg-type]


def answered(target: Target, noise: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(0)
    if not target.n_classes:
        return np.asarray(target.y + noise * rng.normal(size=target.y.size))[:, np.newaxis]
    raw = np.exp(np.eye(target.n_classes)[target.y] + noise * rng.normal(size=(target.y.size, 1)))
    raw = raw * np.exp(noise * rng.normal(size=raw.shape))
    return np.asarray(raw / raw.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("metric", [None, *OWN_METRICS])
def test_what_is_measured_in_any_case_is_no_other_metric(metric: str | None) -> None:
    assert NamedMetric.of(metric, target_of(2)) is None


@pytest.mark.parametrize("metric", METRICS["classification"])
def test_metrics_of_classes_ask_for_no_probabilities(metric: str) -> None:
    target = target_of(2, 60)
    answers = answered(target)
    metric_of = NamedMetric(metric, target)
    # Other probabilities of the same classes.
    squared = answers**2 / (answers**2).sum(axis=1, keepdims=True)
    certain = np.eye(2)[answers.argmax(axis=1)]
    known = metric_of.measure(target.y, answers)
    changed = [metric_of.measure(target.y, other) != known for other in (squared, certain)]
    assert any(changed) == (metric in OF_PROBABILITIES)


@pytest.mark.parametrize(
    ("metric", "n_classes"),
    [
        *((m, 2) for m in METRICS["classification"] if m not in OWN_METRICS),
        *((m, 0) for m in METRICS["regression"] if m not in OWN_METRICS),
    ],
)
def test_every_metric_lies_in_its_interval_beside_the_majority(metric: str, n_classes: int) -> None:
    target = target_of(n_classes, 80)
    scores = told(metric, target, answered(target, 0.7))
    low, high = scores.intervals[metric]
    assert low <= scores.metrics[metric] <= high
    assert math.isfinite(low + high)
    assert high > low
    assert scores.metrics[metric] > scores.majority[metric]


def test_an_undefined_metric_is_left_out() -> None:
    target = Target("classification", (0, 1), np.zeros(10, dtype=np.int64))
    scores = told("roc_auc_ovo", target, np.full((10, 2), 0.5))
    assert (scores.metrics, scores.intervals, scores.majority) == ({}, {}, {})


def test_the_interval_of_a_share_is_about_that_of_wilson() -> None:
    target = target_of(2, 400)
    right = np.random.default_rng(0).random(400) < 0.8
    answers = np.eye(2)[np.where(right, target.y, 1 - target.y)]
    # Of classes of one size it is the accuracy.
    interval = told("balanced_accuracy", target, answers).intervals["balanced_accuracy"]
    assert interval == pytest.approx(wilson(int(right.sum()), 400), abs=0.01)


def test_of_many_cases_some_are_resampled_for_an_interval_of_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = target_of(2, 8000)
    answers = answered(target)
    monkeypatch.setattr(named_metric, "MOST_CASES", 500)
    low, high = told("matthews_corrcoef", target, answers).intervals["matthews_corrcoef"]
    few = Target("classification", (0, 1), target.y[:500])
    of_few = told("matthews_corrcoef", few, answers[:500]).intervals["matthews_corrcoef"]
    assert np.ptp(of_few) / (high - low) == pytest.approx(4.0, rel=0.3)


def test_what_takes_too_long_has_no_interval_and_a_note() -> None:
    target = target_of(2, 80)
    scores = told("f1_macro", target, answered(target), seconds=1e-3)
    assert scores.metrics.keys() == {"f1_macro"}
    assert scores.intervals == {}
    assert scores.note == "no interval for f1_macro: there was no time for it"


@pytest.mark.parametrize("n_groups", [10, 500])
def test_groups_widen_the_interval(n_groups: int) -> None:
    rng = np.random.default_rng(1)
    target = target_of(2, 1000)
    group_of = np.arange(1000) // 2 % n_groups
    right = rng.random(1000) < rng.beta(0.7, 0.3, n_groups)[group_of]
    answers = np.eye(2)[np.where(right, target.y, 1 - target.y)]
    metric = "balanced_accuracy"
    alone, grouped = (told(metric, target, answers, groups=g) for g in (None, group_of))
    assert grouped.metrics == alone.metrics
    assert grouped.metrics[metric] == balanced_accuracy_score(target.y, answers.argmax(axis=1))
    # The accuracy of classes of one size is the same, and its groups are left out one by one.
    own = assess(target, target.y, Prediction((), (0, 1), answers), target.y, groups=group_of)
    widths = [np.ptp(each) for each in (grouped.intervals[metric], own.intervals["accuracy"])]
    assert widths[0] == pytest.approx(widths[1], rel=0.25)
    if n_groups == 10:
        assert widths[0] > 3 * np.ptp(alone.intervals[metric])


def test_rounding_is_no_interval() -> None:
    target = target_of(2, 60)
    answers = np.where(np.eye(2)[target.y] > 0, 0.9, 0.1)
    for group_of in (None, np.arange(60) // 6):
        scores = told("neg_brier_score", target, answers, groups=group_of)
        assert scores.intervals == {}
        assert "no interval for neg_brier_score" in str(scores.note)
    # Which errors in a small unit are not.
    foretold = Target("regression", (), 1e-12 * np.random.default_rng(0).normal(size=60))
    scores = told("neg_max_error", foretold, np.zeros((60, 1)))
    assert np.ptp(scores.intervals["neg_max_error"]) > 1e-13
