"""Who reaches what: the NetworkPolicies, from a stranger's pod and from those of the release."""

from __future__ import annotations

import json

import pytest

from tests.e2e.cluster import Namespace, run
from tests.e2e.installation import Installation
from tests.e2e.story import tell
from tests.e2e.strangers import reached_from, run_stranger

TRAINING = {
    "app.kubernetes.io/name": "tideline",
    "app.kubernetes.io/instance": "tideline",
    "app.kubernetes.io/component": "training",
}


@pytest.fixture(scope="module")
def targets(installation: Installation) -> dict[str, str]:
    """Return the addresses that somebody might want to reach; names would need DNS."""
    found = {}
    for name in ("predictor", "trainer"):
        service = installation.namespace.object("service", f"tideline-{name}")
        found[name] = f"{service['spec']['clusterIP']}:{service['spec']['ports'][0]['port']}"
    found["API server"] = _address("default", "kubernetes", 443)
    if store := _address("kube-system", "s3", 9000):
        found["store"] = store
    return found


def _address(namespace: str, service: str, port: int) -> str:
    said = run("kubectl", "-n", namespace, "get", "service", service, "-o", "json", check=False)
    return f"{json.loads(said)['spec']['clusterIP']}:{port}" if said.startswith("{") else ""


def test_a_stranger_reaches_nothing_of_the_release(
    installation: Installation, image: str, targets: dict[str, str]
) -> None:
    run_stranger(installation.namespace, image, "stranger", {})
    reached = _told(installation.namespace, "stranger", targets)
    assert not reached & {"predictor", "trainer"}


def test_in_a_denied_namespace_a_stranger_reaches_nothing(
    installation: Installation, targets: dict[str, str]
) -> None:
    installation.upgrade(networkPolicy={"denyNamespace": True})
    assert _told(installation.namespace, "stranger", targets) == set()
    installation.namespace.kubectl("delete", "pod", "stranger", "--wait=false")


def test_a_training_pod_reaches_the_trainer_alone(
    installation: Installation, image: str, targets: dict[str, str]
) -> None:
    run_stranger(installation.namespace, image, "training", TRAINING, "tideline-training")
    assert _told(installation.namespace, "training", targets) == {"trainer"}
    installation.namespace.kubectl("delete", "pod", "training", "--wait=false")


def test_the_predictor_reaches_nobody_and_the_trainer_the_api_server(
    installation: Installation, targets: dict[str, str]
) -> None:
    namespace = installation.namespace
    predictor, trainer = (namespace.ready_pods(name)[0] for name in ("predictor", "trainer"))
    # A pod always reaches itself, by way of its Service too.
    assert _told(namespace, predictor, targets) <= {"predictor"}
    assert _told(namespace, trainer, targets) - {"trainer"} == {"API server"}


def test_the_predictor_cannot_write_to_the_store(installation: Installation) -> None:
    pod = installation.namespace.ready_pods("predictor")[0]
    write = "open('/store/x', 'w')"
    said = installation.namespace.kubectl("exec", pod, "--", "python", "-c", write, check=False)
    assert "Read-only file system" in said
    write = "open('/srv/tideline/x', 'w')"
    said = installation.namespace.kubectl("exec", pod, "--", "python", "-c", write, check=False)
    assert "Read-only file system" in said


def _told(namespace: Namespace, pod: str, targets: dict[str, str]) -> set[str]:
    reached = reached_from(namespace, pod, targets)
    others = sorted(targets.keys() - reached)
    tell(f"  {pod} reaches {sorted(reached) or 'nothing'}, and not {others}")
    return reached
