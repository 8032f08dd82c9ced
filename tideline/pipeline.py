"""The pipeline: what is fitted, published and asked for predictions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline as Steps

from tideline.answers import last_of, narrowed, probabilities_of, transformed, values_of
from tideline.blend import Blend
from tideline.errors import DataError, InputMismatch
from tideline.features.extraction import extract
from tideline.features.plan import FeaturePlan
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
        A `RangeImputer`, perhaps a selection, and the model, fitted on the features; or a `Blend`
        alone, whose members are such steps. Classes are coded 0, 1, 2, ...
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
        decision function, drawn into 0 to 1 by the logistic function. A blend has probabilities of
        its own where all its members do. Values always are the model's own.
        """
        if self.task == "regression":
            return True
        model = self._model
        if isinstance(model, Blend):
            return model.has_probabilities
        return hasattr(model, "predict_proba")

    @property
    def model_type(self) -> str:
        """The class of the model; of a blend those of its members, each once."""
        model = self._model
        models = model.models if isinstance(model, Blend) else (model,)
        kinds = (getattr(each, "kind", type(each).__name__) for each in models)
        return " + ".join(dict.fromkeys(kinds))

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
        features = transformed(self.estimator, features)
        if self.task == "classification":
            probabilities = _asked(self._probabilities, features)
            sums = probabilities.sum(axis=1)
            _require_answers(np.isfinite(sums) & (sums > 0), ids)
            return Prediction(ids, self.classes, probabilities)
        values = _asked(self._values, features)
        _require_answers(np.isfinite(values), ids)
        return Prediction(ids, values=values)

    def narrowed(self) -> Pipeline:
        """Return the same pipeline without the features that its selection leaves out.

        Selections that follow the imputer directly become part of the plan, and of a blend those
        that follow each member's; every prediction stays what it was, but for rounding.
        """
        if isinstance(self._model, Blend) and len(self.estimator.steps) == 1:
            support, blend = self._model.narrowed()
            narrow = Steps([(self.estimator.steps[0][0], blend)])
        else:
            support, narrow = narrowed(self.estimator, len(self.plan.features))
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
        return last_of(self.estimator)

    def _values(self, features: FloatArray) -> FloatArray:
        return values_of(self._model, features)

    def _probabilities(self, features: FloatArray) -> FloatArray:
        return probabilities_of(self._model, features, len(self.classes))


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
