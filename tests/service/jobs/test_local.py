from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from service.jobs.backend import JobStopping
from service.jobs.chapter import CUT, LOG_TAIL
from service.jobs.folder import JobFolder
from service.jobs.local import LocalJobs
from service.jobs.record import JobState
from service.leaving import Leaving
from service.problems import Problem
from tests.service.jobs.conformance import (
    FileGate,
    JobBackendConformance,
    ended,
    request,
    until,
)
from tideline.errors import StoreUnavailable

PROGRAM = (sys.executable, str(Path(__file__).with_name("program.py")))


def local_jobs(home: Path, **options) -> LocalJobs:
    defaults = {"at_once": 2, "queued": 2, "stop_seconds": 0.3}
    return LocalJobs(home, "the-store", command=PROGRAM, **(defaults | options))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "jobs"


@pytest.fixture
def backend(home: Path):
    jobs = local_jobs(home)
    jobs.start()
    yield jobs
    jobs.close()


@pytest.fixture
def gate(tmp_path: Path) -> FileGate:
    return FileGate(tmp_path / "go")


def pids(home: Path, job_id: str) -> list[int]:
    file = home / job_id / "pids"
    until(file.exists)
    until(lambda: file.read_text(encoding="utf-8").endswith("\n"))
    return [int(pid) for pid in file.read_text(encoding="utf-8").split()]


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def none_alive(processes: list[int]) -> bool:
    return not any(is_alive(pid) for pid in processes)


class TestLocalJobs(JobBackendConformance):
    """LocalJobs keeps the contract of every backend."""


def test_a_job_that_is_still_being_stopped_cannot_be_asked_for_again(home):
    jobs = local_jobs(home, stop_seconds=1)
    jobs.start()
    job = jobs.submit(request("hang")).job
    pids(home, job.id)
    jobs.cancel(job.id)
    with pytest.raises(JobStopping, match="told to stop") as refusal:
        jobs.submit(request("hang"))
    assert Problem.of_error(refusal.value).status == 409
    assert refusal.value.retryable
    jobs.close()


def test_cancelling_ends_every_process_of_a_run_even_deaf_ones(backend, home):
    job = backend.submit(request("hang")).job
    processes = pids(home, job.id)
    backend.cancel(job.id)
    ended(backend, job.id)
    assert none_alive(processes)


def test_a_killed_launcher_leaves_no_process(backend, home):
    job = backend.submit(request("hang")).job
    processes = pids(home, job.id)
    os.kill(psutil.Process(processes[0]).ppid(), signal.SIGKILL)
    assert ended(backend, job.id).state is JobState.FAILED
    assert none_alive(processes)


def test_closing_ends_the_runs_and_the_next_start_runs_them_again(home, tmp_path):
    file = tmp_path / "go"
    first = local_jobs(home, at_once=1)
    first.start()
    hanging = first.submit(request("await_file", "a", file=str(file))).job.id
    waiting = first.submit(request("publish", "b")).job.id
    until(lambda: first.get(hanging).state is JobState.RUNNING)
    first.close()
    record = JobFolder(home / hanging).read_record()
    assert (record.state, record.attempt) == (JobState.QUEUED, 0)
    file.touch()
    second = local_jobs(home)
    second.start()
    assert ended(second, hanging).state is JobState.SUCCEEDED
    assert ended(second, waiting).state is JobState.SUCCEEDED
    second.close()


def stop_from_outside(home: Path, job_id: str) -> None:
    os.kill(psutil.Process(pids(home, job_id)[0]).ppid(), signal.SIGTERM)


def test_a_run_that_is_stopped_from_outside_is_run_again(backend, home):
    job = backend.submit(request("hang")).job
    stop_from_outside(home, job.id)
    until(lambda: backend.get(job.id).attempt == 2)


def test_a_run_that_is_stopped_along_with_the_trainer_does_not_count(home):
    leaving = Leaving()
    jobs = local_jobs(home, leaving=leaving)
    jobs.start()
    job = jobs.submit(request("hang")).job
    processes = pids(home, job.id)
    stop_from_outside(home, job.id)
    leaving.set()
    until(lambda: jobs.get(job.id).state is JobState.QUEUED)
    assert jobs.get(job.id).attempt == 0
    assert none_alive(processes)
    jobs.close()


