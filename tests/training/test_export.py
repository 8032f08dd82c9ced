"""Tests of the script that is written of a model: it is run, and gives the model's predictions."""

from __future__ import annotations

import ast
import csv
import io
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.compose import TransformedTargetRegressor
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    ExtraTreesClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_selection import SelectFromModel, SelectPercentile, f_classif
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.pipeline import Pipeline as Steps
from sklearn.preprocessing import QuantileTransformer, StandardScaler
from sklearn.svm import SVC

from tideline.blend import Blend
from tideline.features.convolutions import plan_convolutions
from tideline.features.extraction import extract
from tideline.features.plan import FeaturePlan
from tideline.labels import Task
from tideline.panel import Channel, Panel
from tideline.pipeline import Pipeline
from tideline.readers import read_labels, read_panel
from tideline.ridge import CalibratedRidgeClassifier, WideRidgeRegressor
from tideline.spec import TrainingSpec
from training.candidate import Candidate
from training.export import script
from training.export.literals import Writer, flat, laid_out
from training.fold import Fit
from training.planning import MOST_CONVOLUTIONS
from training.table import Table
from training.task import Target

LEARNED, ASKED = 24, 8
Members = Sequence[tuple[float, Candidate]]

SHARPNESS = 1.75
"""Of every blend: what is published is never the bare mean."""


class Case:
    """Files of series and labels, what is read from them, and the model that is fitted to them."""

    def __init__(self, folder: Path, *, task: Task, kind: str = "csv", **fields: Any) -> None:
        self.folder = folder
        self._write(task, kind)
        self.spec = TrainingSpec.from_mapping(
            {
                "pipeline_id": "waves",
                "raw_data": "train",
                "labels": "labels",
                "task": task,
                "extract_features": {"column_id": "case", "column_sort": "t"},
                **fields,
            }
        )
        self.panel = read_panel(folder / "train", self.spec.roles).panel
        self.asked = read_panel(folder / "data", self.spec.roles).panel
        labels = read_labels(folder / "labels", "case", self.spec.column_label)
        self.target = Target.from_labels(labels.aligned_to(self.panel), task)

    def _write(self, task: Task, kind: str) -> None:
        rng = np.random.default_rng(3)
        rows: list[dict[str, Any]] = []
        labels: dict[str, Any] = {}
        classes = ("NA", "x,1", "z") if kind == "stacked" else ('"1\\', '"2\\', '"3\\')
        for number in range(LEARNED + ASKED):
            strength = 1.0 + number % 3
            if number < LEARNED:
                noisy = float(strength + rng.normal(0, 0.1))
                labels[f"{number * 7}"] = noisy if task == "regression" else classes[number % 3]
            for t in range(30 + number % 5):
                x, y = rng.normal(0, strength, 2).tolist()
                missing = number % 4 == 0 and t in (0, 5, 6)
                row = {"case": number * 7, "t": 100 - t, "x": None if missing else x, "y__": y}
                rows.append(row)
        learned = [row for row in rows if row["case"] < LEARNED * 7]
        asked = [row for row in rows if row["case"] >= LEARNED * 7]
        for place, table in (("train", learned), ("data", asked)):
            text = json.dumps(table) if kind == "json" else _csv(table)
            (self.folder / place).write_text(_stacked(table) if kind == "stacked" else text)
        table = [{"other": 1, "case": int(name), "label": v} for name, v in labels.items()]
        text = _csv(table) if kind == "stacked" else json.dumps(labels)
        (self.folder / "labels").write_text(text)

    def published(self, plans: dict[str, FeaturePlan], members: Members) -> Pipeline:
        """Fit the members as a run does, and put them together."""
        files, columns, start = {}, {}, 0
        for family, plan in plans.items():
            X = np.empty((self.panel.n_cases, len(plan.features)), dtype=np.float32)
            extract(self.panel, plan, out=X)
            files[family] = str(self.folder / f"{family}.npy")
            np.save(files[family], X)
            columns[family] = slice(start, start + len(plan.features))
            start += len(plan.features)
        everything = np.arange(self.panel.n_cases)
        fits = [Fit(Table(files), self.target, c, everything)() for _, c in members]
        parts = [(columns[c.family], steps) for (_, c), steps in zip(members, fits, strict=True)]
        blend = Blend(parts, [w for w, _ in members], start, SHARPNESS)
        steps = Steps([("model", blend)])
        plan = FeaturePlan(tuple(f for each in plans.values() for f in each.features))
        target, channels = self.target, tuple(self.panel.channels)
        return Pipeline(plan, steps, target.task, target.classes, channels).narrowed()

    def predicted(self, text: str) -> dict[str, Any]:
        """Return what the script prints."""
        place = self.folder / "pipeline.py"
        place.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, str(place), "train", "labels", "data"],
            check=False,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def compare(self, plans: dict[str, FeaturePlan], members: Members) -> str:
        """Write the script, run it, hold it against the model, and return it."""
        text = script(self.spec, self.panel, self.target, plans, members, sharpness=SHARPNESS)
        _require_neat(text)
        prediction = self.published(plans, members).predict(self.asked)
        found = self.predicted(text)
        if self.target.n_classes:
            expected = prediction.by_class()
            assert found.keys() == expected.keys()
            for case, probabilities in expected.items():
                assert found[case] == pytest.approx(probabilities, abs=1e-6)
        else:
            assert found == pytest.approx(prediction.scores(), rel=1e-6)
        return text


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    table = csv.DictWriter(text, rows[0])
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


