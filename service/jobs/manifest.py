"""The Job of a training: an installation's template with one job filled in."""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from service.jobs.observed import CONTAINER, DIGEST_ANNOTATION, INPUTS_ANNOTATION
from tideline.errors import SpecError

JOB_LABEL = "tideline.dev/job"
RELEASE_LABEL = "tideline.dev/release"
INSTANCE_LABEL = "app.kubernetes.io/instance"
SPEC = "spec.yaml"
TERMINATION_LOG = "/dev/termination-log"
OVERSHOOT = 1.05
"""The training program ends itself at this multiple of its budget."""
BACKOFF_LIMIT = 6
"""Of a Job that does not say it."""

_KIND = ("batch/v1", "Job")


@dataclass(frozen=True)
class Asked:
    """What a Job is made for.

    Attributes
    ----------
    job_id
        The job's name, of 24 characters.
    release
        As `release_of` returns it.
    round
        1, or how many times the job was accepted anew.
    digest
        The SHA-256 of what was posted.
    inputs
        The key that what was posted lies under in the store, its spec among it.
    result
        The key of the result in the store.
    store
        The store's URL, for a template that does not say it.
    budget, margin
        Seconds that the training may take; and seconds for what comes before and after it in a
        run, and once more for what the Job waits for.
    image
        The image to run; empty for the template's.
    report, token
        Where progress is told, and the token that allows it; empty for nowhere.
    owner
        The object that the Job goes away with, as an owner reference, or None.
    """

    job_id: str
    release: str
    digest: str
    inputs: str
    result: str
    store: str
    budget: float
    round: int = 1
    margin: float = 600.0
    image: str = ""
    report: str = ""
    token: str = ""
    owner: Mapping[str, str] | None = None

    @property
    def name(self) -> str:
        """The name of the Job: the same for the same request, and at most 63 characters."""
        return self.name_of(self.job_id, self.release, self.round)

    @staticmethod
    def name_of(job_id: str, release: str, number: int) -> str:
        """Return the name of the Job of a round."""
        return f"{job_id}-{release}-{number}"


def release_of(template: Mapping[str, Any], store: str) -> str:
    """Return the mark of an installation, by which it knows its own Jobs in a namespace.

    The same body gives the same job in each: two that make Jobs in one namespace must not take
    each other's. It follows from the template's label `app.kubernetes.io/instance` and the
    store's URL, so that all trainers of one installation have the same.
    """
    labels = template.get("metadata", {}).get("labels") or {}
    origin = f"{labels.get(INSTANCE_LABEL, '')} {store}"
    return hashlib.sha256(origin.encode()).hexdigest()[:8]


def build_job(template: Mapping[str, Any], asked: Asked) -> dict[str, Any]:
    """Return the Job of a request.

    The template says how: security, resources, volumes, environment, failure policy. The request
    says what: name, arguments, deadlines, and the job's own environment.

    Each run has a deadline of its own, from when a node takes up its pod: the time by which the
    program ends itself, and the margin. The Job has one for as many runs as its failure policy
    allows, and the margin once more, for waiting: an eviction late in a run leaves time for the
    next, which starts with the whole budget. A run that is stopped at its deadline would be
    repeated by the cluster, whose failure policy cannot tell it from others: the trainer lets its
    Job fail instead.

    Parameters
    ----------
    template
        As `read_template` returns it; it stays as it is.
    """
    job: dict[str, Any] = copy.deepcopy(dict(template))
    marks = {JOB_LABEL: asked.job_id, RELEASE_LABEL: asked.release}
    notes = {DIGEST_ANNOTATION: asked.digest, INPUTS_ANNOTATION: asked.inputs}
    meta, pod = job.setdefault("metadata", {}), job["spec"]["template"]
    meta["name"] = asked.name
    meta["labels"] = (meta.get("labels") or {}) | marks
    meta["annotations"] = (meta.get("annotations") or {}) | notes
    if asked.owner is not None:
        meta["ownerReferences"] = [dict(asked.owner)]
    inner = pod.setdefault("metadata", {})
    inner["labels"] = (inner.get("labels") or {}) | marks
    _limit(job["spec"], asked)
    _fill(training_container(job), asked)
    return job


def _limit(spec: dict[str, Any], asked: Asked) -> None:
    one = math.ceil(asked.budget * OVERSHOOT + asked.margin)
    runs = spec.get("backoffLimit", BACKOFF_LIMIT) + 1
    spec["template"]["spec"]["activeDeadlineSeconds"] = one
    spec["activeDeadlineSeconds"] = runs * one + math.ceil(asked.margin)


def _fill(container: dict[str, Any], asked: Asked) -> None:
    if asked.image:
        container["image"] = asked.image
    known = container.get("env") or []
    own = {"TIDELINE_JOB_TOKEN": asked.token} if asked.token else {}
    if not any(variable["name"] == "TIDELINE_STORE" for variable in known):
        own["TIDELINE_STORE"] = asked.store
    container["env"] = [
        *({"name": name, "value": value} for name, value in own.items()),
        *(variable for variable in known if variable["name"] not in own),
    ]
    # The cluster fills the variable in: where the store is for a pod, the template knows.
    container["args"] = [
        f"$(TIDELINE_STORE)/{asked.inputs}/{SPEC}",
        *("--run-id", asked.job_id),
        *("--result", f"$(TIDELINE_STORE)/{asked.result}"),
        *("--termination-message", container.get("terminationMessagePath", TERMINATION_LOG)),
        *(("--report", asked.report) if asked.report else ()),
    ]


def training_container(job: Mapping[str, Any]) -> dict[str, Any]:
    """Return the container that runs the training program."""
    containers = job["spec"]["template"]["spec"]["containers"]
    found: dict[str, Any] = next(c for c in containers if c["name"] == CONTAINER)
    return found


def read_template(path: Path) -> dict[str, Any]:
    """Read the template of an installation.

    Raises
    ------
    SpecError
        When it is not a Job, or has no container of the name `training`.
    """
    try:
        template = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _unusable(path, str(error)) from error
    kind = (template.get("apiVersion"), template.get("kind")) if isinstance(template, dict) else ()
    if kind != _KIND:
        raise _unusable(path, "it is not an object of apiVersion batch/v1 and kind Job")
    try:
        training_container(template)
    except (KeyError, TypeError, StopIteration):
        raise _unusable(path, f"it has no container {CONTAINER!r}") from None
    found: dict[str, Any] = template
    return found


def _unusable(path: Path, why: str) -> SpecError:
    return SpecError(
        f"the template of the Jobs, {path}, cannot be used: {why}.",
        mend="Name a manifest like k8s/base/job.yaml.",
        field="TIDELINE_JOB_TEMPLATE",
    )
