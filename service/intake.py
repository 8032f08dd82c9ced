"""What is posted to the trainer, checked before a job is made of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from service.jobs.backend import JobRequest
from service.multipart import Part, faults_of
from service.settings import TrainerSettings
from tideline.errors import LabelError, RequestError, SpecError
from tideline.groups import case_groups
from tideline.readers import read_labels, read_panel
from tideline.spec import TrainingSpec

MAX_KEY = 255


def job_request(
    parts: Mapping[str, Part], idempotency_key: str | None, settings: TrainerSettings
) -> JobRequest:
    """Return the job that some parts ask for.

    Data of more bytes than `settings.max_checked_bytes` is left to the job, which finds the same
    faults.

    Raises
    ------
    SpecError
        When the spec does not say what can be done, or asks for too much time.
    DataError
        When the data, or its labels, cannot be used.
    RequestError
        When the idempotency key cannot be one.
    """
    key = None if idempotency_key is None else _key(idempotency_key)
    with faults_of("params"):
        spec = TrainingSpec.from_yaml(parts["params"].read())
        spec.require_posted()
        _require_affordable(spec.budget, settings.max_budget_seconds)
    labels = parts.get("labels")
    if parts["raw_data"].size + (labels.size if labels else 0) <= settings.max_checked_bytes:
        require_trainable(spec, parts["raw_data"].read(), labels.read() if labels else None)
    return JobRequest(
        pipeline_id=spec.pipeline_id,
        spec=spec.to_mapping(),
        raw_data=parts["raw_data"],
        labels=labels,
        digest=_digest(parts),
        idempotency_key=key,
    )


def _require_affordable(budget: float, most: float) -> None:
    if budget > most:
        raise SpecError(
            f"the budget is {budget:g} seconds; at most {most:g} are granted here.",
            mend="Ask for less, or let the one who runs the service raise "
            "TIDELINE_MAX_BUDGET_SECONDS.",
            field="budget",
        )


def require_trainable(spec: TrainingSpec, raw_data: bytes, labels: bytes | None) -> None:
    """Refuse data that no pipeline can be trained on.

    Raises
    ------
    DataError
        When the series cannot be read or used.
    LabelError
        When the labels do not fit them, or leave nothing to learn.
    """
    reading = read_panel(raw_data, spec.roles)
    reading.panel.require_usable()
    reading.panel.require_differing()
    known, task = reading.labels, spec.known_task or reading.task
    if labels is not None:
        column_id = spec.extract_features.column_id
        known = read_labels(labels, column_id, spec.column_label, spec.group_id)
        task = spec.known_task
    if known is None:
        raise LabelError(
            "no labels were sent, and raw_data holds none.",
            mend="Send the part labels: a table of ids and labels, or a mapping.",
            field="labels",
        )
    values = known.aligned_to(reading.panel)
    # Whether numbers are classes or values is for the training program to decide; where that is
    # not said, what is refused here is wrong in both cases.
    known.require_classes(task)
    spec.model_training.require_known_classes(values, task)
    if spec.group_id is not None:
        groups = case_groups(spec.group_id, reading.panel, known.groups, reading.groups)
        groups.require_classes(values, task)


def _digest(parts: Mapping[str, Part]) -> str:
    whole = hashlib.sha256()
    for name in sorted(parts):
        whole.update(f"{name}:{parts[name].size}:".encode() + parts[name].sha256.digest())
    return whole.hexdigest()


def _key(text: str) -> str:
    # The IETF draft writes the key in quotes; most clients do not.
    key = text.strip().removeprefix('"').removesuffix('"')
    if 0 < len(key) <= MAX_KEY and key.isascii() and key.isprintable():
        return key
    raise RequestError(
        f"the idempotency key has {len(key)} characters, or some that cannot be printed; 1 to "
        f"{MAX_KEY} printable ASCII characters are expected.",
        mend="Send a UUID.",
        field="Idempotency-Key",
    )
