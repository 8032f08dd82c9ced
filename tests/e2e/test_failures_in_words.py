"""What goes wrong with a job stands in its record, in words, within half a minute."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.conftest import INGRESS, new_namespace
from tests.e2e.installation import Installation, Job
from tests.e2e.series import waves, waves_spec
from tests.e2e.story import Stopwatch, tell, until

SECONDS = 30


@pytest.fixture(scope="module")
def unlucky(image: str) -> Iterator[Installation]:
    """Return an installation whose trainer lets its Jobs find out what is wrong with the data."""
    with new_namespace("faults") as namespace:
        installed = Installation(namespace, image, INGRESS)
        unchecked = [{"name": "TIDELINE_MAX_CHECKED_BYTES", "value": "0"}]
        installed.install(trainer={"extraEnv": unchecked})
        yield installed


def test_bad_data_is_named_and_not_tried_again(unlucky: Installation) -> None:
    _, labels = waves()
    known = json.loads(labels)
    known["nobody"] = known.pop("w3")
    watch = Stopwatch()
    job = _posted(unlucky, "bad-data", labels=json.dumps(known))
    failed = unlucky.until_job(job["id"], ("failed",), 90)
    _tell_problem(failed, watch)
    assert failed["problem"]["field"] == "labels"
    assert "w3" in failed["reason"] or "nobody" in failed["reason"]
    assert failed["attempt"] == 1
    assert failed["problem"]["retryable"] is False
    assert len(_pods(unlucky, job)) == 1
    assert watch.seconds < SECONDS


def test_a_used_up_quota_is_named_and_waited_for(unlucky: Installation) -> None:
    # Those that are over count no more.
    pods = sum(
        pod["status"]["phase"] in ("Pending", "Running")
        for pod in unlucky.namespace.objects("pods")
    )
    unlucky.namespace.kubectl("create", "quota", "full", f"--hard=pods={pods}")
    until(
        "the quota is in force",
        30,
        lambda: unlucky.namespace.object("quota", "full").get("status", {}).get("used"),
    )
    job = _posted(unlucky, "waits-for-quota")
    try:
        waiting = unlucky.until_job(job["id"], ("queued",), SECONDS, "quota")
    finally:
        tell("  the quota is lifted")
        unlucky.namespace.kubectl("delete", "quota", "full")
    assert "full" in waiting["reason"]
    unlucky.until_trained(job)


def test_a_node_with_too_little_memory_is_named(unlucky: Installation) -> None:
    unlucky.upgrade(jobs=_memory("900Gi"))
    job = _posted(unlucky, "too-large")
    unlucky.until_job(job["id"], ("queued",), SECONDS, "memory")
    _cancel(unlucky, job)


def test_too_little_memory_is_named_and_not_tried_again(unlucky: Installation) -> None:
    unlucky.upgrade(jobs=_memory("64Mi"))
    watch = Stopwatch()
    job = _posted(unlucky, "too-small")
    failed = unlucky.until_job(job["id"], ("failed",), SECONDS)
    _tell_problem(failed, watch)
    assert "memory" in failed["reason"]
    assert len(_pods(unlucky, job)) == 1


def test_a_missing_image_is_named(unlucky: Installation, image: str) -> None:
    missing = f"{image.rpartition(':')[0]}:there-is-none"
    unlucky.upgrade(jobs=_memory("1Gi"))
    unlucky.namespace.kubectl(
        "set", "env", "deployment/tideline-trainer", f"TIDELINE_JOB_IMAGE={missing}"
    )
    unlucky.namespace.until_rolled_out("tideline-trainer")
    job = _posted(unlucky, "no-image")
    waiting = unlucky.until_job(job["id"], ("queued",), SECONDS, "image cannot be pulled")
    assert "there-is-none" in waiting["reason"]
    _cancel(unlucky, job)


def _posted(unlucky: Installation, name: str, **changed: str) -> Job:
    series, labels = waves()
    return unlucky.train(series, changed.get("labels", labels), waves_spec(name))


def _cancel(unlucky: Installation, job: Job) -> None:
    with unlucky.client() as client:
        answer = client.delete(f"/jobs/{job['id']}")
    assert answer.status_code in (200, 202), answer.text
    unlucky.until_job(job["id"], ("cancelled",), 60)
    until("its pods are gone", 60, lambda: not _pods(unlucky, job))


def _pods(unlucky: Installation, job: Job) -> list[dict[str, Any]]:
    return unlucky.namespace.objects("pods", f"tideline.dev/job={job['id']}")


def _tell_problem(job: Job, watch: Stopwatch) -> None:
    problem = job["problem"]
    tell(f"  after {watch.seconds:.0f} s: {problem['detail']} {problem['mend']}")


def _memory(amount: str) -> dict[str, Any]:
    return {"resources": {"requests": {"memory": amount}, "limits": {"memory": amount}}}
