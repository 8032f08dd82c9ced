"""Answers: what a fitted model says of cases, asked the quickest way.

scikit-learn checks and routes anew at every call, which for one case takes longer than a small
model does. Steps are asked one by one here, and trees directly, see `tideline.forests`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import Pipeline as Steps

from tideline.features.imputation import RangeImputer
from tideline.forests import is_quick, tree_means
from tideline.panel import FloatArray


def last_of(steps: Steps) -> Any:  # noqa: ANN401 - scikit-learn has no types
    """Return the model that some steps end in."""
    return steps.steps[-1][1]


def transformed(steps: Steps, features: FloatArray) -> FloatArray:
    """Return what reaches the model at the end of fitted steps."""
    for _, step in steps.steps[:-1]:
        if step is not None and step != "passthrough":
            features = step.transform(features)
    return features


def values_of(model: Any, features: FloatArray) -> FloatArray:  # noqa: ANN401 - as above
    """Return the values that a fitted regressor predicts, float64 of shape (n_cases,)."""
    if is_quick(model, features):
        return tree_means(model, features).reshape(len(features))
    return np.asarray(model.predict(features), dtype=np.float64).reshape(len(features))


def probabilities_of(
    model: Any,  # noqa: ANN401 - as above
    features: FloatArray,
    n_classes: int,
) -> FloatArray:
    """Return the probabilities of a fitted classifier.

    Of a model without any, the decision function, drawn into 0 to 1 by the logistic function; or
    else 1 for the class that it predicts.

    Parameters
    ----------
    model
        Its classes are coded 0, 1, 2, ...; it may never have seen some, which then have none.
    features : array of shape (n_cases, n_features)
    n_classes

    Returns
    -------
    float64 array of shape (n_cases, n_classes)
    """
    if is_quick(model, features):
        found = tree_means(model, features)
    elif hasattr(model, "predict_proba"):
        found = np.asarray(model.predict_proba(features), dtype=np.float64)
    elif hasattr(model, "decision_function"):
        found = squashed(np.asarray(model.decision_function(features)))
    else:
        found = np.asarray(model.predict(features))[:, np.newaxis] == model.classes_
    probabilities = np.zeros((len(features), n_classes))
    probabilities[:, np.asarray(model.classes_, dtype=np.intp)] = found
    return probabilities


def squashed(decision: NDArray[Any]) -> FloatArray:
    """Return scores in 0 to 1 that sum to one a row and rank as the decision function does."""
    # tanh keeps large decisions from overflowing the exponential.
    logistic = 0.5 * (1.0 + np.tanh(0.5 * decision))
    if decision.ndim == 1:
        return np.column_stack([1.0 - logistic, logistic])
    floor = np.finfo(np.float64).tiny
    shares: FloatArray = (logistic + floor) / (logistic + floor).sum(axis=1, keepdims=True)
    return shares


def narrowed(steps: Steps, n_features: int) -> tuple[NDArray[np.intp], Steps]:
    """Return fitted steps without the selections that follow the imputer directly.

    Parameters
    ----------
    steps
        Where the first is no `RangeImputer`, nothing is left out.
    n_features
        How many columns they take.

    Returns
    -------
    intp array of shape (n_kept,), and the steps that take those columns
        Their answers are the same, but for rounding.
    """
    support = np.arange(n_features)
    listed = list(steps.steps)
    if not isinstance(listed[0][1], RangeImputer):
        return support, Steps(listed)
    kept = 1
    while kept < len(listed) and isinstance(listed[kept][1], SelectorMixin):
        support = support[listed[kept][1].get_support()]
        kept += 1
    imputer = (listed[0][0], listed[0][1].narrowed(support))
    return support, Steps([imputer, *listed[kept:]])
