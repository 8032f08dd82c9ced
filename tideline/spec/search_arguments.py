"""The arguments of a TPOT search that a spec may set, and what became of those that it may not.

Parameter files written for TPOT 0.x name arguments that TPOT 1.x renamed or dropped, and some that
the training room decides itself. Each is translated or left aside with a notice, never in silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tideline.spec.document import JSON
from tideline.wording import shown

FIELD = "model_training.model_args"


class SearchArguments(BaseModel):
    """What `model_args` may hold when the model is a search."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    generations: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="How many generations the search runs; null for as many as the time allows. "
        "The search ends with the first of this, `max_time_mins` and the budget.",
    )
    population_size: int = Field(
        50, ge=1, le=10_000, description="How many pipelines each generation holds."
    )
    initial_population_size: int | None = Field(
        None, ge=1, le=10_000, description="How many the first generation holds."
    )
    max_time_mins: float | None = Field(
        None,
        gt=0,
        le=100_000,
        description="The minutes that the search may take, such as 0.1; in each outer fold too.",
    )
    max_eval_time_mins: float = Field(
        10, gt=0, le=100_000, description="The minutes that one pipeline may take."
    )
    early_stop: int | None = Field(
        None, ge=1, description="How many generations without a better pipeline end the search."
    )
    search_space: Literal["linear", "linear-light"] = Field(
        "linear-light",
        description="The space of pipelines: scaling, selection and PCA, where they are of use, "
        "then a model. `linear-light` has what is fitted fast: linear models, linear discriminant "
        "analysis after PCA, nearest neighbours, naive Bayes and extra trees; for a regression "
        "ridge, PLS, nearest neighbours and extra trees. `linear` has random forests, LightGBM, "
        "support vector machines and sparse linear models besides.",
    )
    crossover_probability: float = Field(0.2, ge=0, le=1, description="As in TPOT.")
    mutate_probability: float = Field(0.7, ge=0, le=1, description="As in TPOT.")
    mutate_then_crossover_probability: float = Field(0.05, ge=0, le=1, description="As in TPOT.")
    crossover_then_mutate_probability: float = Field(0.05, ge=0, le=1, description="As in TPOT.")
    survival_percentage: float = Field(1, gt=0, le=1, description="As in TPOT.")
    n_jobs: int = Field(
        1, ge=-1, le=256, description="How many pipelines are evaluated at once; -1 for every core."
    )
    verbose: int = Field(0, ge=0, le=6, description="How much TPOT writes to the job's log.")

    @field_validator("n_jobs")
    @classmethod
    def _some_workers(cls, value: int) -> int:
        if value == 0:
            raise ValueError("be -1, or 1 and above")
        return value


@dataclass
class Translation:
    """The outcome of reading `model_args` of whatever age.

    Attributes
    ----------
    arguments
        For `SearchArguments`, not yet checked.
    training
        What belongs in `model_training` beside `model_args`: `metric`, `cv`, `random_state`.
    notices
        What was changed, one sentence each.
    """

    arguments: dict[str, JSON] = field(default_factory=dict)
    training: dict[str, JSON] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)


RENAMED: Mapping[str, str] = MappingProxyType(
    {
        "verbosity": "verbose",
        "mutation_rate": "mutate_probability",
        "crossover_rate": "crossover_probability",
    }
)
MOVED: Mapping[str, str] = MappingProxyType(
    {"scoring": "metric", "scorers": "metric", "cv": "cv", "random_state": "random_state"}
)
_SPACES: Mapping[str, str] = MappingProxyType(
    {
        "graph": "linear",
        "graph-light": "linear-light",
        "TPOT light": "linear-light",
    }
)
ASIDE: Mapping[str, str] = MappingProxyType(
    {
        "allow_inner_classifiers": "the space has no inner estimators",
        "allow_inner_regressors": "the space has no inner estimators",
        "callback": "TPOT never calls it",
        "categorical_features": "every feature is a number",
        "client": "Tideline starts the workers",
        "disable_label_encoder": "labels are encoded before the search",
        "disable_update_check": "TPOT 1.x looks for no update",
        "log_file": "the job's log holds what TPOT writes",
        "memory": "features are computed once, before the search",
        "memory_limit": "the job's own limit holds",
        "offspring_size": "TPOT 1.x makes as many offspring as `population_size`",
        "periodic_checkpoint_folder": "a client names no folder of the server",
        "preprocessing": "features are imputed and selected inside each fold",
        "processes": "Tideline starts the workers",
        "scatter": "Tideline starts the workers",
        "scorers_weights": "a search raises one metric",
        "subsample": "TPOT 1.x searches on all cases",
        "template": "TPOT 1.x knows no templates; `search_space` takes its place",
        "use_dask": "Tideline starts the workers",
        "validation_fraction": "`model_training.test_fraction` holds cases back",
        "validation_strategy": "`model_training.test_fraction` holds cases back",
        "warm_start": "each run searches once",
    }
)
KNOWN = frozenset({*SearchArguments.model_fields, *RENAMED, *MOVED, *ASIDE, "config_dict"})


def translated(written: Mapping[str, JSON]) -> Translation:
    """Return what `model_args` of TPOT 0.x or 1.x come to here."""
    result = Translation()
    for name, value in written.items():
        where = f"{FIELD}.{name}"
        if name in RENAMED:
            _rename(name, RENAMED[name], written, result)
        elif name in MOVED:
            _move(name, value, result)
        elif name in {"config_dict", "search_space"}:
            _choose_space(name, value, result)
        elif name in ASIDE:
            result.notices.append(f"{where} is left aside: {ASIDE[name]}.")
        elif name == "max_eval_time_mins" and value is None:
            default = SearchArguments.model_fields[name].default
            result.notices.append(f"{where}: null, without a limit, is read as {default}.")
        else:
            result.arguments[name] = value
    return result


def _rename(old: str, new: str, written: Mapping[str, JSON], result: Translation) -> None:
    if new in written:
        result.notices.append(f"{FIELD}.{old} is left aside: {new} is given too.")
        return
    result.arguments[new] = written[old]
    result.notices.append(f"{FIELD}.{old} is read as {new}, its name since TPOT 1.0.")


def _move(name: str, value: JSON, result: Translation) -> None:
    where = f"{FIELD}.{name}"
    if value is None:
        result.notices.append(f"{where}: null leaves the choice to Tideline.")
        return
    if name == "scorers" and isinstance(value, list) and value:
        if len(value) > 1:
            result.notices.append(f"{where}: a search raises one metric, the first.")
        value = value[0]
    result.training[MOVED[name]] = value
    result.notices.append(f"{where} is read as model_training.{MOVED[name]}.")


def _choose_space(name: str, value: JSON, result: Translation) -> None:
    where = f"{FIELD}.{name}"
    space = _SPACES.get(value) if isinstance(value, str) else None
    if space:
        result.arguments.setdefault("search_space", space)
        result.notices.append(f"{where}: {value} is read as search_space: {space}.")
    elif name == "search_space":
        result.arguments[name] = value
    else:
        result.notices.append(
            f"{where}: {shown(value)} is left aside: TPOT 1.x takes `search_space` in its place."
        )
