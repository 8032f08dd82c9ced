"""The training spec: what to train, on what, and for how long.

`TrainingSpec.from_yaml` is the way in. It reads the parameter files of the founding service
unchanged, says in `notices` what it translated or left aside, and answers every fault with a
`SpecError` that names the field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Annotated, Literal

from pydantic import (
    BeforeValidator,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from tideline.errors import SpecError
from tideline.features.parameters import Parameters, canonical_name, checked
from tideline.labels import Task
from tideline.roles import ColumnRoles
from tideline.spec import estimators, metrics
from tideline.spec.class_weight import FIELD as CLASS_WEIGHT
from tideline.spec.document import JSON, plain_mapping, read_document
from tideline.spec.faults import spec_error
from tideline.spec.model_training import ModelTrainingSpec
from tideline.spec.names import pipeline_name, step
from tideline.spec.section import ColumnName, Section
from tideline.spec.translation import translate
from tideline.wording import shown

TaskChoice = Literal["auto", Task]


def _parameters(value: object, field: str) -> object:
    if isinstance(value, str):
        return canonical_name(value, field=field)
    if value is None or isinstance(value, Mapping):
        return value if value is None else checked(value, field=field)
    raise SpecError(
        f"{field} is {shown(value)}; the name of a parameter set or a mapping is expected.",
        mend="Write 'minimal', 'efficient' or 'comprehensive'.",
        field=field,
    )


Location = Annotated[str, StringConstraints(min_length=1, max_length=4096)]


class ExtractionSpec(Section):
    """Which columns hold what, and which features are computed. The names are tsfresh's."""

    column_id: ColumnName | None = Field(
        None,
        description="The column that tells the cases apart. Tables need it; `.ts` files and "
        "prediction JSON have none.",
    )
    column_sort: ColumnName | None = Field(
        None, description="The column, of numbers or times, that orders the rows of a case."
    )
    column_kind: ColumnName | None = Field(
        None, description="The column that names the channel of each row, in stacked tables."
    )
    column_value: ColumnName | None = Field(
        None,
        description="The column of values. Without it, each column that has no other role is a "
        "channel.",
    )
    default_fc_parameters: str | Parameters | None = Field(
        None,
        description="The calculators: `minimal`, `efficient`, `comprehensive`, `index_based` or "
        "`time_based`, however tsfresh spells it (`MinimalFCParameters()`), or a mapping of "
        "calculator to a list of parameters, or to null where it takes none; or `tideline`, a set "
        "of our own, with features of differences, spectra and intervals, or the smaller ones "
        "`tideline_quarters`, `tideline_halves` and `tideline_outline`. Without it, the first of "
        "`tideline`, `efficient`, the smaller ones and `minimal` that the budget and the number of "
        "channels allow.",
    )
    kind_to_fc_parameters: dict[str, str | Parameters] | None = Field(
        None,
        description="Channel to calculators of its own, written as `default_fc_parameters`, which "
        "holds for all other channels; where only this key is given, they are left out, as in "
        "tsfresh.",
    )
    convolutions: bool | None = Field(
        None,
        description="Whether features of random convolutions are computed beside the calculators' "
        "own, for a search. Null: where no calculators are named. A model that the spec names is "
        "fitted to the calculators' features alone: true is left aside then, with a notice.",
    )
    impute_function: Literal["tsfresh.utilities.dataframe_functions.impute"] | None = Field(
        "tsfresh.utilities.dataframe_functions.impute",
        description="How features without a value are filled: tsfresh's `impute` is the one way, "
        "learnt from the training cases. Null means the same.",
    )

    @property
    def roles(self) -> ColumnRoles:
        """What the columns mean, as the readers take it."""
        return ColumnRoles(self.column_id, self.column_sort, self.column_kind, self.column_value)

    @field_validator("default_fc_parameters", mode="before")
    @classmethod
    def _known_parameters(cls, value: object) -> object:
        return _parameters(value, "extract_features.default_fc_parameters")

    @field_validator("kind_to_fc_parameters", mode="before")
    @classmethod
    def _known_kinds(cls, value: object) -> object:
        if not isinstance(value, Mapping):
            return value
        where = "extract_features.kind_to_fc_parameters"
        return {kind: _parameters(given, f"{where}.{step(kind)}") for kind, given in value.items()}