def test_a_second_backend_on_the_same_folder_is_refused(backend, home, monkeypatch):
    monkeypatch.setattr("service.jobs.local.LOCK_SECONDS", 0.2)
    with pytest.raises(StoreUnavailable, match="another trainer"):
        local_jobs(home).start()


TRAINER = textwrap.dedent(
    """
    import sys, time
    from pathlib import Path
    from tests.service.jobs.test_local import local_jobs
    from tests.service.jobs.conformance import request
    jobs = local_jobs(Path(sys.argv[1]))
    jobs.start()
    jobs.submit(request("hang", key="k"))
    time.sleep(600)
    """
)


def killed_trainer(home: Path, job_id: str) -> list[int]:
    """Start a trainer in a process of its own, and kill it while its job runs."""
    (home / job_id / "pids").unlink(missing_ok=True)
    repository = Path(__file__).resolve().parents[3]
    with subprocess.Popen([sys.executable, "-c", TRAINER, str(home)], cwd=repository) as trainer:
        processes = pids(home, job_id)
        trainer.kill()
    return processes


def test_a_killed_trainer_leaves_no_process_and_its_job_is_run_again_three_times(home):
    job_id = request("hang", key="k").job_id
    for _ in range(3):
        processes = killed_trainer(home, job_id)
        until(lambda processes=processes: none_alive(processes))
    jobs = local_jobs(home)
    jobs.start()
    record = jobs.get(job_id)
    assert record.state is JobState.FAILED
    assert "killed in each of its 3 runs" in record.reason
    jobs.close()


def test_a_job_that_published_before_the_trainer_died_has_succeeded(backend, home):
    job = ended(backend, backend.submit(request("publish")).job.id)
    backend.close()
    folder = JobFolder(home / job.id)
    folder.write_record(job.model_copy(update={"state": JobState.RUNNING, "ended": None}))
    backend.start()
    assert backend.get(job.id).state is JobState.SUCCEEDED


def test_a_job_cancelled_as_the_trainer_died_stays_cancelled(backend, home):
    job = ended(backend, backend.submit(request("crash")).job.id)
    backend.close()
    change = {"state": JobState.RUNNING, "is_cancelled": True}
    JobFolder(home / job.id).write_record(job.model_copy(update=change))
    backend.start()
    assert backend.get(job.id).state is JobState.CANCELLED


def test_the_inputs_go_when_the_job_is_over_and_half_accepted_ones_at_the_start(backend, home):
    job = ended(backend, backend.submit(request("publish")).job.id)
    assert not (home / job.id / "raw_data").exists()
    assert (home / job.id / "spec.yaml").exists()
    backend.close()
    (home / ".incoming-half").mkdir()
    backend.start()
    assert not (home / ".incoming-half").exists()


def test_an_unreadable_record_is_left_alone(backend, home):
    job = ended(backend, backend.submit(request("publish")).job.id)
    backend.close()
    (home / job.id / "job.json").write_text("{", encoding="utf-8")
    backend.start()
    assert backend.records() == ()
    assert (home / job.id / "job.json").exists()


def test_a_job_that_is_accepted_anew_has_a_chapter_of_its_own(backend):
    job = ended(backend, backend.submit(request("refuse")).job.id)
    [before] = backend.chapters(job.id)
    ended(backend, backend.submit(request("refuse")).job.id)
    [after] = backend.chapters(job.id)
    assert before.name != after.name


def test_of_a_long_log_the_last_whole_lines_are_shown(tmp_path):
    lines = [f"line {n} …\n" for n in range(100_000)]
    (tmp_path / "log.txt").write_text("".join(lines), encoding="utf-8")
    cut, *shown = JobFolder(tmp_path).logs().splitlines(keepends=True)
    assert cut == CUT
    assert lines[-len(shown) :] == shown
    assert LOG_TAIL - 20 < len("".join(shown).encode()) <= LOG_TAIL


def test_the_oldest_ended_jobs_are_forgotten(home):
    jobs = local_jobs(home, kept=2)
    jobs.start()
    ids = [ended(jobs, jobs.submit(request("publish", f"m{n}")).job.id).id for n in range(3)]
    assert {job.id for job in jobs.records()} == set(ids[1:])
    assert not (home / ids[0]).exists()
    jobs.close()


def test_a_program_that_is_not_there_fails_the_job(home):
    jobs = LocalJobs(home, "s", command=("/no/such/program",))
    jobs.start()
    assert ended(jobs, jobs.submit(request("publish")).job.id).state is JobState.FAILED
    jobs.close()


