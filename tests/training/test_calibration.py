"""Tests of how sure probabilities may be."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.small import target_of
from tideline.blend import sharpened
from training.calibration import sharpness_of


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
