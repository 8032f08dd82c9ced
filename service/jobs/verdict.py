"""What the cluster and the store show of a job, made into the next state of its record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from service.jobs.bounds import bounded, cut
from service.jobs.ending import document_of, told
from service.jobs.observed import ClusterJob, Pod
from service.jobs.record import JobRecord, JobState
from service.jobs.waiting import (
    how_it_ended,
    is_final,
    is_out_of_memory,
    is_overdue,
    may_run_again,
    waits_for,
)
from service.problems import Problem

HANGS = "It is not run again, for it would take as long."
MEMORY = "It is not run again, for the limit would be the same."


def under_way(record: JobRecord, job: ClusterJob) -> JobRecord:
    """Return the record of a job whose Job has not ended."""
    pod = job.running
    if pod is not None:
        reason = "told to stop" if record.is_cancelled else f"runs; attempt {record.attempt}"
        running = {"state": JobState.RUNNING, "reason": reason}
        return record.model_copy(update=running | _started(record, pod))
    if job.is_ending or any(pod.is_leaving for pod in job.pods):
        # On the way out there is nothing new to tell, and what it waited for is worth keeping.
        return record
    last = job.pods[-1] if job.pods else None
    if last is not None and is_overdue(last) and not last.container.has_begun:
        # What it waited for in vain is worth keeping, too.
        return record
    said = {"reason": waits_for(job)}
    if last is not None and last.container.phase == "terminated" and not may_run_again(last):
        return record.model_copy(update=said)
    return record.model_copy(update=said | {"state": JobState.QUEUED})


def is_over(job: ClusterJob | None) -> bool:
    """Whether a Job has ended, well or badly, or is gone."""
    return job is None or bool(job.ending("Complete") or job.ending("Failed"))


def is_hopeless(job: ClusterJob) -> bool:
    """Whether a Job has a pod whose end the next one would share."""
    return any(is_final(pod) for pod in job.pods)


def ended(record: JobRecord, job: ClusterJob | None, result: Mapping[str, Any]) -> JobRecord:
    """Return the record of a job that is over.

    Parameters
    ----------
    job
        Its Job; None where that is gone.
    result
        What the training program wrote in the store. Where that is nothing, its termination
        message counts.
    """
    last = job.pods[-1] if job is not None and job.pods else None
    said = result or document_of(last.container.message if last else "")
    record = record.model_copy(update=_started(record, last))
    published = said.get("published")
    if published and isinstance(published, dict):
        name = f"{published.get('modelId')}:{published.get('version')}"
        done = record.model_copy(update={"summary": bounded(published)})
        return _over(done, JobState.SUCCEEDED, f"published {name}")
    if record.is_cancelled:
        return _over(record, JobState.CANCELLED, "cancelled on request")
    error = said.get("error")
    return _failed(record, job, last, error if isinstance(error, dict) else {})


def refused(record: JobRecord, why: str) -> JobRecord:
    """Return the record of a job that the cluster does not take."""
    return _fail(record, f"the cluster refuses its Job: {why}", mend="Mend the Jobs' template.")


def _failed(
    record: JobRecord, job: ClusterJob | None, last: Pod | None, error: Mapping[str, Any]
) -> JobRecord:
    if last is not None and (is_out_of_memory(last) or is_overdue(last)):
        return (_out_of_memory if is_out_of_memory(last) else _overdue)(record, last)
    failure = job.ending("Failed") if job is not None else None
    if job is not None and failure is not None and failure.reason == "DeadlineExceeded":
        passed = f"the deadline of {job.deadline} s passed, from when the Job was made"
        detail = f"{passed}; before that: {record.reason}"
        mend = "See what it waited for, and post it again."
        return _fail(record, detail, code="interrupted", mend=mend)
    # An error that an earlier pod has told is not why the last one died.
    code = last.container.exit_code if last else None
    if error and code in (None, error.get("exit_code", code)):
        problem = told(error, record.path)
        return _over(record, JobState.FAILED, problem.detail, problem)
    if job is None:
        return _fail(record, "its Job was deleted from the cluster, by somebody else")
    if last is None:
        return _fail(record, f"its Job failed: {failure.message if failure else 'no reason told'}")
    return _fail(record, f"{how_it_ended(last)}, without a result")


def _out_of_memory(record: JobRecord, pod: Pod) -> JobRecord:
    reason = how_it_ended(pod)
    problem = Problem.of_code(
        "out-of-memory",
        f"{reason}. {MEMORY}",
        mend="Ask for fewer features (default_fc_parameters: minimal) or a cheaper model, send "
        "fewer series, or let the Jobs have more memory (jobs.resources of the chart).",
        instance=record.path,
    )
    return _over(record, JobState.FAILED, f"{reason}. {MEMORY}".rstrip("."), problem)


def _overdue(record: JobRecord, pod: Pod) -> JobRecord:
    reason = how_it_ended(pod)
    if not pod.container.has_begun:
        mend = "See what it waited for, and post it again."
        return _fail(record, f"{reason}; before that: {record.reason}", "interrupted", mend)
    problem = Problem.of_code(
        "budget-exceeded",
        f"{reason}, which leaves time beyond its budget. {HANGS}",
        mend=f"GET {record.path}/logs shows where it hung. Raise the budget, or ask for fewer "
        "features (default_fc_parameters: minimal), and post it again.",
        instance=record.path,
    )
    return _over(record, JobState.FAILED, f"{reason}. {HANGS}".rstrip("."), problem)


def _fail(
    record: JobRecord, reason: str, code: str = "internal-error", mend: str = ""
) -> JobRecord:
    reason = cut(reason)
    problem = Problem.of_code(
        code,
        f"{reason}.",
        mend=mend or f"GET {record.path}/logs shows what it said; then post it again.",
        retryable=True,
        instance=record.path,
    )
    return _over(record, JobState.FAILED, reason, problem)


def _over(
    record: JobRecord, state: JobState, reason: str, problem: Problem | None = None
) -> JobRecord:
    end = {"state": state, "reason": cut(reason), "problem": problem, "ended": datetime.now(UTC)}
    return record.model_copy(update=end)


def _started(record: JobRecord, pod: Pod | None) -> dict[str, datetime]:
    if pod is None or pod.container.started is None:
        return {}
    # The cluster tells whole seconds.
    return {"started": max(record.created, pod.container.started)}
