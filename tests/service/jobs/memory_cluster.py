"""A cluster in memory: the calls of the API server that `Cluster` makes, and what answers them.

`MemoryApi` takes the place of the Kubernetes client below `Cluster`: objects are kept and told as
an API server writes them. Its Job controller keeps to the failure policy, the limit of retries
and the deadlines of a manifest. Pods do what a test lets them; with `runs_programs` they do what
their spec says, as `pod_program.py` does in a real cluster.
"""

from __future__ import annotations

import copy
import json
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from kubernetes.client.exceptions import ApiException

from service.jobs.cluster import JOB_NAME, Cluster
from tests.service.jobs.conformance import HALF
from tideline.progress import Progress
from tideline.store.bucket import Bucket

Tell = Callable[[str, str, Progress], None]
"""Takes the address of a report, its token, and the report."""


def memory_cluster(api: MemoryApi) -> Cluster:
    cluster = Cluster("jobs")
    cluster.__dict__ |= {"_batch": api, "_core": api}
    return cluster


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _answer(content: object) -> SimpleNamespace:
    return SimpleNamespace(data=json.dumps(content).encode())


def _refusal(status: int, message: str) -> ApiException:
    error = ApiException(status=status, reason="refused")
    error.body = json.dumps({"message": message})
    return error


