"""The pipeline: what is fitted, published and asked for predictions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import Pipeline as Steps

from tideline.errors import DataError, InputMismatch
from tideline.features.extraction import extract
from tideline.features.imputation import RangeImputer
from tideline.features.plan import FeaturePlan
from tideline.forests import is_quick, tree_means
from tideline.labels import Label, Task
from tideline.panel import CaseId, FloatArray, Panel, case_key, named

OTHERWISE = (
    "Leave out the cases that lie far from the training data, or train a model of another kind."
)


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a pipeline says of some cases.

    Attributes
    ----------
    ids
        The cases, in the order of the panel.
    classes
        The classes in sorted order; empty for regression.
    probabilities : float64 array of shape (n_cases, n_classes), or None for regression
    values : float64 array of shape (n_cases,), or None for classification
    """

    ids: tuple[CaseId, ...]
    classes: tuple[Label, ...] = ()
    probabilities: FloatArray | None = None
    values: FloatArray | None = None

    @property
    def labels(self) -> tuple[Label, ...]:
        """The most probable class of each case, or its value."""
        if self.probabilities is None:
            return () if self.values is None else tuple(self.values.tolist())
        return tuple(self.classes[code] for code in self.probabilities.argmax(axis=1))

    def scores(self) -> dict[str, Label]:
        """Return one answer a case, by `case_key`.

        For two classes the probability of the later one in sorted order, for more the label, for
        regression the value: the answer of the founding service.
        """
        answers: list[Label] | tuple[Label, ...] = self.labels
        if self.probabilities is not None and len(self.classes) == 2:
            answers = self.probabilities[:, 1].tolist()
        return {case_key(i): answer for i, answer in zip(self.ids, answers, strict=True)}

    def by_class(self) -> dict[str, dict[str, float]]:
        """Return the probability of every class (by `case_key`) of every case (likewise).

        Empty for regression.
        """
        if self.probabilities is None:
            return {}
        keys = [case_key(label) for label in self.classes]
        rows = self.probabilities.tolist()
        return {
            case_key(i): dict(zip(keys, row, strict=True))
            for i, row in zip(self.ids, rows, strict=True)
        }


