"""What is known of a job."""

from __future__ import annotations

import hashlib
from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from service.problems import Problem
from tideline.progress import Progress


class JobState(StrEnum):
    """Where a job stands. The last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to the job."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


class Heard(BaseModel):
    """What was last told of a run, and when (UTC)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    time: AwareDatetime
    progress: Progress


class Job(BaseModel):
    """One execution of training, as everybody may know it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(description="The job's name, made from its idempotency key or its body.")
    pipeline_id: str = Field(description="The name of the model that the job trains.")
    state: JobState = Field(description="queued, running, succeeded, failed or cancelled.")
    reason: str = Field(default="", description="Why the job is in this state, in words.")
    created: datetime = Field(description="When it was accepted (UTC).")
    started: datetime | None = Field(default=None, description="When its last run began (UTC).")
    ended: datetime | None = Field(default=None, description="When it ended (UTC).")
    attempt: int = Field(default=0, description="How many runs were begun.")
    progress: Progress | None = Field(default=None, description="How far the run has come.")
    summary: dict[str, JsonValue] | None = Field(
        default=None, description="What was published, in the founding service's words."
    )
    problem: Problem | None = Field(default=None, description="Why the job failed.")

    @property
    def path(self) -> str:
        """Where the job is found over HTTP."""
        return f"/jobs/{self.id}"


class JobRecord(Job):
    """What a backend keeps of a job; immutable, each change makes a new record.

    One that a later version has written may hold more: that is left out.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    digest: str = Field(description="The SHA-256 of what was posted.")
    is_cancelled: bool = Field(default=False, description="Whether it was told to stop.")


def job_id_of(digest: str, idempotency_key: str | None) -> str:
    """Return the name of the job that a body, or an idempotency key, stands for.

    The name fits a Kubernetes object: letters, digits and dashes, 24 characters.
    """
    origin = f"body:{digest}" if idempotency_key is None else f"key:{idempotency_key}"
    return f"job-{hashlib.sha256(origin.encode()).hexdigest()[:20]}"
