"""Tests of scores, their intervals, and what they are compared with."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import log_loss, mean_absolute_error, r2_score, roc_auc_score

from tideline.pipeline import Prediction
from training.evaluation import assess, measure
from training.intervals import FEWEST_RESAMPLES, MOST_DRAWS, Z_95, bootstrap, newcombe, wilson
from training.task import Target

RNG = np.random.default_rng(0)


def two_classes(n: int = 80) -> tuple[Target, Prediction]:
    y = np.arange(n) % 2
    later = np.clip(y * 0.4 + RNG.uniform(0, 0.6, n), 0.01, 0.99)
    target = Target("classification", ("a", "b"), y)
    return target, Prediction((), ("a", "b"), np.column_stack([1 - later, later]))


def test_measures_two_classes_as_sklearn_does() -> None:
    target, answers = two_classes()
    found = measure(target, target.y, answers)
    probabilities = answers.probabilities
    assert probabilities is not None
    assert found["roc_auc"] == pytest.approx(roc_auc_score(target.y, probabilities[:, 1]))
    assert found["log_loss"] == pytest.approx(log_loss(target.y, probabilities))
    assert found["accuracy"] == (probabilities.argmax(axis=1) == target.y).mean()


def test_measures_many_classes_one_against_the_rest() -> None:
    y = np.arange(60) % 3
    probabilities = RNG.dirichlet([1, 1, 1], 60) + np.eye(3)[y]
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    target = Target("classification", (1, 2, 3), y)
    found = measure(target, y, Prediction((), (1, 2, 3), probabilities))
    expected = roc_auc_score(y, probabilities, multi_class="ovr", average="macro")
    assert found["roc_auc"] == pytest.approx(expected)


def test_leaves_out_what_is_not_defined() -> None:
    target, answers = two_classes()
    assert "roc_auc" not in measure(target, np.zeros(80, dtype=int), answers)


def test_log_loss_of_a_certain_mistake_is_finite() -> None:
    target = Target("classification", (0, 1), np.array([0, 1]))
    answers = Prediction((), (0, 1), np.array([[0.0, 1.0], [0.0, 1.0]]))
    assert math.isfinite(measure(target, target.y, answers)["log_loss"])


def test_measures_numbers_as_sklearn_does() -> None:
    y = RNG.normal(size=50)
    values = y + RNG.normal(size=50) * 0.3
    found = measure(Target("regression", (), y), y, Prediction((), values=values))
    assert found["r2"] == pytest.approx(r2_score(y, values))
    assert found["mae"] == pytest.approx(mean_absolute_error(y, values))
    assert found["rmse"] == pytest.approx(math.sqrt(np.mean((y - values) ** 2)))


def test_every_score_lies_in_its_interval_and_beside_a_baseline() -> None:
    target, answers = two_classes(200)
    scores = assess(target, target.y, answers, np.array([0, 0, 1]))
    assert scores.metrics.keys() == scores.intervals.keys() == scores.majority.keys()
    for name, value in scores.metrics.items():
        low, high = scores.intervals[name]
        assert low < value < high
    assert scores.majority["accuracy"] == 0.5
    assert scores.majority["roc_auc"] == 0.5


def test_regression_is_compared_with_the_mean_of_the_training_part() -> None:
    y = RNG.normal(size=60)
    target = Target("regression", (), y)
    scores = assess(target, y, Prediction((), values=y * 0.9), np.array([1.0, 3.0]))
    assert scores.majority["mae"] == pytest.approx(np.abs(y - 2.0).mean())
    low, high = scores.intervals["r2"]
    assert low <= scores.metrics["r2"] <= high


def test_an_interval_is_narrower_with_more_cases() -> None:
    widths = [np.ptp(wilson(n * 8 // 10, n)) for n in (10, 100, 1000)]
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize(
    ("successes", "trials", "expected"),
    [
        (0, 10, (0.0, 0.2775)),  # Newcombe (1998), table I, method 3
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (10, 10, (0.7225, 1.0)),
    ],
)
def test_wilson_agrees_with_published_intervals(
    successes: int, trials: int, expected: tuple[float, float]
) -> None:
    assert wilson(successes, trials) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("perfect", [0.0, 1.0])
@pytest.mark.parametrize("n", [1, 3, 10, 50])
def test_a_perfect_separation_is_no_certainty(n: int, perfect: float) -> None:
    low, high = newcombe(perfect, n, n)
    assert perfect in {low, high}
    assert high - low > 1 / (4 * n)


def test_an_area_is_the_same_seen_from_the_other_class() -> None:
    low, high = newcombe(0.8, 12, 30)
    assert newcombe(0.2, 30, 12) == pytest.approx((1 - high, 1 - low))
    assert low < 0.8 < high


def test_the_interval_of_an_area_covers_it_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    true = norm.cdf(1.5 / math.sqrt(2))
    scores = rng.normal(size=(400, 24)) + 1.5 * (np.arange(24) >= 12)
    areas = [roc_auc_score(np.arange(24) >= 12, row) for row in scores]
    covered = [low <= true <= high for low, high in (newcombe(a, 12, 12) for a in areas)]
    assert 0.92 < np.mean(covered) < 0.99


@pytest.mark.parametrize(("classes", "lacking"), [(2, "log_loss"), (3, "roc_auc and log_loss")])
def test_what_does_not_vary_has_no_interval_and_a_note(classes: int, lacking: str) -> None:
    y = np.arange(12) % classes
    target = Target("classification", tuple(range(classes)), y)
    scores = assess(target, y, Prediction((), target.classes, np.eye(classes)[y]), y)
    assert scores.metrics["roc_auc"] == 1.0
    assert "log_loss" not in scores.intervals
    assert f"no interval for {lacking}" in str(scores.note)
    if classes == 2:
        assert scores.intervals["roc_auc"][0] < 0.9


def test_the_bootstrap_covers_the_mean_about_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(60):
        sample = np.random.default_rng(seed).normal(size=80)
        strata = np.zeros(80, dtype=np.int64)
        low, high = bootstrap(lambda at, s=sample: s[at].mean(axis=1), strata, seed)
        covered += low <= 0.0 <= high
    assert covered >= 50


def test_the_bootstrap_keeps_the_size_of_each_class() -> None:
    strata = np.array([0] * 5 + [1] * 2)
    seen: list[int] = []

    def count(drawn: np.ndarray) -> np.ndarray:
        seen.extend((strata[drawn] == 1).sum(axis=1).tolist())
        return np.zeros(len(drawn))

    bootstrap(count, strata)
    assert set(seen) == {2}


def test_the_bootstrap_draws_in_parts_where_there_are_many_cases() -> None:
    values = np.random.default_rng(0).normal(size=200_000)
    sizes: list[int] = []

    def mean(drawn: np.ndarray) -> np.ndarray:
        sizes.append(drawn.size)
        return values[drawn].mean(axis=1)

    interval = bootstrap(mean, np.zeros(values.size, dtype=np.int64))
    assert interval is not None
    assert len(sizes) > 1
    assert max(sizes) <= MOST_DRAWS
    assert sum(sizes) >= FEWEST_RESAMPLES * values.size
    half = Z_95 / np.sqrt(values.size)
    assert interval == pytest.approx((values.mean() - half, values.mean() + half), abs=half / 4)