def test_the_run_does_not_inherit_the_token(backend, home, monkeypatch):
    monkeypatch.setenv("TIDELINE_TOKEN", "secret")
    job = backend.submit(request("hang")).job
    for pid in pids(home, job.id):
        assert "TIDELINE_TOKEN" not in psutil.Process(pid).environ()


@pytest.fixture
def full_disk(monkeypatch):
    """Return a function that lets the disk be full for some records of one job."""

    def fill(job_id: str, *states: JobState) -> list[JobState]:
        refused: list[JobState] = []
        write = JobFolder.write_record

        def write_record(self, record):
            if record.id == job_id and record.state in states:
                refused.append(record.state)
                raise OSError(errno.ENOSPC, "No space left on device")
            write(self, record)

        monkeypatch.setattr(JobFolder, "write_record", write_record)
        return refused

    return fill


@pytest.mark.parametrize(
    "states",
    [(JobState.RUNNING,), (JobState.RUNNING, JobState.FAILED)],
    ids=["for a moment", "for longer"],
)
def test_a_disk_that_is_full_fails_the_job_and_not_those_after_it(home, full_disk, states):
    jobs = local_jobs(home, at_once=1)
    refused = full_disk(request("publish", "a").job_id, *states)
    jobs.start()
    first = jobs.submit(request("publish", "a")).job.id
    second = jobs.submit(request("publish", "b")).job.id
    job = ended(jobs, first)
    assert (job.state, job.problem.retryable) == (JobState.FAILED, True)
    assert "OSError" in job.reason
    assert ended(jobs, second).state is JobState.SUCCEEDED
    assert refused == list(states)
    jobs.close()


def test_a_job_that_published_has_succeeded_even_when_the_disk_is_full(home, full_disk):
    full_disk(request("publish").job_id, JobState.SUCCEEDED)
    jobs = local_jobs(home)
    jobs.start()
    job = ended(jobs, jobs.submit(request("publish")).job.id)
    assert (job.state, job.summary["modelId"]) == (JobState.SUCCEEDED, "m")
    jobs.close()
    jobs.start()
    assert jobs.get(job.id).state is JobState.SUCCEEDED
    jobs.close()


def test_a_job_whose_cancelling_cannot_be_written_waits_on(home, full_disk, tmp_path):
    file = tmp_path / "go"
    jobs = local_jobs(home, at_once=1)
    jobs.start()
    running = jobs.submit(request("await_file", "a", file=str(file))).job.id
    waiting = jobs.submit(request("publish", "b")).job.id
    full_disk(waiting, JobState.CANCELLED)
    with pytest.raises(OSError, match="No space"):
        jobs.cancel(waiting)
    file.touch()
    assert ended(jobs, running).state is JobState.SUCCEEDED
    assert ended(jobs, waiting).state is JobState.SUCCEEDED
    jobs.close()


def test_a_run_that_cannot_be_waited_for_fails_and_is_no_run_any_more(home, monkeypatch):
    monkeypatch.setattr("service.jobs.run.end_leftovers", _cannot)
    jobs = local_jobs(home, at_once=1)
    jobs.start()
    job = ended(jobs, jobs.submit(request("publish")).job.id)
    assert (job.state, jobs.cancel(job.id).state) == (JobState.FAILED, JobState.FAILED)
    monkeypatch.undo()
    assert ended(jobs, jobs.submit(request("publish", "b")).job.id).state is JobState.SUCCEEDED
    jobs.close()


def _cannot(_: Path) -> int:
    raise PermissionError("no process may be looked at")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (b'{"stage": "fit", "share": 0.9, "message": "of before the schema"}\n', "of before the"),
        (b'{"stage": "fit", "message": "whole"}\n{"stage": "fit", "mess', "whole"),
        (b'{"stage": "fit", "message": "later", "mood": "good"}\n', "later"),
        (b'{"schema_version": 2, "stage": "fit"}\n', None),
        (b"", None),
    ],
)
def test_the_last_whole_event_is_read_also_of_another_version(tmp_path, lines, message):
    (tmp_path / "progress.jsonl").write_bytes(lines)
    progress = JobFolder(tmp_path).progress()
    assert (progress is None) == (message is None)
    assert progress is None or progress.message.startswith(message)