def _stacked(rows: list[dict[str, Any]]) -> str:
    return _csv(
        [
            {"case": row["case"], "t": f"2020-01-01T00:{row['t'] // 60:02}:{row['t'] % 60:02}"}
            | {"kind": channel, "v": row[channel]}
            for row in rows
            for channel in ("y__", "x")
        ]
    )


def _require_neat(text: str) -> None:
    """Fail unless ruff has nothing to say of a script."""
    ruff = Path(sys.executable).parent / "ruff"
    options = ["--isolated", "--line-length", "100", "-"]
    rules = "E4,E7,E9,F,W,I,D100,D101,D102,D103"
    for command in (["format", "--check", "--diff"], ["check", "--select", rules]):
        neat = subprocess.run(
            [ruff, *command, *options],
            check=False,
            cwd=ruff.parent,  # a folder without a package that could be taken for the script's own
            input=text,
            capture_output=True,
            text=True,
        )
        assert neat.returncode == 0, neat.stdout + neat.stderr


def candidate(*steps: BaseEstimator, selects: bool = False, family: str = "features") -> Candidate:
    named = tuple((f"step{number}", step) for number, step in enumerate(steps))
    return Candidate("search", family, named, selects)  # type: ignore[arg-type]


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
    assert "training" not in _imported(text)


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
    assert "tideline" not in _imported(text)
    assert "MinimalFCParameters()" in text


@pytest.mark.slow
def test_a_regression_is_rebuilt(tmp_path: Path) -> None:
    case = Case(tmp_path, task="regression")
    plans = {"features": FeaturePlan.for_panel(case.panel, "minimal")}
    members = [
        (3.0, candidate(RandomForestRegressor(20, random_state=1), selects=True)),
        (1.0, candidate(StandardScaler(), PLSRegression(2, scale=False))),
    ]
    assert "tideline" not in _imported(case.compare(plans, members))
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
    assert "tideline" not in _imported(case.compare(plans, members))
    # The same where the data itself holds the labels, which only Tideline reads.
    spec = _without_labels(case.spec)
    text = script(spec, case.panel, case.target, plans, members, sharpness=SHARPNESS)
    _require_neat(text)
    assert "FeaturePlan.for_panel(\n" in text
    expected = case.published(plans, members).predict(case.asked).by_class()
    found = case.predicted(text)
    assert all(found[c] == pytest.approx(expected[c], abs=1e-6) for c in expected)


def _without_labels(spec: TrainingSpec) -> TrainingSpec:
    return TrainingSpec.from_mapping({**spec.to_mapping(), "labels": None})


def _imported(text: str) -> set[str]:
    """Return the packages that a script imports."""
    nodes = list(ast.walk(ast.parse(text)))
    names = {alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names}
    names |= {str(n.module) for n in nodes if isinstance(n, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names}


texts = st.text(max_size=8) | st.sampled_from(
    ['"', "'", "'\"", '"""', "\\", "\n", "$members", "${x}", "{y}", "\u202e", "\ud800", "__", "\r"]
)
numbers = st.integers() | st.floats() | st.booleans() | st.none()
values = st.recursive(
    texts | numbers,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(texts, inner, max_size=4)
    ),
    max_leaves=20,
)


@given(values)
def test_a_value_is_read_back_from_its_text_in_one_line_or_many(value: object) -> None:
    node = Writer().node(value)
    for text in (flat(node), laid_out("found = ", node).removeprefix("found = ")):
        names = {"__builtins__": {}, "float": float}
        assert _same(eval(text, names), value)
        assert text.isprintable() or "\n" in text


def _same(found: object, expected: object) -> bool:
    return type(found) is type(expected) and repr(found) == repr(expected)


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
    given_spec = _without_labels(spec) if own else spec
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
    assert "os" not in _imported(text)
    if not own:
        assert isinstance(held["SETTINGS"], ast.Dict)
        assert [ast.literal_eval(key) for key in held["SETTINGS"].keys if key] == channels


def test_a_step_that_is_no_importable_class_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be written as Python"):
        Writer().node(object())
    with pytest.raises(ValueError, match="cannot be imported by its name"):
        Writer().node(lambda: None)


def test_only_what_is_not_the_default_is_written() -> None:
    writer = Writer()
    model = TransformedTargetRegressor(RandomForestRegressor(7), transformer=StandardScaler())
    assert flat(writer.node(model)) == (
        "TransformedTargetRegressor(regressor=RandomForestRegressor(n_estimators=7), "
        "transformer=StandardScaler())"
    )
    assert list(writer.imports()) == [
        "from sklearn.compose import TransformedTargetRegressor",
        "from sklearn.ensemble import RandomForestRegressor",
        "from sklearn.preprocessing import StandardScaler",
    ]


@pytest.mark.parametrize("module", ["lightgbm", "xgboost"])
def test_boosted_trees_are_written_by_what_was_set(module: str) -> None:
    package = pytest.importorskip(module)
    kind = package.LGBMClassifier if module == "lightgbm" else package.XGBClassifier
    text = flat(Writer().node(kind(n_estimators=5, random_state=0)))
    assert text == f"{kind.__name__}(n_estimators=5, random_state=0)"
