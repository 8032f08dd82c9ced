"""From the trainer's settings to its jobs in a cluster."""

from __future__ import annotations

from service.jobs.cluster import Cluster
from service.jobs.kubernetes import KubernetesJobs
from service.jobs.manifest import read_template
from service.jobs.options import Options
from service.jobs.remote import RemoteJobs
from service.leaving import Leaving
from service.settings import TrainerSettings


def kubernetes_jobs(settings: TrainerSettings, leaving: Leaving | None = None) -> KubernetesJobs:
    """Return the backend that runs jobs in a cluster; nothing is asked of it yet.

    Raises
    ------
    SpecError
        When the template of the Jobs, or the store's URL, cannot be used.
    """
    # The settings do not hold without these two.
    if settings.store is None or settings.job_template is None:
        raise AssertionError("unchecked settings")
    secret = settings.job_secret
    options = Options(
        image=settings.job_image,
        trainer_url=settings.trainer_url,
        secret=secret.get_secret_value() if secret else "",
        at_once=settings.jobs_at_once or 20,
        queued=settings.jobs_queued,
        kept=settings.jobs_kept,
        poll_seconds=settings.job_poll_seconds,
        margin_seconds=settings.job_margin_seconds,
        stall_seconds=settings.job_stall_seconds,
    )
    return KubernetesJobs(
        RemoteJobs(settings.store),
        Cluster(settings.job_namespace),
        read_template(settings.job_template),
        options,
        leaving,
    )
