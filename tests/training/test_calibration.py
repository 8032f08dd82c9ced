"""Tests of how sure probabilities may be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.training.small import target_of
from tideline.blend import sharpened
from training.calibration import RANGE, sharpness_of


def sure_of(y: np.ndarray, n_classes: int, doubt: float) -> np.ndarray:
    """Return answers that are right, and leave some doubt."""
    answers = np.full((y.size, n_classes), doubt / (n_classes - 1))
    answers[np.arange(y.size), y] = 1 - doubt
    return answers


@pytest.mark.parametrize("doubt", [0.0, 1e-10, 0.3])
@pytest.mark.parametrize(("n_cases", "n_classes"), [(20, 2), (60, 4), (2000, 3)])
def test_as_many_cases_are_right_as_can_be_spoken_for(
    n_cases: int, n_classes: int, doubt: float
) -> None:
    target = target_of(n_classes, n_cases)
    answers = sure_of(target.y, n_classes, doubt)
    found = sharpened(answers, sharpness_of(target, target.y, answers))
    told = found[np.arange(n_cases), target.y]
    wanted = 0.5 / (n_cases + 1)
    np.testing.assert_allclose(1 - told, wanted, rtol=0.15)


def unanimous_of(y: np.ndarray, n_sure: int) -> np.ndarray:
    """Return answers of two classes that are all right: some by 1, the others by .8."""
    answers = sure_of(y, 2, 0.2)
    answers[:n_sure] = sure_of(y, 2, 0.0)[:n_sure]
    return answers


@pytest.mark.parametrize("n_sure", [5, 20, 35])
def test_no_answer_becomes_certain_where_others_are_less_sure(n_sure: int) -> None:
    target = target_of(2, 40)
    answers = unanimous_of(target.y, n_sure)
    found = sharpened(answers, sharpness_of(target, target.y, answers))
    assert found.min() > 1e-10
    assert found[np.arange(40), target.y].min() > 0.7


def test_a_few_cases_more_that_are_sure_change_little() -> None:
    target = target_of(2, 40)
    powers = [
        sharpness_of(target, target.y, unanimous_of(target.y, n_sure)) for n_sure in range(10, 36)
    ]
    assert max(abs(np.diff(np.log(powers)))) < 0.2


@given(
    arrays(np.float64, (30, 3), elements=st.sampled_from([0.0, 0.01, 0.2, 0.5, 1.0])),
    st.sampled_from([None, 5]),
)
def test_no_other_power_has_less_log_loss(odds: np.ndarray, n_groups: int | None) -> None:
    target = target_of(3, 30)
    answers = (odds + 1e-9) / (odds + 1e-9).sum(axis=1, keepdims=True)
    groups = None if n_groups is None else np.arange(30) % n_groups
    doubt = 0.5 / ((n_groups or 30) + 1)
    wanted = sure_of(target.y, 3, doubt)

    def loss(power: float) -> float:
        return float(-(wanted * np.log(sharpened(answers, power))).sum())

    found = sharpness_of(target, target.y, answers, groups)
    others = np.geomspace(*RANGE, 200)
    assert loss(found) <= min(loss(power) for power in others) + 0.01


def test_cases_in_few_groups_speak_for_less() -> None:
    target = target_of(2, 40)
    answers = sure_of(target.y, 2, 0.01)
    groups = np.arange(40) % 5
    found = sharpened(answers, sharpness_of(target, target.y, answers, groups))
    np.testing.assert_allclose(1 - found.max(axis=1), 0.5 / 6, rtol=0.15)


def test_answers_that_know_nothing_are_hardly_surer_than_none() -> None:
    target = target_of(2, 40)
    rng = np.random.default_rng(0)
    answers = sure_of(rng.permutation(target.y), 2, 0.01)
    found = sharpened(answers, sharpness_of(target, target.y, answers))
    assert np.abs(found - 0.5).max() < 0.15
    np.testing.assert_array_equal(found.argmax(axis=1), answers.argmax(axis=1))


def test_a_mean_that_is_not_sure_enough_is_sharpened() -> None:
    target = target_of(3, 300)
    answers = sure_of(target.y, 3, 0.4)
    wrong = np.arange(0, 300, 30)
    answers[wrong] = np.roll(answers[wrong], 1, axis=1)
    sharpness = sharpness_of(target, target.y, answers)
    told = sharpened(answers, sharpness).max(axis=1)
    assert sharpness > 2
    # As often as they are right.
    np.testing.assert_allclose(told, 1 - wrong.size / 300, atol=0.01)


def test_values_are_as_they_are() -> None:
    target = target_of(0)
    assert sharpness_of(target, target.y, target.y[:, np.newaxis]) == 1.0
