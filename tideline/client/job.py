"""A training job, as the trainer tells of it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, JsonValue

from tideline.client.problem import Problem
from tideline.progress import Progress


class Job(BaseModel):
    """One execution of training, at the moment of the answer.

    Attributes
    ----------
    id
        Its name, the same for the same body or the same idempotency key.
    pipeline_id
        The name of the model that it trains.
    state
        `queued`, `running`, `succeeded`, `failed` or `cancelled`.
    reason
        Why it is in this state, in words.
    progress
        How far it has come, once it has begun; `progress.standing` says what the search has found.
    summary
        What was published, once it has succeeded.
    problem
        Why it failed, if it has.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    pipeline_id: str
    state: str
    reason: str = ""
    progress: Progress | None = None
    summary: dict[str, JsonValue] | None = None
    problem: Problem | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to the job."""
        return self.state in ("succeeded", "failed", "cancelled")
