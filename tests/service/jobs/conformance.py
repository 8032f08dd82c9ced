"""What every job backend must do.

A backend's test class inherits this, and gives a `backend` and a `gate`: something that a run can
wait for (`name`, as its spec says it) and a test can open.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from service.jobs.backend import JobBackend, JobRequest
from service.jobs.listener import Listener
from service.jobs.record import JobRecord, JobState
from tideline.errors import IdempotencyConflict, JobNotFound, QueueFull
from tideline.progress import Best, Failure, Pipelines, Progress

PATIENCE = 30.0
HALF = Progress(
    stage="search",
    share=0.5,
    message="hangs",
    pipelines=Pipelines(tried=34, failed=2, failures=(Failure(reason="MemoryError", count=2),)),
    best=Best(name="ExtraTreesClassifier", metric="neg_log_loss", value=-0.31),
)
"""What a run that hangs has told."""


class Text:
    """Posted bytes."""

    def __init__(self, text: str) -> None:
        self.text = text

    def save(self, path: Path) -> None:
        path.write_text(self.text, encoding="utf-8")


def request(behaviour: str, name: str = "m", key: str | None = None, **spec: object) -> JobRequest:
    settings = {"pipeline_id": name, "behaviour": behaviour, **spec}
    digest = hashlib.sha256(repr(settings).encode()).hexdigest()
    return JobRequest(name, settings, Text("series"), Text("labels"), digest, key)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


def ended(backend: JobBackend, job_id: str) -> JobRecord:
    until(lambda: backend.get(job_id).state.is_over)
    return backend.get(job_id)


class FileGate:
    """A gate for runs on this machine."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)

    def open(self) -> None:
        self.path.touch()


def two_running_and_one_queued(backend, gate) -> list[str]:
    """Return the ids of three jobs that wait for the gate."""

    def submitted(n: int) -> str:
        return backend.submit(request("await_file", f"m{n}", file=gate.name)).job.id

    jobs = [submitted(0), submitted(1)]
    # Until they run they wait as well, and only so many may.
    until(lambda: [backend.get(job).state for job in jobs] == [JobState.RUNNING] * 2)
    return [*jobs, submitted(2)]


class JobBackendConformance:
    """At most two jobs run, and two more may wait."""

    def test_a_job_that_publishes_succeeds_with_its_summary(self, backend):
        submission = backend.submit(request("publish"))
        assert submission.is_new
        job = ended(backend, submission.job.id)
        assert job.state is JobState.SUCCEEDED
        assert job.summary["trainShape"] == [6, 1]
        assert job.reason == "published m:1"
        assert job.created <= job.started <= job.ended
        assert f"published {job.id}" in backend.logs(job.id)

    def test_a_refused_job_fails_with_the_problem_that_the_program_tells(self, backend):
        job = ended(backend, backend.submit(request("refuse")).job.id)
        assert job.state is JobState.FAILED
        assert (job.problem.status, job.problem.field) == (422, "labels")
        assert job.problem.type == "urn:tideline:problem:bad-data"
        assert (job.problem.detail, job.problem.mend) == ("one class.", "Add one.")
        assert job.problem.instance == f"/jobs/{job.id}"

    def test_a_job_whose_process_dies_fails_with_the_signal(self, backend):
        job = ended(backend, backend.submit(request("crash")).job.id)
        assert job.state is JobState.FAILED
        assert "SIGKILL" in job.reason
        assert job.problem.retryable

    def test_the_same_body_is_the_same_job(self, backend):
        first = backend.submit(request("publish")).job
        again = backend.submit(request("publish"))
        assert not again.is_new
        assert again.job.id == first.id
        ended(backend, first.id)
        late = backend.submit(request("publish"))
        assert (late.is_new, late.job.state) == (False, JobState.SUCCEEDED)
        assert len(backend.records()) == 1

    def test_another_body_is_another_job(self, backend):
        first = backend.submit(request("publish", "a")).job
        assert backend.submit(request("publish", "b")).job.id != first.id

    def test_a_failed_job_is_run_again_when_its_body_comes_again(self, backend):
        first = ended(backend, backend.submit(request("refuse")).job.id)
        again = backend.submit(request("refuse"))
        assert again.is_new
        assert again.job.id == first.id
        assert ended(backend, first.id).attempt == 1

    def test_a_key_names_one_job_even_when_it_failed(self, backend):
        first = ended(backend, backend.submit(request("refuse", key="k")).job.id)
        again = backend.submit(request("refuse", key="k"))
        assert (again.is_new, again.job.id) == (False, first.id)
        assert backend.submit(request("refuse", key="l")).is_new

    def test_a_key_with_another_body_is_a_conflict(self, backend):
        backend.submit(request("publish", "a", key="k"))
        with pytest.raises(IdempotencyConflict, match="another body"):
            backend.submit(request("publish", "b", key="k"))

    def test_two_run_at_once_and_the_others_wait_their_turn(self, backend, gate):
        jobs = two_running_and_one_queued(backend, gate)
        assert backend.get(jobs[2]).state is JobState.QUEUED
        gate.open()
        assert {ended(backend, j).state for j in jobs} == {JobState.SUCCEEDED}

    def test_too_many_waiting_jobs_are_refused(self, backend, gate):
        jobs = []
        for n in range(4):
            jobs.append(backend.submit(request("await_file", f"m{n}", file=gate.name)).job.id)
            if n < 2:
                until(lambda: backend.get(jobs[-1]).state is JobState.RUNNING)
        with pytest.raises(QueueFull):
            backend.submit(request("publish", "one too many"))
        gate.open()
        assert {ended(backend, j).state for j in jobs} == {JobState.SUCCEEDED}

    def test_a_running_job_tells_its_progress_and_is_cancelled(self, backend):
        job = backend.submit(request("hang")).job
        until(lambda: backend.get(job.id).progress)
        progress = backend.get(job.id).progress
        assert progress == HALF
        backend.cancel(job.id)
        assert ended(backend, job.id).state is JobState.CANCELLED
        assert backend.cancel(job.id).state is JobState.CANCELLED

    def test_a_queued_job_is_cancelled_at_once(self, backend, gate):
        jobs = two_running_and_one_queued(backend, gate)
        assert backend.cancel(jobs[2]).state is JobState.CANCELLED
        gate.open()
        assert {ended(backend, j).state for j in jobs[:2]} == {JobState.SUCCEEDED}

    def test_what_a_listener_hears_before_and_after_the_end_is_the_log(self, backend, gate):
        job = backend.submit(request("await_file", file=gate.name)).job
        listener, heard = Listener(), []

        def hears(word: str, *, is_over: bool = False) -> bool:
            heard.append(listener.news(backend.chapters(job.id), is_over=is_over))
            return word in "".join(heard)

        until(lambda: hears("waits"))
        assert not backend.get(job.id).state.is_over
        gate.open()
        ended(backend, job.id)
        assert hears(f"published {job.id}", is_over=True)
        assert "".join(heard) == backend.logs(job.id)

    def test_an_unknown_job_is_not_found(self, backend):
        for call in (backend.get, backend.logs, backend.chapters, backend.cancel):
            with pytest.raises(JobNotFound, match="no-such"):
                call("no-such")

    def test_the_newest_job_is_listed_first(self, backend):
        first = ended(backend, backend.submit(request("publish", "a")).job.id)
        second = ended(backend, backend.submit(request("publish", "b")).job.id)
        assert [job.id for job in backend.records()] == [second.id, first.id]
