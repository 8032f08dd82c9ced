"""Tests of how sure a score is where cases come in groups."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from tideline.pipeline import Prediction
from training import intervals
from training.evaluation import Scores, assess, measure
from training.intervals import Z_95, joined, known_area, known_share, newcombe, wilson
from training.jackknife import Jackknife, areas_without, means_without
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
    known = {}
    if n_classes:
        n_right = round(scores.metrics["accuracy"] * target.y.size)
        known["accuracy"] = known_share(n_right, target.y.size)
    if n_classes == 2:
        known["roc_auc"] = known_area(scores.metrics["roc_auc"], 30, 30)
    for name, score in scores.metrics.items():
        without = []
        for kept in (named != group for group in np.unique(named)):
            part = told[kept]
            one = Prediction((), target.classes, part) if n_classes else Prediction((), values=part)
            without.append(measure(target, target.y[kept], one)[name])
        by_group = Jackknife.of(score, np.array(without))
        assert by_group is not None
        if name in known:
            wanted = known[name].among(by_group.cases_of(known[name]))
        else:
            wanted = joined(name, alone.intervals[name], by_group.interval)
        assert scores.intervals[name] == pytest.approx(wanted)
    assert scores.metrics == alone.metrics
    assert scores.note is None


def test_of_two_groups_the_interval_is_that_of_students_t_with_one_degree() -> None:
    found = Jackknife.of(0.5, np.array([0.4, 0.6]))
    assert found is not None
    assert found.interval == pytest.approx((0.5 - 12.7062 * 0.1, 0.5 + 12.7062 * 0.1), abs=1e-4)


def test_groups_without_which_there_is_no_score_are_not_reckoned_with() -> None:
    without = np.array([0.4, 0.6])
    assert Jackknife.of(0.5, np.insert(without, 1, np.nan)) == Jackknife.of(0.5, without)
    assert Jackknife.of(0.5, np.array([0.4, np.nan])) is None


def covered(p: float, whole: bool, by_group: bool = True) -> float:
    """Return how often intervals hold the true score, where each group has a skill of its own.

    The seldomest of accuracy and area. With `whole`, a group is wholly right or wrong.
    """
    n_groups, size = 12, 10
    rng = np.random.default_rng(0)
    group_of = np.repeat(np.arange(n_groups), size)
    hits: dict[str, list[bool]] = {"accuracy": [], "roc_auc": []}
    for _ in range(45):
        of_groups = rng.random(n_groups) < p if whole else rng.beta(2 * p, 2 * (1 - p), n_groups)
        right = rng.random(group_of.size) < of_groups[group_of]
        y = rng.permutation(np.arange(group_of.size) % 2)
        # Of answers that are 0 or 1 the area is the mean accuracy of the classes: p too.
        answers = Prediction((), (0, 1), np.eye(2)[np.where(right, y, 1 - y)])
        target = Target("classification", (0, 1), y)
        scores = assess(target, y, answers, y, groups=group_of if by_group else None)
        for name, each in hits.items():
            low, high = scores.intervals[name]
            each.append(low <= p <= high)
    return min(float(np.mean(each)) for each in hits.values())


@pytest.mark.parametrize("whole", [False, True])
def test_groups_are_covered_about_as_often_as_it_says_and_without_them_far_too_seldom(
    whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The bootstraps of the other metrics take most of the time.
    monkeypatch.setattr(intervals, "RESAMPLES", 200)
    assert min(covered(p, whole) for p in (0.75, 0.9, 0.95)) > 0.88
    assert covered(0.75, whole, by_group=False) < 0.8


def told(right: np.ndarray, group_of: np.ndarray) -> Scores:
    """Return the scores of answers that are sure, with classes of one size."""
    y = np.arange(right.size) % 2
    answers = Prediction((), (0, 1), np.eye(2)[np.where(right, y, 1 - y)])
    return assess(Target("classification", (0, 1), y), y, answers, y, groups=group_of)


def test_groups_that_are_all_right_count_as_one_case_each() -> None:
    # It was that of 12 independent cases before, which 3 groups are not: were each of one piece,
    # such an interval would hold the true share far too seldom.
    scores = told(np.ones(12, dtype=bool), np.arange(12) // 4)
    assert scores.intervals["accuracy"] == wilson(3, 3)
    assert scores.intervals["roc_auc"] == newcombe(1.0, 1.5, 1.5)
    assert "no interval for log_loss" in str(scores.note)


def test_groups_of_one_piece_count_as_one_case_each_less_what_few_of_them_hide() -> None:
    # Of n groups of one piece the variance is p (1 - p) / (n - 1).
    scores = told(np.repeat(np.arange(20) < 18, 4), np.repeat(np.arange(20), 4))
    n = 19 * (Z_95 / 2.093) ** 2  # Student's t of 19 degrees
    assert scores.intervals["accuracy"] == pytest.approx(wilson(0.9 * n, n), abs=1e-4)


def test_groups_never_count_for_more_than_their_cases() -> None:
    # Nearly as many mistakes in each group, more evenly than by chance.
    right = np.arange(101) % 10 > 1
    scores = told(right, np.arange(101) // 10)
    assert scores.intervals["accuracy"] == wilson(int(right.sum()), 101)


def test_what_no_group_changes_is_told_to_take_the_cases_for_independent() -> None:
    y = np.arange(40) % 2
    later = np.where(y, 0.7, 0.3) + np.where(np.arange(40) % 4 < 2, 0.1, -0.1)
    target = Target("classification", (0, 1), y)
    answers = Prediction((), (0, 1), np.column_stack([1 - later, later]))
    alone = assess(target, y, answers, y)
    scores = assess(target, y, answers, y, groups=np.arange(40) // 4)
    assert scores.intervals["brier"] == alone.intervals["brier"]
    assert scores.note == (
        "the interval of log_loss and brier takes the cases for independent, and may be too "
        "narrow: it is the same without each of their groups"
    )


def test_rounding_is_no_variance() -> None:
    y = np.arange(50) % 2
    later = np.where(y, 0.9, 0.1)
    target = Target("classification", (0, 1), y)
    answers = Prediction((), (0, 1), np.column_stack([1 - later, later]))
    for groups_of in (None, np.arange(50) // 5, np.arange(50) * 7 // 50):
        scores = assess(target, y, answers, y, groups=groups_of)
        assert scores.intervals.keys() == {"accuracy", "roc_auc"}
        assert scores.note == (
            "no interval for log_loss and brier: it did not vary over resampled cases"
        )


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
