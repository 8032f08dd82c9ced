"""Says in words what a job waits for, and how a pod of it ended."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from service.jobs.ending import document_of, in_words
from service.jobs.observed import ClusterJob, Condition, Happening, Pod
from tideline.errors import BudgetExceeded

OUT_OF_MEMORY = "OOMKilled"
OVERDUE = "DeadlineExceeded"
FINAL = (0, 64, 65, 66)
"""Those after which a run is not repeated."""

_IMAGE = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName")
_SETUP = ("CreateContainerConfigError", "CreateContainerError", "RunContainerError")
_MOST = 300
"""Characters of a cluster's message that are passed on."""


def waits_for(job: ClusterJob) -> str:
    """Return what a Job that has no running pod waits for, in words."""
    if job.is_leaving:
        return "its Job is being deleted"
    if job.is_suspended:
        return "waits in the cluster's queue: its Job is suspended until it is admitted"
    pod = next((p for p in reversed(job.pods) if not p.is_over), None)
    if pod is not None:
        return _pod_waits_for(pod, job.happenings)
    refused = _latest(job.happenings, job.name, "FailedCreate")
    # After a failed run the next pod comes after a pause; what was refused before it is old.
    if refused is not None and (not job.pods or refused.time > job.pods[-1].created):
        return _refused(refused.message)
    if job.pods:
        again = "; it runs again in a moment" if may_run_again(job.pods[-1]) else ""
        return how_it_ended(job.pods[-1]) + again
    return "waits for its pod to be made"


def how_it_ended(pod: Pod) -> str:
    """Return how a pod that is over came to its end, in words that begin with `its run`."""
    code = pod.container.exit_code
    if pod.container.reason == OUT_OF_MEMORY:
        return "its run was killed: it used more memory than its limit allows"
    if pod.reason == "Evicted":
        return f"its run was evicted from its node: {_short(pod.message)}"
    disruption = _true(pod.conditions, "DisruptionTarget")
    if disruption is not None:
        return f"its run was evicted ({disruption.reason}): {_short(disruption.message)}"
    if is_overdue(pod):
        did_not = "end" if pod.container.has_begun else "begin"
        limit = f"of {pod.deadline} s" if pod.deadline else "of its pod"
        return f"its run was stopped: it did not {did_not} by the deadline {limit}"
    if code is None:
        told = _short(pod.message or pod.reason)
        return "its run was lost with its pod" + (f": {told}" if told else "")
    return f"its run ended {in_words(code)}"


def may_run_again(pod: Pod) -> bool:
    """Whether another pod may follow one that is over; it is not decided here."""
    return not (is_final(pod) or pod.container.exit_code in FINAL)


def is_final(pod: Pod) -> bool:
    """Whether the next pod would come to the same end, though the cluster would make one.

    One that used too much memory would have the same limit. One that overran its budget, and said
    so, or that did not even end by itself within the margin, for it hangs or waits for what does
    not come, would take as long again: nobody is helped by that unasked.
    """
    return is_out_of_memory(pod) or is_overdue(pod) or _has_told(pod, BudgetExceeded.code)


def is_overdue(pod: Pod) -> bool:
    """Whether a pod was stopped at its deadline, which leaves room beyond the budget."""
    return pod.reason == OVERDUE


def is_out_of_memory(pod: Pod) -> bool:
    """Whether a pod was killed because it used more memory than its limit allows."""
    return pod.container.reason == OUT_OF_MEMORY


def _pod_waits_for(pod: Pod, happenings: Iterable[Happening]) -> str:
    if pod.container.phase == "terminated":
        return how_it_ended(pod)
    scheduled = next((c for c in pod.conditions if c.type == "PodScheduled"), None)
    if scheduled is None:
        return "waits for a node"
    if not scheduled.is_true:
        return _unscheduled(scheduled)
    return _container_waits_for(pod, [h for h in happenings if h.about == pod.name])


def _container_waits_for(pod: Pod, happenings: Sequence[Happening]) -> str:
    reason, message = pod.container.reason, pod.container.message
    if reason in _IMAGE:
        failed = _latest(happenings, pod.name, "Failed")
        # The first message tells the cause; the back-off only that it is tried again.
        told = failed.message if failed and "image" in failed.message else message
        return f"its image cannot be pulled: {_short(told)}"
    if reason in _SETUP:
        return f"its container cannot be made: {_short(message)}"
    mount = _latest(happenings, pod.name, "FailedMount", "FailedAttachVolume")
    if mount is not None:
        return f"a volume cannot be mounted: {_short(mount.message)}"
    if happenings and happenings[-1].reason == "Pulling":
        return "its image is being pulled"
    return "its container is being started"


def _unscheduled(condition: Condition) -> str:
    if condition.reason == "SchedulingGated":
        return "waits to be admitted: its pod has a scheduling gate"
    message = condition.message
    lacking = re.findall(r"Insufficient (\w[\w./-]*\w)", message)
    told = _short(message.partition(" preemption:")[0])
    if lacking:
        return f"no node has enough {' and '.join(dict.fromkeys(lacking))} for it: {told}"
    if "persistentvolumeclaim" in message.lower() or "PersistentVolumeClaims" in message:
        return f"waits for its volume: {told}"
    return f"no node can take it: {told}"


def _refused(message: str) -> str:
    if "exceeded quota" in message:
        return f"the quota of its namespace is used up: {_short(message.partition('quota: ')[2])}"
    if "violates PodSecurity" in message:
        return f"the namespace does not allow its pod: {_short(message)}"
    if "serviceaccount" in message.lower() or "service account" in message:
        return f"its service account is not there: {_short(message)}"
    return f"its pod cannot be made: {_short(message.removeprefix('Error creating: '))}"


def _has_told(pod: Pod, code: str) -> bool:
    error = document_of(pod.container.message).get("error")
    return isinstance(error, dict) and error.get("code") == code


def _true(conditions: Iterable[Condition], kind: str) -> Condition | None:
    return next((c for c in conditions if c.type == kind and c.is_true), None)


def _latest(happenings: Iterable[Happening], about: str, *reasons: str) -> Happening | None:
    found = [h for h in happenings if h.about == about and h.reason in reasons]
    return found[-1] if found else None


def _short(message: str) -> str:
    line = " ".join(message.split()).rstrip(".")
    return line if len(line) <= _MOST else f"{line[: _MOST - 1]}…"
