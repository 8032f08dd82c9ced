"""How a model is found and how it is judged: a section of the training spec."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from tideline.errors import SpecError
from tideline.labels import Label, Task
from tideline.spec import estimators, metrics
from tideline.spec.class_weight import FIELD, ClassWeight, checked_class_weight, weight_of_class
from tideline.spec.faults import spec_error
from tideline.spec.search_arguments import SearchArguments
from tideline.spec.section import Section

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator


class ModelTrainingSpec(Section):
    """How a model is found, and how it is judged."""

    model: str | None = Field(
        None,
        description="The class path of an estimator (`sklearn.ensemble.RandomForestClassifier`, "
        "`xgboost.XGBRegressor`, `lightgbm.LGBMClassifier`), or of a search "
        "(`tpot.TPOTClassifier`, `tpot.TPOTRegressor`). Without it, a search.",
    )
    model_args: dict[str, Any] = Field(
        default_factory=dict,
        description="Arguments of the model's constructor: numbers, text, true, false, null and "
        "lists of these. For a search, those of the table below.",
    )
    metric: str | None = Field(
        None,
        description="The metric that the search raises, by scikit-learn's name; `scoring` is the "
        "same. Without it, one that suits the task.",
    )
    cv: int | None = Field(
        None,
        ge=2,
        le=20,
        description="The number of folds of the cross-validation. Without it, five; three of "
        "more than 3,000 cases, and fewer where there are few cases or groups.",
    )
    test_fraction: float | None = Field(
        None,
        ge=0,
        le=0.5,
        description="The share of the cases that the search never sees, and that the held-out "
        "score is computed on; 0 for none. Without it, a quarter; of fewer than 400 cases, or "
        "where the smallest class cannot spare a member, none is held out, and the score is that "
        "of outer folds: each is answered by what was found without it.",
    )
    split: Literal["random", "time"] = Field(
        "random",
        description="Which cases are held out and tested: `random`, drawn from every class; or "
        "`time`, the latest, so that nothing is tested on earlier cases than it learned from. "
        "A case's time is its first one in `column_sort`, where these differ, else its place in "
        "the data.",
    )
    class_weight: ClassWeight | None = Field(
        None,
        description="What the cases of a class weigh when a model is fitted: `balanced`, so that "
        "all classes weigh the same, or a mapping of class to a number above 0; a class that is "
        "left out weighs 1.",
    )
    select_features: bool = Field(
        True, description="Whether features without relevance are left out, inside each fold."
    )
    random_state: int = Field(
        0, ge=0, le=2**32 - 1, description="The seed of everything that is drawn at random."
    )

    @field_validator("model")
    @classmethod
    def _known_model(cls, value: str | None) -> str | None:
        return None if value is None else estimators.resolve(value).path

    @field_validator("metric")
    @classmethod
    def _known_metric(cls, value: str | None) -> str | None:
        return None if value is None else metrics.known_metric(value)

    @field_validator("class_weight", mode="before")
    @classmethod
    def _known_weights(cls, value: object) -> object:
        return checked_class_weight(value)

    @model_validator(mode="after")
    def _fitting_arguments(self) -> ModelTrainingSpec:
        if self.is_search:
            try:
                SearchArguments.model_validate(self.model_args)
            except ValidationError as error:
                raise spec_error(error, SearchArguments, "model_training.model_args") from error
        elif self.model is not None:
            estimator = estimators.build_estimator(self.model, self.model_args, self.random_state)
            if self.class_weight is not None:
                _require_weighable(self.model, estimator)
        return self

    @property
    def is_search(self) -> bool:
        """Whether a search finds the model."""
        return estimators.is_search(self.model)

    def require_known_classes(self, values: Sequence[Label], task: Task | None = None) -> None:
        """Refuse weights of classes that the labels do not have.

        Parameters
        ----------
        values
            The label of each case.
        task
            What is to be learned, where that is decided.

        Raises
        ------
        SpecError
            When `class_weight` names another class (the nearest is told), or there are none.
        """
        if self.class_weight is not None and task == "regression":
            raise SpecError(
                f"{FIELD} is given, and the labels are learned as numbers, which have no classes.",
                mend="Leave it out, or set task: classification.",
                field=FIELD,
            )
        if isinstance(self.class_weight, dict):
            weight_of_class(self.class_weight, tuple(dict.fromkeys(values)))


def _require_weighable(path: str, estimator: BaseEstimator) -> None:
    """Refuse class weights for a model that has no use for them, or is told of others."""
    said = estimator.get_params().get("class_weight")
    if said is not None:
        raise SpecError(
            f"{FIELD} and model_training.model_args.class_weight are both given.",
            mend="Say it once.",
            field=FIELD,
        )
    if "sample_weight" not in inspect.signature(estimator.fit).parameters:
        raise SpecError(
            f"{path} takes no weights, and {FIELD} gives some.",
            mend="Leave class_weight out, or choose another model.",
            field=FIELD,
        )
