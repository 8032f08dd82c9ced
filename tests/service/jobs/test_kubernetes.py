"""KubernetesJobs on the cluster that KUBECONFIG names; `namespaces.py` tells what it needs."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI
from kubernetes import client

from service.jobs.backend import JobRequest
from service.jobs.cluster import Cluster
from service.jobs.entry import Entry
from service.jobs.kubernetes import KubernetesJobs
from service.jobs.options import Options
from service.jobs.record import JobRecord, JobState
from service.jobs.remote import RemoteJobs
from service.problems import answer_problems
from service.reports import report_routes
from tests.service.conftest import Served
from tests.service.jobs import conformance, namespaces
from tests.service.jobs.conformance import JobBackendConformance, ended, request, until
from tideline.store.bucket import Bucket

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

SOON = 30.0
"""Seconds within which a job's record says what is wrong."""


class StoreGate:
    """A gate for runs in a cluster: an object of the store."""

    def __init__(self, url: str) -> None:
        self.bucket = Bucket(url)
        self.name = f"{url}/go"

    def open(self) -> None:
        self.bucket.create("go", b"go")


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    namespaces.require_cluster()
    monkeypatch.setattr(conformance, "PATIENCE", 150.0)
    for name, value in (namespaces.KEYS | {"AWS_ENDPOINT_URL": namespaces.S3}).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def url(_patience) -> Iterator[str]:
    url = f"{namespaces.STORE}/{uuid.uuid4().hex[:12]}"
    yield url
    bucket = Bucket(url)
    bucket.remove(list(bucket.keys("")))


@pytest.fixture
def namespace(_patience) -> Iterator[str]:
    with namespaces.namespace() as name:
        yield name


@pytest.fixture
def trainer(url, namespace) -> Iterator[Callable[..., KubernetesJobs]]:
    started = []

    def start(template=None, **options) -> KubernetesJobs:
        defaults = {"at_once": 2, "queued": 2, "poll_seconds": 0.5, "secret": "s"}
        jobs = KubernetesJobs(
            RemoteJobs(url),
            Cluster(namespace),
            template or namespaces.template(),
            Options(**(defaults | options)),
        )
        jobs.start()
        started.append(jobs)
        return jobs

    yield start
    for jobs in started:
        jobs.close()


@pytest.fixture
def reports() -> Iterator[tuple[str, FastAPI]]:
    host = namespaces.this_host()
    if host is None:
        pytest.skip("pods do not reach this machine: TIDELINE_E2E_HOST names no address of it")
    app = FastAPI()
    answer_problems(app)
    served = Served(app, host)
    yield f"http://{host}:{served.port}", app
    served.close()


@pytest.fixture
def backend(trainer, reports) -> KubernetesJobs:
    address, app = reports
    jobs = trainer(trainer_url=address)
    app.include_router(report_routes(jobs))
    return jobs


@pytest.fixture
def gate(url) -> StoreGate:
    return StoreGate(url)


class TestKubernetesJobs(JobBackendConformance):
    """KubernetesJobs keeps the contract of every backend."""


def reason_within(backend, job_id: str, *words: str) -> str:
    """Return the reason of a job as soon as it holds the words."""
    deadline = time.monotonic() + SOON
    while not all(word in (reason := backend.get(job_id).reason) for word in words):
        assert time.monotonic() < deadline, reason
        time.sleep(0.2)
    return reason


def pods(namespace: str) -> list[str]:
    return [pod.metadata.name for pod in client.CoreV1Api().list_namespaced_pod(namespace).items]


def job_name(backend: KubernetesJobs, job_id: str) -> str:
    return backend.controller.name_of(backend.ledger.find(job_id))


def test_a_missing_image_is_told(trainer):
    backend = trainer(image="localhost:5000/no-such-image:1")
    job = backend.submit(request("publish")).job
    reason_within(backend, job.id, "its image cannot be pulled", "no-such-image")
    assert backend.get(job.id).state is JobState.QUEUED
    backend.cancel(job.id)
    assert ended(backend, job.id).state is JobState.CANCELLED


def test_an_exceeded_quota_is_told_and_the_job_runs_when_there_is_room(trainer, namespace):
    core = client.CoreV1Api()
    quota = {"metadata": {"name": "small"}, "spec": {"hard": {"requests.memory": "1Mi"}}}
    core.create_namespaced_resource_quota(namespace, quota)
    until(lambda: core.read_namespaced_resource_quota("small", namespace).status.hard)
    backend = trainer()
    job = backend.submit(request("publish")).job
    reason_within(backend, job.id, "the quota of its namespace is used up", "requests.memory")
    core.delete_namespaced_resource_quota("small", namespace)
    assert ended(backend, job.id).state is JobState.SUCCEEDED


