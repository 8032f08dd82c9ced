"""A published model in a few lines: the words of the founding service, and more."""

from __future__ import annotations

from pydantic import JsonValue

from tideline.model import ModelDocument
from tideline.store import ModelVersion


def summary_of(version: ModelVersion, document: ModelDocument) -> dict[str, JsonValue]:
    """Return what `GET /models` tells of a version."""
    scores = document.scores.model_dump(mode="json", exclude_none=True)
    cross_validation = document.scores.cross_validation or {}
    return {
        "modelId": version.name,
        "version": version.number,
        "modelType": document.model_type,
        "trainTime": document.train_seconds,
        "trainShape": list(document.train_shape),
        **{f"mean_cv_{metric}": score for metric, score in cross_validation.items()},
        "task": document.task,
        "classes": list(document.classes),
        "channels": list(document.channels),
        "created": document.created.isoformat(),
        "scores": scores,
    }
