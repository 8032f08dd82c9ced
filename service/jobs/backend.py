"""What runs jobs: the contract that every backend keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from service.jobs.chapter import Chapter, log_of
from service.jobs.record import JobRecord, JobState, job_id_of
from tideline.errors import IdempotencyConflict, RequestError


class Input(Protocol):
    """Posted bytes that can be written to a file."""

    def save(self, path: Path) -> None:
        """Write all of it to a new file."""


@dataclass(frozen=True)
class JobRequest:
    """A job to be done, checked as far as it can be before it runs.

    Attributes
    ----------
    pipeline_id
        The name of the model to be published.
    spec
        The parameter file as a mapping; without the keys `raw_data`, `labels` and `store`,
        which the backend sets.
    raw_data, labels
        What was posted; `labels` is None where the raw data holds them.
    digest
        The SHA-256 of all that was posted.
    idempotency_key
        The key that the client gave, or None.
    """

    pipeline_id: str
    spec: Mapping[str, object]
    raw_data: Input
    labels: Input | None
    digest: str
    idempotency_key: str | None = None

    @property
    def job_id(self) -> str:
        """The name of the job: the same for the same key, or without one for the same body."""
        return job_id_of(self.digest, self.idempotency_key)


@dataclass(frozen=True)
class Submission:
    """The answer to a request: its job, and whether this request started it."""

    job: JobRecord
    is_new: bool


class JobStopping(RequestError):
    """A job is asked for again that was told to stop, and has not yet ended."""

    code = "cancelled"
    retryable = True


def standing(record: JobRecord | None, request: JobRequest) -> JobRecord | None:
    """Return the job that a request has already started; None where it is to be started.

    Parameters
    ----------
    record
        What is known of the job of the request's name.

    Raises
    ------
    IdempotencyConflict
    JobStopping
    """
    if record is None:
        return None
    if record.digest != request.digest:
        raise IdempotencyConflict(
            f"the idempotency key was used before, for the job {record.id}, with another body.",
            mend="Use a new key for a new job.",
            field="Idempotency-Key",
        )
    if request.idempotency_key or record.state is JobState.SUCCEEDED:
        return record
    if record.state.is_over:
        return None
    if record.is_cancelled:
        raise JobStopping(
            f"the job {record.id} was told to stop, and has not yet ended.",
            mend="Post it again when it has.",
        )
    return record


class JobBackend(ABC):
    """Runs jobs and remembers them.

    **Ownership.** A backend owns the state of its jobs: nobody else writes it, and a record that
    it hands out is a copy that never changes. A second backend on the same state is refused, or
    does no harm: which, its class says.

    **Threads.** Every method may be called from any thread at any time between `start` and
    `close`. None of them waits for a job.

    **Durability.** When `submit` returns, the job survives a kill of this process: the backend
    that is next started on the same state runs it, takes up its run, or fails it with the reason.
    A job whose run was cut off is run again, three times at most. No run that is a process of
    this machine outlives its backend by more than the time that stopping takes; a run that is a
    pod of a cluster goes on.

    **Errors.** Only those named below, all of them `tideline.errors.TidelineError`; an input or
    output error of the state itself passes through as `OSError`.
    """

    @abstractmethod
    def start(self) -> None:
        """Take up the jobs that are known, and begin to run them.

        Raises
        ------
        StoreUnavailable
            When another backend holds this state.
        """

    @abstractmethod
    def close(self) -> None:
        """Stop every run on this machine, wait for it, and leave its job to the next `start`."""

    @abstractmethod
    def submit(self, request: JobRequest) -> Submission:
        """Accept a job, or find the one that this request has already started.

        The same idempotency key, or without a key the same body, is the same job. Without a key
        a job that failed or was cancelled is queued again, for somebody has asked for it again.

        Raises
        ------
        IdempotencyConflict
            When the key was used before, with another body.
        JobStopping
            When no key was given, and the job was told to stop and has not yet ended.
        QueueFull
            When as many jobs wait as may.
        """

    @abstractmethod
    def get(self, job_id: str) -> JobRecord:
        """Return the record of a job, with the progress of its run.

        Raises
        ------
        JobNotFound
        """

    @abstractmethod
    def records(self) -> tuple[JobRecord, ...]:
        """Return the records of all jobs, the newest first."""

    @abstractmethod
    def chapters(self, job_id: str) -> tuple[Chapter, ...]:
        """Return what the runs of a job have said so far, in the order of the runs.

        Of a job that is over it is all that there is ever to be.

        Raises
        ------
        JobNotFound
        """

    def logs(self, job_id: str) -> str:
        """Return what the runs of a job have said so far as one text; of a very long one its end.

        Raises
        ------
        JobNotFound
        """
        return log_of(self.chapters(job_id))

    @abstractmethod
    def cancel(self, job_id: str) -> JobRecord:
        """Tell a job to stop, and return its record as it now is.

        A queued job is cancelled at once. A running one is told to stop and is `cancelled` when
        its last process has ended. A job that is over stays as it is.

        Raises
        ------
        JobNotFound
        """
