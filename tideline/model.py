"""What is written down of a published model: model.json."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AliasChoices,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
)

from tideline.errors import ModelRefused
from tideline.features.documents import count_of_entries
from tideline.features.plan import FeaturePlan
from tideline.labels import Label, Task
from tideline.pipeline import Pipeline
from tideline.roles import ColumnRoles

PACKAGES = (
    "tideline",
    "tsfresh",
    "scikit-learn",
    "numpy",
    "scipy",
    "pandas",
    "skops",
    "xgboost",
    "lightgbm",
)
"""The packages whose versions decide what a pipeline answers."""

Metrics = dict[str, float]
"""`accuracy`, `roc_auc`, `log_loss`, `brier` for classes; `r2`, `mae`, `rmse` for numbers; and the
metric that the spec names, under scikit-learn's name, where it is none of these."""


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ScoreCard(_Document):
    """How good the pipeline is, and by which measure; each score says where it comes from."""

    cross_validation: Metrics | None = Field(
        None,
        description="Of the answers that each fold gave for the cases that it had not seen, by "
        "which the search chose: optimistic.",
    )
    held_out: Metrics | None = Field(
        None,
        description="On cases that neither search nor fit had seen: the metrics of the task, and "
        "the one that the spec names, under scikit-learn's name, by which more is better.",
    )
    held_out_interval: dict[str, tuple[float, float]] | None = Field(
        None,
        description="The 95 % confidence interval of each score in held_out; with group_id that "
        "of new groups, for cases of one group are right or wrong together.",
    )
    held_out_by: Literal["hold-out", "outer folds"] | None = Field(
        None,
        description="How: a part was held out; or each outer fold was, from a search of its own.",
    )
    n_held_out: int = Field(0, ge=0, description="How many cases were held out.")
    majority: Metrics | None = Field(
        None,
        description="On the same cases, always answering the most frequent class, or the mean; "
        "log_loss is that of answering the share of each class.",
    )
    baselines: dict[str, Metrics] | None = Field(
        None,
        description="On the same cases, what simpler methods reach, by name: `1-NN DTW`, the "
        "nearest series by dynamic time warping; `random convolutions`, a ridge on them.",
    )
    beats_baselines: bool | None = Field(
        None,
        description="Whether the held-out score is better than the majority's and that of 1-NN "
        "DTW (or the best there is), and worse than that of no other baseline, by the metric that "
        "was raised, or else by accuracy or error; null where nothing was held out.",
    )
    note: str | None = Field(None, description="Why a score is missing, or weak.")


class ModelDocument(_Document):
    """Everything about a published model but the fitted estimator.

    Read it with `from_bytes`, make it with `describing`.
    """

    schema_version: Literal[1] = 1
    name: str = Field(description="The model's name in the store: pipeline_id in the spec.")
    run_id: str = Field(description="The run that trained it; a run publishes once.")
    created: AwareDatetime = Field(description="When, in UTC.")
    task: Task
    # Smart mode keeps 1, 1.0, true and "1" apart, as they came.
    classes: tuple[Label, ...] = Field(description="In the order of their codes.")
    channels: tuple[str, ...] = Field(description="Of the training data.")
    plan: dict[str, Any] = Field(description="The features, as FeaturePlan.to_json writes them.")
    roles: ColumnRoles = Field(
        default_factory=ColumnRoles,
        description="The column roles that the training data was read with.",
    )
    scores: ScoreCard = Field(default_factory=ScoreCard)
    model_type: str = Field(
        description="The class of the last step; of a blend those of its members, joined by +."
    )
    has_probabilities: bool = Field(
        True,
        # The name in the first documents, which are read for as long as their models are served.
        validation_alias=AliasChoices("has_probabilities", "calibrated"),
        description="Whether the model has probabilities of its own; false where the scores are "
        "a squashed decision function.",
    )
    train_shape: tuple[int, int] = Field(description="Cases, and features computed of each.")
    train_seconds: Annotated[float, Field(ge=0)]
    fingerprint: str | None = Field(
        None, description="SHA-256 of ids, series and times of the training data, without labels."
    )
    versions: dict[str, str] = Field(description="Python, and the packages that count.")
    spec: dict[str, Any] = Field(default_factory=dict, description="The training spec.")
    notices: tuple[str, ...] = Field((), description="What was translated or ignored, in words.")
    extras: tuple[str, ...] = Field(
        (), description="The files that tell of the run, beside the pipeline: report.html, ..."
    )

    @classmethod
    def describing(
        cls,
        pipeline: Pipeline,
        *,
        name: str,
        run_id: str,
        train_shape: tuple[int, int],
        train_seconds: float,
        **more: Any,  # noqa: ANN401 - pydantic checks them
    ) -> Self:
        """Return the document of a pipeline.

        Parameters
        ----------
        pipeline
            As it is published; task, classes, channels, plan and model type are taken from it.
        name, run_id, train_shape, train_seconds, more
            The other fields; `created` and `versions` are filled in.
        """
        return cls(
            name=name,
            run_id=run_id,
            train_shape=train_shape,
            train_seconds=train_seconds,
            task=pipeline.task,
            classes=pipeline.classes,
            channels=pipeline.channels,
            plan=pipeline.plan.to_json(),
            model_type=pipeline.model_type,
            has_probabilities=pipeline.has_probabilities,
            **{"created": datetime.now(UTC), "versions": installed_versions(), **more},
        )

    @property
    def feature_plan(self) -> FeaturePlan:
        """The plan as the extractor takes it."""
        return FeaturePlan.from_json(self.plan)

    @property
    def n_features(self) -> int:
        """How many features the plan has, without building it."""
        return count_of_entries(self.plan.get("features", ()))

    def summary(self, version: int) -> dict[str, JsonValue]:
        """Return the model in a few lines: the words of the founding service, and more.

        Parameters
        ----------
        version
            The number under which the model is published.
        """
        cross_validation = self.scores.cross_validation or {}
        return {
            "modelId": self.name,
            "version": version,
            "modelType": self.model_type,
            "trainTime": self.train_seconds,
            "trainShape": list(self.train_shape),
            "mean_cv_accuracy": None,
            "mean_cv_roc_auc": None,
            **{f"mean_cv_{metric}": score for metric, score in cross_validation.items()},
            "task": self.task,
            "classes": list(self.classes),
            "channels": list(self.channels),
            "created": self.created.isoformat(),
            "scores": self.scores.model_dump(mode="json", exclude_none=True),
            "run_id": self.run_id,
            "notices": list(self.notices),
            "extras": list(self.extras),
        }

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read model.json.

        Raises
        ------
        ModelRefused
            When it is not a document that this version of Tideline understands.
        """
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the document"
            raise ModelRefused(
                f"model.json cannot be read: {place}: {first['msg']}.",
                mend="Publish the model again with this version of Tideline, or use the version "
                "that published it.",
            ) from error

    def to_bytes(self) -> bytes:
        """Return the document as model.json holds it."""
        return self.model_dump_json(indent=1).encode() + b"\n"


def installed_versions() -> Mapping[str, str]:
    """Return the versions of Python and of the packages that a prediction depends on."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
