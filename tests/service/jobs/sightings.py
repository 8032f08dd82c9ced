"""Jobs, pods and events as an API server of Kubernetes 1.36 wrote them, shortened."""

from __future__ import annotations

from typing import Any

from service.jobs.observed import ClusterJob, Happening, Pod, happening_of

NOW = "2026-01-01T00:00:00Z"
LATER = "2026-01-01T00:01:00Z"
SCHEDULED = {"type": "PodScheduled", "status": "True"}
DISRUPTED = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "EvictionByEvictionAPI",
    "message": "Eviction API: evicting",
}


def unscheduled(message: str, reason: str = "Unschedulable") -> dict[str, str]:
    return {"type": "PodScheduled", "status": "False", "reason": reason, "message": message}


def pod(
    state: dict[str, Any] | None = None,
    *conditions: dict[str, str],
    phase: str = "Pending",
    name: str = "j-a",
    created: str = NOW,
    leaving: bool = False,
    deadline: int | None = None,
    **status: Any,
) -> Pod:
    gone = {"deletionTimestamp": LATER} if leaving else {}
    containers = [] if state is None else [{"name": "training", "state": state}]
    return Pod.of(
        {
            "metadata": {"name": name, "creationTimestamp": created, **gone},
            "spec": {} if deadline is None else {"activeDeadlineSeconds": deadline},
            "status": {
                "phase": phase,
                "conditions": list(conditions),
                "containerStatuses": containers,
                **status,
            },
        }
    )


def waiting(reason: str, message: str = "", **status: Any) -> Pod:
    return pod({"waiting": {"reason": reason, "message": message}}, SCHEDULED, **status)


def running(**status: Any) -> Pod:
    return pod({"running": {"startedAt": NOW}}, SCHEDULED, phase="Running", **status)


def terminated(code: int, *conditions: dict[str, str], reason: str = "Error", **status: Any) -> Pod:
    message = status.pop("message_of_container", "")
    state = {
        "exitCode": code,
        "reason": reason,
        "message": message,
        "startedAt": NOW,
        "finishedAt": LATER,
    }
    phase = status.pop("phase", "Failed" if code else "Succeeded")
    return pod({"terminated": state}, SCHEDULED, *conditions, phase=phase, **status)


def event(about: str, reason: str, message: str, time: str = LATER) -> Happening:
    return happening_of(
        {
            "metadata": {"creationTimestamp": time},
            "involvedObject": {"name": about},
            "reason": reason,
            "message": message,
            "lastTimestamp": time,
        }
    )


def job(*pods: Pod, ending: tuple[str, str] | None = None, **fields: Any) -> ClusterJob:
    conditions = []
    if ending is not None:
        kind, reason = ending
        conditions = [{"type": kind, "status": "True", "reason": reason, "message": "as told"}]
    found = {
        "metadata": {"name": "j", **fields.get("metadata", {})},
        "spec": {"activeDeadlineSeconds": 60, "suspend": fields.get("suspend", False)},
        "status": {"conditions": conditions},
    }
    return ClusterJob.of(found, pods)
