"""Tests of how a search ends: by the clock, by what the spec says, and the same each time."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.training.conftest import Program
from tideline import open_store, read_panel
from tideline.pipeline import Pipeline
from tideline.readers import ColumnRoles
from training.evaluator import Part
from training.table import Table
from training.task import Target

SharedData = Callable[[str], Path]
Waves = Callable[..., tuple[str, str]]
HOLD_OUT = {"test_fraction": 0.25}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["GunPoint", "BasicMotions", "DailyOilGasPrices"])
def test_a_budget_of_20_seconds_is_kept(
    program: Program, shared_data: SharedData, name: str
) -> None:
    data = shared_data(name) / f"{name}_TRAIN.ts"
    spec = program.spec(raw_data=str(data), store="models", budget=20)
    began = time.monotonic()
    ended = program.run(spec)
    took = time.monotonic() - began
    assert ended.code == 0, ended.log
    assert took <= 20 + 5
    assert ended.result["published"]["scores"]["held_out"]


@pytest.mark.slow
def test_a_score_that_is_enough_ends_the_search(program: Program, waves: Waves) -> None:
    spec = program.spec_of(
        *waves({"calm": 20, "rough": 20}),
        budget=600,
        until={"score": 0.5},
        model_training=HOLD_OUT,
    )
    ended = program.run(spec)
    assert ended.code == 0, ended.log
    assert "a score of 0.5 was reached" in ended.log
    assert ended.progress[-1]["budget_share"] < 0.2


@pytest.mark.slow
def test_a_number_of_pipelines_finds_the_same_model_each_time(
    program: Program, waves: Waves
) -> None:
    series, labels = waves({"calm": 20, "rough": 20, "wild": 20})
    spec = program.spec_of(
        series,
        labels,
        budget=600,
        store="models",
        until={"pipelines": 12},
        model_training=HOLD_OUT,
    )
    for number in ("1", "2"):
        (program.folder / "progress.jsonl").unlink(missing_ok=True)
        ended = program.run(spec, "--run-id", number)
        assert ended.code == 0, ended.log
        assert "12 pipelines were tried" in ended.log
        assert ended.progress[-1]["pipelines"]["tried"] == 12
        assert ended.progress[-1]["budget_share"] < 0.5
    first, second = published(program.folder / "models")
    assert repr(first.estimator) == repr(second.estimator)
    assert first.plan == second.plan
    panel = read_panel(program.folder / "series.json", ColumnRoles("case")).panel
    a, b = (pipeline.predict(panel).probabilities for pipeline in (first, second))
    assert a is not None
    assert b is not None
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("labels", "metric", "expected"),
    [
        ("aabb", "roc_auc", True),
        ("aaab", "roc_auc", False),
        ("aaab", "neg_log_loss", True),
        ("aaab", "f1", True),
    ],
)
def test_what_is_not_defined_on_the_tested_cases_compares_nothing(
    labels: str, metric: str, expected: bool
) -> None:
    target = Target.from_labels(tuple(labels), "classification")
    # The last case is always learned from: where it is the one of its class, none is tested.
    folds = tuple((np.array([2 - k, 3]), np.array([k])) for k in range(3))
    part = Part("outer-1", Table({}), target, folds, metric, "")
    assert part.is_comparable is expected


def published(folder: Path) -> list[Pipeline]:
    store = open_store(folder)
    return [store.load(version)[0] for version in store.list()]
