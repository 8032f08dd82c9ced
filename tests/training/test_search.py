"""Tests of TPOT's search as a child process."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from training.journal import Journal
from training.search import GRACE_SECONDS, Search
from training.search_record import Record
from training.search_task import EVALUATIONS, SearchTask
from training.split import split_cases
from training.task import Target


def task(folder: Path, **changes: Any) -> SearchTask:
    fields: dict[str, Any] = {
        "folder": str(folder),
        "task": "classification",
        "classes": ("a", "b", "c"),
        "metric": "neg_log_loss",
        "select_features": True,
        "random_state": 0,
        "population": 4,
        "first_population": 4,
        "generations": 1,
        "early_stop": None,
        "seconds": 60.0,
        "seconds_each": 10.0,
        "workers": 2,
        "light": True,
        "evolution": {"mutate_probability": 0.7},
    }
    return SearchTask(**{**fields, **changes})


def data() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    y = np.arange(60) % 3
    X = np.random.default_rng(0).normal(size=(60, 12)) + y[:, np.newaxis]
    X[0, 0] = np.nan
    fold_of = split_cases(Target("classification", ("a", "b", "c"), y), 0.0, 3).fold_of
    return X, y, fold_of


@pytest.fixture
def told() -> Journal:
    return Journal(stream=io.StringIO())


@pytest.fixture
def search(tmp_path: Path, told: Journal) -> Iterator[Search]:
    with Search(tmp_path / "search", told) as started:
        yield started


def test_a_task_is_one_line() -> None:
    asked = task(Path("/somewhere"), classes=("a", 1, True))
    assert asked.to_line().count("\n") == 1
    assert SearchTask.from_line(asked.to_line()) == asked


def test_finds_pipelines_that_improve_on_each_other(search: Search, told: Journal) -> None:
    deadline = time.monotonic() + 120
    found = search.run(task(search.folder), *data(), deadline)
    assert told.notices == []
    scores = [candidate.result.score for candidate in found]
    assert scores == sorted(scores, reverse=True)
    assert found[0].origin == "search"
    assert found[0].result.n_folds == 3
    assert found[0].steps[-1][0] == "model"
    modules = {type(step).__module__.partition(".")[0] for c in found for _, step in c.steps}
    assert "tpot" not in modules


def test_is_ended_at_its_deadline(search: Search) -> None:
    endless = task(search.folder, generations=None, population=20, first_population=20)
    began = time.monotonic()
    search.run(endless, *data(), began + 6.0)
    assert time.monotonic() - began < 8.0
    assert not psutil.pid_exists(search._process.pid)


def test_its_own_time_counts_from_its_beginning(search: Search) -> None:
    brief = task(search.folder, generations=None, seconds=2.0, seconds_each=1.0)
    search.run(brief, *data(), time.monotonic() + 120)
    assert search._began is not None
    assert 2.0 <= time.monotonic() - search._began < 2.0 + GRACE_SECONDS + 1.5


def test_ends_when_the_run_dies(search: Search) -> None:
    process = psutil.Process(search._process.pid)
    assert search._process.stdin is not None
    search._process.stdin.close()
    assert process.wait(timeout=60) is not None


def test_a_search_in_which_all_fails_is_told_and_finds_nothing(
    search: Search, told: Journal
) -> None:
    hasty = task(search.folder, seconds_each=1e-6)
    assert search.run(hasty, *data(), time.monotonic() + 120) == []
    assert "exit code 1" in told.notices[0]
    assert "0 pipelines evaluated, " in told.notices[1]
    assert "most often: TimeoutError: not every fold" in told.notices[1]


def test_each_line_of_the_record_is_read_once(tmp_path: Path) -> None:
    path = tmp_path / EVALUATIONS
    record = Record(path)
    record.catch_up()
    assert not record.began
    lines = [{"began": True}, {"pipeline": "a", "result": {}}, {"failure": "E: x"}]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    path.write_text(text + '{"fail')
    record.catch_up()
    record.catch_up()
    assert (record.began, len(record.results), record.failures) == (True, 1, {"E: x": 1})
    assert not record.is_poor
    # What was read is not looked at again.
    path.write_text("?" * len(text) + '{"failure": "E: y"}\n{"failure": "E: y"}\n')
    record.catch_up()
    assert record.account() == "1 pipelines evaluated, 3 failed; most often: E: y"
    assert record.is_poor