@dataclass(frozen=True, eq=False)
class Pipeline:
    """A feature plan and a fitted estimator.

    Attributes
    ----------
    plan
        The features that the estimator takes, in its order.
    estimator : sklearn.pipeline.Pipeline
        A `RangeImputer`, perhaps a selection, and the model, fitted on the features; classes are
        coded 0, 1, 2, ...
    task
        `classification` or `regression`.
    classes
        The classes in the order of their codes, which is sorted; empty for regression.
    channels
        The channels of the training data. The plan may need only some of them.
    """

    plan: FeaturePlan
    estimator: Steps
    task: Task
    classes: tuple[Label, ...]
    channels: tuple[str, ...]

    @property
    def has_probabilities(self) -> bool:
        """Whether the scores are the model's own probabilities.

        An estimator without any, a linear support vector machine for one, ranks the cases by its
        decision function, drawn into 0 to 1 by the logistic function. Values always are its own.
        """
        return self.task == "regression" or hasattr(self._model, "predict_proba")

    def predict(self, panel: Panel, *, workers: int = 1) -> Prediction:
        """Answer for every case of a panel.

        Parameters
        ----------
        panel
            Holds the channels of the training data, and no other.
        workers
            How many threads compute the features.

        Raises
        ------
        InputMismatch
            When the channels are not those of the training data.
        DataError
            When a series cannot be used, see `tideline.features.extraction.extract`; or when the
            model has no finite answer for a case.
        """
        self._require_channels(panel)
        features = extract(panel, self.plan, workers=workers)
        return self.predict_features(features, panel.ids)

    def predict_features(self, features: FloatArray, ids: tuple[CaseId, ...]) -> Prediction:
        """Answer for cases whose features are computed.

        Parameters
        ----------
        features : float64 array of shape (n_cases, n_features)
            The columns of the plan, in its order.
        ids
            One a row.

        Raises
        ------
        DataError
            When the model has no answer for a case: it refuses it, or gives no finite value, or
            no probability for any class.
        """
        # Step by step, for scikit-learn's routing of arguments takes longer than a small model.
        for _, step in self.estimator.steps[:-1]:
            if step is not None and step != "passthrough":
                features = step.transform(features)
        if self.task == "classification":
            probabilities = _asked(self._probabilities, features)
            sums = probabilities.sum(axis=1)
            _require_answers(np.isfinite(sums) & (sums > 0), ids)
            return Prediction(ids, self.classes, probabilities)
        values = _asked(self._values, features).reshape(len(ids))
        _require_answers(np.isfinite(values), ids)
        return Prediction(ids, values=values)

    def narrowed(self) -> Pipeline:
        """Return the same pipeline without the features that its selection leaves out.

        Selections that follow the imputer directly become part of the plan; every prediction
        stays what it was, but for rounding.
        """
        steps = list(self.estimator.steps)
        if not isinstance(steps[0][1], RangeImputer):
            return replace(self, estimator=Steps(steps))
        support = np.arange(len(self.plan.features))
        kept = 1
        while kept < len(steps) and isinstance(steps[kept][1], SelectorMixin):
            support = support[steps[kept][1].get_support()]
            kept += 1
        imputer = (steps[0][0], steps[0][1].narrowed(support))
        narrow = Steps([imputer, *steps[kept:]])
        return replace(self, plan=self.plan.take(support), estimator=narrow)

    def _require_channels(self, panel: Panel) -> None:
        lacking = [name for name in self.channels if name not in panel.channels]
        surplus = [name for name in panel.channels if name not in self.channels]
        if lacking or surplus:
            what = "lacks channels" if lacking else "holds channels that it was not trained on:"
            raise InputMismatch(
                f"the data for the pipeline {what} {named(lacking or surplus)}; "
                f"found {named(panel.channels)}, expected {named(self.channels)}.",
                mend="Send exactly the channels of the training data, under the same names.",
                field="raw_data",
            )

    @property
    def _model(self) -> Any:  # noqa: ANN401 - scikit-learn has no types
        return self.estimator.steps[-1][1]

    def _values(self, features: FloatArray) -> FloatArray:
        if is_quick(self._model, features):
            return tree_means(self._model, features)
        return np.asarray(self._model.predict(features), dtype=np.float64)

    def _probabilities(self, features: FloatArray) -> FloatArray:
        model = self._model
        if is_quick(model, features):
            found = tree_means(model, features)
        elif hasattr(model, "predict_proba"):
            found = np.asarray(model.predict_proba(features), dtype=np.float64)
        elif hasattr(model, "decision_function"):
            found = _squashed(np.asarray(model.decision_function(features)))
        else:
            found = np.asarray(model.predict(features))[:, np.newaxis] == model.classes_
        # A model that never saw one of the classes has no column for it.
        probabilities = np.zeros((len(features), len(self.classes)))
        probabilities[:, np.asarray(model.classes_, dtype=np.intp)] = found
        return probabilities


def _asked(answers: Callable[[FloatArray], FloatArray], features: FloatArray) -> FloatArray:
    try:
        return answers(features)
    except ValueError as error:
        # The features are as many as were learned from, so it is their values that do not suit.
        raise DataError(
            f"the model refuses these cases: {str(error)[:200].rstrip('.')}.",
            mend=OTHERWISE,
            field="raw_data",
        ) from error


def _require_answers(answered: NDArray[np.bool_], ids: tuple[CaseId, ...]) -> None:
    if not answered.all():
        lacking = [i for i, found in zip(ids, answered, strict=True) if not found]
        raise DataError(
            f"the model has no answer for {len(lacking)} of {len(ids)} cases: {named(lacking)}; "
            "a finite one is expected for each.",
            mend=OTHERWISE,
            field="raw_data",
        )


def _squashed(decision: NDArray[Any]) -> FloatArray:
    """Return scores in 0 to 1 that sum to one a row and rank as the decision function does."""
    # tanh keeps large decisions from overflowing the exponential.
    logistic = 0.5 * (1.0 + np.tanh(0.5 * decision))
    if decision.ndim == 1:
        return np.column_stack([1.0 - logistic, logistic])
    floor = np.finfo(np.float64).tiny
    shares: FloatArray = (logistic + floor) / (logistic + floor).sum(axis=1, keepdims=True)
    return shares
