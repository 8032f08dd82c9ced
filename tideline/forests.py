"""Forests asked one case at a time, and forests as they are published.

scikit-learn walks each tree through joblib and checks the case anew for each: for 500 trees that
is fifty milliseconds, of which the trees themselves need two. Here the trees are asked directly,
with the same sums in the same order. A published forest is a few arrays, for all its trees
together: an object a tree takes seconds to write and to read.
"""

from __future__ import annotations

from typing import Any, Self
from weakref import WeakSet

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

from tideline.panel import FloatArray

FORESTS = (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
LARGEST = float(np.finfo(np.float32).max)
FEW = 256
"""Up to this many rows the overhead outweighs what several threads could save."""


def is_quick(model: object, features: FloatArray) -> bool:
    """Tell whether `tree_means` answers for a model, and sooner than the model itself."""
    return type(model) in FORESTS and len(features) <= FEW


def tree_means(forest: RandomForestClassifier, features: FloatArray) -> FloatArray:
    """Return what the trees of a forest say on average.

    Parameters
    ----------
    forest
        Fitted, with one output.
    features : float64 array of shape (n_cases, n_features)
        Finite in float32.

    Returns
    -------
    float64 array of shape (n_cases, n_classes), or (n_cases, 1) for regression
        Equal to `predict_proba`, or `predict`, of the forest with `n_jobs=1`.
    """
    if features.shape[1] != forest.n_features_in_:
        raise ValueError(f"{features.shape[1]} features found, {forest.n_features_in_} expected")
    rows = np.ascontiguousarray(features, dtype=np.float32)
    total: FloatArray = forest.estimators_[0].tree_.predict(rows)
    for tree in forest.estimators_[1:]:
        total += tree.tree_.predict(rows)
    total /= len(forest.estimators_)
    return total


class _PackedForest(BaseEstimator):  # type: ignore[misc]  # sklearn has no types
    """The trees of a fitted forest, as arrays; it cannot be fitted again.

    Attributes
    ----------
    kind
        The class of the forest that it was.
    n_features_in_ : int
    feature_, threshold_, children_, roots_, answers_
        As `tideline.features.kernels.trees` takes them.

    Raises
    ------
    ValueError
        When it is built of a state, as a published one is, or asked: where the arrays are no
        trees. The kernel follows them unchecked.
    """

    @classmethod
    def of(cls, forest: Any) -> Self:  # noqa: ANN401 - sklearn has no types
        """Pack a fitted forest of one output."""
        packed = cls()
        trees = [tree.tree_ for tree in forest.estimators_]
        sizes = np.array([tree.node_count for tree in trees])
        first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        left = np.concatenate([t.children_left + at for t, at in zip(trees, first, strict=True)])
        right = np.concatenate([t.children_right + at for t, at in zip(trees, first, strict=True)])
        feature = np.concatenate([tree.feature for tree in trees])
        leaves = np.concatenate([tree.children_left for tree in trees]) < 0
        values = np.concatenate([tree.value[:, 0, :] for tree in trees])[leaves]
        # Most leaves of a forest that is grown to its end are of one class, and answer the same.
        packed.answers_, rows = np.unique(values, axis=0, return_inverse=True)
        left[leaves] = rows.reshape(-1)
        packed.kind = type(forest).__name__
        packed.n_features_in_ = forest.n_features_in_
        packed.feature_ = np.where(leaves, -1, feature).astype(np.int32)
        packed.threshold_ = np.concatenate([tree.threshold for tree in trees])
        packed.children_ = np.stack([left, right], axis=1).astype(np.int32)
        packed.roots_ = first.astype(np.int32)
        return packed

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        _LOOKED_AT.discard(self)
        self._require_trees()

    def _require_trees(self) -> None:
        """Refuse arrays that lead out of themselves, or in a circle; looked at once."""
        if self not in _LOOKED_AT:
            _require_trees(self)
            _LOOKED_AT.add(self)

    def _means(self, X: ArrayLike) -> FloatArray:
        from tideline.features.kernels.trees import add_answers  # noqa: PLC0415 - imports numba

        self._require_trees()
        table = np.asarray(X)
        if table.ndim != 2 or table.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has shape {table.shape}, but {self.kind} is expecting {self.n_features_in_} "
                f"features as input, (n_cases, {self.n_features_in_})"
            )
        rows = np.ascontiguousarray(table, dtype=np.float32)
        if not np.isfinite(rows).all():
            raise ValueError(f"X holds what is no number, or none of those up to {LARGEST:.2g}")
        total = np.zeros((len(rows), self.answers_.shape[1]))
        add_answers(
            rows,
            self.feature_,
            self.threshold_,
            self.children_,
            self.roots_,
            self.answers_,
            total,
        )
        total /= self.roots_.size
        return total

    def __sklearn_is_fitted__(self) -> bool:
        return True


