"""Forests asked one case at a time.

scikit-learn walks each tree through joblib and checks the case anew for each: for 500 trees that
is fifty milliseconds, of which the trees themselves need two. Here the trees are asked directly,
with the same sums in the same order.
"""

from __future__ import annotations

import numpy as np
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
