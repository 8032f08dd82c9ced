"""A release of the chart, as its users see it: helm, and HTTP through the ingress."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.cluster import Namespace
from tests.e2e.story import Stopwatch, tell, until

CHART = Path(__file__).resolve().parents[2] / "helm" / "tideline"
Job = dict[str, Any]
Answer = dict[str, Any]

PREDICTION = {"route": "/serve_prediction", "method": "POST", "status": "2xx"}


def small(image: str, host: str) -> dict[str, Any]:
    """Return the values that fit a node of two CPUs, and leave no pod without its share of them."""
    repository, _, tag = image.rpartition(":")
    service = {
        "requests": {"cpu": "150m", "memory": "256Mi"},
        "limits": {"cpu": "2", "memory": "1Gi"},
    }
    return {
        "image": {"repository": repository, "tag": tag},
        "ingress": {"host": host},
        "store": {"volume": {"size": "1Gi"}},
        "predictor": {"replicas": 1, "resources": service},
        "trainer": {"resources": service},
        "jobs": {
            "resources": {
                "requests": {"cpu": "250m", "memory": "1Gi"},
                "limits": {"cpu": "2", "memory": "1Gi"},
            }
        },
    }


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return values laid over others, as helm lays them."""
    result = dict(below)
    for key, value in above.items():
        found = result.get(key)
        both = isinstance(found, Mapping) and isinstance(value, Mapping)
        result[key] = merged(found, value) if both else value
    return result