class UntilSpec(Section):
    """What ends the search before its time is over: the first of these, each where it is given."""

    score: float | None = Field(
        None,
        allow_inf_nan=False,
        description="The cross-validated metric that is enough, by scikit-learn's sign: 0.95 for "
        "`accuracy`, -0.1 for `neg_log_loss`.",
    )
    pipelines: int | None = Field(
        None,
        ge=1,
        description="How many pipelines are evaluated, failures too; the first few, whose mean is "
        "the default, always are.",
    )
    seconds_without_gain: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="How long nothing better may be found."
    )


class TrainingSpec(Section):
    """The whole parameter file; `from_yaml` and `from_mapping` read it."""

    pipeline_id: Annotated[str, BeforeValidator(pipeline_name)] = Field(
        description="The name under which the pipeline is published: 1 to 63 of a to z, 0 to 9, "
        "'-', '.' and '_'. A whole number is read as text.",
    )
    extract_features: ExtractionSpec = Field(
        default_factory=ExtractionSpec, description="The columns and the features; see below."
    )
    model_training: ModelTrainingSpec = Field(
        default_factory=ModelTrainingSpec, description="The model and its scores; see below."
    )
    until: UntilSpec = Field(
        default_factory=UntilSpec, description="What else ends the search; see below."
    )
    task: TaskChoice = Field(
        "auto",
        description="`classification`, `regression`, or `auto`: what the model learns, else what "
        "the labels look like.",
    )
    column_label: ColumnName | None = Field(
        None,
        description="The column of the labels. Without it, the one column beside the id.",
    )
    group_id: ColumnName | None = Field(
        None,
        description="The column of the labels, or of the data, that tells which cases belong "
        "together, such as those of one machine or one patient: they are on one side of every "
        "split. In the data it is the same in all rows of a case, and no channel. Where both have "
        "it, that of the labels counts.",
    )
    raw_data: Location | None = Field(
        None,
        description="The file or the URL of the series, for `python -m training`. A path starts "
        "from the spec's own folder. Not allowed over HTTP, where the data is sent along.",
    )
    labels: Location | None = Field(
        None,
        description="The file or the URL of the labels, as `raw_data`. Left out where the data "
        "holds them, as `.ts` does.",
    )
    store: Location | None = Field(
        None,
        description="The folder of the model store, for `python -m training`. Without it, the "
        "folder `bentoml` under TIDELINE_HOME. Not allowed over HTTP.",
    )
    budget: float = Field(
        3600.0,
        ge=5,
        le=30 * 24 * 3600,
        description="The seconds that everything may take, from reading to publishing.",
    )

    _notices: tuple[str, ...] = PrivateAttr(())
    # What was translated, as it was written, so that a copy of the spec gives the same notices.
    _written: dict[str, dict[str, JSON]] = PrivateAttr(default_factory=dict)

    @classmethod
    def from_yaml(cls, source: bytes | str) -> TrainingSpec:
        """Read a parameter file.

        Parameters
        ----------
        source
            YAML (or JSON) in UTF-8, at most 1 MiB.

        Raises
        ------
        SpecError
            When it is not plain YAML, or does not say what can be done; `field` is the dotted path
            of the key at fault.
        """
        return cls.from_mapping(read_document(source))

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, object]) -> TrainingSpec:
        """Read a spec that is parsed already, such as the result of `to_mapping`.

        Raises
        ------
        SpecError
            As `from_yaml`.
        """
        translation = translate(plain_mapping(mapping))
        try:
            spec = cls.model_validate(translation.document)
        except ValidationError as error:
            raise spec_error(error, cls) from error
        notices = (*translation.notices, *_left_aside(spec))
        spec._notices = notices  # noqa: SLF001  its own, in its constructor
        spec._written = translation.written  # noqa: SLF001  as above
        return spec

    @model_validator(mode="after")
    def _one_task(self) -> TrainingSpec:
        _require_task(self.task, self.model_training)
        if self.group_id is not None:
            _require_own_column(self.group_id, self.extract_features.roles, self.column_label)
        if self.model_training.class_weight is not None and self.known_task == "regression":
            raise SpecError(
                f"{CLASS_WEIGHT} is given for a regression, which has no classes.",
                mend="Leave it out.",
                field=CLASS_WEIGHT,
            )
        return self

    @property
    def notices(self) -> tuple[str, ...]:
        """What was translated or left aside, one sentence each, for the job's log."""
        return self._notices

    @property
    def known_task(self) -> Task | None:
        """The task, where the spec says it or its model or its metric implies it."""
        if self.task != "auto":
            return self.task
        if self.model_training.model is not None:
            return estimators.task_of(self.model_training.model)
        metric = self.model_training.metric
        return None if metric is None else metrics.metric_task(metric)

    @property
    def roles(self) -> ColumnRoles:
        """What the columns of the data mean, the groups' among them, as the readers take it."""
        return replace(self.extract_features.roles, column_group=self.group_id)

    def to_mapping(self) -> dict[str, JSON]:
        """Return the spec in JSON's kinds, defaults filled in; `from_mapping` reads it back."""
        mapping: dict[str, JSON] = self.model_dump(mode="json")
        for section, written in self._written.items():
            mapping[section] = {**mapping[section], **written}  # type: ignore[dict-item]  # sections are mappings
        return mapping

    def require_posted(self) -> None:
        """Refuse what a spec may not say when it came over HTTP.

        Raises
        ------
        SpecError
            When it names data, labels or a store: no URL and no file is read on a client's word.
        """
        for name in ("raw_data", "labels", "store"):
            value = getattr(self, name)
            if value is not None:
                raise SpecError(
                    f"{name} is {shown(value)}; a spec sent over HTTP names no file and no URL.",
                    mend=f"Leave {name} out"
                    + ("." if name == "store" else f", and send the data as the part {name!r}."),
                    field=name,
                )

    def require_local(self) -> None:
        """Refuse a spec that `python -m training` cannot run.

        Raises
        ------
        SpecError
            When it names no data.
        """
        if self.raw_data is None:
            raise SpecError(
                "the spec names no data.",
                mend="Set raw_data to the file or the URL of the series.",
                field="raw_data",
            )


