from __future__ import annotations

from dataclasses import replace

import pytest

from service.jobs.waiting import how_it_ended, is_out_of_memory, may_run_again, waits_for
from tests.service.jobs.sightings import (
    DISRUPTED,
    SCHEDULED,
    event,
    job,
    pod,
    running,
    terminated,
    unscheduled,
    waiting,
)

NO_MEMORY = (
    "0/3 nodes are available: 2 Insufficient memory, 1 node(s) had untolerated taint(s). "
    "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
)
QUOTA = (
    'Error creating: pods "j-x" is forbidden: exceeded quota: small, requested: '
    "requests.memory=2Gi, used: requests.memory=1Gi, limited: requests.memory=2Gi"
)
SECURITY = (
    'Error creating: pods "j-x" is forbidden: violates PodSecurity "restricted:latest": '
    "runAsNonRoot != true"
)
ACCOUNT = 'Error creating: pods "j-x" is forbidden: error looking up service account a/b: not found'
NO_IMAGE = 'Failed to pull image "r/no:1": r/no:1: not found'
BACK_OFF = 'Back-off pulling image "r/no:1"'


def told(pod, *happenings):
    return waits_for(replace(job(pod), happenings=happenings))


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (pod(), "waits for a node"),
        (
            pod(None, unscheduled(NO_MEMORY)),
            (
                "no node has enough memory for it: 0/3 nodes are available: 2 Insufficient memory, "
                "1 node(s) had untolerated taint(s)"
            ),
        ),
        (
            pod(
                None,
                unscheduled("0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory."),
            ),
            (
                "no node has enough cpu and memory for it: 0/1 nodes are available: 1 Insufficient "
                "cpu, 1 Insufficient memory"
            ),
        ),
        (
            pod(None, unscheduled("0/1 nodes are available: 1 node(s) were unschedulable.")),
            "no node can take it: 0/1 nodes are available: 1 node(s) were unschedulable",
        ),
        (
            pod(None, unscheduled('persistentvolumeclaim "store" not found.')),
            'waits for its volume: persistentvolumeclaim "store" not found',
        ),
        (
            pod(None, unscheduled("Scheduling is blocked", "SchedulingGated")),
            "waits to be admitted: its pod has a scheduling gate",
        ),
        (pod(None, SCHEDULED), "its container is being started"),
        (waiting("ContainerCreating"), "its container is being started"),
        (waiting("ErrImagePull", NO_IMAGE), f"its image cannot be pulled: {NO_IMAGE}"),
        (waiting("ImagePullBackOff", BACK_OFF), f"its image cannot be pulled: {BACK_OFF}"),
        (
            waiting("InvalidImageName", "couldn't parse image name"),
            "its image cannot be pulled: couldn't parse image name",
        ),
        (
            waiting("CreateContainerConfigError", 'secret "store" not found'),
            'its container cannot be made: secret "store" not found',
        ),
        (
            terminated(75, phase="Running"),
            "its run ended with exit code 75: something that may pass",
        ),
    ],
)
def test_what_a_pod_waits_for_is_told_in_words(seen, words):
    assert told(seen) == words


@pytest.mark.parametrize(
    ("seen", "happening", "words"),
    [
        (
            waiting("ImagePullBackOff", BACK_OFF),
            event("j-a", "Failed", NO_IMAGE),
            f"its image cannot be pulled: {NO_IMAGE}",
        ),
        (
            waiting("ContainerCreating"),
            event("j-a", "Pulling", "Pulling image"),
            "its image is being pulled",
        ),
        (
            waiting("ContainerCreating"),
            event("j-a", "FailedMount", 'configmap "program" not found'),
            'a volume cannot be mounted: configmap "program" not found',
        ),
        (
            waiting("ContainerCreating"),
            event("another", "FailedMount", "no"),
            "its container is being started",
        ),
    ],
)
def test_what_happened_to_a_pod_tells_more(seen, happening, words):
    assert told(seen, happening) == words


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            QUOTA,
            (
                "the quota of its namespace is used up: small, requested: requests.memory=2Gi, "
                "used: requests.memory=1Gi, limited: requests.memory=2Gi"
            ),
        ),
        (SECURITY, f"the namespace does not allow its pod: {SECURITY}"),
        (ACCOUNT, f"its service account is not there: {ACCOUNT}"),
        ("Error creating: no", "its pod cannot be made: no"),
    ],
)
def test_why_no_pod_can_be_made_is_told(message, words):
    refused = (event("j", "FailedCreate", message),)
    assert waits_for(replace(job(), happenings=refused)) == words


def test_a_job_before_its_pod_and_between_two_pods():
    assert waits_for(job()) == "waits for its pod to be made"
    assert waits_for(job(terminated(75))) == (
        "its run ended with exit code 75: something that may pass; it runs again in a moment"
    )


def test_a_refusal_from_before_the_last_pod_is_old():
    old = event("j", "FailedCreate", QUOTA, "2025-12-31T00:00:00Z")
    assert "runs again" in waits_for(replace(job(terminated(75)), happenings=(old,)))


def test_a_suspended_and_a_deleted_job():
    assert "suspended" in waits_for(job(suspend=True))
    assert "deleted" in waits_for(job(metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}))


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (terminated(137, reason="OOMKilled"), "it used more memory than its limit allows"),
        (terminated(137), "by signal 9 (SIGKILL)"),
        (terminated(143), "by signal 15 (SIGTERM)"),
        (terminated(64), "a parameter file that cannot be used"),
        (terminated(70), "with exit code 70"),
        (terminated(75, DISRUPTED), "was evicted (EvictionByEvictionAPI): Eviction API: evicting"),
        (
            pod(phase="Failed", reason="Evicted", message="The node was low on resource: memory."),
            "was evicted from its node: The node was low on resource: memory",
        ),
        (
            pod(phase="Failed", reason="DeadlineExceeded"),
            "was stopped: it did not begin by the deadline of its pod",
        ),
        (
            replace(terminated(75, deadline=705), reason="DeadlineExceeded"),
            "was stopped: it did not end by the deadline of 705 s",
        ),
        (pod(phase="Failed", reason="NodeLost"), "was lost with its pod: NodeLost"),
        (pod(phase="Failed"), "was lost with its pod"),
    ],
)
def test_how_a_run_ended_is_told_in_words(seen, words):
    told = how_it_ended(seen)
    assert told.startswith("its run ")
    assert told.endswith(words)


def test_only_a_pod_that_used_too_much_is_out_of_memory():
    assert is_out_of_memory(terminated(137, reason="OOMKilled"))
    assert not is_out_of_memory(terminated(137))
    assert not is_out_of_memory(running())


def test_a_long_message_is_cut():
    assert len(told(waiting("ErrImagePull", "x" * 5000))) < 350


BUDGET = '{"error": {"code": "budget-exceeded", "exit_code": 70}}'


@pytest.mark.parametrize(
    ("last", "is_repeated"),
    [
        (terminated(75), True),
        (terminated(70), True),
        (terminated(70, message_of_container='{"error": "odd"}'), True),
        (terminated(70, message_of_container=BUDGET), False),
        (replace(terminated(75), reason="DeadlineExceeded"), False),
        (terminated(137, reason="OOMKilled"), False),
        (terminated(65), False),
    ],
)
def test_what_would_come_to_the_same_end_does_not_run_again(last, is_repeated):
    assert may_run_again(last) == is_repeated
