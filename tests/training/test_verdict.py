"""Tests of whether a model beats its baselines, and of how that is told."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Lasso

from tideline.labels import Task
from tideline.model import Metrics
from training.heldout import CONVOLUTIONS, WARPING, HeldOut
from training.task import Target
from training.verdict import MAJORITY, Unbeaten, unbeaten, warning_of

HALF = {"accuracy": 0.5, "roc_auc": 0.5, "log_loss": 0.7}
ERRORS = {"r2": 0.0, "mae": 1.0, "rmse": 1.2}


def names(
    ours: Metrics, baselines: dict[str, Metrics], metric: str, task: Task = "classification"
) -> tuple[str, ...]:
    majority = HALF if task == "classification" else ERRORS
    found = unbeaten(ours, {MAJORITY: majority, **baselines}, metric, task)
    return tuple(each.baseline for each in found)


@pytest.mark.parametrize(
    ("metric", "ours", "baselines", "lost"),
    [
        ("accuracy", {"accuracy": 0.6}, {}, ()),
        # To be as good as the majority is to know nothing; as good as another model is not.
        ("accuracy", {"accuracy": 0.5}, {"other": {"accuracy": 0.5}}, (MAJORITY,)),
        ("accuracy", {"accuracy": 0.4}, {"other": {"accuracy": 0.6}}, (MAJORITY, "other")),
        # Nor is it to be as good as a model of our own; but it is no gain over the neighbours ...
        ("accuracy", {"accuracy": 0.7}, {CONVOLUTIONS: {"accuracy": 0.7}}, ()),
        ("accuracy", {"accuracy": 0.7}, {WARPING: {"accuracy": 0.7}}, (WARPING,)),
        # ... where there could be one.
        ("accuracy", {"accuracy": 1.0}, {WARPING: {"accuracy": 1.0}}, ()),
        # The metric that was raised, where the baseline has it ...
        ("roc_auc", {"accuracy": 0.4, "roc_auc": 0.9}, {}, ()),
        ("neg_log_loss", {"accuracy": 0.9, "log_loss": 0.8}, {}, (MAJORITY,)),
        (
            "f1_macro",
            {"accuracy": 0.6, "f1_macro": 0.4},
            {WARPING: {"accuracy": 0.5, "f1_macro": 0.5}},
            (WARPING,),
        ),
        # ... else the accuracy.
        ("roc_auc", {"accuracy": 0.6, "roc_auc": 0.9}, {WARPING: {"accuracy": 0.7}}, (WARPING,)),
        ("f1_macro", {"accuracy": 0.6}, {}, ()),
        ("roc_auc", {"accuracy": 0.6}, {}, ()),
    ],
)
def test_baselines_that_a_classifier_does_not_beat_are_named(
    metric: str, ours: Metrics, baselines: dict[str, Metrics], lost: tuple[str, ...]
) -> None:
    assert names(ours, baselines, metric) == lost


@pytest.mark.parametrize(
    ("metric", "ours", "lost"),
    [
        ("r2", {"r2": 0.5, "mae": 2.0, "rmse": 2.0}, ()),
        ("neg_mean_absolute_error", {"r2": 0.5, "mae": 2.0, "rmse": 0.1}, (MAJORITY,)),
        ("neg_max_error", {"r2": 0.5, "mae": 2.0, "rmse": 0.1}, ()),
        ("r2", {"mae": 2.0, "rmse": 1.3}, (MAJORITY,)),
    ],
)
def test_of_errors_the_smaller_is_better(metric: str, ours: Metrics, lost: tuple[str, ...]) -> None:
    assert names(ours, {}, metric, "regression") == lost


@pytest.mark.parametrize(
    ("raised", "metric", "best", "good"),
    [
        ("neg_log_loss", "log_loss", 2e-16, 0.1),
        ("neg_mean_absolute_error", "mae", 0.0, 0.1),
        ("neg_mean_squared_error", "neg_mean_squared_error", -0.0, -0.1),
        ("matthews_corrcoef", "matthews_corrcoef", 1.0, 0.9),
        ("r2", "r2", 1.0, 0.9),
    ],
)
def test_a_tie_is_enough_where_nothing_can_be_better(
    raised: str, metric: str, best: float, good: float
) -> None:
    def lost(score: float) -> list[str]:
        both = {metric: score}
        found = unbeaten(both, {WARPING: both, CONVOLUTIONS: both}, raised, "classification")
        return [each.baseline for each in found]

    assert lost(best) == []
    assert lost(good) == [WARPING]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("metric", ["r2", "neg_mean_absolute_error", "neg_mean_squared_error"])
@pytest.mark.parametrize(("centre", "spread"), [(0.0, 1.0), (1e5, 1.0), (0.0, 1e-9)])
def test_to_answer_the_mean_is_not_to_beat_it(
    seed: int, metric: str, centre: float, spread: float
) -> None:
    y = np.random.default_rng(seed).normal(centre, spread, 40)
    # As a Lasso does that drops every feature.
    mean = Lasso(alpha=1e9).fit(np.zeros((30, 1)), y[:30]).predict(np.zeros((10, 1)))
    assert lost_by(mean[:, np.newaxis], Target("regression", (), y), metric) == [MAJORITY]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("metric", ["neg_log_loss", "neg_brier_score", "accuracy"])
def test_to_answer_the_shares_of_the_classes_is_not_to_beat_them(seed: int, metric: str) -> None:
    y = np.random.default_rng(seed).integers(0, 3, 40)
    shares = np.bincount(y[:30], minlength=3) / 30
    target = Target("classification", (0, 1, 2), y)
    assert lost_by(np.tile(shares, (10, 1)), target, metric) == [MAJORITY]


def lost_by(answers: np.ndarray, target: Target, metric: str) -> list[str]:
    """Return what is not beaten by answers for the last ten of forty cases."""
    fit_on, asked = np.arange(30), np.arange(30, 40)
    held_out = HeldOut("hold-out", ((fit_on, asked),), answers.astype(np.float32))
    scores = held_out.scores(target, 0, metric=metric)
    found = unbeaten(scores.metrics, {MAJORITY: scores.majority}, metric, target.task)
    return [each.baseline for each in found]


def test_small_errors_are_compared_by_their_size() -> None:
    # As of picofarads, in farads.
    majority = {"r2": 0.0, "mae": 4e-12, "rmse": 5e-12}
    for metric in ("neg_mean_absolute_error", "neg_root_mean_squared_error"):
        better, worse = ({name: k * of for name, of in majority.items()} for k in (0.5, 2.0))
        assert unbeaten(better, {MAJORITY: majority}, metric, "regression") == ()
        assert len(unbeaten(worse, {MAJORITY: majority}, metric, "regression")) == 1


def test_the_warning_names_baselines_metrics_and_scores() -> None:
    lost = [
        Unbeaten(MAJORITY, "balanced_accuracy", 0.5, 0.5),
        Unbeaten(WARPING, "accuracy", 0.6, 0.7),
        Unbeaten(CONVOLUTIONS, "balanced_accuracy", 0.5, 0.6),
    ]
    assert warning_of(lost, "classification") == (
        "WARNING: on cases that it has not seen, the model does not beat the majority class "
        "(0.5000) or random convolutions (0.6000) by its balanced accuracy of 0.5000, nor 1-NN DTW "
        "(0.7000) by its accuracy of 0.6000. It is published all the same; look at the data before "
        "you use it."
    )


def test_the_warning_turns_what_is_negated() -> None:
    lost = [Unbeaten(MAJORITY, "neg_mean_squared_error", -2.0, -1.0)]
    told = "does not beat the mean (1.0000) by its mean squared error of 2.0000. It is"
    assert told in warning_of(lost, "regression")
