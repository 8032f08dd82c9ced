"""The folder of a published model: pipeline.skops, model.json and manifest.json."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZIP_DEFLATED

import skops.io
from sklearn.pipeline import Pipeline as Steps

from tideline.errors import ModelRefused
from tideline.model import ModelDocument
from tideline.pipeline import Pipeline
from tideline.store.base import Loaded
from tideline.store.manifest import AGAIN, read_manifest, seal, verified_bytes, verify
from tideline.store.trust import built, require_trusted

PIPELINE = "pipeline.skops"
DOCUMENT = "model.json"


def write_model(folder: Path, pipeline: Pipeline, document: ModelDocument) -> None:
    """Write a pipeline and its document, and the manifest of both.

    Parameters
    ----------
    folder
        Made if it is not there; empty otherwise.
    pipeline
        As `document` describes it; see `ModelDocument.describing`.

    Raises
    ------
    ModelRefused
        When the pipeline holds a type that no server would load.
    ValueError
        When the folder holds something, or the document describes another pipeline.
    """
    if document.plan != pipeline.plan.to_json() or document.classes != pipeline.classes:
        raise ValueError("document: expected to describe this pipeline")
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ValueError("folder: expected to be empty")
    # At the fastest level already a fifth of the size: a forest is written as text.
    content = skops.io.dumps(pipeline.estimator, compression=ZIP_DEFLATED, compresslevel=1)
    require_trusted(content)
    (folder / PIPELINE).write_bytes(content)
    (folder / DOCUMENT).write_bytes(document.to_bytes())
    seal(folder)


def read_document(folder: Path) -> ModelDocument:
    """Read model.json, checked against the manifest.

    Raises
    ------
    ModelRefused
        When it is damaged, or of a form that this version does not know.
    """
    return ModelDocument.from_bytes(verified_bytes(folder, read_manifest(folder), DOCUMENT))


def load_model(folder: Path) -> Loaded:
    """Build the pipeline of a published model.

    First the manifest is verified, then the types are held against this server's list, then the
    estimator is built: nothing of a refused model is ever loaded.

    Raises
    ------
    ModelRefused
        When a file is damaged, missing or surplus, a type is not allowed, a feature is none that
        is computed here, or the parts do not fit each other.
    """
    manifest = verify(folder)
    document = ModelDocument.from_bytes(verified_bytes(folder, manifest, DOCUMENT))
    content = verified_bytes(folder, manifest, PIPELINE)
    estimator = built(content)
    if not isinstance(estimator, Steps):
        raise ModelRefused(f"{PIPELINE} holds no pipeline.", mend=AGAIN)
    plan = document.feature_plan
    plan.require_computable()
    expected = getattr(estimator, "n_features_in_", None)
    if expected != len(plan.features):
        raise ModelRefused(
            f"the estimator takes {expected} features and the plan has {len(plan.features)}.",
            mend=AGAIN,
        )
    pipeline = Pipeline(plan, estimator, document.task, document.classes, document.channels)
    return Loaded(pipeline, document)
