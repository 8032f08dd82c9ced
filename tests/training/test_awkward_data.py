"""Tests that small and awkward data trains to the end, by the real program, in little time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from tests.training.conftest import Ended, Program
from tideline import open_store, read_panel
from tideline.pipeline import Prediction
from tideline.progress import Event
from tideline.readers import ColumnRoles
from training.journal import STAGES

Series = list[list[float | None]]
BUDGET = 30.0
LATEST = BUDGET + max(BUDGET / 10, 5.0)
FEW = {"default_fc_parameters": "minimal"}


def waves(labels: Sequence[Any], length: int = 24) -> Series:
    """Return a sine a case, its frequency by its label, with noise."""
    rng = np.random.default_rng(0)
    kinds = {label: place for place, label in enumerate(dict.fromkeys(labels))}
    t = np.arange(length) / length
    return [
        (np.sin(2 * np.pi * (1 + kinds[label]) * t) + rng.normal(0, 0.1, length)).tolist()
        for label in labels
    ]


def trained(
    program: Program, series: Series, labels: Sequence[Any], *, flat: bool = False, **fields: Any
) -> tuple[Ended, Prediction]:
    """Train on one channel, or two, and return what the published model answers for the same."""
    also = {"flat": 1.0} if flat else {}
    rows = [
        {"id": i, "t": t, "x": x, **also} for i, one in enumerate(series) for t, x in enumerate(one)
    ]
    machines = fields.pop("machines", None)
    table = [{"id": i, "y": y} for i, y in enumerate(labels)]
    if machines is not None:
        table = [{**row, "machine": m} for row, m in zip(table, machines, strict=True)]
    data = program.write("series.json", json.dumps(rows))
    program.write("labels.json", json.dumps(table))
    features = {"column_id": "id", "column_sort": "t", **fields.pop("features", {})}
    document = {"raw_data": "series.json", "labels": "labels.json", "column_label": "y"}
    spec = program.spec(**document, extract_features=features, store="models", **fields)
    ended = program.run(spec)
    assert ended.code == 0, ended.log
    store = open_store(program.folder / "models")
    pipeline, _ = store.load(store.resolve("waves"))
    panel = read_panel(data, ColumnRoles("id", "t")).panel
    return ended, pipeline.predict(panel)


def accuracy(prediction: Prediction, labels: Sequence[Any]) -> float:
    return float(np.mean([a == b for a, b in zip(prediction.labels, labels, strict=True)]))


SIX = ["a"] * 3 + ["b"] * 3
PAIR = ["a"] * 28 + ["b"] * 2
SIXTY = [f"c{i % 60}" for i in range(180)]
RARE = ["a"] * 1000 + ["b"] * 2
HALVES = ["a", "b"] * 12
GAPS = [
    [None if (i + t) % 7 == 0 else x for t, x in enumerate(one)]
    for i, one in enumerate(waves(HALVES))
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("series", "labels", "least", "fields"),
    [
        pytest.param(waves(SIX), SIX, 0.99, {}, id="six cases"),
        pytest.param(waves(PAIR), PAIR, 0.99, {}, id="a class with two members"),
        pytest.param(waves(SIXTY), SIXTY, 0.9, {}, id="sixty classes"),
        pytest.param(waves(RARE, 12), RARE, 0.999, {"features": FEW}, id="1:500"),
        pytest.param(waves(HALVES), HALVES, 0.99, {"flat": True}, id="a constant channel"),
        pytest.param(
            [one[: 8 + i % 17] for i, one in enumerate(waves(HALVES))],
            HALVES,
            0.9,
            {},
            id="unequal lengths",
        ),
        pytest.param(GAPS, HALVES, 0.9, {}, id="missing values"),
        pytest.param(
            waves(HALVES),
            HALVES,
            0.99,
            {"group_id": "machine", "machines": [f"m{i // 4}" for i in range(24)]},
            id="groups",
        ),
        pytest.param(
            waves(HALVES), HALVES, 0.99, {"model_training": {"split": "time"}}, id="in time"
        ),
        pytest.param(
            waves(PAIR),
            PAIR,
            0.99,
            {"model_training": {"class_weight": "balanced", "metric": "f1"}},
            id="balanced, by F1",
        ),
        pytest.param(
            waves(PAIR),
            PAIR,
            0.99,
            {"model_training": {"class_weight": {"b": 5}, "metric": "average_precision"}},
            id="weighed, by average precision",
        ),
    ],
)
def test_learns_in_time_from(
    program: Program, series: Series, labels: list[str], least: float, fields: dict[str, Any]
) -> None:
    ended, prediction = trained(program, series, labels, budget=BUDGET, **fields)
    assert accuracy(prediction, labels) >= least
    scores = ended.result["published"]["scores"]
    assert scores["cross_validation"]
    assert scores["held_out"]
    assert_told_in_order(ended)
    assert spent(ended) <= LATEST


@pytest.mark.slow
def test_learns_in_time_from_twelve_numbers(program: Program) -> None:
    values = [float(i % 6) for i in range(12)]
    ended, prediction = trained(program, waves(values), values, budget=BUDGET, task="regression")
    assert prediction.values is not None
    assert np.sqrt(np.mean((prediction.values - values) ** 2)) < np.std(values)
    assert ended.result["published"]["scores"]["held_out"].keys() == {"r2", "mae", "rmse"}
    assert_told_in_order(ended)
    assert spent(ended) <= LATEST


def assert_told_in_order(ended: Ended) -> None:
    """Look at all events: each is of the schema, and the stages come one after the other."""
    events = [Event.model_validate(event) for event in ended.progress]
    stages = [list(STAGES).index(event.stage) for event in events]
    assert stages == sorted(stages)
    assert {"read", "split", "extract", "evaluate", "fit", "publish", "report"} <= {
        event.stage for event in events
    }
    assert all(before.share <= after.share for before, after in pairwise(events))
    assert events[-1].share == 1.0
    assert events[-1].best is not None
    assert events[-1].pipelines is not None
    assert events[-1].pipelines.failed == 0


def spent(ended: Ended) -> float:
    """Return the seconds that the run had taken when it told its last."""
    return float(ended.progress[-1]["budget_share"] * BUDGET)
