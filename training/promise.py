"""Which single features are worth a look: those that the models of a pipeline make most of.

A cheap first guess by what the models say of themselves, for there are tens of thousands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import OneToOneFeatureMixin
from sklearn.compose import TransformedTargetRegressor
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import Pipeline as Steps

from tideline.answers import last_of, transformed
from tideline.blend import Blend
from tideline.features.imputation import RangeImputer
from tideline.features.selection import RelevanceSelection
from tideline.pipeline import Pipeline
from tideline.ridge import CalibratedRidgeClassifier, WideRidgeRegressor
from training.task import Target

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Member:
    """One of the models that answer together, or the only one.

    Attributes
    ----------
    share
        Its part of the answer; all shares sum to one.
    columns : intp array of shape (n_own,)
        Of the plan.
    steps
        Fitted on those.
    """

    share: float
    columns: NDArray[np.intp]
    steps: Steps


def members_of(pipeline: Pipeline) -> list[Member]:
    """Return the models of a pipeline."""
    everything = np.arange(len(pipeline.plan.features))
    blend = last_of(pipeline.estimator)
    if not isinstance(blend, Blend) or len(pipeline.estimator.steps) > 1:
        return [Member(1.0, everything, pipeline.estimator)]
    shares = np.asarray(blend.weights, dtype=np.float64)
    return [
        Member(share, everything[columns], steps)
        for share, (columns, steps) in zip(shares / shares.sum(), blend.members, strict=True)
    ]


def promise(members: list[Member], X: NDArray[Any], target: Target) -> FloatArray:
    """Return how much the models make of each feature.

    A model says so by its `feature_importances_`, or its coefficients times the deviations. Of one
    that has neither, or that sees other columns than the features, nothing is known: for it stands
    how much each feature has to do with the labels.

    Parameters
    ----------
    X : array of shape (n_cases, n_features)
        The columns of the plan.
    target
        The labels of the cases.

    Returns
    -------
    float64 array of shape (n_features,)
        0 or more; sums to one, but for models that make nothing of any feature.
    """
    total = np.zeros(X.shape[1])
    for member in members:
        own = X[:, member.columns]
        found = _told(member.steps, own)
        if found is None:
            found = _relevance(own, target)
        found = np.nan_to_num(found, posinf=0.0)
        if found.any():
            total[member.columns] += member.share * found / found.sum()
    return total


def _told(steps: Steps, X: NDArray[Any]) -> FloatArray | None:
    """Return what the last step says of each column before the first; None where it cannot."""
    reached = np.arange(X.shape[1])
    for _, step in steps.steps[:-1]:
        if isinstance(step, SelectorMixin):
            reached = reached[step.get_support()]
        elif not isinstance(step, OneToOneFeatureMixin):
            return None
    of_reached = _by_model(last_of(steps), transformed(steps, X))
    if of_reached is None or of_reached.shape != reached.shape:
        return None
    found = np.zeros(X.shape[1])
    found[reached] = of_reached
    return found


def _by_model(model: Any, X: NDArray[Any]) -> FloatArray | None:  # noqa: ANN401 - no types
    if isinstance(model, TransformedTargetRegressor):
        model = model.regressor_
    # Some have the attribute, and raise only this when it is asked for.
    told = getattr(model, "feature_importances_", None)
    if told is not None:
        return np.asarray(told, dtype=np.float64)
    coefficients = getattr(model, "coef_", None)
    if coefficients is None:
        return None
    sizes: FloatArray = np.abs(np.atleast_2d(coefficients)).mean(axis=0, dtype=np.float64)
    if isinstance(model, CalibratedRidgeClassifier | WideRidgeRegressor):
        return sizes  # of columns in standard scores
    deviations: FloatArray = X.std(axis=0, dtype=np.float64)
    return sizes * deviations if sizes.shape == deviations.shape else None


def _relevance(X: NDArray[Any], target: Target) -> FloatArray:
    test = RelevanceSelection(task=target.task).fit(RangeImputer().fit_transform(X), target.y)
    found: FloatArray = test.statistics_
    return found
