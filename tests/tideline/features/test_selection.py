from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kruskal, spearmanr
from sklearn.base import clone

from tideline.features.selection import RelevanceSelection


def noisy(n: int = 60, noise: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return a matrix whose first three columns depend on the classes, and the classes."""
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 3
    told = y[:, np.newaxis] + rng.normal(size=(n, 3)) * 0.3
    return np.hstack([told, rng.normal(size=(n, noise)).round(1)]), y


def test_tests_classes_as_scipys_kruskal_does() -> None:
    X, y = noisy()
    expected = [kruskal(*(column[y == k] for k in range(3))) for column in X.T]

    fitted = RelevanceSelection().fit(X, y)

    np.testing.assert_allclose(fitted.statistics_, [e.statistic for e in expected])
    np.testing.assert_allclose(fitted.p_values_, [e.pvalue for e in expected])


def test_tests_numbers_as_scipys_spearman_does() -> None:
    X, y = noisy()
    target = y + X[:, 5]
    expected = [spearmanr(column, target) for column in X.T]

    fitted = RelevanceSelection(task="regression").fit(X, target)

    np.testing.assert_allclose(fitted.statistics_, np.abs([e.statistic for e in expected]))
    np.testing.assert_allclose(fitted.p_values_, [e.pvalue for e in expected])


def test_keeps_what_depends_on_the_classes() -> None:
    X, y = noisy()

    support = RelevanceSelection(min_features=1).fit(X, y).get_support()

    assert support[:3].all()
    assert support.sum() < 6


def test_never_keeps_fewer_than_asked_for() -> None:
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(12, 30)), np.arange(12) % 2

    assert RelevanceSelection(min_features=10).fit(X, y).get_support().sum() == 10
    assert RelevanceSelection().fit(X, y).get_support().sum() == 30


def test_keeps_the_strongest_of_those_that_no_p_value_tells_apart() -> None:
    y = np.arange(4000) % 2
    rng = np.random.default_rng(0)
    X = y[:, np.newaxis] + rng.normal(size=(4000, 3)) * np.array([0.5, 0.01, 0.4])

    fitted = RelevanceSelection(fdr_level=-1.0, min_features=1).fit(X, y)

    assert fitted.get_support().tolist() == [False, True, False]


def test_constant_features_go() -> None:
    X, y = noisy()
    X[:, 4] = 7.0

    fitted = RelevanceSelection().fit(X, y)

    assert not fitted.get_support()[4]
    assert fitted.p_values_[4] == 1.0


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_one_column_stays_when_all_are_constant(task: str) -> None:
    fitted = RelevanceSelection(task=task).fit(np.ones((6, 4)), np.arange(6.0) % 2)

    assert fitted.transform(np.ones((2, 4))).shape == (2, 1)


@pytest.mark.parametrize("y", [np.zeros(6), np.array([0, 0, 0, 0, 0, 1])])
def test_takes_one_class_and_a_class_of_one(y: np.ndarray) -> None:
    X = np.random.default_rng(0).normal(size=(6, 4))

    assert RelevanceSelection().fit(X, y).get_support().all()


@pytest.mark.parametrize("n", [2, 3])
def test_takes_a_handful_of_numbers(n: int) -> None:
    X = np.random.default_rng(0).normal(size=(n, 4))

    assert RelevanceSelection(task="regression").fit(X, np.arange(float(n))).get_support().all()


def test_is_the_same_for_the_same_data_and_can_be_cloned() -> None:
    X, y = noisy()
    selection = RelevanceSelection(fdr_level=0.01, min_features=7)

    np.testing.assert_array_equal(
        selection.fit(X, y).get_support(), clone(selection).fit(X, y).get_support()
    )
    assert clone(selection).get_params() == selection.get_params()
