"""Pods that stand in for others, and what can be reached from where."""

from __future__ import annotations

from tests.e2e.cluster import Namespace, Object, is_ready
from tests.e2e.story import until

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
