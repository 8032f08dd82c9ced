"""What a cluster shows of a job: its Job, its pods and what happened to them, as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Json = Mapping[str, Any]
"""An object as the API server writes it."""

CONTAINER = "training"
"""The container of the training program, by which the failure policy knows it too."""

DIGEST_ANNOTATION = "tideline.dev/digest"
INPUTS_ANNOTATION = "tideline.dev/inputs"

ENDING = ("FailureTarget", "SuccessCriteriaMet")


@dataclass(frozen=True)
class Condition:
    """One condition of a Job or a pod."""

    type: str
    is_true: bool
    reason: str = ""
    message: str = ""


@dataclass(frozen=True)
class Container:
    """The training container of a pod.

    Attributes
    ----------
    phase
        `waiting`, `running` or `terminated`; empty where the node has not yet said.
    reason, message
        Why: `ImagePullBackOff`, `OOMKilled`, `Error`. Of one that terminated, `message` is the
        termination message.
    exit_code
        Of one that terminated.
    started, finished
        When.
    """

    phase: str = ""
    reason: str = ""
    message: str = ""
    exit_code: int | None = None
    started: datetime | None = None
    finished: datetime | None = None

    @property
    def has_begun(self) -> bool:
        """Whether the program was started."""
        return self.started is not None


@dataclass(frozen=True)
class Pod:
    """One pod of a Job.

    Attributes
    ----------
    deadline
        The seconds after which it is stopped, from when its node took it up; or None.
    """

    name: str
    created: datetime
    phase: str
    container: Container
    reason: str = ""
    message: str = ""
    conditions: tuple[Condition, ...] = ()
    is_leaving: bool = False
    deadline: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether it will do nothing more."""
        return self.phase in ("Succeeded", "Failed")

    @classmethod
    def of(cls, found: Json) -> Pod:
        """Read a pod."""
        status = found.get("status", {})
        return cls(
            name=found["metadata"]["name"],
            created=_time(found["metadata"]["creationTimestamp"]),
            phase=status.get("phase", "Pending"),
            container=_container(status.get("containerStatuses") or ()),
            reason=status.get("reason") or "",
            message=status.get("message") or "",
            conditions=_conditions(status),
            is_leaving="deletionTimestamp" in found["metadata"],
            deadline=found.get("spec", {}).get("activeDeadlineSeconds"),
        )


@dataclass(frozen=True)
class Happening:
    """One event of the cluster, about the object of that name."""

    about: str
    reason: str
    message: str
    time: datetime


@dataclass(frozen=True)
class ClusterJob:
    """One Job, and the pods that it has.

    Attributes
    ----------
    digest, inputs
        The annotations by which a Job is known to be ours: of this request, and of this time
        that it was accepted.
    pods
        The oldest first.
    happenings
        What was told of it and of its pods, the oldest first; asked for only while it waits.
    """

    name: str
    digest: str
    deadline: int | None
    is_suspended: bool
    is_leaving: bool
    conditions: tuple[Condition, ...] = ()
    pods: tuple[Pod, ...] = ()
    happenings: tuple[Happening, ...] = ()
    inputs: str = ""

    @classmethod
    def of(cls, found: Json, pods: Iterable[Pod] = ()) -> ClusterJob:
        """Read a Job."""
        notes = found["metadata"].get("annotations") or {}
        return cls(
            name=found["metadata"]["name"],
            digest=notes.get(DIGEST_ANNOTATION, ""),
            inputs=notes.get(INPUTS_ANNOTATION, ""),
            deadline=found["spec"].get("activeDeadlineSeconds"),
            is_suspended=bool(found["spec"].get("suspend")),
            is_leaving="deletionTimestamp" in found["metadata"],
            conditions=_conditions(found.get("status", {})),
            pods=tuple(sorted(pods, key=lambda pod: pod.created)),
        )

    @property
    def begun(self) -> tuple[str, ...]:
        """The names of its pods that have begun to run the program."""
        return tuple(pod.name for pod in self.pods if pod.container.has_begun)

    @property
    def is_ending(self) -> bool:
        """Whether it is decided how it ends, though its last pod may still be there."""
        return any(c.is_true and c.type in ENDING for c in self.conditions)

    @property
    def running(self) -> Pod | None:
        """The pod that runs the program now."""
        working = (p for p in self.pods if p.container.phase == "running" and not p.is_over)
        return next(working, None)

    def ending(self, kind: str) -> Condition | None:
        """Return the condition `Complete` or `Failed`, where it holds."""
        return next((c for c in self.conditions if c.type == kind and c.is_true), None)


def happening_of(found: Json) -> Happening:
    """Read an event."""
    when = found.get("lastTimestamp") or found.get("eventTime") or found.get("firstTimestamp")
    return Happening(
        about=(found.get("involvedObject") or {}).get("name", ""),
        reason=found.get("reason") or "",
        message=found.get("message") or "",
        time=_time(when or found["metadata"]["creationTimestamp"]),
    )


def _container(statuses: Iterable[Json]) -> Container:
    states = [s.get("state") or {} for s in statuses if s["name"] == CONTAINER]
    if not states or not states[0]:
        return Container()
    phase, state = next(iter(states[0].items()))
    return Container(
        phase=phase,
        reason=state.get("reason") or "",
        message=state.get("message") or "",
        exit_code=state.get("exitCode"),
        # A container that could not be made has "ended" too, at the beginning of time.
        started=_began(state),
        finished=_time_or_none(state.get("finishedAt")),
    )


def _began(state: Json) -> datetime | None:
    started = _time_or_none(state.get("startedAt"))
    return started if started and started.year > 1970 else None


def _conditions(status: Json) -> tuple[Condition, ...]:
    return tuple(
        Condition(c["type"], c["status"] == "True", c.get("reason") or "", c.get("message") or "")
        for c in status.get("conditions") or ()
    )


def _time_or_none(text: str | None) -> datetime | None:
    return _time(text) if text else None


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
