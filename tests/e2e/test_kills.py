"""Taken away by force: a predictor, the trainer during a training, and the training itself."""

from __future__ import annotations

import uuid

from tests.e2e.first_request import MODEL
from tests.e2e.installation import Installation
from tests.e2e.series import Halves, forest, waves, waves_spec
from tests.e2e.story import tell, until
from tests.e2e.traffic import Traffic

SLOW = {
    "model_training": {
        "model": "sklearn.ensemble.GradientBoostingClassifier",
        "model_args": {"n_estimators": 500},
    }
}
"""A training that can be killed in the middle, of a model that is small nonetheless."""


SECONDS_TO_LEARN = 10
"""How long the ingress may go on with a pod whose process is gone: until kubelet sees that."""

MOST_FAILURES = 100
"""How many predictions may fail in that time, of those that are asked without a pause."""

KILL_WORKER = """
import os, pathlib, signal
for folder in pathlib.Path("/proc").glob("[0-9]*"):
    words = (folder / "cmdline").read_bytes().split(b"\\0")
    if b"_bentoml_impl.worker.service" in words:
        os.kill(int(folder.name), signal.SIGKILL)
"""
"""Ends the one process of a predictor that answers, from within its container."""


def test_a_predictor_is_killed_under_load(installation: Installation, activity: Halves) -> None:
    """A pod that is taken away finishes what it has in hand, for it learns of it; not so below."""
    namespace = installation.namespace
    with Traffic(installation, MODEL, activity.few(3)) as traffic:
        until("predictions are answered", 30, lambda: traffic.total > 20)
        pods = namespace.ready_pods("predictor")
        tell(f"  kubectl delete pod --force --grace-period=0 {pods[0]}, one of {len(pods)}")
        tell(
            "  its object goes at once; a second later kubelet sends SIGTERM, and after two SIGKILL"
        )
        namespace.kill(pods[0])
        until(
            "another pod has taken its place",
            120,
            lambda: len(set(namespace.ready_pods("predictor")) - {pods[0]}) == len(pods),
            every=1,
        )
        before = traffic.total
        until("more is answered", 30, lambda: traffic.total > before + 20)
    traffic.require_faultless(50)


def test_the_process_of_a_predictor_is_killed(installation: Installation, activity: Halves) -> None:
    """SIGKILL, of which nobody is told: what fails is bounded, and the container starts again.

    Until kubelet sees that the container has ended, the ingress sends calls to it, and has no
    leave here to send them to another pod.
    """
    namespace = installation.namespace
    pod = namespace.ready_pods("predictor")[0]
    before = _restarts(installation, pod)
    with Traffic(installation, MODEL, activity.few(3)) as traffic:
        until("predictions are answered", 30, lambda: traffic.total > 20)
        tell(f"  SIGKILL to the worker in {pod}")
        killed = traffic.seconds
        namespace.kubectl("exec", pod, "--", "python", "-c", KILL_WORKER, check=False)
        until("its container is started again", 60, lambda: _restarts(installation, pod) > before)
        until(f"{pod} is ready", 120, lambda: pod in namespace.ready_pods("predictor"), every=1)
        answered = traffic.total
        until("more is answered", 30, lambda: traffic.total > answered + 20)
    last = max(traffic.failed_at, default=killed) - killed
    tell(f"  {len(traffic.failures)} predictions failed, the last {last:.1f} s after the SIGKILL")
    # From then on none has failed, not even as the pod came back.
    assert last < SECONDS_TO_LEARN, traffic.summary
    assert len(traffic.failures) <= MOST_FAILURES, traffic.summary
    assert min(traffic.failed_at, default=killed) >= killed, traffic.summary


def test_the_trainer_is_killed_during_a_training(
    installation: Installation, activity: Halves
) -> None:
    name = _fresh("survivor")
    spec = forest(name, **SLOW)
    job = installation.train(activity.raw_data, activity.labels, spec, key=name)
    installation.until_job(job["id"], ("running",), 90)
    _kill_trainer(installation)
    done = installation.until_trained(job)
    again = installation.train(activity.raw_data, activity.labels, spec, key=name)
    assert again["id"] == job["id"]
    assert done["version"] == 1
    assert _started(installation, job["id"]) == (1, 1)


def test_the_trainer_is_killed_at_once_after_a_post(installation: Installation) -> None:
    name = _fresh("posted")
    job = installation.train(*waves(), waves_spec(name), key=name)
    _kill_trainer(installation)
    installation.until_trained(job)
    assert _started(installation, job["id"]) == (1, 1)


def test_the_training_pod_is_killed(installation: Installation, activity: Halves) -> None:
    namespace, name = installation.namespace, _fresh("phoenix")
    job = installation.train(activity.raw_data, activity.labels, forest(name, **SLOW))
    installation.until_job(job["id"], ("running",), 90)
    [pod] = namespace.objects("pods", f"tideline.dev/job={job['id']}")
    tell(f"  kubectl delete pod --force --grace-period=0 {pod['metadata']['name']}")
    namespace.kill(pod["metadata"]["name"])
    done = installation.until_trained(job)
    assert done["version"] == 1
    model = installation.model(name)
    assert model is not None
    assert list(model["versions"]) == ["1"]
    assert len(namespace.objects("jobs", f"tideline.dev/job={job['id']}")) == 1


def _restarts(installation: Installation, pod: str) -> int:
    statuses = installation.namespace.object("pod", pod)["status"]["containerStatuses"]
    return int(statuses[0]["restartCount"])


def _kill_trainer(installation: Installation) -> None:
    [trainer] = installation.namespace.ready_pods("trainer")
    tell(f"  kubectl delete pod --force --grace-period=0 {trainer}")
    installation.namespace.kill(trainer)
    until(
        "another trainer is ready",
        120,
        lambda: set(installation.namespace.ready_pods("trainer")) - {trainer},
        otherwise=installation.namespace.story_so_far,
    )
    tell("  another trainer is ready")


def _fresh(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:4]}"


def _started(installation: Installation, job_id: str) -> tuple[int, int]:
    """Return how many Jobs, and how many pods, there are of a job."""
    selector = f"tideline.dev/job={job_id}"
    found = [len(installation.namespace.objects(kind, selector)) for kind in ("jobs", "pods")]
    return found[0], found[1]
