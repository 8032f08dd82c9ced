"""A namespace of the cluster that KUBECONFIG names, by kubectl and helm."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.story import tell, until

Object = dict[str, Any]

PROGRAMS = Path(os.environ.get("TIDELINE_CLUSTER", Path.home() / ".cache/tideline-cluster")) / "bin"
RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"


def program(name: str) -> str | None:
    """Return the path of a program; the cluster's own comes before others of its name."""
    return shutil.which(name, path=os.pathsep.join([str(PROGRAMS), os.environ.get("PATH", "")]))


def run(
    name: str, *arguments: str, stdin: str | None = None, check: bool = True, seconds: float = 120
) -> str:
    """Run kubectl or helm, and return what it prints."""
    found = program(name)
    assert found, f"no {name} on PATH"
    answer = subprocess.run(
        [found, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    if check and answer.returncode:
        told = f"{answer.stdout[-2000:]}{answer.stderr[-2000:]}"
        raise AssertionError(f"{name} {' '.join(arguments)} ended with {answer.returncode}: {told}")
    return answer.stdout if check else answer.stdout + answer.stderr


class Namespace:
    """A namespace that is made for a test run, with the strictest Pod Security."""

    def __init__(self, name: str) -> None:
        self.name = name

    def make(self) -> None:
        """Make it."""
        tell(f"the namespace {self.name} is made; its Pod Security is `restricted`")
        run("kubectl", "create", "namespace", self.name)
        run("kubectl", "label", "namespace", self.name, RESTRICTED)

    def delete(self) -> None:
        """Delete it, and all that is in it; this goes on by itself."""
        tell(f"the namespace {self.name} is deleted, and all that is in it")
        run("kubectl", "delete", "namespace", self.name, "--wait=false")

    def kubectl(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        """Run kubectl in it."""
        return run("kubectl", "-n", self.name, *arguments, stdin=stdin, check=check)

    def helm(self, *arguments: str, stdin: str | None = None) -> str:
        """Run helm in it."""
        return run("helm", "-n", self.name, *arguments, stdin=stdin, seconds=400)

    def objects(self, kind: str, selector: str = "") -> list[Object]:
        """Return the objects of a kind that a label selector finds."""
        options = ["-l", selector] if selector else []
        found: list[Object] = json.loads(self.kubectl("get", kind, "-o", "json", *options))["items"]
        return found

    def object(self, kind: str, name: str) -> Object:
        """Return one object."""
        found: Object = json.loads(self.kubectl("get", kind, name, "-o", "json"))
        return found

    def apply(self, manifest: Object | str) -> None:
        """Apply a manifest."""
        text = manifest if isinstance(manifest, str) else json.dumps(manifest)
        self.kubectl("apply", "-f", "-", stdin=text)

    def pods(self, component: str, instance: str = "tideline") -> list[Object]:
        """Return the pods of a component that are not on their way out."""
        labels = f"app.kubernetes.io/instance={instance},app.kubernetes.io/component={component}"
        pods = self.objects("pods", labels)
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def ready_pods(self, component: str, instance: str = "tideline") -> list[str]:
        """Return the names of the component's pods that are ready."""
        pods = self.pods(component, instance)
        return sorted(pod["metadata"]["name"] for pod in pods if is_ready(pod))

    def kill(self, pod: str) -> None:
        """Take a pod away by force: its object at once, its processes soon after.

        So the Service and the ingress forget it while it still runs. Kubelet gives it a second of
        its preStop pause, then SIGTERM, and two seconds later SIGKILL.
        """
        self.kubectl("delete", "pod", pod, "--grace-period=0", "--force", "--wait=false")

    @contextmanager
    def forwarded(self, pod: str, port: int = 3000) -> Iterator[str]:
        """Reach a pod's port from here, past Service and ingress: the address."""
        kubectl = program("kubectl")
        assert kubectl
        command = [kubectl, "-n", self.name, "port-forward", f"pod/{pod}", f":{port}"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            try:
                assert process.stdout is not None
                line = process.stdout.readline()
                found = re.search(r"127\.0\.0\.1:(\d+)", line)
                assert found, f"kubectl port-forward says: {line}"
                yield f"http://127.0.0.1:{found[1]}"
            finally:
                process.terminate()

    def story_so_far(self, instance: str = "tideline") -> str:
        """Return how the pods stand, for a failure's message."""
        return self.kubectl("get", "pods,jobs", "-l", f"app.kubernetes.io/instance={instance}")

    def until_rolled_out(self, deployment: str, seconds: float = 240) -> None:
        """Wait until a deployment has only pods of its newest form, all ready."""

        def look() -> bool:
            found = self.object("deployment", deployment)
            labels = found["spec"]["selector"]["matchLabels"].items()
            pods = self.objects("pods", ",".join(f"{key}={value}" for key, value in labels))
            return is_rolled_out(found) and len(pods) == found["spec"]["replicas"]

        until(
            f"{deployment} has rolled out",
            seconds,
            look,
            every=1,
            otherwise=self.story_so_far,
        )


def is_ready(pod: Object) -> bool:
    """Whether a pod is ready."""
    conditions: Sequence[Object] = pod.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def is_rolled_out(deployment: Object) -> bool:
    """Whether all pods of a deployment are of its newest form, and ready."""
    status, wanted = deployment.get("status", {}), deployment["spec"]["replicas"]
    seen = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "readyReplicas")]
    return seen and counts == [wanted] * 3
