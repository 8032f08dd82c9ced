"""Tests of runs that were ended and are started again, as a trainer and Kubernetes do it."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from tests.training.conftest import Program, wait_for
from tideline import open_store

Waves = Callable[..., tuple[str, str]]
SECONDS_TO_STOP = 20
BUDGET = 600.0
SLOW_FOREST = {"model": "sklearn.ensemble.RandomForestClassifier", "test_fraction": 0.25}


class Kept:
    """What a run keeps under a home for its next start."""

    def __init__(self, home: Path) -> None:
        self.home = home

    @property
    def folders(self) -> list[Path]:
        runs = self.home / "runs"
        # Beside them lie locks.
        return [folder for folder in runs.iterdir() if folder.is_dir()] if runs.is_dir() else []

    @property
    def trials(self) -> list[dict[str, Any]]:
        paths = [folder / "trials" / "trials.jsonl" for folder in self.folders]
        text = "".join(path.read_text() for path in paths if path.exists())
        return [json.loads(line) for line in text.split("\n")[:-1]]

    @property
    def searched(self) -> int:
        return sum(trial["origin"] == "search" for trial in self.trials)

    @property
    def ended_searches(self) -> set[str]:
        """The parts of the cases on which a search has come to its end."""
        paths = [path for folder in self.folders for path in folder.glob("trials/*.searched")]
        return {path.name.removesuffix(".searched") for path in paths}

    @property
    def spent(self) -> float:
        return float(json.loads(self._state.read_text())["spent"])

    @spent.setter
    def spent(self, seconds: float) -> None:
        state = json.loads(self._state.read_text())
        self._state.write_text(json.dumps({**state, "spent": seconds}))

    @property
    def _state(self) -> Path:
        (folder,) = self.folders
        return folder / "state.json"


@pytest.fixture
def kept(program: Program) -> Kept:
    return Kept(program.folder / "home")


@pytest.fixture
def searching(program: Program, waves: Waves) -> Path:
    """Return the spec of a run that searches until 25 pipelines are tried."""
    return program.spec_of(
        *waves({"calm": 20, "rough": 20}),
        budget=BUDGET,
        until={"pipelines": 25},
        model_training={"test_fraction": 0.25},
    )


@pytest.fixture
def stuck(program: Program, waves: Waves) -> Path:
    """Return the spec of a run that is at one forest for longer than any test."""
    model = {**SLOW_FOREST, "model_args": {"n_estimators": 100_000}}
    series, labels = waves({"calm": 20, "rough": 20})
    return program.spec_of(series, labels, budget=BUDGET, model_training=model)


def begun(program: Program, spec: Path) -> Popen[str]:
    """Start a run, and wait until it searches."""
    process = program.start(spec, "--run-id", "run-1")
    wait_for(lambda: any(event["stage"] == "search" for event in program.progress()))
    return process


def killed(process: Popen[str]) -> None:
    process.kill()
    process.communicate()


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_where_it_was(
    program: Program, kept: Kept, searching: Path
) -> None:
    first = program.start(searching, "--run-id", "run-1")
    wait_for(lambda: kept.searched >= 3)
    killed(first)
    spent, known = kept.spent, kept.trials
    assert spent > 0

    second = program.start(searching, "--run-id", "run-1")
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

    third = program.run(searching, "--run-id", "run-1")
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
def test_what_was_found_takes_part_where_no_search_fits_any_more(
    program: Program, kept: Kept, searching: Path
) -> None:
    first = program.start(searching, "--run-id", "run-1")
    wait_for(lambda: kept.searched >= 6)
    killed(first)
    known = kept.trials
    # So much is left that everything but a search can be done.
    kept.spent = BUDGET - 50.0
    published = open_store(program.folder / "home" / "bentoml")
    second = program.start(searching, "--run-id", "run-1")
    during: list[dict[str, Any]] = []
    while second.poll() is None:
        during = kept.trials or during
        time.sleep(0.1)
    ended = program.ended(second)
    assert ended.code == 0, ended.log
    assert "TPOT was not asked" in ended.log
    searched = sum(trial["origin"] == "search" for trial in known)
    assert f"{searched} pipelines of an earlier start count" in ended.log
    assert f"choosing among {len(known)} models" in ended.log
    assert during == known, "all of it was known"
    assert_nothing_twice(during)
    assert len(published.list()) == 1


@pytest.mark.slow
def test_searches_that_had_ended_are_not_made_again(
    program: Program, kept: Kept, waves: Waves
) -> None:
    spec = program.spec_of(
        *waves({"calm": 15, "rough": 15}), budget=BUDGET, until={"pipelines": 11}
    )
    first = program.start(spec, "--run-id", "run-1")
    wait_for(lambda: len(kept.ended_searches) >= 3)
    killed(first)
    known, ended_first = kept.trials, kept.ended_searches
    assert "main" in ended_first
    during: list[dict[str, Any]] = []
    second = program.start(spec, "--run-id", "run-1")
    while second.poll() is None:
        during = kept.trials or during
        time.sleep(0.1)
    ended = program.ended(second)
    assert ended.code == 0, ended.log
    left = 11 - len(ended_first)  # of all cases, and of ten outer folds
    assert f"(1 of {left})" in ended.log
    assert f"({left} of {left})" in ended.log
    assert during[: len(known)] == known
    assert {trial["part"] for trial in during[len(known) :]}.isdisjoint(ended_first)
    assert_nothing_twice(during)
    # The search on all cases has found what it had found.
    assert ended.progress[-1]["pipelines"]["tried"] == 11
    assert open_store(program.folder / "home" / "bentoml").list()


@pytest.mark.slow
def test_a_second_start_at_the_same_time_is_told_to_come_back(
    program: Program, kept: Kept, stuck: Path
) -> None:
    first = begun(program, stuck)
    second = program.run(stuck, "--run-id", "run-1")
    assert second.code == 75, second.log
    assert second.result["error"]["code"] == "run-busy"
    assert "--run-id" in second.result["error"]["mend"]
    assert first.poll() is None
    killed(first)
    spent = kept.spent
    # Nobody that it had started holds the name.
    third = program.start(stuck, "--run-id", "run-1")
    wait_for(lambda: kept.spent > spent)
    killed(third)


@pytest.mark.slow
def test_a_stop_is_no_failure_of_what_was_at_work(
    program: Program, kept: Kept, stuck: Path
) -> None:
    process = begun(program, stuck)
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
def test_other_series_under_the_same_name_are_refused(
    program: Program, kept: Kept, stuck: Path, waves: Waves
) -> None:
    process = begun(program, stuck)
    killed(process)
    program.write("series.json", waves({"calm": 20, "rough": 20}, length=21)[0])
    ended = program.run(stuck, "--run-id", "run-1")
    assert ended.code == 65, ended.log
    assert "not those that this run was started with" in ended.result["error"]["message"]
    assert kept.folders == []


@pytest.mark.slow
def test_a_run_goes_on_in_another_home_from_its_copy_in_the_store(
    program: Program, kept: Kept, searching: Path
) -> None:
    url = f"file://{searching}"
    store = {"TIDELINE_STORE": f"file://{program.folder}/store"}
    (program.folder / "store").mkdir()
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
