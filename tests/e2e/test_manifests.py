"""The chart and every overlay: lint, render, the schemas of two versions, and this API server."""

from __future__ import annotations

import json
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.e2e.cluster import Namespace, run
from tests.e2e.conftest import REPOSITORY
from tests.e2e.installation import CHART
from tests.helm.manifests import with_job

MANIFESTS = REPOSITORY / "k8s"
VALUES = sorted(path.name for path in CHART.glob("ci/*-values.yaml"))
FOLDERS = ["base", *sorted(f"overlays/{path.name}" for path in (MANIFESTS / "overlays").iterdir())]
OLDEST, NEWEST = "1.33", "1.37"
OF_OTHERS = {"HTTPRoute", "ScaledObject", "ServiceMonitor", "PrometheusRule"}


@pytest.mark.parametrize("values", VALUES)
def test_the_chart(cluster: None, namespace: Namespace, values: str) -> None:
    options = ("--values", str(CHART / "ci" / values))
    said = run("helm", "lint", "--strict", str(CHART), *options)
    assert "0 chart(s) failed" in said
    text = run("helm", "template", "tideline", str(CHART), "-n", namespace.name, *options)
    _require_valid(namespace, text)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_plain_manifests(cluster: None, namespace: Namespace, folder: str) -> None:
    _require_valid(namespace, run("kubectl", "kustomize", str(MANIFESTS / folder)))


def test_the_training_job(cluster: None, namespace: Namespace) -> None:
    _require_valid(namespace, (MANIFESTS / "training-job.yaml").read_text())


def _require_valid(namespace: Namespace, text: str) -> None:
    objects: list[dict[str, Any]] = [found for found in yaml.safe_load_all(text) if found]
    ours = [found for found in objects if found["kind"] not in OF_OTHERS]
    for found in with_job(ours):
        for version in (OLDEST, NEWEST):
            kubernetes_validate.validate(found, version, strict=True)
    # The server's own admission, in a namespace that is there, and nothing is made. (A bare Pod
    # wants its service account to be there before.)
    placed = [_placed(o, namespace.name) for o in ours if o["kind"] not in ("Namespace", "Pod")]
    listed = {"apiVersion": "v1", "kind": "List", "items": placed}
    said = run("kubectl", "apply", "--dry-run=server", "-f", "-", stdin=json.dumps(listed))
    assert said.count("(server dry run)") == len(placed)


def _placed(found: dict[str, Any], namespace: str) -> dict[str, Any]:
    metadata = {**found["metadata"], "namespace": namespace}
    return {**found, "metadata": metadata}
