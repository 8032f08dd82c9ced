"""What is posted to the trainer, checked before a job is made of it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

from service.jobs.backend import JobRequest
from service.multipart import Part, faults_of
from tideline.errors import LabelError, RequestError
from tideline.labels import Label
from tideline.panel import named
from tideline.readers import ColumnRoles, read_labels, read_panel
from tideline.spec import TrainingSpec

MAX_KEY = 255


def job_request(
    parts: Mapping[str, Part], idempotency_key: str | None, max_checked_bytes: int
) -> JobRequest:
    """Return the job that some parts ask for.

    Data of more bytes than `max_checked_bytes` is left to the job, which finds the same faults.

    Raises
    ------
    SpecError
        When the spec does not say what can be done.
    DataError
        When the data, or its labels, cannot be used.
    RequestError
        When the idempotency key cannot be one.
    """
    key = None if idempotency_key is None else _key(idempotency_key)
    with faults_of("params"):
        spec = TrainingSpec.from_yaml(parts["params"].read())
        spec.require_posted()
    labels = parts.get("labels")
    if parts["raw_data"].size + (labels.size if labels else 0) <= max_checked_bytes:
        require_trainable(spec, parts["raw_data"].read(), labels.read() if labels else None)
    return JobRequest(
        pipeline_id=spec.pipeline_id,
        spec=spec.to_mapping(),
        raw_data=parts["raw_data"],
        labels=labels,
        digest=_digest(parts),
        idempotency_key=key,
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
    columns = spec.extract_features
    roles = ColumnRoles(
        columns.column_id, columns.column_sort, columns.column_kind, columns.column_value
    )
    reading = read_panel(raw_data, roles)
    reading.panel.require_usable()
    known = reading.labels
    if labels is not None:
        known = read_labels(labels, columns.column_id, spec.column_label)
    if known is None:
        raise LabelError(
            "no labels were sent, and raw_data holds none.",
            mend="Send the part labels: a table of ids and labels, or a mapping.",
            field="labels",
        )
    _require_classes(known.aligned_to(reading.panel), spec.known_task)


def _require_classes(values: Sequence[Label], task: str | None) -> None:
    # Whether numbers are classes or values is for the training program to decide; what is refused
    # here is wrong in both cases, or the spec has said which it is.
    counts = Counter(values)
    if len(counts) < 2:
        raise LabelError(
            f"every case has the label {values[0]!r}; at least two different ones are needed.",
            mend="Add cases of another class.",
            field="labels",
        )
    lonely = [value for value, count in counts.items() if count < 2]
    if lonely and (task == "classification" or isinstance(values[0], str | bool)):
        raise LabelError(
            f"{len(lonely)} classes have one member only: {named(lonely)}; a class needs at "
            "least two, one to learn from and one to be tested on.",
            mend="Add cases of these classes, or leave them out.",
            field="labels",
        )


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
