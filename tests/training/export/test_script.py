"""Tests of the script that is written of a model: it is run, and gives the model's predictions."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_selection import SelectFromModel, SelectPercentile, f_classif
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from sklearn.svm import SVC

from tests.training.export.scripted import (
    SHARPNESS,
    Case,
    candidate,
    imported,
    require_neat,
    texts,
    without_labels,
)
from tideline.features.convolutions import plan_convolutions
from tideline.features.plan import FeaturePlan
from tideline.panel import Channel, Panel
from tideline.ridge import CalibratedRidgeClassifier, WideRidgeRegressor
from tideline.spec import TrainingSpec
from training.export import script
from training.planning import MOST_CONVOLUTIONS
from training.task import Target


@pytest.mark.slow
def test_the_default_blend_is_rebuilt_by_tideline(tmp_path: Path) -> None:
    case = Case(tmp_path, task="classification")
    plans = {
        "features": FeaturePlan.for_panel(case.panel, "tideline"),
        "convolutions": plan_convolutions(case.panel, features=MOST_CONVOLUTIONS),
    }
    trees = candidate(ExtraTreesClassifier(50, max_features=0.1, random_state=5))
    ridge = candidate(CalibratedRidgeClassifier(), family="convolutions")
    text = case.compare(plans, [(0.5, trees), (0.5, ridge)])
    assert 'FeaturePlan.for_panel(panel, "tideline")' in text
    assert f"plan_convolutions(panel, features={MOST_CONVOLUTIONS})" in text
    assert "training" not in imported(text)


STACKED = {
    "extract_features": {"column_id": "case", "column_sort": "t", "column_kind": "kind"},
    "column_label": "label",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "fields"), [("csv", {"group_id": "group"}), ("json", {}), ("stacked", STACKED)]
)
def test_features_of_tsfresh_alone_are_rebuilt_without_tideline(
    tmp_path: Path, kind: str, fields: dict[str, Any]
) -> None:
    case = Case(tmp_path, task="classification", kind=kind, **fields)
    case.target = replace(case.target, weights="balanced")
    plans = {"features": FeaturePlan.for_panel(case.panel, "minimal")}
    forest = candidate(RandomForestClassifier(30, random_state=5), selects=True)
    text = case.compare(plans, [(1.0, forest)])
    assert "tideline" not in imported(text)
    assert "MinimalFCParameters()" in text


@pytest.mark.slow
def test_a_regression_is_rebuilt(tmp_path: Path) -> None:
    case = Case(tmp_path, task="regression")
    plans = {"features": FeaturePlan.for_panel(case.panel, "minimal")}
    members = [
        (3.0, candidate(RandomForestRegressor(20, random_state=1), selects=True)),
        (1.0, candidate(StandardScaler(), PLSRegression(2, scale=False))),
    ]
    assert "tideline" not in imported(case.compare(plans, members))
    case.compare(plans, [(1.0, candidate(WideRidgeRegressor()))])


@pytest.mark.slow
def test_steps_of_a_search_are_rebuilt_with_weights_and_explicit_calculators(
    tmp_path: Path,
) -> None:
    kinds = {
        "x": {"cwt_coefficients": [{"widths": [2, 5], "coeff": 1, "w": 2}], "mean": None},
        "y__": "minimal",
    }
    asked = {"column_id": "case", "column_sort": "t", "kind_to_fc_parameters": kinds}
    case = Case(tmp_path, task="classification", extract_features=asked)
    case.target = replace(case.target, weights=(1.0, 2.0, 0.5))
    wanted = case.spec.extract_features.kind_to_fc_parameters
    plans = {"features": FeaturePlan.for_panel(case.panel, None, wanted)}
    members = [
        (
            0.25,
            candidate(
                StandardScaler(),
                PCA(0.9, svd_solver="full", whiten=True, random_state=0),
                LogisticRegression(C=0.1, max_iter=300, class_weight="balanced"),
            ),
        ),
        (0.25, candidate(SelectPercentile(f_classif, percentile=50), RidgeClassifier())),
        (0.25, candidate(StandardScaler(), SVC(C=2.0, kernel="linear"))),
        (
            0.25,
            candidate(
                SelectFromModel(ExtraTreesClassifier(10, random_state=0), threshold=-1.0),
                QuantileTransformer(n_quantiles=10, random_state=0),
                LogisticRegression(),
            ),
        ),
    ]
    assert "tideline" not in imported(case.compare(plans, members))
    # The same where the data itself holds the labels, which only Tideline reads.
    spec = without_labels(case.spec)
    text = script(spec, case.panel, case.target, plans, members, sharpness=SHARPNESS)
    require_neat(text)
    assert "FeaturePlan.for_panel(\n" in text
    expected = case.published(plans, members).predict(case.asked).by_class()
    found = case.predicted(text)
    assert all(found[c] == pytest.approx(expected[c], abs=1e-6) for c in expected)


def test_a_plan_that_no_call_gives_is_written_in_full() -> None:
    panel = Panel.from_arrays(np.random.default_rng(0).normal(size=(6, 20)))
    plan = FeaturePlan.for_panel(panel, "tideline").take([0, 3, 1200])
    spec = TrainingSpec.from_mapping({"pipeline_id": "x"})
    target = Target("regression", (), np.arange(6.0))
    text = script(spec, panel, target, {"features": plan}, [(1.0, candidate(WideRidgeRegressor()))])
    listed = text.partition("FeaturePlan.from_json(")[2]
    document = ast.literal_eval(listed[: listed.index("),\n    }")].strip().rstrip(","))
    assert FeaturePlan.from_json(document) == plan


@settings(deadline=None, max_examples=25)
@given(
    channels=st.lists(texts, min_size=1, max_size=3, unique=True),
    classes=st.lists(texts, min_size=2, max_size=3, unique=True).map(sorted),
    own=st.booleans(),
)
def test_hostile_names_stay_texts(channels: list[str], classes: list[str], own: bool) -> None:
    panel = Panel(
        tuple(range(6)), {c: Channel.from_series([[1.0, 2.0, 4.0]] * 6) for c in channels}
    )
    target = Target("classification", tuple(classes), np.array([0, 1] * 3), "balanced")
    spec = TrainingSpec.from_mapping(
        {
            "pipeline_id": "x",
            "labels": "labels",
            "column_label": "'''\"\"\"$fit\nimport os",
            "extract_features": {
                "column_id": '"); import os; ("',
                "default_fc_parameters": "minimal",
            },
        }
    )
    given_spec = without_labels(spec) if own else spec
    plans = {"features": FeaturePlan.from_parameters(channels, "minimal")}
    members = [(1.0, candidate(LogisticRegression(C=0.5)))]
    text = script(given_spec, panel, target, plans, members)
    held = {
        node.targets[0].id: node.value  # type: ignore[attr-defined]
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign)
    }
    assert list(ast.literal_eval(held["CLASSES"])) == classes
    assert ast.literal_eval(held["COLUMN_LABEL"]) == spec.column_label
    assert "os" not in imported(text)
    if not own:
        assert isinstance(held["SETTINGS"], ast.Dict)
        assert [ast.literal_eval(key) for key in held["SETTINGS"].keys if key] == channels