def _left_aside(spec: TrainingSpec) -> Iterator[str]:
    """Yield what is asked for and of no use to what else is asked for, one sentence each."""
    if spec.extract_features.convolutions and not spec.model_training.is_search:
        yield (
            f"extract_features.convolutions is left aside: {spec.model_training.model}, which the "
            "spec names, is fitted to the calculators' features alone; a search uses both."
        )


def _require_task(task: TaskChoice, training: ModelTrainingSpec) -> None:
    """Refuse a task, a model and a metric that do not go together."""
    said = {"task": None if task == "auto" else task}
    if training.model is not None:
        said["model_training.model"] = estimators.task_of(training.model)
    if training.metric is not None:
        said["model_training.metric"] = metrics.metric_task(training.metric)
    tasks = {field: value for field, value in said.items() if value is not None}
    if len(set(tasks.values())) > 1:
        raise SpecError(
            "the spec asks for two tasks: "
            + " and ".join(f"{field} for {value}" for field, value in tasks.items())
            + ".",
            mend="Change one of them.",
            field=list(tasks)[-1],
        )


def _require_own_column(group_id: str, roles: ColumnRoles, column_label: str | None) -> None:
    """Refuse a column of groups that has another role as well."""
    taken = {f"extract_features.{role}": name for role, name in asdict(roles).items()}
    taken["column_label"] = column_label
    for field, name in taken.items():
        if name == group_id:
            raise SpecError(
                f"group_id and {field} are both {shown(group_id)}; a column has one role.",
                mend="Set group_id to the column that tells which cases belong together, or leave "
                "it out.",
                field="group_id",
            )
