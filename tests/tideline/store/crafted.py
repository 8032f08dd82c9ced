"""Published files whose state leads out of its arrays, as nobody's training makes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import skops.io
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 5))
Y = np.arange(60) % 3
FAR = 10**9
Craft = Callable[[], bytes]


def _remade(old: Any, change: Callable[[Any], None]) -> Any:
    """Return an object of compiled code with another state."""
    _, arguments, state = old.__reduce__()
    keys = state if isinstance(state, dict) else range(len(state))
    changed = {k: np.array(v) if isinstance(v := state[k], np.ndarray) else v for k in keys}
    change(changed)
    made = type(old)(*arguments) if isinstance(state, dict) else type(old).__new__(type(old))
    made.__setstate__(changed if isinstance(state, dict) else tuple(changed.values()))
    return made


def tree(field: str, value: int) -> Craft:
    def craft() -> bytes:
        model = DecisionTreeClassifier(random_state=0).fit(X, Y)

        def change(state: Any) -> None:
            state["nodes"][field][0] = value

        model.tree_ = _remade(model.tree_, change)
        return skops.io.dumps(model)

    return craft


def narrow_tree() -> bytes:
    """A forest that checks the width of its first tree only."""
    forest = ExtraTreesClassifier(3, random_state=0).fit(X, Y)
    forest.estimators_[1] = DecisionTreeClassifier().fit(rng.normal(size=(60, 50)), Y)
    return skops.io.dumps(forest)


def stages() -> bytes:
    """Boosted trees that write beside the three columns there are."""
    model = GradientBoostingClassifier(n_estimators=2).fit(X, Y)
    model.estimators_ = np.repeat(model.estimators_, 50, axis=1)
    return skops.io.dumps(model)


def histogram(field: str, value: int) -> Craft:
    def craft() -> bytes:
        model = HistGradientBoostingClassifier(max_iter=2, min_samples_leaf=3).fit(X, Y)
        model._predictors[0][0].nodes[field][0] = value
        return skops.io.dumps(model)

    return craft


def neighbours(algorithm: str, place: int, change: Callable[[Any], Any]) -> Craft:
    def craft() -> bytes:
        model = KNeighborsClassifier(algorithm=algorithm, leaf_size=5).fit(X, Y)

        def replace(state: Any) -> None:
            state[place] = change(state[place])

        model._tree = _remade(model._tree, replace)
        return skops.io.dumps(model)

    return craft


def _all_of(field: str, value: int) -> Callable[[Any], Any]:
    def change(nodes: Any) -> Any:
        nodes[field] = value
        return nodes

    return change


def attribute(model: BaseEstimator, name: str, value: Any) -> Craft:
    def craft() -> bytes:
        fitted = model.fit(X, Y)
        vars(fitted)[name] = value
        return skops.io.dumps(fitted)

    return craft


COUNTS = np.array([10**8, 60 - 10**8, 0], dtype=np.int32)
CRAFTED: Mapping[str, tuple[Craft, str]] = {
    "a child outside": (tree("left_child", FAR), "not followed by later ones"),
    "a child before": (tree("right_child", -FAR), "not followed by later ones"),
    "a circle": (tree("left_child", 0), "not followed by later ones"),
    "a feature outside": (tree("feature", FAR), "none of its 5"),
    "a tree of other features": (narrow_tree, "takes 50 features"),
    "columns beside": (stages, "do not fit a first guess"),
    "a hidden check": (
        attribute(DecisionTreeClassifier(), "_validate_X_predict", 1),
        "is a method",
    ),
    "no features": (attribute(DecisionTreeClassifier(), "n_features_in_", None), "n_features_in_"),
    "a histogram's child": (histogram("left", 4 * FAR), "not followed by later ones"),
    "a histogram's feature": (histogram("feature_idx", FAR), "none of the 5"),
    "a histogram's category": (histogram("is_categorical", 1), "by categories"),
    "other neighbours": (neighbours("kd_tree", 1, lambda a: a + FAR), "names others"),
    "no last neighbourhood": (neighbours("ball_tree", 2, _all_of("is_leaf", 0)), "halves"),
    "a wide neighbourhood": (neighbours("kd_tree", 2, _all_of("idx_end", FAR)), "halves"),
    "bounds of none": (neighbours("kd_tree", 3, lambda a: a[:, :1].copy()), "differ in length"),
    "no distance": (neighbours("ball_tree", 11, lambda _: None), "no distance"),
    "answers of few": (attribute(KNeighborsClassifier(), "_y", Y[:3]), "3 answers found"),
    "vectors of others": (attribute(SVC(), "_n_support", COUNTS), "support vectors found"),
    "many classes": (
        attribute(SVC(), "_n_support", np.zeros(500, dtype=np.int32)),
        "is expected",
    ),
    "a kernel of cases": (attribute(SVC(), "kernel", "precomputed"), "precomputed"),
}
