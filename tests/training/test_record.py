"""Tests of what is kept beside a model: it never costs the model."""

from __future__ import annotations

import io
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline as Steps

from tests.training.report.made_up import findings_of, panel_of
from tideline.features.plan import FeaturePlan
from tideline.pipeline import Pipeline
from tideline.spec import TrainingSpec
from training import record
from training.cases import Cases
from training.clock import Clock
from training.features import Features
from training.importance import MOST_CASES
from training.journal import Journal
from training.record import files_of, measured
from training.run import Run
from training.table import FloatArray, Table, new_matrix
from training.task import Target

N = 500


class Watched(Table):
    """A table that tells how many rows were taken of it."""

    def rows(self, family: str, cases: np.ndarray) -> FloatArray:
        assert cases.size <= MOST_CASES + 4, "a copy of the table"
        return super().rows(family, cases)


@pytest.fixture
def cases() -> Cases:
    panel = panel_of(N, ("x", "y"), 4)
    return Cases(panel, Target("classification", ("no", "yes"), np.arange(N) % 2))


@pytest.fixture
def features(tmp_path: Path, cases: Cases) -> Features:
    plan = FeaturePlan.from_parameters(("x", "y"), {"mean": None, "maximum": None})
    matrix = new_matrix(tmp_path / "features.npy", N, len(plan.features))
    matrix[:] = np.random.default_rng(0).normal(size=matrix.shape)
    matrix[:, 0] += 4 * cases.target.y
    matrix.flush()
    return Features({"features": plan}, Watched({"features": str(tmp_path / "features.npy")}))


def run_of(folder: Path, budget: float = 60.0) -> Run:
    spec = TrainingSpec.from_mapping({"pipeline_id": "a", "raw_data": "series.ts"})
    journal = Journal(stream=io.StringIO())
    return Run(spec, folder, "a", folder, folder, Clock(budget), journal)


def found_of(**fields: Any) -> Any:
    told = {"held_out": None, "metric": "accuracy", "choice": SimpleNamespace(members=())}
    return SimpleNamespace(**{**told, **fields})


def published(cases: Cases, features: Features) -> Pipeline:
    steps = Steps([("model", LogisticRegression())])
    steps.fit(np.asarray(features.table.matrix("features")), cases.target.y)
    target = cases.target
    return Pipeline(features.plan, steps, target.task, target.classes, ("x", "y"))


def test_only_the_rows_of_a_sample_are_taken(
    tmp_path: Path, cases: Cases, features: Features
) -> None:
    run, found = run_of(tmp_path), found_of()
    importances = measured(run, cases, features, found, published(cases, features))
    assert run.journal.notices == []
    assert importances is not None
    assert importances.on.endswith(f" of {N} cases that it was fitted to")
    assert importances.by_channel[0].what == "x"
    assert importances.by_channel[0].loss > 0.2


def test_importances_that_cannot_be_measured_are_told_and_cost_nothing(
    tmp_path: Path, cases: Cases, features: Features
) -> None:
    run, pipeline = run_of(tmp_path), published(cases, features)
    lost = Features(features.plans, Watched({"features": str(tmp_path / "nowhere.npy")}))
    assert measured(run, cases, lost, found_of(), pipeline) is None
    [notice] = run.journal.notices
    assert notice.startswith("importances could not be measured: FileNotFoundError")


def test_what_takes_longer_than_there_is_costs_nothing(
    tmp_path: Path, cases: Cases, features: Features, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(*_given: Any, **_named: Any) -> Any:
        while True:
            time.sleep(0.01)

    monkeypatch.setattr(record, "importances", endless)
    monkeypatch.setattr(record, "script", endless)
    # All but one second of it is there for publishing.
    run = run_of(tmp_path, 2.0)
    assert measured(run, cases, features, found_of(), published(cases, features)) is None
    assert run.journal.notices == ["importances are left out: there was no time to measure them."]
    run = run_of(tmp_path, 5.0)
    findings = findings_of(panel_of(), [n % 2 for n in range(60)])
    found = found_of(choice=SimpleNamespace(members=(), sharpness=1.0))
    assert list(files_of(run, cases, features, found, findings)) == [
        "report.html",
        "search.parquet",
    ]
    assert run.journal.notices == ["pipeline.py is left out: there was no time to make it."]
    assert run.clock.remaining > 0


def test_no_file_is_made_once_publishing_has_to_begin(
    tmp_path: Path, cases: Cases, features: Features
) -> None:
    findings = findings_of(panel_of(), [n % 2 for n in range(60)])
    run = run_of(tmp_path, 0.1)
    assert files_of(run, cases, features, found_of(), findings) == {}
    assert [notice.split()[0] for notice in run.journal.notices] == [
        "report.html", "search.parquet", "pipeline.py"
    ]  # fmt: skip
    files = files_of(run_of(tmp_path), cases, features, found_of(), findings)
    assert list(files)[:2] == ["report.html", "search.parquet"]