def test_too_little_memory_in_the_cluster_is_told(trainer):
    template = namespaces.template()
    container = template["spec"]["template"]["spec"]["containers"][0]
    container["resources"] = {"requests": {"memory": "100Ti", "cpu": "10m"}}
    backend = trainer(template)
    job = backend.submit(request("publish")).job
    reason_within(backend, job.id, "no node has enough memory")


def test_a_pod_that_the_namespace_does_not_allow_is_told(trainer):
    template = namespaces.template()
    template["spec"]["template"]["spec"]["securityContext"]["runAsNonRoot"] = False
    backend = trainer(template)
    job = backend.submit(request("publish")).job
    reason_within(backend, job.id, "the namespace does not allow its pod", "runAsNonRoot")


def test_a_template_that_the_cluster_refuses_fails_the_job(trainer):
    backend = trainer(namespaces.template(completionMode="Never"))
    job = ended(backend, backend.submit(request("publish")).job.id)
    assert job.state is JobState.FAILED
    assert "the cluster refuses its Job" in job.reason


def test_a_run_out_of_memory_is_told_and_not_repeated(trainer, namespace):
    backend = trainer(namespaces.template(backoffLimit=3))
    job = backend.submit(request("devour")).job
    reason_within(backend, job.id, "used more memory than its limit")
    job = ended(backend, job.id)
    assert (job.state, job.attempt) == (JobState.FAILED, 1)
    assert job.problem.type == "urn:tideline:problem:out-of-memory"
    assert len(pods(namespace)) == 1


def test_bad_data_is_not_tried_again(trainer, namespace):
    backend = trainer(namespaces.template(backoffLimit=3))
    job = ended(backend, backend.submit(request("refuse")).job.id)
    assert (job.state, job.attempt) == (JobState.FAILED, 1)
    assert len(pods(namespace)) == 1


def test_what_may_pass_is_tried_again(trainer, url):
    backend = trainer(namespaces.template(backoffLimit=3))
    job = backend.submit(request("stop_once", file=f"{url}/stopped")).job
    reason_within(backend, job.id, "with exit code 75", "runs again in a moment")
    job = ended(backend, job.id)
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 2)
    assert backend.logs(job.id).count("--- pod") == 2


def test_an_evicted_pod_costs_no_attempt(trainer, namespace, gate):
    backend = trainer(namespaces.template(backoffLimit=0))
    job = backend.submit(request("await_file", file=gate.name)).job
    until(lambda: backend.get(job.id).state is JobState.RUNNING)
    (pod,) = pods(namespace)
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
    client.CoreV1Api().create_namespaced_pod_eviction(pod, namespace, eviction)
    until(lambda: backend.get(job.id).attempt == 2)
    gate.open()
    assert ended(backend, job.id).state is JobState.SUCCEEDED


def test_a_killed_pod_is_replaced(trainer, namespace, gate):
    backend = trainer(namespaces.template(backoffLimit=3))
    job = backend.submit(request("await_file", file=gate.name)).job
    until(lambda: backend.get(job.id).state is JobState.RUNNING)
    (pod,) = pods(namespace)
    client.CoreV1Api().delete_namespaced_pod(pod, namespace, grace_period_seconds=0)
    until(lambda: backend.get(job.id).attempt == 2)
    gate.open()
    assert ended(backend, job.id).state is JobState.SUCCEEDED


def test_a_run_that_reaches_its_deadline_says_what_it_waited_for(trainer):
    backend = trainer(image="localhost:5000/no-such-image:1", margin_seconds=5)
    job = ended(backend, backend.submit(request("publish", budget=5)).job.id)
    assert job.state is JobState.FAILED
    assert "did not begin by the deadline of 11 s" in job.reason
    assert "its image cannot be pulled" in job.reason


def test_a_run_that_overruns_its_deadline_is_not_repeated(trainer, namespace):
    backend = trainer(namespaces.template(backoffLimit=3), margin_seconds=15)
    job = ended(backend, backend.submit(request("hang", budget=5)).job.id)
    assert job.state is JobState.FAILED
    assert "did not end by the deadline of 21 s" in job.reason
    assert job.problem.type == "urn:tideline:problem:budget-exceeded"
    assert len(pods(namespace)) == 1


def test_two_releases_in_one_namespace_do_not_take_each_others_jobs(trainer, url, gate):
    template = namespaces.template()
    template["metadata"]["labels"]["app.kubernetes.io/instance"] = "another"
    one = trainer()
    other = KubernetesJobs(
        RemoteJobs(f"{url}/other"), one.cluster, template, Options(poll_seconds=0.5)
    )
    other.start()
    try:
        job_id = one.submit(request("await_file", file=gate.name)).job.id
        assert other.submit(request("await_file", file=gate.name)).job.id == job_id
        until(lambda: {b.get(job_id).state for b in (one, other)} == {JobState.RUNNING})
        one.cancel(job_id)
        assert ended(one, job_id).state is JobState.CANCELLED
        gate.open()
        assert ended(other, job_id).state is JobState.SUCCEEDED
    finally:
        other.close()