class Installation:
    """A release of the chart in a namespace.

    Parameters
    ----------
    namespace
        Where it is.
    image
        What it runs: repository and tag.
    ingress
        The address of the ingress controller.
    """

    def __init__(self, namespace: Namespace, image: str, ingress: str) -> None:
        self.namespace = namespace
        self.release = "tideline"
        self.host = f"{namespace.name}.example"
        self.ingress = ingress
        self.values = small(image, self.host)
        self._token = ""

    # Life

    def install(self, **values: Any) -> None:
        """Run helm install, and wait until all is ready."""
        self._helm("install", values)

    def upgrade(self, *options: str, **values: Any) -> None:
        """Run helm upgrade with further values, and wait until all is ready."""
        self._helm("upgrade", values, *options)

    def rollback(self) -> None:
        """Run helm rollback to the revision before, and wait until all is ready."""
        tell("helm rollback")
        self.namespace.helm("rollback", self.release, "--wait", "--timeout=5m")
        self._roll_out()

    def uninstall(self) -> None:
        """Run helm uninstall."""
        tell("helm uninstall")
        self.namespace.helm("uninstall", self.release, "--wait", "--timeout=3m")

    def _helm(self, verb: str, values: Mapping[str, Any], *options: str) -> None:
        self.values = merged(self.values, values)
        watch = Stopwatch()
        tell(f"helm {verb} {self.release} helm/tideline {_told(values)}")
        said = self._run(verb, *options)
        self._roll_out()
        told = next((line for line in said.splitlines() if "is installed as" in line), "")
        tell(f"helm {verb} is done after {watch.seconds:.0f} s. {told}")

    def _run(self, verb: str, *options: str) -> str:
        options = ("--values", "-", "--wait", "--timeout=5m", *options)
        values = yaml.safe_dump(self.values)
        try:
            return self.namespace.helm(verb, self.release, str(CHART), *options, stdin=values)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.namespace.story_so_far()}") from error

    def _roll_out(self) -> None:
        for component in ("predictor", "trainer"):
            self.namespace.until_rolled_out(f"{self.release}-{component}")
        until("the ingress knows both services", 60, self._is_reached)

    def _is_reached(self) -> bool:
        with self.client() as client:
            return all(client.get(path).status_code == 200 for path in ("/models", "/jobs"))

    # HTTP

    @property
    def token(self) -> str:
        """The token, read as the NOTES say."""
        if not self._token:
            secret = self.namespace.object("secret", self.release)
            self._token = base64.b64decode(secret["data"]["token"]).decode()
        return self._token

    @property
    def headers(self) -> dict[str, str]:
        """What every request carries."""
        return {"Authorization": f"Bearer {self.token}", "Host": self.host}

    def client(self, url: str | None = None, seconds: float = 60) -> httpx.Client:
        """Return a client of the ingress, or of another address; no proxy is used."""
        return httpx.Client(
            base_url=url or self.ingress, headers=self.headers, timeout=seconds, trust_env=False
        )

    def train(
        self, raw_data: str, labels: str, spec: Mapping[str, Any], key: str | None = None
    ) -> Job:
        """Post a training, and return its job."""
        headers = {"Idempotency-Key": key} if key else {}
        parts = {"raw_data": raw_data, "labels": labels, "params": json.dumps(spec)}
        files = {name: (name, text.encode()) for name, text in parts.items()}
        with self.client() as client:
            answer = client.post("/train_pipeline", files=files, headers=headers)
        assert answer.status_code in (200, 202), answer.text
        job: Job = answer.json()
        tell(f"POST /train_pipeline: {answer.status_code}, {job['id']}")
        return job

    def job(self, job_id: str) -> Job:
        """Return a job's record; the trainer may be away for a moment."""
        with self.client() as client:
            answer = client.get(f"/jobs/{job_id}")
        told = answer.headers.get("content-type", "")
        if not answer.is_success and not told.startswith("application/problem+json"):
            # The ingress itself: a Service without pods is 404 to the one, 503 to the other.
            return {"id": job_id, "state": "unknown", "reason": f"HTTP {answer.status_code}"}
        assert answer.status_code == 200, answer.text
        job: Job = answer.json()
        return job

    def until_job(
        self, job_id: str, states: tuple[str, ...], seconds: float, words: str = ""
    ) -> Job:
        """Wait until a job is in one of some states, with some words in its reason."""
        seen = ""
        job: Job = {}

        def look() -> Job | None:
            nonlocal seen, job
            job = self.job(job_id)
            if (now := f"{job['state']}, {job['reason']}{_progress(job)}") != seen:
                seen = now
                tell(f"  {job_id} is {now}")
            over = job["state"] in ("succeeded", "failed", "cancelled")
            if over and job["state"] not in states:
                raise AssertionError(f"{job}\n{self.logs(job_id)}")
            return job if job["state"] in states and words in job["reason"] else None

        return until(
            f"{job_id} is {' or '.join(states)} {words}",
            seconds,
            look,
            otherwise=lambda: f"{job}\n{self.logs(job_id)}\n{self.namespace.story_so_far()}",
        )

    def until_trained(self, job: Job, seconds: float = 240) -> Job:
        """Wait until a job has succeeded."""
        return self.until_job(job["id"], ("succeeded",), seconds)

    def logs(self, job_id: str) -> str:
        """Return what a job has said."""
        with self.client() as client:
            return client.get(f"/jobs/{job_id}/logs").text

    def predict(
        self, model: str, raw_data: str, url: str | None = None, **params: object
    ) -> Answer:
        """Return the scores for new series."""
        with self.client(url) as client:
            answer = client.post("/serve_prediction", files=asked(model, raw_data, **params))
        assert answer.status_code == 200, answer.text
        scores: Answer = answer.json()
        return scores

    def model(self, name: str, url: str | None = None) -> Answer | None:
        """Return what is told of a model, or None where there is none."""
        with self.client(url) as client:
            answer = client.get(f"/models/{name}")
        assert answer.status_code in (200, 404), answer.text
        return answer.json() if answer.status_code == 200 else None

    def measured(self, pod: str, name: str, **labels: str) -> float:
        """Return a pod's value of a metric, as its own /metrics tells; 0 where it tells none."""
        with self.namespace.forwarded(pod) as url, self.client(url) as client:
            page = client.get("/metrics")
        assert page.status_code == 200, page.text
        families = text_string_to_metric_families(page.text)
        samples = [sample for family in families for sample in family.samples]
        found = [s.value for s in samples if (s.name, s.labels) == (name, labels)]
        return found[0] if found else 0.0

    def predictions_of(self, pod: str) -> int:
        """Return how many predictions a pod has answered."""
        return int(self.measured(pod, "tideline_http_requests_total", **PREDICTION))

    def until_served(self, model: str, version: int, seconds: float = 30) -> None:
        """Wait until every predictor pod has a version as the newest."""
        for pod in self.namespace.ready_pods("predictor"):
            with self.namespace.forwarded(pod) as url:
                until(
                    f"{pod} has {model}:{version}",
                    seconds,
                    lambda url=url: (self.model(model, url) or {}).get("version") == version,
                )


def asked(model: str, raw_data: str, **params: object) -> dict[str, tuple[str, bytes]]:
    """Return the parts of a request for predictions."""
    told = json.dumps({"pipeline_id": model, **params})
    return {"raw_data": ("raw_data", raw_data.encode()), "params": ("params", told.encode())}


def _progress(job: Job) -> str:
    progress = job.get("progress")
    if job["state"] != "running" or not progress:
        return ""
    return f"; {progress['share']:.0%}: {progress['stage']}"


def _told(values: Mapping[str, Any], prefix: str = "") -> str:
    told = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            told.append(_told(value, f"{prefix}{key}."))
        else:
            told.append(f"--set {prefix}{key}={value}")
    return " ".join(told)