class PackedForestClassifier(ClassifierMixin, _PackedForest):  # type: ignore[misc]  # as above
    """A packed forest of classes.

    Attributes
    ----------
    classes_ : array of shape (n_classes,)
    """

    classes_: NDArray[Any]

    @classmethod
    def of(cls, forest: Any) -> Self:  # noqa: ANN401 - as above
        """Pack a fitted forest."""
        packed = super().of(forest)
        packed.classes_ = forest.classes_
        return packed

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        """Return the mean of what the trees say, float64 of shape (n_cases, n_classes)."""
        return self._means(X)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the most probable class, shape (n_cases,)."""
        answers: NDArray[Any] = self.classes_[self._means(X).argmax(axis=1)]
        return answers


class PackedForestRegressor(RegressorMixin, _PackedForest):  # type: ignore[misc]  # as above
    """A packed forest of values."""

    def predict(self, X: ArrayLike) -> FloatArray:
        """Return the mean of what the trees say, float64 of shape (n_cases,)."""
        return self._means(X)[:, 0]


_LOOKED_AT: WeakSet[_PackedForest] = WeakSet()
"""Kept beside the forests: what they say of themselves is not believed."""
_FORM = {
    "feature_": (np.int32, 1),
    "threshold_": (np.float64, 1),
    "children_": (np.int32, 2),
    "roots_": (np.int32, 1),
    "answers_": (np.float64, 2),
}


def _require_trees(forest: Any) -> None:  # noqa: ANN401 - as above
    """Raise ValueError unless every way through a packed forest ends at one of its answers."""
    _require_form(forest)
    feature, children, answers = forest.feature_, forest.children_, forest.answers_
    outputs = (1,) if isinstance(forest, PackedForestRegressor) else np.shape(forest.classes_)
    is_leaf = feature == -1
    inner, rows = children[~is_leaf], children[is_leaf, 0]
    own = np.flatnonzero(~is_leaf)[:, np.newaxis]
    sound = {
        "features are not among those it takes": _within(feature, -1, forest.n_features_in_),
        "roots are none of its nodes": forest.roots_.size > 0
        and _within(forest.roots_, 0, feature.size),
        # scikit-learn puts every node after the one above it: so no way is a circle.
        "nodes are not followed by later ones": bool((inner > own).all())
        and _within(inner, 0, feature.size),
        "leaves have none of its answers": _within(rows, 0, len(answers)),
        "answers are not one finite number each": answers.shape[1:] == outputs
        and bool(np.isfinite(answers).all()),
    }
    for what, is_so in sound.items():
        if not is_so:
            raise ValueError(f"the trees of a forest cannot be followed: its {what}")


def _require_form(forest: Any) -> None:  # noqa: ANN401 - as above
    for name, (dtype, n_axes) in _FORM.items():
        array = getattr(forest, name, None)
        if type(array) is not np.ndarray or array.dtype != dtype or array.ndim != n_axes:
            raise ValueError(f"{name} of a forest is no {np.dtype(dtype)} array of {n_axes} axes")
    n_nodes = forest.feature_.size
    if forest.threshold_.shape != (n_nodes,) or forest.children_.shape != (n_nodes, 2):
        raise ValueError(f"the arrays of a forest of {n_nodes} nodes differ in length")
    width = getattr(forest, "n_features_in_", None)
    if not isinstance(width, int) or width < 1:
        raise ValueError(f"a forest takes {width!r} features; a number above 0 is expected")


def _within(values: NDArray[np.int32], first: int, stop: int) -> bool:
    return bool(((values >= first) & (values < stop)).all())


def packed(model: Any) -> Any:  # noqa: ANN401 - as above
    """Return a forest packed, and any other model as it is."""
    if type(model) not in FORESTS:
        return model
    is_of_classes = hasattr(model, "classes_")
    return (PackedForestClassifier if is_of_classes else PackedForestRegressor).of(model)
