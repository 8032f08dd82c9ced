"""The events of a job, as server-sent events: its state, its progress, its end."""

from __future__ import annotations

import time

from fastapi.sse import format_sse_event
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from service.jobs.backend import JobBackend
from service.jobs.record import Job, JobRecord, JobState

HEARTBEAT_SECONDS = 15.0
"""After so long without news a comment is sent, a sign of life for proxies and callers."""
RETRY_MILLISECONDS = 3000
LAST_ID = "over"
"""The id of the last event, with which a browser asks whether there are more."""


class StateEvent(BaseModel):
    """Where a job stands: the data of an event `state`."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="The job's name.")
    state: JobState = Field(description="queued, running, succeeded, failed or cancelled.")
    reason: str = Field(description="Why the job is in this state, in words.")
    attempt: int = Field(description="How many runs were begun.")


class EventHearing:
    """The events of a job.

    Parameters
    ----------
    jobs
        Whose jobs are asked.
    job_id
        Whose events they are.
    """

    media_type = "text/event-stream"
    field = "events"
    instead = "ask for the job itself now and then"

    def __init__(self, jobs: JobBackend, job_id: str) -> None:
        self.jobs = jobs
        self.job_id = job_id
        self._seen: JobRecord | None = None
        self._spoke = 0.0
        self._reason = ""

    def hear(self) -> tuple[str, bool]:
        """Return the events since the last call, and whether the job is over."""
        job = self.jobs.get(self.job_id)
        text = self._news(job)
        if text:
            self._spoke = time.monotonic()
        elif time.monotonic() - self._spoke >= HEARTBEAT_SECONDS:
            # A reason may change every second, as that of a stalled job does: with the heartbeat.
            text = _comment("") if job.reason == self._reason else self._state(job)
            self._spoke = time.monotonic()
        self._seen = job
        return text, job.state.is_over

    def parting(self, reason: str) -> str:
        """Return a comment, after which a browser asks again by itself."""
        return _comment(reason)

    def _news(self, job: JobRecord) -> str:
        seen = self._seen
        events = [] if seen else [format_sse_event(retry=RETRY_MILLISECONDS).decode()]
        if job.state.is_over:
            return "".join([*events, _end(job)])
        if seen is None or (seen.state, seen.attempt) != (job.state, job.attempt):
            events.append(self._state(job))
        if job.progress is not None and (seen is None or seen.progress != job.progress):
            events.append(_event("progress", job.progress.model_dump_json()))
        return "".join(events)

    def _state(self, job: JobRecord) -> str:
        self._reason = job.reason
        known = job.model_dump(include=set(StateEvent.model_fields))
        return _event("state", StateEvent(**known).model_dump_json())


def has_heard_the_end(request: Request) -> bool:
    """Whether a browser asks again that was told the last event; it stops when there is none."""
    return request.headers.get("last-event-id") == LAST_ID


def _end(job: JobRecord) -> str:
    own = job.model_dump_json(include=set(Job.model_fields))
    return _event("end", own, LAST_ID)


def _event(name: str, data: str, number: str | None = None) -> str:
    return format_sse_event(event=name, data_str=data, id=number).decode()


def _comment(text: str) -> str:
    return format_sse_event(comment=text).decode()
