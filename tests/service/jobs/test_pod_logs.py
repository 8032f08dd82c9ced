"""How KubernetesJobs makes one log of what is kept of a job's pods and what they now say."""

from __future__ import annotations

import pytest

from service.jobs.cluster import Cluster, ClusterError
from service.jobs.kubernetes import KubernetesJobs
from service.jobs.listener import Listener
from service.jobs.options import Options
from service.jobs.remote import RemoteJobs
from tests.service.jobs.sightings import LATER, job, running, terminated
from tests.service.jobs.test_remote import entry

TITLES = {"a": "--- pod a, 2026-01-01 00:00:00 UTC\n", "b": "--- pod b, 2026-01-01 00:01:00 UTC\n"}


class Pods(Cluster):
    """A cluster whose pods say what a test lets them."""

    def __init__(self) -> None:
        super().__init__("default")
        self.said: dict[str, str] = {}

    def log(self, pod: str) -> str:
        if pod not in self.said:
            raise ClusterError(0, "the API server cannot be reached")
        return self.said[pod]


@pytest.fixture
def pods() -> Pods:
    return Pods()


@pytest.fixture
def backend(tmp_path, pods) -> KubernetesJobs:
    store = RemoteJobs(f"file://{tmp_path}/store")
    store.make()
    return KubernetesJobs(store, pods, {}, Options())


@pytest.fixture
def job_id(backend) -> str:
    accepted = entry(is_made=True)
    assert backend.ledger.add(accepted)
    return accepted.record.id


def see(backend: KubernetesJobs, job_id: str, *pods) -> None:
    entry, seen = backend.ledger.find(job_id), job(*pods)
    backend.controller._seen = {backend.controller.name_of(entry): seen}
    backend.controller.logs.keep(entry, seen)


FIRST, SECOND = running(name="a"), running(name="b", created=LATER)
ENDED = terminated(75, name="a")


def test_what_a_pod_said_stays_when_the_next_one_speaks(backend, pods, job_id):
    listener, heard = Listener(), []
    for said, seen in (
        ({"a": "1\n2"}, [FIRST]),
        ({"a": "1\n2\n3"}, [FIRST]),
        ({"a": "1\n2\n3"}, [ENDED]),
        ({"b": "4\n"}, [ENDED, SECOND]),
        ({"b": "4\n5\n"}, [SECOND]),
    ):
        pods.said = said
        see(backend, job_id, *seen)
        heard.append(listener.news(backend.chapters(job_id), is_over=False))
    assert heard == [TITLES["a"] + "1\n", "2\n", "", "3\n" + TITLES["b"] + "4\n", "5\n"]
    assert "".join(heard) == backend.logs(job_id)


def test_a_pod_that_cannot_be_read_for_a_moment_is_read_on_afterwards(backend, pods, job_id):
    listener = Listener()
    pods.said = {"a": "1\n"}
    see(backend, job_id, FIRST)
    assert listener.news(backend.chapters(job_id), is_over=False) == TITLES["a"] + "1\n"
    pods.said = {}
    assert "the log of pod a cannot be read now" in backend.logs(job_id)
    assert listener.news(backend.chapters(job_id), is_over=False) == ""
    pods.said = {"a": "1\n2\n"}
    assert listener.news(backend.chapters(job_id), is_over=False) == "2\n"


def test_what_is_kept_of_a_pod_is_shown_where_it_cannot_be_read(backend, pods, job_id):
    pods.said = {"a": "1\n"}
    see(backend, job_id, running(name="a", leaving=True))
    pods.said = {}
    shown = backend.logs(job_id)
    assert shown.startswith(TITLES["a"] + "1\n(the log of pod a cannot be read now")
