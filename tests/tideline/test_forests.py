from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline as Steps

from tideline.blend import Blend
from tideline.errors import ModelRefused
from tideline.forests import FEW, FORESTS, is_quick, packed, tree_means
from tideline.store.trust import built

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 5)) * 1e3
Y = rng.integers(0, 3, 60)


@pytest.mark.parametrize("kind", FORESTS)
@pytest.mark.parametrize("arguments", [{}, {"max_depth": 2, "min_samples_leaf": 5}])
def test_says_exactly_what_the_forest_says(kind: type[BaseEstimator], arguments: dict) -> None:
    forest = kind(25, random_state=0, **arguments).fit(X, Y)
    own = forest.predict_proba if hasattr(forest, "predict_proba") else forest.predict

    for rows in (X, X[:1], X[::-1].copy(order="F")):
        means = tree_means(forest, rows)
        np.testing.assert_array_equal(means.reshape(np.shape(own(rows))), own(rows))


def test_a_forest_of_weighted_classes_says_the_same() -> None:
    forest = FORESTS[0](25, random_state=0, class_weight="balanced").fit(X, Y)

    np.testing.assert_array_equal(tree_means(forest, X), forest.predict_proba(X))


def test_is_for_a_few_rows_of_a_forest_only() -> None:
    forest = FORESTS[0](2, random_state=0).fit(X, Y)

    assert is_quick(forest, X)
    assert not is_quick(forest, np.zeros((FEW + 1, 5)))
    assert not is_quick(GradientBoostingClassifier(), X)


def test_refuses_another_number_of_features() -> None:
    forest = FORESTS[0](2, random_state=0).fit(X, Y)

    with pytest.raises(ValueError, match="4 features found, 5 expected"):
        tree_means(forest, X[:, :4])


@pytest.mark.parametrize("kind", [ExtraTreesClassifier, RandomForestClassifier])
def test_a_packed_forest_answers_as_the_forest_did(kind: type) -> None:
    forest = kind(30, random_state=0, max_depth=4).fit(X, Y)
    small = packed(forest)
    np.testing.assert_allclose(small.predict_proba(X), forest.predict_proba(X), atol=1e-12)
    np.testing.assert_array_equal(small.predict(X), forest.predict(X))
    assert small.kind == kind.__name__


def test_a_packed_forest_of_values_answers_as_the_forest_did() -> None:
    forest = ExtraTreesRegressor(20, random_state=0).fit(X, X[:, 0] * 3)
    again = built(skops.io.dumps(packed(forest)))
    np.testing.assert_allclose(again.predict(X), forest.predict(X), rtol=1e-12)


def test_a_packed_forest_refuses_what_it_was_not_trained_on() -> None:
    small = packed(ExtraTreesClassifier(5, random_state=0).fit(X, Y))
    with pytest.raises(ValueError, match=r"shape \(2, 3\).*expecting 5"):
        small.predict_proba(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="no number"):
        small.predict_proba(np.full((1, 5), np.nan))


LEAF, INNER = "a leaf", "an inner node"
DAMAGES: list[tuple[str, Any, Any, str]] = [
    ("children_", slice(None), 0, "not followed by later ones"),
    ("children_", INNER, 2**31 - 1, "not followed by later ones"),
    ("children_", INNER, -1, "not followed by later ones"),
    ("children_", LEAF, 2**30, "none of its answers"),
    ("children_", LEAF, -1, "none of its answers"),
    ("feature_", INNER, 5, "not among those"),
    ("feature_", INNER, -2, "not among those"),
    ("roots_", -1, 2**30, "none of its nodes"),
    ("roots_", 0, -1, "none of its nodes"),
    ("answers_", 0, np.nan, "one finite number each"),
]
OTHERS: dict[str, Any] = {
    "feature_": lambda a: a.astype(np.int64),
    "threshold_": lambda a: a[:-1],
    "children_": lambda a: a[:-1],
    "roots_": lambda a: a[:0],
    "answers_": lambda a: a[:, 0],
    "classes_": lambda a: a[:2],
    "n_features_in_": str,
}


def damaged(name: str, where: Any, value: Any) -> BaseEstimator:
    """Return a packed forest with some entries of an array replaced."""
    forest = packed(ExtraTreesClassifier(5, random_state=0).fit(X, Y))
    places = {LEAF: forest.feature_ < 0, INNER: forest.feature_ >= 0}
    at = np.flatnonzero(places[where])[0] if isinstance(where, str) else where
    getattr(forest, name)[at] = value
    return forest


@pytest.mark.parametrize(("name", "where", "value", "told"), DAMAGES)
def test_trees_that_cannot_be_followed_are_refused(
    name: str, where: Any, value: Any, told: str
) -> None:
    forest = damaged(name, where, value)
    blend = Blend([(slice(0, 5), Steps([("model", forest)]))], [1.0], 5)
    for model in (forest, Steps([("model", blend)])):
        with pytest.raises(ModelRefused, match=f"cannot be built.*{told}"):
            built(skops.io.dumps(model))
    # One that comes another way is refused before it is asked.
    with pytest.raises(ValueError, match=told):
        forest.predict_proba(X)


@pytest.mark.parametrize("name", OTHERS)
def test_arrays_of_another_form_are_refused(name: str) -> None:
    forest = packed(ExtraTreesClassifier(5, random_state=0).fit(X, Y))
    setattr(forest, name, OTHERS[name](getattr(forest, name)))
    with pytest.raises(ModelRefused, match="forest"):
        built(skops.io.dumps(forest))


def test_a_forest_is_looked_at_again_where_it_gets_another_state() -> None:
    forest = packed(ExtraTreesClassifier(5, random_state=0).fit(X, Y))
    again = pickle.loads(pickle.dumps(forest))
    np.testing.assert_array_equal(again.predict_proba(X), forest.predict_proba(X))
    with pytest.raises(ValueError, match="not followed by later ones"):
        again.__setstate__(vars(damaged("children_", slice(None), 0)))


def test_another_model_is_not_packed() -> None:
    model = LogisticRegression()
    assert packed(model) is model