class MemoryApi:
    """The objects of one namespace.

    Attributes
    ----------
    refusal
        An HTTP status and a message that every call is answered with; or None.
    log_refusal
        The same, for the reading of logs alone.
    keeps_leaving
        Whether what is deleted stays for a while, until `let_go`.
    created
        The names of all Jobs that were made.
    """

    def __init__(self, tell: Tell | None = None, *, runs_programs: bool = False) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.pods: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.said: dict[str, str] = {}
        self.created: list[str] = []
        self.refusal: tuple[int, str] | None = None
        self.log_refusal: tuple[int, str] | None = None
        self.keeps_leaving = False
        self.tell = tell
        self.runs_programs = runs_programs
        self.lock = threading.RLock()

    # The calls

    def list_namespaced_job(self, label_selector: str, **_: object):
        return self._listed(self.jobs, label_selector)

    def list_namespaced_pod(self, label_selector: str, **_: object):
        return self._listed(self.pods, label_selector)

    def list_namespaced_event(self, field_selector: str, **_: object):
        about = field_selector.partition("=")[2]
        return _answer({"items": [e for e in self.events if e["involvedObject"]["name"] == about]})

    def read_namespaced_job(self, name: str, **_: object):
        with self.lock:
            return _answer(self._found(self.jobs, name))

    def read_namespaced_service_account(self, name: str, **_: object):
        self._require_open()
        return _answer({"metadata": {"name": name, "uid": f"uid-of-{name}"}})

    def read_namespaced_pod_log(self, name: str, **_: object):
        if self.log_refusal:
            raise _refusal(*self.log_refusal)
        with self.lock:
            self._found(self.pods, name)
            return SimpleNamespace(data=self.said.get(name, "").encode())

    def create_namespaced_job(self, body: Mapping[str, Any], **_: object):
        with self.lock:
            self._require_open()
            name = body["metadata"]["name"]
            if name in self.jobs:
                raise _refusal(409, f'jobs.batch "{name}" already exists')
            job = copy.deepcopy(dict(body)) | {"status": {}}
            job["metadata"]["creationTimestamp"] = _now()
            self.jobs[name] = job
            self.created.append(name)
            if self.runs_programs:
                self.begin(name)
            return _answer(job)

    def delete_namespaced_job(self, name: str, **_: object):
        with self.lock:
            job = self._found(self.jobs, name)
            job["metadata"].setdefault("deletionTimestamp", _now())
            for pod in self.pods_of(name):
                pod["metadata"]["deletionTimestamp"] = _now()
            if not self.keeps_leaving:
                self.let_go()
            return _answer({})

    def patch_namespaced_job(self, name: str, body: Mapping[str, Any], **_: object):
        with self.lock:
            job = self._found(self.jobs, name)
            job["spec"] |= body["spec"]
            self._settle(name)
            return _answer(job)

    def _require_open(self) -> None:
        if self.refusal:
            raise _refusal(*self.refusal)

    def _found(self, objects: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
        self._require_open()
        if name not in objects:
            raise _refusal(404, f'"{name}" not found')
        return objects[name]

    def _listed(self, objects: dict[str, dict[str, Any]], selector: str):
        with self.lock:
            self._require_open()
            wanted = [part.partition("=") for part in selector.split(",")]
            found = [
                thing
                for thing in objects.values()
                for labels in [thing["metadata"]["labels"]]
                if all(k in labels and (not is_, labels[k] == v)[bool(is_)] for k, is_, v in wanted)
            ]
            return _answer({"items": found})

    # What happens in it

    def pods_of(self, job: str) -> list[dict[str, Any]]:
        return [p for p in self.pods.values() if p["metadata"]["labels"][JOB_NAME] == job]

    def let_go(self) -> None:
        """Let everything go that was deleted."""
        with self.lock:
            for objects in (self.pods, self.jobs):
                for name in [n for n, o in objects.items() if "deletionTimestamp" in o["metadata"]]:
                    del objects[name]

    def begin(self, job: str, state: Mapping[str, Any] | None = None) -> str:
        """Let a Job have its next pod, which runs; or is in another state."""
        with self.lock:
            template = self.jobs[job]["spec"]["template"]
            name = f"{job}-{len(self.pods_of(job)):05d}"
            self.pods[name] = {
                "metadata": {
                    "name": name,
                    "creationTimestamp": _now(),
                    "labels": template["metadata"]["labels"] | {JOB_NAME: job},
                },
                "spec": copy.deepcopy(template["spec"]),
                "status": {"phase": "Running" if state is None else "Pending"},
            }
            self._put(name, state or {"running": {"startedAt": _now()}})
        if self.runs_programs:
            threading.Thread(target=self._run, args=(name,), daemon=True).start()
        return name

    def say(self, pod: str, line: str) -> None:
        with self.lock:
            self.said[pod] = self.said.get(pod, "") + f"{line}\n"

    def end(self, pod: str, code: int, *, reason: str = "Error", message: str = "") -> None:
        """Let the program of a pod end."""
        with self.lock:
            if pod not in self.pods:
                return
            began = self.pods[pod]["status"]["containerStatuses"][0]["state"]["running"]
            ended = {"exitCode": code, "reason": reason, "message": message, "finishedAt": _now()}
            self._put(pod, {"terminated": ended | began})
            self.pods[pod]["status"]["phase"] = "Failed" if code else "Succeeded"
            self._settle(self.pods[pod]["metadata"]["labels"][JOB_NAME])

    def overrun(self, pod: str) -> None:
        """Let a pod come to its own deadline."""
        with self.lock:
            status = self.pods[pod]["status"]
            state = status["containerStatuses"][0]["state"]
            if "running" in state:
                ended = {"exitCode": 75, "reason": "Error", "finishedAt": _now()}
                self._put(pod, {"terminated": ended | state["running"]})
            status |= {"phase": "Failed", "reason": "DeadlineExceeded"}
            self._settle(self.pods[pod]["metadata"]["labels"][JOB_NAME])

    def _put(self, pod: str, state: Mapping[str, Any]) -> None:
        self.pods[pod]["status"]["containerStatuses"] = [{"name": "training", "state": dict(state)}]

    def _settle(self, name: str) -> None:
        """Do what the Job controller does when a pod has ended."""
        spec, status = self.jobs[name]["spec"], self.jobs[name]["status"]
        pods = self.pods_of(name)
        failed = [p for p in pods if p["status"]["phase"] == "Failed"]
        if status.get("conditions") or any("running" in _state(p) for p in pods):
            return
        if any(p["status"]["phase"] == "Succeeded" for p in pods):
            self._close(name, "Complete", "")
        elif any(_state(p).get("terminated", {}).get("exitCode") in (64, 65, 66) for p in failed):
            self._close(name, "Failed", "PodFailurePolicy")
        elif len(failed) > spec["backoffLimit"]:
            self._close(name, "Failed", "BackoffLimitExceeded")

    def _close(self, name: str, kind: str, reason: str) -> None:
        condition = {"type": kind, "status": "True", "reason": reason, "message": reason}
        self.jobs[name]["status"]["conditions"] = [condition]

    # Programs

    def _run(self, pod: str) -> None:
        container = self.pods[pod]["spec"]["containers"][0]
        env = {v["name"]: v.get("value", "") for v in container["env"]}
        spec, *options = [
            a.replace("$(TIDELINE_STORE)", env["TIDELINE_STORE"]) for a in container["args"]
        ]
        told = dict(zip(options[::2], options[1::2], strict=True))
        asked = yaml.safe_load(_read(spec))
        run = _Run(self, pod, asked, told, env.get("TIDELINE_JOB_TOKEN", ""))
        getattr(run, asked["behaviour"])()


def _state(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    return pod["status"]["containerStatuses"][0]["state"]


def _read(url: str) -> bytes:
    base, _, name = url.rpartition("/")
    content = Bucket(base).read(name, 1 << 20)
    assert content is not None, url
    return content


class _Run:
    """What the pod of the test program does."""

    def __init__(
        self, api: MemoryApi, pod: str, spec: Any, told: dict[str, str], token: str
    ) -> None:
        self.api, self.pod, self.spec, self.told, self.token = api, pod, spec, told, token

    def publish(self) -> None:
        self.api.say(self.pod, f"published {self.told['--run-id']}")
        summary = {"modelId": self.spec["pipeline_id"], "version": 1, "trainShape": [6, 1]}
        self._result({"published": summary})
        self.api.end(self.pod, 0)

    def refuse(self) -> None:
        error = {"code": "bad-data", "message": "one class.", "mend": "Add one."}
        self._result({"error": error | {"field": "labels", "exit_code": 65}})
        self.api.end(self.pod, 65)

    def crash(self) -> None:
        self.api.end(self.pod, 137)

    def hang(self) -> None:
        self.api.say(self.pod, "hangs")
        if self.api.tell is not None:
            self.api.tell(self.told["--report"], self.token, HALF)

    def await_file(self) -> None:
        self.api.say(self.pod, "waits")
        while not Path(self.spec["file"]).exists():
            if self.pod not in self.api.pods:
                return
            time.sleep(0.01)
        self.publish()

    def _result(self, document: object) -> None:
        base, _, name = self.told["--result"].rpartition("/")
        bucket = Bucket(base)
        bucket.make()
        bucket.upload(name, [json.dumps(document).encode()])
