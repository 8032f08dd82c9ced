"""KubernetesJobs keeps the contract of every backend, on a cluster in memory."""

from __future__ import annotations

import pytest

from service.jobs.kubernetes import KubernetesJobs
from service.jobs.manifest import Asked
from service.jobs.record import JobState
from tests.service.jobs.conformance import (
    FileGate,
    JobBackendConformance,
    ended,
    request,
    until,
)
from tests.service.jobs.memory_cluster import MemoryApi
from tideline.progress import Progress


@pytest.fixture
def api() -> MemoryApi:
    return MemoryApi(runs_programs=True)


@pytest.fixture
def backend(new_trainer, api) -> KubernetesJobs:
    jobs = new_trainer(at_once=2, queued=2, poll_seconds=0.02)

    def tell(address: str, token: str, progress: Progress) -> None:
        job_id = address.removeprefix("http://trainer/jobs/").removesuffix("/progress")
        assert jobs.is_token_of(token, job_id)
        jobs.tell(job_id, progress)

    api.tell = tell
    jobs.start()
    return jobs


@pytest.fixture
def gate(tmp_path) -> FileGate:
    return FileGate(tmp_path / "go")


class TestKubernetesJobsInMemory(JobBackendConformance):
    """The same as for the real cluster; only the programs are not processes."""

    def test_a_job_whose_process_dies_fails_with_the_signal(self, backend, api):
        super().test_a_job_whose_process_dies_fails_with_the_signal(backend)
        assert len(api.pods) == 1


def test_a_running_trainer_sees_what_another_has_accepted(backend, new_trainer, monkeypatch):
    monkeypatch.setattr("service.jobs.kubernetes.RESCAN_SECONDS", 0.05)
    other = new_trainer()
    job = other.submit(request("publish")).job
    until(lambda: [known.id for known in backend.records()] == [job.id])
    assert ended(backend, job.id).state is JobState.SUCCEEDED


def test_close_does_not_wait_for_a_store_that_hangs(backend, monkeypatch):
    monkeypatch.setattr("service.jobs.kubernetes.CLOSE_SECONDS", 0.1)
    asked, goes_on = [], []

    def hang(release: str):
        asked.append(release)
        until(lambda: goes_on)
        return {}

    monkeypatch.setattr(backend.cluster, "jobs", hang)
    until(lambda: asked)
    thread = backend._thread
    backend.close()
    assert thread.is_alive()
    goes_on.append(True)
    thread.join(10)
    assert not thread.is_alive()


def test_no_further_job_is_looked_at_once_it_closes(backend, monkeypatch):
    backend.close()
    looked = []
    monkeypatch.setattr(backend.controller, "_attend", lambda *_: looked.append(1))
    for name in ("a", "b"):
        backend.submit(request("publish", name))
    backend.controller.look()
    assert looked == []
    assert not any(entry.is_made for entry in backend.ledger.entries())


def test_the_names_of_jobs_are_valid(backend):
    job = ended(backend, backend.submit(request("publish")).job.id)
    name = Asked.name_of(job.id, backend.controller.release, 1000)
    assert len(name) <= 63 - len("-00000-xxxxx")
