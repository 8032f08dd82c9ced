"""Tideline: AutoML for time series.

The names below are all that a notebook needs; each is imported when it is first used, so that
`import tideline` itself takes no time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tideline.features.extraction import extract
    from tideline.features.files import extract_to_parquet
    from tideline.features.frames import extract_features
    from tideline.features.plan import FeaturePlan
    from tideline.features.transformer import FeatureExtractor
    from tideline.labels import Labels
    from tideline.panel import Panel
    from tideline.pipeline import Pipeline
    from tideline.readers import read_labels, read_panel
    from tideline.spec import TrainingSpec
    from tideline.store import ModelStore, open_store

_HOMES = {
    "FeatureExtractor": "tideline.features.transformer",
    "FeaturePlan": "tideline.features.plan",
    "Labels": "tideline.labels",
    "ModelStore": "tideline.store",
    "Panel": "tideline.panel",
    "Pipeline": "tideline.pipeline",
    "TrainingSpec": "tideline.spec",
    "extract": "tideline.features.extraction",
    "extract_features": "tideline.features.frames",
    "extract_to_parquet": "tideline.features.files",
    "open_store": "tideline.store",
    "read_labels": "tideline.readers",
    "read_panel": "tideline.readers",
}

__all__ = [
    "FeatureExtractor",
    "FeaturePlan",
    "Labels",
    "ModelStore",
    "Panel",
    "Pipeline",
    "TrainingSpec",
    "extract",
    "extract_features",
    "extract_to_parquet",
    "open_store",
    "read_labels",
    "read_panel",
]


def __getattr__(name: str) -> object:
    """Import a public name where it lives (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
