"""What a worker does: fit a candidate to some cases, and answer for others or return the fit."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline as Steps
from sklearn.utils.validation import has_fit_parameter

from tideline.features.plan import FeaturePlan
from tideline.pipeline import Pipeline, Prediction
from training.candidate import Candidate
from training.prepared import Prepared
from training.table import Table
from training.task import Target

Positions = NDArray[np.intp]
Answers = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Answered:
    """What a fitted candidate said of cases that it was not fitted to.

    Attributes
    ----------
    answers : float32 array of shape (n_asked, n_classes), or (n_asked, 1) for regression
        Probabilities, or values.
    fit_seconds, predict_seconds : float
    fitted : sklearn.pipeline.Pipeline or None
        Preparation and model, where they were asked for.
    """

    answers: Answers
    fit_seconds: float
    predict_seconds: float
    fitted: Steps | None = None


@dataclass(frozen=True, eq=False)
class Fold:
    """Fit to some cases, answer for others; a job for a worker.

    Attributes
    ----------
    table
        The features of all cases.
    target
        The labels of all cases.
    fit_on, asked : intp array
        Positions of cases.
    prepared
        A folder that keeps, for the next candidate on the same cases, which features were selected
        and what stands in for missing ones; None keeps nothing.
    returns_fit
        Whether what was fitted is returned with the answers.
    """

    table: Table
    target: Target
    candidate: Candidate
    fit_on: Positions
    asked: Positions
    prepared: str | None = None
    returns_fit: bool = False

    def __call__(self) -> Answered:
        """Do it.

        Raises
        ------
        ValueError
            When an answer is no finite number; besides, whatever the estimators raise.
        """
        if self.returns_fit:
            return self._with_fit()
        X, X_asked = self._features()
        began = time.monotonic()
        fitted = Steps([(n, clone(s)) for n, s in self.candidate.steps])
        _fit(fitted, X, self.target, self.fit_on)
        between = time.monotonic()
        answers = answers_of(fitted, X_asked, self.target)
        return Answered(answers, between - began, time.monotonic() - between)

    def _with_fit(self) -> Answered:
        began = time.monotonic()
        fitted = Fit(self.table, self.target, self.candidate, self.fit_on)()
        between = time.monotonic()
        X_asked = self.table.rows(self.candidate.family, self.asked)
        answers = answers_of(fitted, X_asked, self.target)
        return Answered(answers, between - began, time.monotonic() - between, fitted)

    def _features(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the features of both parts as the steps are given them, in float32."""
        matrix = self.table.matrix(self.candidate.family)
        if self.candidate.family != "features":
            return matrix[self.fit_on], matrix[self.asked]
        prepared = self._prepared()
        return prepared.of(matrix, self.fit_on), prepared.of(matrix, self.asked)

    def _prepared(self) -> Prepared:
        place = Path(self.prepared or "") / f"selected-{self.candidate.selects}.npz"
        if self.prepared is not None and place.exists():
            return Prepared.read(place)
        X = self.table.rows(self.candidate.family, self.fit_on)
        y = self.target.y[self.fit_on]
        prepared = Prepared.fitted(self.candidate.preparation(self.target.task), X, y)
        if self.prepared is not None:
            prepared.write(place)
        return prepared


@dataclass(frozen=True, eq=False)
class Fit:
    """Fit preparation and model to some cases, and return them; a job for a worker."""

    table: Table
    target: Target
    candidate: Candidate
    fit_on: Positions

    def __call__(self) -> Steps:
        """Do it; raises whatever the estimators raise."""
        whole = self.candidate.whole(self.target.task)
        X = self.table.rows(self.candidate.family, self.fit_on)
        return _fit(whole, X, self.target, self.fit_on)


def _fit(steps: Steps, X: NDArray[Any], target: Target, fit_on: Positions) -> Steps:
    """Fit some steps, the last with the weights of the cases, where it takes weights."""
    name, model = steps.steps[-1]
    weights = target.weights_of(fit_on)
    if weights is None or not has_fit_parameter(model, "sample_weight"):
        return steps.fit(X, target.y[fit_on])
    return steps.fit(X, target.y[fit_on], **{f"{name}__sample_weight": weights})


def answers_of(fitted: Steps, X: NDArray[Any], target: Target) -> Answers:
    """Return what a fitted pipeline says, as the published one says it, as an array.

    Returns
    -------
    float32 array of shape (n_cases, n_classes), or (n_cases, 1) for regression
    """
    pipeline = Pipeline(FeaturePlan(()), fitted, target.task, target.classes, ())
    return as_array(pipeline.predict_features(X, tuple(range(len(X)))))


def as_array(prediction: Prediction) -> Answers:
    """Return the answers of a prediction as one array; see `answers_of`."""
    if prediction.probabilities is not None:
        return prediction.probabilities.astype(np.float32)
    if prediction.values is None:
        raise ValueError("a prediction with answers expected")
    return prediction.values.astype(np.float32)[:, np.newaxis]


def as_prediction(answers: NDArray[Any], target: Target) -> Prediction:
    """Return an array of answers as a prediction, the reverse of `as_array`."""
    ids = tuple(range(len(answers)))
    wide = answers.astype(np.float64)
    if target.n_classes:
        return Prediction(ids, target.classes, wide / wide.sum(axis=1, keepdims=True))
    return Prediction(ids, values=wide[:, 0])
