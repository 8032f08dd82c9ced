from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from service.app import job_backend, trainer_app
from service.jobs.kubernetes import KubernetesJobs
from service.jobs.local import LocalJobs
from service.leaving import Leaving
from service.settings import TrainerSettings

TEMPLATE = Path(__file__).with_name("job.yaml")


def in_a_cluster(tmp_path: Path, **fields: object) -> TrainerSettings:
    known = {"home": tmp_path, "jobs": "kubernetes", "job_template": TEMPLATE}
    return TrainerSettings(**(known | {"store": f"file://{tmp_path}/store"} | fields))


def test_jobs_are_child_processes_unless_told_otherwise(tmp_path):
    jobs = job_backend(TrainerSettings(home=tmp_path), Leaving())
    assert isinstance(jobs, LocalJobs)
    assert jobs.at_once == 2


def test_the_settings_make_a_backend_that_asks_nothing_of_the_cluster_yet(tmp_path):
    settings = in_a_cluster(
        tmp_path, job_namespace="jobs", job_secret="s", trainer_url="http://t", job_image="r/i:1"
    )
    jobs = job_backend(settings, Leaving())
    assert isinstance(jobs, KubernetesJobs)
    assert (jobs.cluster.namespace, jobs.options.image) == ("jobs", "r/i:1")
    assert (jobs.options.secret, jobs.options.at_once) == ("s", 20)


@pytest.mark.parametrize("missing", ["store", "job_template"])
def test_a_cluster_without_a_store_or_a_template_is_refused(tmp_path, missing):
    with pytest.raises(ValidationError, match="TIDELINE_JOBS=kubernetes needs"):
        in_a_cluster(tmp_path, **{missing: None})


def test_only_jobs_in_a_cluster_are_reported(tmp_path):
    def paths(settings: TrainerSettings) -> set[str]:
        return set(trainer_app(settings).openapi()["paths"])

    reported = paths(in_a_cluster(tmp_path)) - paths(TrainerSettings(home=tmp_path))
    assert reported == {"/jobs/{job_id}/progress"}


def test_without_a_secret_no_token_is_a_jobs_own(tmp_path):
    jobs = job_backend(in_a_cluster(tmp_path), Leaving())
    assert isinstance(jobs, KubernetesJobs)
    assert not jobs.is_token_of("", "job-1")
