"""The one module that talks to Kubernetes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import urllib3
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from service.jobs.manifest import JOB_LABEL, RELEASE_LABEL
from service.jobs.observed import ClusterJob, Happening, Pod, happening_of

JOB_NAME = "batch.kubernetes.io/job-name"
LOG_LINES = 20_000
TIMEOUT = (5, 20)
"""Seconds to connect, and to wait for an answer."""


class ClusterError(Exception):
    """The cluster refused a request, or cannot be reached.

    Attributes
    ----------
    status
        The HTTP status; 0 where there was no answer.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    @property
    def is_final(self) -> bool:
        """Whether the same request cannot succeed later."""
        return self.status in (400, 422)

    @property
    def in_words(self) -> str:
        """Who said no, and why, in words for those who wait for a job."""
        return f"the cluster's API refuses: {self}" if self.status else str(self)


class Cluster:
    """The Jobs of one namespace, their pods, events and logs.

    Inside a pod it uses the pod's service account, elsewhere the kubeconfig. Safe to use from
    several threads; every method may raise `ClusterError`.
    """

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace

    def jobs(self, release: str) -> dict[str, ClusterJob]:
        """Return the Jobs of a release by name, with their pods."""
        ours = f"{JOB_LABEL},{RELEASE_LABEL}={release}"
        jobs = self._ask(self._batch.list_namespaced_job, label_selector=ours)["items"]
        pods: defaultdict[str, list[Pod]] = defaultdict(list)
        for found in self._ask(self._core.list_namespaced_pod, label_selector=ours)["items"]:
            pods[found["metadata"]["labels"].get(JOB_NAME, "")].append(Pod.of(found))
        return {j["metadata"]["name"]: ClusterJob.of(j, pods[j["metadata"]["name"]]) for j in jobs}

    def job(self, name: str) -> ClusterJob | None:
        """Return one Job without its pods, or None where there is none."""
        try:
            return ClusterJob.of(self._ask(self._batch.read_namespaced_job, name))
        except ClusterError as error:
            if error.status == 404:
                return None
            raise

    def with_happenings(self, job: ClusterJob) -> ClusterJob:
        """Return a Job with what was told of it and of its pods."""
        told: list[Happening] = []
        for name in (job.name, *(pod.name for pod in job.pods if not pod.is_over)):
            about = f"involvedObject.name={name}"
            found = self._ask(self._core.list_namespaced_event, field_selector=about)
            told += [happening_of(event) for event in found["items"]]
        return replace(job, happenings=tuple(sorted(told, key=lambda h: h.time)))

    def create(self, manifest: Mapping[str, Any]) -> bool:
        """Make a Job, and tell whether there was none of its name."""
        try:
            self._ask(self._batch.create_namespaced_job, body=manifest)
        except ClusterError as error:
            if error.status == 409:
                return False
            raise
        return True

    def delete(self, name: str) -> None:
        """Delete a Job, which goes when its pods have gone; one that is not there is no error."""
        try:
            self._ask(self._batch.delete_namespaced_job, name, propagation_policy="Foreground")
        except ClusterError as error:
            if error.status != 404:
                raise

    def stop_retrying(self, name: str) -> None:
        """Let a Job fail with its next failed pod, or at once where it has one."""
        self._ask(self._batch.patch_namespaced_job, name, body={"spec": {"backoffLimit": 0}})

    def log(self, pod: str) -> str:
        """Return what a pod has said so far; of a very long log its end."""
        # The text itself: the client would make a Python literal of it.
        answer = self._answer(
            self._core.read_namespaced_pod_log, pod, container="training", tail_lines=LOG_LINES
        )
        return answer.decode("utf-8", errors="replace")

    def owner(self, account: str) -> dict[str, str] | None:
        """Return a service account as an owner: what it owns goes away with it.

        None where there is none of this name, or it may not be looked at.
        """
        try:
            found = self._ask(self._core.read_namespaced_service_account, account)
        except ClusterError as error:
            if error.status in (403, 404):
                return None
            raise
        uid = found["metadata"]["uid"]
        return {"apiVersion": "v1", "kind": "ServiceAccount", "name": account, "uid": uid}

    def _ask(
        self, call: Callable[..., Any], *arguments: object, **options: object
    ) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._answer(call, *arguments, **options))
        return found

    def _answer(self, call: Callable[..., Any], *arguments: object, **options: object) -> bytes:
        options |= {"_preload_content": False, "_request_timeout": TIMEOUT}
        try:
            answer: bytes = call(*arguments, namespace=self.namespace, **options).data
        except ApiException as error:
            raise ClusterError(error.status or 0, _told(error)) from error
        except urllib3.exceptions.HTTPError as error:
            raise ClusterError(0, f"the API server cannot be reached: {error}") from error
        return answer

    @cached_property
    def _client(self) -> client.ApiClient:
        try:
            config.load_incluster_config()  # type: ignore[no-untyped-call]  # theirs
        except config.ConfigException:
            try:
                config.load_kube_config()  # type: ignore[no-untyped-call]  # theirs
            except config.ConfigException as error:
                raise ClusterError(0, f"no cluster is named: {error}") from error
        return client.ApiClient()

    @cached_property
    def _batch(self) -> client.BatchV1Api:
        return client.BatchV1Api(self._client)

    @cached_property
    def _core(self) -> client.CoreV1Api:
        return client.CoreV1Api(self._client)


def _told(error: ApiException) -> str:
    try:
        return str(json.loads(error.body or "")["message"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP status {error.status}: {error.reason}"
