"""Small and awkward data: read, checked and split, or refused before anything is spent."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training import small
from tideline.errors import DataError, LabelError, TidelineError
from training.cases import Cases, read, split_off
from training.run import Run
from training.split import Split

Series = list[float | None]


def run_of(folder: Path, series: list[Series], labels: list[Any], **fields: Any) -> Run:
    """Return a run on one channel, its cases numbered from 0."""
    rows = [{"id": i, "t": t, "x": x} for i, one in enumerate(series) for t, x in enumerate(one)]
    table = [{"id": i, "y": y} for i, y in enumerate(labels)]
    for row, group in zip(table, fields.pop("machine", []), strict=False):
        row["machine"] = group
    (folder / "series.json").write_text(json.dumps(rows))
    (folder / "labels.json").write_text(json.dumps(table))
    document = {
        "raw_data": "series.json",
        "labels": "labels.json",
        "column_label": "y",
        "extract_features": {"column_id": "id", "column_sort": "t"},
    }
    return small.run_of(folder, **(document | fields))


def read_and_split(run: Run) -> tuple[Cases, Split]:
    cases = read(run)
    return cases, split_off(run, cases)


def waves(n: int, length: int = 5) -> list[Series]:
    return np.random.default_rng(0).normal(size=(n, length)).tolist()


@pytest.mark.parametrize(
    ("series", "labels", "n_folds"),
    [
        pytest.param([[float(i)] * 5 for i in range(12)], ["a", "b"] * 6, 5, id="constant"),
        pytest.param([[1.0, 2.0] * (i + 1) for i in range(12)], ["a", "b"] * 6, 5, id="unequal"),
        pytest.param([[1.0, None, float(i)] for i in range(12)], ["a", "b"] * 6, 5, id="missing"),
        pytest.param(waves(6), ["a"] * 3 + ["b"] * 3, 3, id="six cases"),
        pytest.param(waves(30), ["a"] * 28 + ["b"] * 2, 5, id="a class with two members"),
        pytest.param(waves(120), [f"c{i % 60}" for i in range(120)], 5, id="sixty classes"),
        pytest.param(waves(2002, 2), ["a"] * 2000 + ["b"] * 2, 5, id="1:1000"),
        pytest.param(waves(6), [1.5, 2, 3, 4, 5, 6], 2, id="six numbers"),
    ],
)
def test_learns_from_small_and_awkward_data(
    tmp_path: Path, series: list[Series], labels: list[Any], n_folds: int
) -> None:
    cases, split = read_and_split(run_of(tmp_path, series, labels))
    assert cases.panel.n_cases == len(series)
    assert split.n_folds == n_folds
    assert all(len(ones) >= 3 for ones in split.outer_splits())
    assert split.outer


@pytest.mark.parametrize("one", [[1.0] * 5, [1.0, None, 3.0]], ids=["constant", "with a gap"])
def test_refuses_cases_that_are_all_the_same(tmp_path: Path, one: Series) -> None:
    labels = ["a", "b"] * 6
    with pytest.raises(DataError, match="all 12 cases hold the same values: nothing tells"):
        read(run_of(tmp_path, [one] * 12, labels))
    with pytest.raises(LabelError, match="1 labelled case"):  # which is the same as no other
        read(run_of(tmp_path, [one], ["a"]))
    for other in ([*one[:-1], 7.0], [*one, 1.0]):
        read(run_of(tmp_path, [one] * 11 + [other], labels))


@pytest.mark.parametrize(
    ("labels", "fields", "error", "told"),
    [
        (["a", "b", "a", "b", "a"], {}, LabelError, "5 labelled cases were found; at least 6"),
        (["a"] * 5 + ["b"], {}, LabelError, "1 class with one member only: 'b'; a class needs at"),
        ([1.5] * 6, {}, LabelError, "every case has the label 1.5; at least two values"),
        ([1.5] * 5, {}, LabelError, "5 labelled cases were found; at least 6"),
        (
            ["a", "b"] * 3,
            {"group_id": "machine", "machine": ["m"] * 6},
            DataError,
            "of the machine 'm'; at least 2 groups",
        ),
        (
            ["a", "b"] * 3,
            {"group_id": "machine", "machine": ["m", "n"] * 3},
            DataError,
            "2 classes with members in one group only: 'a', 'b'",
        ),
        (
            ["a"] * 4 + ["b"] * 2,
            {"group_id": "mashine", "machine": ["m", "n"] * 3},
            DataError,
            "Did you mean 'machine'",
        ),
        (
            ["a"] * 5 + ["b"] * 2,
            {"model_training": {"class_weight": {"c": 2}}},
            TidelineError,
            "weighs 'c', which is not a class",
        ),
    ],
)
def test_says_the_least_that_would_do(
    tmp_path: Path,
    labels: list[Any],
    fields: dict[str, Any],
    error: type[TidelineError],
    told: str,
) -> None:
    run = run_of(tmp_path, waves(len(labels)), labels, **fields)
    with pytest.raises(error, match=told) as refusal:
        read(run)
    assert refusal.value.mend


def test_says_when_time_leaves_nothing_to_be_tested(tmp_path: Path) -> None:
    labels = ["a"] * 8 + ["b"] * 2
    run = run_of(tmp_path, waves(10), labels, model_training={"split": "time"})
    _, split = read_and_split(run)
    assert [tested.tolist() for _, tested in split.folds] == [[9]]
    # Where both of the second class begin at once, none is later than the first.
    rows = json.loads((tmp_path / "series.json").read_text())
    timed = [row | {"t": min(row["id"], 8)} for row in rows]
    (tmp_path / "series.json").write_text(json.dumps(timed))
    with pytest.raises(LabelError, match="it takes 10 of 10 cases until every class is known"):
        read_and_split(run)


def test_tells_what_the_order_of_time_was_taken_from(tmp_path: Path) -> None:
    run = run_of(tmp_path, waves(20), ["a", "b"] * 10, model_training={"split": "time"})
    _, split = read_and_split(run)
    assert split.held_out.tolist() == [15, 16, 17, 18, 19]
    assert any("its place in the data" in notice for notice in run.journal.notices)


def test_keeps_groups_of_the_data_together(tmp_path: Path) -> None:
    run = run_of(tmp_path, waves(24), ["a", "b", "b"] * 8, group_id="machine")
    rows = json.loads((tmp_path / "series.json").read_text())
    grouped = [row | {"machine": f"m{row['id'] // 4}"} for row in rows]
    (tmp_path / "series.json").write_text(json.dumps(grouped))
    cases, split = read_and_split(run)
    assert list(cases.panel.channels) == ["x"]
    assert cases.groups is not None
    for one in chain.from_iterable(split.outer_splits()):
        assert not set(cases.groups[one.train]) & set(cases.groups[one.held_out])
