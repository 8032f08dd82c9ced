"""Namespaces of the cluster that KUBECONFIG names, for tests, and what pods need there.

KUBECONFIG: the cluster.
TIDELINE_E2E_IMAGE: an image of the project as it is. Without both the tests are skipped, for many
people have a KUBECONFIG and mean no tests by it; `.ci/run` sets both.
TIDELINE_E2E_STORE: a store's URL, s3://models/tests if left out.
TIDELINE_E2E_S3, TIDELINE_E2E_POD_S3: its endpoint, from here and from a pod.
TIDELINE_E2E_HOST: this machine, from a pod; if left out the first node, where that is this machine.
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client, config

HERE = Path(__file__).parent
IMAGE = os.environ.get("TIDELINE_E2E_IMAGE", "")
STORE = os.environ.get("TIDELINE_E2E_STORE", "s3://models/tests")
S3 = os.environ.get("TIDELINE_E2E_S3", "http://127.0.0.1:9000")
POD_S3 = os.environ.get("TIDELINE_E2E_POD_S3", "http://s3.kube-system:9000")
KEYS = {
    "AWS_ACCESS_KEY_ID": os.environ.get("AWS_ACCESS_KEY_ID", "tideline"),
    "AWS_SECRET_ACCESS_KEY": os.environ.get("AWS_SECRET_ACCESS_KEY", "tideline-secret"),
    "AWS_REGION": "us-east-1",
    "AWS_ALLOW_HTTP": "true",
}
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


def require_cluster() -> None:
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("no cluster: KUBECONFIG names none")
    if not IMAGE:
        pytest.skip("no image for the cluster: TIDELINE_E2E_IMAGE names none")
    config.load_kube_config()
    if not STORE.startswith("s3:"):
        return
    host, _, port = S3.rpartition("//")[2].partition(":")
    try:
        socket.create_connection((host, int(port or 80)), timeout=3).close()
    except OSError as error:
        pytest.skip(f"no S3 server at {S3} (TIDELINE_E2E_S3): {error}")


@contextmanager
def namespace() -> Iterator[str]:
    """Yield a new namespace with the test program and the Jobs' service account."""
    core = client.CoreV1Api()
    name = f"tideline-jobs-{uuid.uuid4().hex[:8]}"
    core.create_namespace({"metadata": {"name": name, "labels": RESTRICTED}})
    try:
        core.create_namespaced_service_account(name, {"metadata": {"name": "tideline-training"}})
        program = {"pod_program.py": (HERE / "pod_program.py").read_text(encoding="utf-8")}
        core.create_namespaced_config_map(name, {"metadata": {"name": "program"}, "data": program})
        _await_certificates(core, name)
        yield name
    finally:
        core.delete_namespace(name)


def _await_certificates(core: client.CoreV1Api, name: str) -> None:
    # The last thing that a new namespace gets; until then pods may be refused.
    for _ in range(100):
        with contextlib.suppress(client.ApiException):
            core.read_namespaced_config_map("kube-root-ca.crt", name)
            return
        time.sleep(0.1)


def template(**changes: Any) -> dict[str, Any]:
    """Return the Jobs' template for this cluster, with changes to its spec."""
    job = yaml.safe_load((HERE / "job.yaml").read_text(encoding="utf-8"))
    job["spec"] |= changes
    container = job["spec"]["template"]["spec"]["containers"][0]
    container["image"] = IMAGE
    known = KEYS | {"AWS_ENDPOINT_URL": POD_S3}
    container["env"] += [{"name": key, "value": value} for key, value in known.items()]
    return job


def this_host() -> str | None:
    """Return the address by which pods reach this machine, or None where they do not."""
    if told := os.environ.get("TIDELINE_E2E_HOST"):
        return told
    node = client.CoreV1Api().list_node().items[0]
    address = next(a.address for a in node.status.addresses if a.type == "InternalIP")
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return None
    return address
