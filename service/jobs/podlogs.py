"""What the pods of jobs say: read while they are there, kept in the store when they go."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable
from dataclasses import replace

from service.jobs.chapter import Chapter, tail
from service.jobs.cluster import Cluster, ClusterError
from service.jobs.entry import Entry
from service.jobs.observed import ClusterJob, Pod
from service.jobs.remote import RemoteJobs

logger = logging.getLogger(__name__)

AGAIN_SECONDS = 10.0
"""After how long a log is asked for again that could not be read."""


class PodLogs:
    """The logs of pods; safe to use from several threads.

    Parameters
    ----------
    store
        Where they are kept.
    cluster
        Where they are read.
    """

    def __init__(self, store: RemoteJobs, cluster: Cluster) -> None:
        self.store = store
        self.cluster = cluster
        self._kept: set[str] = set()
        self._failed: dict[str, float] = {}

    def chapters(self, entry: Entry, job: ClusterJob | None) -> tuple[Chapter, ...]:
        """Return what the pods of a job have said so far."""
        told = {pod: Chapter(pod, text) for pod, text in self.store.logs(entry).items()}
        for pod in job.pods if job is not None else ():
            if pod.container.has_begun and pod.name not in self._kept:
                try:
                    told[pod.name] = Chapter(pod.name, self._read(pod))
                except ClusterError as error:
                    gap = f"(the log of pod {pod.name} cannot be read now: {error})\n"
                    kept = told.get(pod.name, Chapter(pod.name, ""))
                    told[pod.name] = replace(kept, gap=gap)
        return tuple(told.values())

    def keep(self, entry: Entry, job: ClusterJob) -> None:
        """Keep what the pods of a Job have said that are over, or on their way out.

        A log that cannot be read is asked for again for as long as its pod is there.
        """
        for pod in job.pods:
            is_going = pod.is_over or pod.is_leaving or entry.record.is_cancelled
            if is_going and pod.container.has_begun and self._is_wanted(pod):
                self._keep(entry, pod)

    def _is_wanted(self, pod: Pod) -> bool:
        failed = self._failed.get(pod.name)
        waits = failed is not None and time.monotonic() - failed < AGAIN_SECONDS
        return pod.name not in self._kept and not waits

    def _keep(self, entry: Entry, pod: Pod) -> None:
        try:
            text = self._read(pod)
        except ClusterError as error:
            logger.info("the log of pod %s cannot be read: %s", pod.name, error)
            self._failed[pod.name] = time.monotonic()
            return
        self.store.keep_log(entry, pod.name, pod.created, text)
        self._failed.pop(pod.name, None)
        if pod.is_over:
            self._kept.add(pod.name)

    def know(self, pods: Iterable[str]) -> None:
        """Take it that all that these pods said is kept."""
        self._kept.update(pods)

    def drop(self, pods: Collection[str]) -> None:
        """Forget what is known of all pods but these, which are still there."""
        self._kept.intersection_update(pods)
        for name in self._failed.keys() - set(pods):
            del self._failed[name]

    def _read(self, pod: Pod) -> str:
        title = f"--- pod {pod.name}, {pod.created:%Y-%m-%d %H:%M:%S} UTC\n"
        return tail(title + self.cluster.log(pod.name))