def test_logs_are_there_while_the_job_runs_and_after_its_pod_is_gone(trainer, namespace):
    backend = trainer()
    job = backend.submit(request("hang")).job
    until(lambda: "hangs" in backend.logs(job.id))
    backend.cancel(job.id)
    assert ended(backend, job.id).state is JobState.CANCELLED
    until(lambda: not pods(namespace))
    assert "hangs" in backend.logs(job.id)


def test_a_job_deleted_by_somebody_else_fails_with_the_reason(trainer, namespace):
    backend = trainer()
    job = backend.submit(request("hang")).job
    until(lambda: backend.get(job.id).state is JobState.RUNNING)
    client.BatchV1Api().delete_namespaced_job(
        job_name(backend, job.id), namespace, propagation_policy="Foreground"
    )
    job = ended(backend, job.id)
    assert job.state is JobState.FAILED
    assert "deleted from the cluster" in job.reason


def test_a_silent_pod_is_called_stalled(trainer):
    backend = trainer(stall_seconds=1)
    job = backend.submit(request("hang")).job
    until(lambda: backend.get(job.id).state is JobState.RUNNING)
    backend.tell(job.id, conformance.HALF)
    until(lambda: "stalled" in backend.get(job.id).reason)


def test_the_next_trainer_takes_up_what_the_last_one_left(trainer, namespace, gate):
    first = trainer(at_once=1)
    running = first.submit(request("await_file", "a", file=gate.name)).job.id
    waiting = first.submit(request("publish", "b")).job.id
    until(lambda: first.get(running).state is JobState.RUNNING)
    first.close()
    second = trainer(at_once=1)
    assert second.get(running).state is JobState.RUNNING
    gate.open()
    assert ended(second, running).attempt == 1
    assert ended(second, waiting).state is JobState.SUCCEEDED
    assert len(pods(namespace)) == 2


def accepted(jobs: KubernetesJobs, asked: JobRequest) -> Entry:
    """Return the entry of a trainer that is killed as soon as it has written the record."""
    jobs.close()
    entry = jobs._accepted(asked, jobs.store.put_inputs(asked))
    assert jobs.store.put(entry)
    return entry


def test_a_trainer_killed_between_the_record_and_the_job_has_lost_nothing(trainer, namespace):
    job_id = accepted(trainer(), request("publish")).record.id
    assert ended(trainer(), job_id).state is JobState.SUCCEEDED
    assert len(pods(namespace)) == 1


def test_a_trainer_killed_right_after_the_job_was_made_starts_nothing_twice(trainer, namespace):
    first = trainer()
    entry = accepted(first, request("publish"))
    first.controller._create(entry)
    until(lambda: pods(namespace))
    second = trainer()
    assert ended(second, entry.record.id).state is JobState.SUCCEEDED
    assert len(pods(namespace)) == 1


def test_a_job_cancelled_after_such_a_kill_leaves_no_pod(trainer, namespace):
    first = trainer()
    entry = accepted(first, request("hang"))
    first.controller._create(entry)
    second = KubernetesJobs(first.store, first.cluster, first.controller.template, first.options)
    second.controller.load()
    assert second.cancel(entry.record.id).state is JobState.CANCELLED
    second.start()
    until(lambda: first.cluster.job(first.controller.name_of(entry)) is None)
    second.close()


def test_a_job_of_another_making_under_the_same_name_is_not_taken_for_ours(trainer):
    first = trainer()
    entry = accepted(first, request("publish"))
    first.controller._create(entry.model_copy(update={"record": another(entry.record)}))
    job = ended(trainer(), entry.record.id)
    assert job.state is JobState.FAILED
    assert "another Job of the name" in job.reason


def another(record: JobRecord) -> JobRecord:
    return record.model_copy(update={"digest": "0" * 64})


def test_what_went_out_while_no_trainer_was_there_is_known_by_the_next(trainer, gate):
    first = trainer()
    job = first.submit(request("await_file", file=gate.name)).job
    until(lambda: first.get(job.id).state is JobState.RUNNING)
    first.close()
    client.BatchV1Api().patch_namespaced_job(
        job_name(first, job.id), first.cluster.namespace, {"spec": {"ttlSecondsAfterFinished": 0}}
    )
    gate.open()
    until(lambda: first.cluster.job(job_name(first, job.id)) is None)
    second = trainer()
    job = ended(second, job.id)
    assert (job.state, job.summary["version"]) == (JobState.SUCCEEDED, 1)


def test_a_job_goes_away_with_the_installation(trainer, namespace):
    backend = trainer()
    job = backend.submit(request("hang")).job
    until(lambda: backend.get(job.id).state is JobState.RUNNING)
    client.CoreV1Api().delete_namespaced_service_account("tideline-training", namespace)
    until(lambda: backend.cluster.job(job_name(backend, job.id)) is None)
