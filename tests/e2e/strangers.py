"""Pods that stand in for others, and what can be reached from where."""

from __future__ import annotations

import json

from tests.e2e.cluster import Namespace, Object, is_ready, run
from tests.e2e.installation import Installation
from tests.e2e.story import tell, until

_REACH = """
import socket, sys
for target in sys.argv[1:]:
    host, _, port = target.rpartition(":")
    try:
        socket.create_connection((host, int(port)), 2).close()
        print(target)
    except OSError:
        pass
"""


def run_stranger(
    namespace: Namespace, image: str, name: str, labels: dict[str, str], account: str = "default"
) -> None:
    """Run a pod that does nothing, with the labels of somebody else or with none."""
    security = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    pod: Object = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "serviceAccountName": account,
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 1,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65532,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "stranger",
                    "image": image,
                    "command": ["python", "-c", "import signal; signal.pause()"],
                    "securityContext": security,
                    "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
                }
            ],
        },
    }
    namespace.apply(pod)
    until(f"{name} runs", 60, lambda: is_ready(namespace.object("pod", name)))


def reached_from(namespace: Namespace, pod: str, targets: dict[str, str]) -> set[str]:
    """Return the names of the targets, each `address:port`, to which a pod can connect."""
    said = namespace.kubectl("exec", pod, "--", "python", "-c", _REACH, *targets.values())
    addresses = said.split()
    return {name for name, target in targets.items() if target in addresses}


def told_reach(namespace: Namespace, pod: str, targets: dict[str, str]) -> set[str]:
    """Return which targets a pod reaches, and say so."""
    reached = reached_from(namespace, pod, targets)
    others = sorted(targets.keys() - reached)
    tell(f"  {pod} reaches {sorted(reached) or 'nothing'}, and not {others}")
    return reached


def targets_of(installation: Installation) -> dict[str, str]:
    """Return the addresses of both services, the API server and the store; names would need DNS."""
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


def labels_of(component: str) -> dict[str, str]:
    """Return the labels of a component's pods."""
    known = {"name": "tideline", "instance": "tideline", "component": component}
    return {f"app.kubernetes.io/{key}": value for key, value in known.items()}


def policy_of(name: str, labels: dict[str, str], rules: Object) -> Object:
    """Return a NetworkPolicy for the pods with some labels."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {"podSelector": {"matchLabels": labels}, **rules},
    }
