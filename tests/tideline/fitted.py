"""Small fitted pipelines, and the folders in which they are published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline as Steps

from tideline.features.extraction import extract
from tideline.features.imputation import RangeImputer
from tideline.features.plan import FeaturePlan
from tideline.features.selection import RelevanceSelection
from tideline.model import ModelDocument
from tideline.panel import Panel
from tideline.pipeline import Pipeline
from tideline.store import write_model


def waves(n_cases: int = 24, n_classes: int = 2, seed: int = 0) -> tuple[Panel, np.ndarray]:
    """Return a panel of two channels, and the class codes: the louder, the higher."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n_cases) % n_classes
    values = rng.normal(size=(n_cases, 2, 20)) * (1.0 + codes)[:, None, None]
    return Panel.from_arrays(values, channel_names=["x", "y"]), codes


def fitted(
    model: BaseEstimator | None = None,
    *,
    n_classes: int = 2,
    classes: tuple = ("calm", "loud", "wild"),
    between: tuple = (("selection", RelevanceSelection(min_features=4)),),
) -> Pipeline:
    """Return a pipeline of the minimal set: imputer, what is `between`, and a model."""
    panel, codes = waves(n_classes=n_classes)
    plan = FeaturePlan.for_panel(panel, "minimal")
    model = LogisticRegression(max_iter=5000) if model is None else model
    steps = Steps([("imputer", RangeImputer()), *between, ("model", model)])
    steps.fit(extract(panel, plan), codes)
    return Pipeline(plan, steps, "classification", classes[:n_classes], ("x", "y"))


def fitted_to_numbers(model: BaseEstimator) -> Pipeline:
    """Return a pipeline for regression."""
    panel, _ = waves()
    plan = FeaturePlan.for_panel(panel, "minimal")
    steps = Steps([("imputer", RangeImputer()), ("model", model)])
    steps.fit(extract(panel, plan), np.arange(panel.n_cases, dtype=float))
    return Pipeline(plan, steps, "regression", (), ("x", "y"))


def document_of(pipeline: Pipeline, name: str = "waves", run_id: str = "run") -> ModelDocument:
    return ModelDocument.describing(
        pipeline, name=name, run_id=run_id, train_shape=(24, 20), train_seconds=0.5
    )


def write(folder: Path, pipeline: Pipeline, name: str = "waves", run_id: str = "run") -> Path:
    """Write the model folder of a pipeline, and return it."""
    write_model(folder, pipeline, document_of(pipeline, name, run_id))
    return folder
