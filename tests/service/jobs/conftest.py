"""Trainers over a real store and a cluster in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.jobs.kubernetes import KubernetesJobs
from service.jobs.manifest import read_template
from service.jobs.options import Options
from service.jobs.remote import RemoteJobs
from tests.service.jobs.memory_cluster import MemoryApi, memory_cluster

TEMPLATE = read_template(Path(__file__).with_name("job.yaml"))
Trainer = Callable[..., KubernetesJobs]


@pytest.fixture
def api() -> MemoryApi:
    return MemoryApi()


@pytest.fixture
def new_trainer(tmp_path: Path, api: MemoryApi) -> Iterator[Trainer]:
    """Return a function that makes a trainer, which looks at the cluster when it is told to."""
    made = []

    def new(store: str = "store", template=TEMPLATE, leaving=None, **options) -> KubernetesJobs:
        defaults = {"secret": "s", "trainer_url": "http://trainer"}
        jobs = KubernetesJobs(
            RemoteJobs(f"file://{tmp_path}/{store}"),
            memory_cluster(api),
            template,
            Options(**(defaults | options)),
            leaving,
        )
        jobs.store.make()
        jobs.controller.load()
        made.append(jobs)
        return jobs

    yield new
    for jobs in made:
        jobs.close()


@pytest.fixture
def trainer(new_trainer: Trainer) -> KubernetesJobs:
    return new_trainer()
