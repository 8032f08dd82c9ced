"""Tests of how sure a score is where cases come in groups."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from tideline.pipeline import Prediction
from training.evaluation import Scores, assess, measure
from training.intervals import joined, newcombe, wilson
from training.jackknife import areas_without, jackknife, means_without
from training.task import Target


def made_up(n_classes: int, n: int = 60) -> tuple[Target, Prediction]:
    """Return labels and answers that are right the more often in the later groups."""
    rng = np.random.default_rng(n_classes)
    if not n_classes:
        y = rng.normal(size=n)
        return Target("regression", (), y), Prediction((), values=y + rng.normal(size=n))
    y = np.arange(n) % n_classes
    skill = np.linspace(0, 2, n)[:, np.newaxis]
    raw = np.exp(rng.normal(size=(n, n_classes)) + skill * np.eye(n_classes)[y])
    target = Target("classification", tuple(range(n_classes)), y)
    return target, Prediction((), target.classes, raw / raw.sum(axis=1, keepdims=True))


def groups(n: int = 60) -> np.ndarray:
    """Return nine groups of unequal size, whose names are no numbers from 0 on."""
    return 7 * np.minimum(np.arange(n) * 11 // n, 8) - 3


@st.composite
def ranked_groups(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = draw(st.integers(2, 14))
    each = (st.booleans(), st.integers(0, 3), st.integers(0, 3))  # few values: many ties
    positive, scores, names = (draw(st.lists(s, min_size=n, max_size=n)) for s in each)
    return np.array(positive), np.array(scores, float), np.unique(names, return_inverse=True)[1]


@settings(max_examples=60, deadline=None)
@given(ranked_groups())
def test_an_area_without_a_group_is_that_of_the_other_cases(
    made: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    positive, scores, group_of = made
    for group, found in enumerate(areas_without(positive, scores, group_of)):
        kept = group_of != group
        if np.unique(positive[kept]).size < 2:
            assert np.isnan(found)
        else:
            assert found == pytest.approx(roc_auc_score(positive[kept], scores[kept]))


def test_a_mean_without_a_group_is_that_of_the_other_cases() -> None:
    found = means_without(np.array([1.0, 2.0, 4.0, 9.0]), np.array([0, 1, 0, 2]))
    assert found.tolist() == [5.5, 14 / 3, 7 / 3]
    assert np.isnan(means_without(np.ones(3), np.zeros(3, dtype=np.int64))).all()


@pytest.mark.parametrize("n_classes", [0, 2, 3])
def test_every_interval_is_that_of_the_scores_without_each_group(n_classes: int) -> None:
    target, answers = made_up(n_classes)
    named = groups()
    alone = assess(target, target.y, answers, target.y)
    scores = assess(target, target.y, answers, target.y, groups=named)
    told = answers.probabilities if n_classes else answers.values
    assert told is not None
    for name, score in scores.metrics.items():
        without = []
        for kept in (named != group for group in np.unique(named)):
            part = told[kept]
            one = Prediction((), target.classes, part) if n_classes else Prediction((), values=part)
            without.append(measure(target, target.y[kept], one)[name])
        by_group = jackknife(score, np.array(without))
        assert by_group is not None
        wanted = joined(name, alone.intervals[name], by_group)
        assert scores.intervals[name] == pytest.approx(wanted)
    assert scores.metrics == alone.metrics
    assert scores.note is None


def test_of_two_groups_the_interval_is_that_of_students_t_with_one_degree() -> None:
    interval = jackknife(0.5, np.array([0.4, 0.6]))
    assert interval == pytest.approx((0.5 - 12.7062 * 0.1, 0.5 + 12.7062 * 0.1), abs=1e-4)


def test_groups_without_which_there_is_no_score_are_not_reckoned_with() -> None:
    assert jackknife(0.5, np.array([0.4, np.nan, 0.6])) == jackknife(0.5, np.array([0.4, 0.6]))


def covered(by_group: bool, n_groups: int = 12, size: int = 10) -> dict[str, float]:
    """Return how often intervals hold the true score, where each group has a skill of its own."""
    rng = np.random.default_rng(0)
    hits: dict[str, list[bool]] = {"accuracy": [], "roc_auc": []}
    group_of = np.repeat(np.arange(n_groups), size)
    for _ in range(150):
        skill = rng.beta(1.5, 0.5, n_groups)[group_of]  # 0.75 in the mean
        right = (rng.random(group_of.size) < skill).astype(float)
        later = rng.permutation(np.arange(group_of.size) % 2).astype(bool)
        scores = np.where(right, later, ~later).astype(float)
        n = int(right.sum())
        # Of answers that are 0 or 1 the area is the mean accuracy of the classes: 0.75 too.
        area = float(roc_auc_score(later, scores))
        found = {
            "accuracy": (wilson(n, right.size), n / right.size, means_without(right, group_of)),
            "roc_auc": (newcombe(area, 60, 60), area, areas_without(later, scores, group_of)),
        }
        for name, (interval, score, without) in found.items():
            wider = jackknife(score, without) if by_group else None
            low, high = joined(name, interval, wider or interval)
            hits[name].append(low <= 0.75 <= high)
    return {name: float(np.mean(each)) for name, each in hits.items()}


def test_groups_are_covered_about_as_often_as_it_says_and_without_them_far_too_seldom() -> None:
    assert min(covered(by_group=True).values()) > 0.88
    assert max(covered(by_group=False).values()) < 0.8


def test_a_perfect_score_keeps_the_width_that_it_has_for_independent_cases() -> None:
    y = np.arange(12) % 2
    target, perfect = Target("classification", (0, 1), y), Prediction((), (0, 1), np.eye(2)[y])
    scores = assess(target, y, perfect, y, groups=np.arange(12) // 4)
    assert scores.intervals["accuracy"] == wilson(12, 12)
    assert "no interval for log_loss" in str(scores.note)


@pytest.mark.parametrize(
    ("group_of", "lacking"),
    [
        # Without the one group there is no case; or of one class only.
        (np.zeros(12, dtype=np.int64), "accuracy and roc_auc and log_loss and brier"),
        (np.arange(12) % 2, "roc_auc"),
    ],
)
def test_too_few_groups_leave_the_interval_and_are_told(group_of: np.ndarray, lacking: str) -> None:
    target, answers = made_up(2, 12)
    alone = assess(target, target.y, answers, target.y)
    scores = assess(target, target.y, answers, target.y, groups=group_of)
    assert scores.intervals["roc_auc"] == alone.intervals["roc_auc"]
    assert f"the interval of {lacking} takes the cases for independent" in str(scores.note)


def test_values_that_are_one_without_a_group_have_no_share_explained() -> None:
    y = np.array([1.1] * 4 + [2.0, 3.0, 5.0])
    target, answers = Target("regression", (), y), Prediction((), values=y + 0.1)
    scores = assess(target, y, answers, y, groups=np.array([0, 0, 1, 1, 2, 2, 2]))
    assert np.isfinite(scores.intervals["r2"]).all()
    assert scores.intervals["r2"][1] <= 1.0


def test_thousands_of_groups_take_little_time() -> None:
    n, n_classes = 10_000, 10
    rng = np.random.default_rng(0)
    y = np.arange(n) % n_classes
    answers = Prediction((), tuple(range(n_classes)), rng.dirichlet(np.ones(n_classes), n))
    target = Target("classification", answers.classes, y)
    scores = Scores(measure(target, y, answers), {}, {})
    began = time.monotonic()
    without = areas_without(y == 0, rng.normal(size=n), rng.permutation(n) % 4000)
    assert scores.over_groups({"roc_auc": without}).intervals.keys() == {"roc_auc"}
    assert time.monotonic() - began < 1.0
