"""The folder of a published model: pipeline.skops, model.json, extras, and manifest.json."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from zipfile import ZIP_DEFLATED

import skops.io
from sklearn.pipeline import Pipeline as Steps

from tideline.errors import ModelFileNotFound, ModelRefused
from tideline.model import ModelDocument
from tideline.pipeline import Pipeline
from tideline.store.base import Loaded
from tideline.store.manifest import AGAIN, read_manifest, seal, verified_bytes, verify
from tideline.store.trust import built, require_trusted

PIPELINE = "pipeline.skops"
DOCUMENT = "model.json"
REPORT = "report.html"
EXTRAS = ("pipeline.py", REPORT, "search.parquet")
"""What may be kept beside a pipeline: told to people, never loaded by a server."""
MAX_EXTRA_BYTES = 1 << 24


def write_model(
    folder: Path,
    pipeline: Pipeline,
    document: ModelDocument,
    extras: Mapping[str, bytes] = MappingProxyType({}),
) -> None:
    """Write a pipeline, its document and what else is kept, and the manifest of all.

    Parameters
    ----------
    folder
        Made if it is not there; empty otherwise.
    pipeline
        As `document` describes it; see `ModelDocument.describing`.
    document
        Written with the names of the extras.
    extras : mapping of file name to content
        Of the names in `EXTRAS`, each of at most `MAX_EXTRA_BYTES`.

    Raises
    ------
    ModelRefused
        When the pipeline holds a type that no server would load.
    ValueError
        When the folder holds something, the document describes another pipeline, or an extra has
        another name or is too large.
    """
    if document.plan != pipeline.plan.to_json() or document.classes != pipeline.classes:
        raise ValueError("document: expected to describe this pipeline")
    for name, extra in extras.items():
        _require_extra(name, len(extra))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ValueError("folder: expected to be empty")
    # At the fastest level already a fifth of the size: a forest is written as text.
    content = skops.io.dumps(pipeline.estimator, compression=ZIP_DEFLATED, compresslevel=1)
    require_trusted(content)
    (folder / PIPELINE).write_bytes(content)
    named = document.model_copy(update={"extras": tuple(sorted(extras))})
    (folder / DOCUMENT).write_bytes(named.to_bytes())
    for name, extra in extras.items():
        (folder / name).write_bytes(extra)
    seal(folder)


def read_document(folder: Path) -> ModelDocument:
    """Read model.json, checked against the manifest.

    Raises
    ------
    ModelRefused
        When it is damaged, or of a form that this version does not know.
    """
    return ModelDocument.from_bytes(verified_bytes(folder, read_manifest(folder), DOCUMENT))


def read_extra(folder: Path, name: str) -> bytes:
    """Read a file that was kept beside a pipeline, checked against the manifest.

    Raises
    ------
    ModelFileNotFound
        When the model was published without it.
    ModelRefused
        When it is damaged, or larger than any that is written.
    ValueError
        When the name is none of `EXTRAS`.
    """
    manifest = read_manifest(folder)
    _require_extra(name)
    entry = manifest.files.get(name)
    if entry is None:
        raise ModelFileNotFound(
            f"the model was published without {name}.",
            mend="Train it again: versions keep it since it is written.",
        )
    if entry.size > MAX_EXTRA_BYTES:
        raise ModelRefused(f"{name} is over {MAX_EXTRA_BYTES} bytes.", mend=AGAIN)
    return verified_bytes(folder, manifest, name)


def _require_extra(name: str, size: int = 0) -> None:
    if name not in EXTRAS or size > MAX_EXTRA_BYTES:
        raise ValueError(
            f"extras: files of {', '.join(EXTRAS)}, each of at most {MAX_EXTRA_BYTES} bytes, "
            f"expected; {name} of {size} found"
        )


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
