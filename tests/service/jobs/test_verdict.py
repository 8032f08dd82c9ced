from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from service.jobs.record import JobRecord, JobState
from service.jobs.verdict import ended, is_hopeless, is_over, refused, under_way
from tests.service.jobs.sightings import LATER, job, pod, running, terminated, waiting

RECORD = JobRecord(
    id="job-1",
    pipeline_id="m",
    state=JobState.QUEUED,
    reason="waits",
    digest="d",
    created=datetime(2026, 1, 1, tzinfo=UTC),
)
PUBLISHED = {"published": {"modelId": "m", "version": 3}}
TOLD = {"error": {"code": "bad-data", "message": "one class.", "mend": "Add.", "exit_code": 65}}
PASSING = {"error": {"code": "store-unavailable", "message": "away.", "exit_code": 75}}
FAILED = ("Failed", "BackoffLimitExceeded")


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        (job(), JobState.QUEUED),
        (job(pod()), JobState.QUEUED),
        (job(waiting("ErrImagePull")), JobState.QUEUED),
        (job(running()), JobState.RUNNING),
        (job(terminated(75)), JobState.QUEUED),
        (job(terminated(75), running(name="j-b", created=LATER)), JobState.RUNNING),
    ],
)
def test_a_job_runs_while_its_program_does(seen, state):
    record = under_way(RECORD, seen)
    assert record.state is state
    assert record.reason


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (terminated(0), "its run ended with exit code 0"),
        (terminated(0, phase="Running"), "its run ended with exit code 0"),
        (terminated(65), "its run ended with exit code 65: data that cannot be used"),
        (terminated(137, reason="OOMKilled"), "used more memory than its limit allows"),
    ],
)
def test_a_run_that_is_not_repeated_does_not_wait_again(last, words):
    before = RECORD.model_copy(update={"state": JobState.RUNNING})
    record = under_way(before, job(last))
    assert record.state is JobState.RUNNING
    assert record.reason.endswith(words)


def test_what_a_job_waited_for_is_kept_on_its_way_out():
    for seen in (
        job(ending=("FailureTarget", "DeadlineExceeded")),
        job(waiting("x", leaving=True)),
    ):
        assert under_way(RECORD, seen).reason == RECORD.reason


@pytest.mark.parametrize(
    ("seen", "result", "state", "words"),
    [
        (job(terminated(0), ending=("Complete", "")), PUBLISHED, "succeeded", "published m:3"),
        (None, PUBLISHED, "succeeded", "published m:3"),
        (job(terminated(143), ending=FAILED), PUBLISHED, "succeeded", "published m:3"),
        (
            job(terminated(0, message_of_container=json.dumps(PUBLISHED)), ending=("Complete", "")),
            {},
            "succeeded",
            "published m:3",
        ),
        (job(terminated(0), ending=("Complete", "")), {}, "failed", "with exit code 0, without"),
        (job(terminated(65), ending=("Failed", "PodFailurePolicy")), TOLD, "failed", "one class."),
        (
            job(terminated(65, message_of_container=json.dumps(TOLD)), ending=FAILED),
            {},
            "failed",
            "one class.",
        ),
        (job(terminated(137), ending=FAILED), PASSING, "failed", "SIGKILL"),
        (job(terminated(75), ending=FAILED), PASSING, "failed", "away."),
        (job(terminated(137, reason="OOMKilled"), ending=FAILED), {}, "failed", "not run again"),
        (
            job(ending=("Failed", "DeadlineExceeded")),
            {},
            "failed",
            "the deadline of 60 s passed, from when the Job was made; before that: waits",
        ),
        (job(ending=FAILED), {}, "failed", "its Job failed: as told"),
        (None, {}, "failed", "its Job was deleted from the cluster"),
        (None, TOLD, "failed", "one class."),
    ],
)
def test_how_a_job_ended(seen, result, state, words):
    record = ended(RECORD, seen, result)
    assert record.state.value == state
    assert words in record.reason
    assert record.ended is not None
    assert (record.problem is not None) == (state == "failed")


def test_a_cancelled_job_is_cancelled_unless_it_had_published():
    cancelled = RECORD.model_copy(update={"is_cancelled": True})
    assert ended(cancelled, None, TOLD).state is JobState.CANCELLED
    assert ended(cancelled, None, PUBLISHED).state is JobState.SUCCEEDED


def test_a_run_out_of_memory_is_a_problem_of_its_own():
    seen = job(terminated(137, reason="OOMKilled"), ending=FAILED)
    problem = ended(RECORD, seen, PASSING).problem
    assert problem.type == "urn:tideline:problem:out-of-memory"
    assert not problem.retryable
    assert "default_fc_parameters" in problem.mend


def test_what_the_cluster_refuses_fails():
    record = refused(RECORD, "spec.x: invalid")
    assert record.state is JobState.FAILED
    assert "spec.x: invalid" in record.problem.detail


@pytest.mark.parametrize(
    ("seen", "over"),
    [(None, True), (job(), False), (job(running()), False), (job(ending=FAILED), True)],
)
def test_a_job_is_over_when_its_job_has_ended_or_gone(seen, over):
    assert is_over(seen) == over


def test_one_pod_that_the_next_would_follow_is_enough():
    overdue = replace(terminated(75), reason="DeadlineExceeded")
    assert is_hopeless(job(overdue))
    assert is_hopeless(job(terminated(137, reason="OOMKilled"), waiting("x", name="j-b")))
    assert not is_hopeless(job(terminated(137)))


def test_a_summary_is_kept_in_part_where_it_is_large():
    large = {"modelId": "m", "version": 3, "classes": ["a" * 600_000, "b" * 600_000]}
    record = ended(RECORD, None, {"published": large})
    assert len(record.model_dump_json()) < 10_000
    assert record.summary["version"] == 3
    assert "classes" in record.summary["notices"][-1]


def test_what_a_run_tells_of_its_failure_is_kept_in_part_where_it_is_large():
    error = {"code": "bad-data", "message": "x" * 9_000_000, "mend": "y" * 9_000_000}
    for result in ({"error": error}, {"error": "odd"}, {"published": "odd"}):
        assert len(ended(RECORD, None, result).model_dump_json()) < 20_000
    assert len(refused(RECORD, "x" * 9_000_000).model_dump_json()) < 20_000
