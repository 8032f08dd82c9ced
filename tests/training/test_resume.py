"""Tests of runs that were ended and are started again, as a trainer and Kubernetes do it."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.training.conftest import Program, wait_for
from tideline import open_store

Waves = Callable[..., tuple[str, str]]
SECONDS_TO_STOP = 20
SLOW_FOREST = {"model": "sklearn.ensemble.RandomForestClassifier", "test_fraction": 0.25}


class Kept:
    """What a run keeps under a home for its next start."""

    def __init__(self, home: Path) -> None:
        self.home = home

    @property
    def folders(self) -> list[Path]:
        runs = self.home / "runs"
        return list(runs.iterdir()) if runs.is_dir() else []

    @property
    def trials(self) -> list[dict[str, Any]]:
        paths = [folder / "trials" / "trials.jsonl" for folder in self.folders]
        text = "".join(path.read_text() for path in paths if path.exists())
        return [json.loads(line) for line in text.split("\n")[:-1]]

    @property
    def searched(self) -> int:
        return sum(trial["origin"] == "search" for trial in self.trials)

    @property
    def spent(self) -> float:
        (folder,) = self.folders
        return float(json.loads((folder / "state.json").read_text())["spent"])


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_where_it_was(program: Program, waves: Waves) -> None:
    series, labels = waves({"calm": 20, "rough": 20})
    spec = program.spec_of(
        series,
        labels,
        budget=600,
        until={"pipelines": 25},
        model_training={"test_fraction": 0.25},
    )
    kept = Kept(program.folder / "home")
    first = program.start(spec, "--run-id", "run-1")
    wait_for(lambda: kept.searched >= 3)
    first.kill()
    first.communicate()
    spent, known = kept.spent, kept.trials
    assert spent > 0

    second = program.start(spec, "--run-id", "run-1")
    wait_for(lambda: len(kept.trials) >= len(known) + 3)
    second.send_signal(signal.SIGTERM)
    began = time.monotonic()
    ended = program.ended(second)
    assert ended.code == 75, ended.log
    assert time.monotonic() - began < SECONDS_TO_STOP
    assert "the features are those of an earlier start" in ended.log
    assert kept.spent > spent
    assert kept.trials[: len(known)] == known
    assert_nothing_twice(kept.trials)

    third = program.run(spec, "--run-id", "run-1")
    assert third.code == 0, third.log
    assert third.progress[-1]["pipelines"]["tried"] == 25
    shares = [event["budget_share"] for event in third.progress if event["budget_share"]]
    assert shares == sorted(shares)
    assert third.result["published"]["version"] == 1
    assert len(open_store(program.folder / "home" / "bentoml").list()) == 1
    assert kept.folders == []


def assert_nothing_twice(trials: list[dict[str, Any]]) -> None:
    evaluated = Counter((trial["part"], trial["key"]) for trial in trials)
    assert evaluated.most_common(1)[0][1] == 1
    assert [trial["failure"] for trial in trials if trial["failure"]] == []


@pytest.mark.slow
def test_a_stop_is_no_failure_of_what_was_at_work(program: Program, waves: Waves) -> None:
    series, labels = waves({"calm": 20, "rough": 20})
    model = {**SLOW_FOREST, "model_args": {"n_estimators": 100_000}}
    spec = program.spec_of(series, labels, budget=600, model_training=model)
    kept = Kept(program.folder / "home")
    process = program.start(spec, "--run-id", "run-1")
    wait_for(lambda: any(event["stage"] == "search" for event in program.progress()))
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    ended = program.ended(process)
    assert ended.code == 75, ended.log
    assert time.monotonic() - began < SECONDS_TO_STOP
    assert ended.result["error"]["retryable"]
    assert kept.spent > 0
    assert kept.trials == []
    assert list(program.temporary.iterdir()) == []


@pytest.mark.slow
def test_other_series_under_the_same_name_are_refused(program: Program, waves: Waves) -> None:
    series, labels = waves({"calm": 20, "rough": 20})
    model = {**SLOW_FOREST, "model_args": {"n_estimators": 100_000}}
    spec = program.spec_of(series, labels, budget=600, model_training=model)
    kept = Kept(program.folder / "home")
    process = program.start(spec, "--run-id", "run-1")
    wait_for(lambda: any(event["stage"] == "search" for event in program.progress()))
    process.kill()
    process.communicate()
    program.write("series.json", waves({"calm": 20, "rough": 20}, length=21)[0])
    ended = program.run(spec, "--run-id", "run-1")
    assert ended.code == 65, ended.log
    assert "not those that this run was started with" in ended.result["error"]["message"]
    assert kept.folders == []


@pytest.mark.slow
def test_a_run_goes_on_in_another_home_from_its_copy_in_the_store(
    program: Program, waves: Waves
) -> None:
    series, labels = waves({"calm": 20, "rough": 20})
    spec = program.spec_of(
        series,
        labels,
        budget=600,
        until={"pipelines": 25},
        model_training={"test_fraction": 0.25},
    )
    url = f"file://{spec}"
    store = {"TIDELINE_STORE": f"file://{program.folder}/store"}
    (program.folder / "store").mkdir()
    kept = Kept(program.folder / "home")
    first = program.start(url, "--run-id", "run-1", **store)
    wait_for(lambda: kept.searched >= 3)
    first.send_signal(signal.SIGTERM)
    ended = program.ended(first)
    assert ended.code == 75, ended.log
    (copy,) = program.folder.glob("checkpoint-*.zip")
    known, spent = kept.trials, kept.spent

    elsewhere = program.folder / "elsewhere"
    there = Kept(elsewhere)
    second = program.start(url, "--run-id", "run-1", TIDELINE_HOME=str(elsewhere), **store)
    wait_for(lambda: len(there.trials) >= len(known) + 3)
    assert there.trials[: len(known)] == known
    assert there.spent > spent, "what the start itself took counts too"
    assert_nothing_twice(there.trials)
    ended = program.ended(second)
    assert ended.code == 0, ended.log
    assert ended.progress[-1]["pipelines"]["tried"] == 25
    assert ended.result["published"]["version"] == 1
    assert there.folders == []
    assert not copy.exists()
