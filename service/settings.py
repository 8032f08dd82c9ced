"""What can be set from outside, one class a service, read once from `TIDELINE_*`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from tideline.cores import available_cores
from tideline.home import default_home, store_folder
from tideline.memory import largest_model

MEBIBYTE = 1024 * 1024
DAY = 24 * 3600.0


class ServiceSettings(BaseSettings):
    """What both services need."""

    model_config = SettingsConfigDict(
        env_prefix="TIDELINE_",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        # What is wrong with one setting is written to a log, with all others: a token among them.
        hide_input_in_errors=True,
    )

    home: Path = Field(
        default_factory=default_home,
        description="The folder that holds the model store and the jobs.",
    )
    store: str | None = Field(
        default=None,
        description="The URL of a store that machines share: file:///folder, s3://bucket/prefix, "
        "gs://bucket/prefix or az://account/container. Unset, the store is a folder of the home.",
    )
    token: SecretStr | None = Field(
        default=None,
        description="The bearer token that every call but /livez, /readyz and /healthz must carry. "
        "Unset, anybody who reaches the port may call.",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Without a token: the names, separated by commas, that the service may be "
        "called by besides localhost and plain addresses; * allows every name. A name that is "
        "not known is refused, for a web page can make its own name stand for this machine.",
    )
    max_body_bytes: int = Field(
        default=256 * MEBIBYTE,
        gt=0,
        description="The largest request body that is taken, in bytes.",
    )

    body_idle_seconds: float = Field(
        default=30.0,
        gt=0,
        description="How long the next byte of a request's body is waited for.",
    )
    ends_with_worker: bool = Field(
        default=False,
        description="Whether the whole service ends when its worker dies, as a pod should; "
        "otherwise another worker is started in its place.",
    )
    drain_seconds: int = Field(
        default=10,
        gt=0,
        description="How long the calls in hand may take when the service is told to stop.",
    )

    @property
    def store_home(self) -> Path:
        """The BentoML home that holds the published models."""
        return store_folder(self.home)

    @field_validator("allowed_hosts", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(name for part in value.split(",") if (name := part.strip()))
        return value


class PredictorSettings(ServiceSettings):
    """The settings of the predictor."""

    models_held: int = Field(
        default=8, gt=0, description="How many loaded model versions are held in memory."
    )
    poll_seconds: float = Field(
        default=2.0, gt=0, description="How often a shared store is asked for new versions."
    )
    max_model_bytes: int = Field(
        default_factory=largest_model,
        gt=0,
        description="The largest model that is pulled from a shared store and served, in bytes. "
        "Loaded, a forest takes some 16 times as much memory. The training says when a model is "
        "larger, by its own setting of this name or its own memory.",
    )
    replica_bytes: int = Field(
        default=2048 * MEBIBYTE,
        gt=0,
        description="How much disk the models that are pulled from a shared store may take, in "
        "bytes, and the largest of them once more. Those not used for the longest time go first, "
        "and are pulled again when they are asked for.",
    )
    predictions_at_once: int = Field(
        default_factory=available_cores,
        gt=0,
        description="How many predictions are computed at the same time; more wait.",
    )
    max_prediction_bytes: int = Field(
        default=64 * MEBIBYTE,
        gt=0,
        description="The largest raw data that is predicted from, in bytes. It is held in memory, "
        "several times over, for as many calls as are computed at the same time.",
    )


class TrainerSettings(ServiceSettings):
    """The settings of the trainer."""

    jobs: Literal["local", "kubernetes"] = Field(
        default="local",
        description="Where jobs run: as child processes of the trainer, or as Jobs of a cluster.",
    )
    jobs_at_once: int | None = Field(
        default=None,
        gt=0,
        description="How many jobs run at the same time; more are queued. Unset, 2 as child "
        "processes and 20 in a cluster, where its own queue and quota come on top.",
    )
    jobs_queued: int = Field(
        default=100, gt=0, description="How many jobs may wait; more are refused with 503."
    )
    jobs_kept: int = Field(
        default=1000, gt=0, description="How many ended jobs are remembered; the oldest go first."
    )
    stop_seconds: float = Field(
        default=10.0,
        gt=0,
        description="How long a job that is told to stop may take before it is killed.",
    )
    wait_poll_seconds: float = Field(
        default=0.2, gt=0, description="How often a waiting call looks at its job."
    )
    max_wait_seconds: int = Field(
        default=3600,
        gt=0,
        description="The longest that `?wait=` holds an answer, and that a log or events are "
        "followed.",
    )
    followers_at_once: int = Field(
        default=20,
        gt=0,
        description="How many calls may follow a log, or the events of a job, at the same time; "
        "more are refused with 503.",
    )
    log_poll_seconds: float = Field(
        default=1.0,
        gt=0,
        description="How often a call that follows a job looks for more.",
    )
    max_checked_bytes: int = Field(
        default=64 * MEBIBYTE,
        ge=0,
        description="The largest raw data that is read and checked before a job is started; "
        "of larger data the job itself says what is wrong.",
    )
    checks_at_once: int = Field(
        default=2,
        gt=0,
        description="How many posted bodies are checked at the same time; more wait. Each is "
        "held in memory, several times over.",
    )
    max_budget_seconds: float = Field(
        default=DAY,
        gt=0,
        description="The largest budget that a posted spec may ask for, in seconds.",
    )

    job_namespace: str = Field(
        default="default", description="The namespace that the Jobs are made in."
    )
    job_image: str = Field(
        default="", description="The image that the Jobs run; unset, the template's."
    )
    job_template: Path | None = Field(
        default=None,
        description="The manifest of a Job that each one is made from; the chart renders it.",
    )
    job_secret: SecretStr | None = Field(
        default=None,
        description="The key that the tokens are made with by which the pods of the Jobs tell "
        "their progress. Unset, they tell none.",
    )
    trainer_url: str = Field(
        default="", description="Where the pods of the Jobs reach this trainer, to tell progress."
    )
    job_poll_seconds: float = Field(
        default=2.0, gt=0, description="How often the cluster is looked at."
    )
    job_margin_seconds: float = Field(
        default=600.0,
        ge=0,
        description="What the deadline of a run leaves for pulling and starting, beyond the budget "
        "of its spec; and once more, what the deadline of its Job leaves for waiting, beyond those "
        "of all runs that it may need. A run that is stopped at its deadline is not repeated.",
    )
    job_stall_seconds: float = Field(
        default=90.0,
        gt=0,
        description="After how long without a word from its pod a job is called stalled.",
    )

    @property
    def jobs_home(self) -> Path:
        """The folder that holds one folder a job."""
        return self.home.expanduser().absolute() / "jobs"

    @model_validator(mode="after")
    def _in_a_cluster(self) -> Self:
        if self.jobs == "kubernetes" and not (self.store and self.job_template):
            raise ValueError(
                "TIDELINE_JOBS=kubernetes needs TIDELINE_STORE, the URL of a store that pods "
                "reach, and TIDELINE_JOB_TEMPLATE, the manifest that Jobs are made from."
            )
        return self


class LaptopSettings(PredictorSettings, TrainerSettings):
    """The settings of the one service that is both."""

    @property
    def replica_home(self) -> Path:
        """Where models of a shared store are pulled to: not where jobs put theirs first."""
        return self.home.expanduser().absolute() / "replica"
