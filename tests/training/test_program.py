"""Tests of `python -m training`, by running it: exit codes, results, and what it leaves behind."""

from __future__ import annotations

import fcntl
import json
import re
import signal
import subprocess
import time
from collections.abc import Callable

import psutil
import pytest

from tests.training.conftest import Program, wait_for
from tideline import open_store, read_panel
from tideline.readers import ColumnRoles

Waves = Callable[..., tuple[str, str]]
FOREST = {
    "model": "sklearn.ensemble.RandomForestClassifier",
    "model_args": {"n_estimators": 20},
}
COLUMNS = {"column_id": "case", "default_fc_parameters": "minimal"}


def test_publishes_what_predicts_and_says_so(program: Program, waves: Waves, server: str) -> None:
    series, labels = waves({"calm": 16, "rough": 16})
    data = program.write("series.json", series)
    program.write("labels.json", labels)
    secret = server.replace("://", "://me:PASSWORD@")
    spec = program.spec(
        raw_data=f"{secret}/series.json?sig=SIGNATURE",
        labels=f"{secret}/labels.json?sig=SIGNATURE",
        budget=240,
        extract_features=COLUMNS,
        model_training=FOREST,
    )
    ended = program.run(spec, "--run-id", "run-1")
    assert ended.code == 0, ended.log
    summary = ended.result["published"]
    assert summary["modelId"] == "waves"
    assert summary["version"] == 1
    assert summary["modelType"] == "RandomForestClassifier"
    assert summary["trainShape"] == [32, 10]
    assert summary["mean_cv_roc_auc"] > 0.8
    # So few cases are all learned from, and all held out: each in an outer fold.
    assert summary["scores"]["held_out_by"] == "outer folds"
    assert summary["scores"]["n_held_out"] == 32
    assert summary["scores"]["majority"]["accuracy"] == 0.5
    assert [e["stage"] for e in ended.progress][-1] == "report"
    assert ended.progress[-1]["share"] == 1.0
    store = open_store(program.folder / "home" / "bentoml")
    version = store.resolve("waves")
    pipeline, document = store.load(version)
    assert document.run_id == "run-1"
    assert document.roles.column_id == "case"
    assert "raw_data" not in document.spec
    panel = read_panel(data, ColumnRoles("case")).panel
    assert pipeline.predict(panel).classes == ("calm", "rough")
    assert list(program.temporary.iterdir()) == []
    told = ended.log + json.dumps(ended.progress) + json.dumps(ended.result)
    assert "SIGNATURE" not in told
    assert "PASSWORD" not in told
    # The same run again, as a job that was restarted does it, trains and publishes nothing new.
    program.write("series.json", "gone")
    again = program.run(spec, "--run-id", "run-1")
    assert again.result == ended.result
    assert store.list() == (version,)


def test_a_stop_while_it_publishes_waits_for_the_end(program: Program, waves: Waves) -> None:
    series, labels = waves({"calm": 6, "rough": 6})
    program.write("series.json", series)
    program.write("labels.json", labels)
    locks = program.folder / "models" / ".tideline" / "locks"
    locks.mkdir(parents=True)
    with (locks / "waves").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = program.start(
            program.spec(
                raw_data="series.json",
                labels="labels.json",
                store="models",
                extract_features=COLUMNS,
                model_training={"model": "sklearn.naive_bayes.GaussianNB"},
            )
        )
        wait_for(lambda: any(e["stage"] == "publish" for e in program.progress()))
        process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
    ended = program.ended(process)
    assert ended.code == 0, ended.log
    assert ended.result["published"]["version"] == 1


@pytest.mark.parametrize("arguments", [("b.yaml",), ("--resutl", "x")])
def test_a_wrong_command_line_exits_with_64(program: Program, arguments: tuple[str, ...]) -> None:
    ended = program.run(program.folder / "spec.yaml", *arguments)
    assert ended.code == 64, ended.log


@pytest.mark.parametrize("name", [(), ("--run-id", "run-1")])
def test_a_home_that_cannot_be_written_to_exits_with_64(
    program: Program, waves, name: tuple[str, ...]
) -> None:
    program.write("home", "a file")
    spec = program.spec_of(*waves({"calm": 6, "rough": 6}))
    ended = program.run(spec, *name)
    assert ended.code == 64, ended.log
    assert "cannot be made" in ended.result["error"]["message"]
    assert "TIDELINE_HOME" in ended.result["error"]["mend"]


def test_a_missing_spec_exits_with_66(program: Program) -> None:
    ended = program.run(program.folder / "spec.yaml")
    assert ended.code == 66, ended.log
    assert ended.result["error"]["code"] == "input-not-found"


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ("pipeline_id: waves\nbudgte: 5\n", "budgte"),
        ("pipeline_id: waves\n", "raw_data"),
        (b"pipeline_id: caf\xe9\n", None),
    ],
)
def test_a_bad_spec_exits_with_64(
    program: Program, content: str | bytes, field: str | None
) -> None:
    ended = program.run(program.write("spec.yaml", content))
    assert ended.code == 64, ended.log
    assert ended.result["error"]["code"] == "bad-spec"
    assert ended.result["error"]["field"] == field
    assert ended.result["error"]["mend"]
    assert not ended.result["error"]["retryable"]


def test_bad_data_exits_with_65(program: Program, waves: Waves) -> None:
    ended = program.run(program.spec_of(*waves({"calm": 8, "rough": 1})))
    assert ended.code == 65, ended.log
    assert ended.result["error"]["field"] == "labels"
    assert "'rough'" in ended.result["error"]["message"]


def test_the_clock_begins_with_the_process_and_not_before(program: Program) -> None:
    began = time.monotonic()
    ended = program.run(program.spec(raw_data="nothing.json", extract_features=COLUMNS))
    wall = time.monotonic() - began
    told = re.search(r"([\d.]+) s +\w+ +failed", ended.log)
    assert told, ended.log
    # Told in tenths.
    assert 0 < float(told[1]) < wall + 0.05


def test_a_missing_input_exits_with_66(program: Program) -> None:
    ended = program.run(program.spec(raw_data="nothing.json", extract_features=COLUMNS))
    assert ended.code == 66, ended.log
    assert ended.result["error"]["field"] == "raw_data"


def test_the_result_of_an_unexpected_error_holds_nothing_of_its_text(program: Program) -> None:
    spec = program.spec(raw_data="nothing.json", extract_features=COLUMNS)
    ended = program.run(spec, "--progress", str(program.folder))
    assert ended.code == 70, ended.log
    assert "IsADirectoryError" in ended.result["error"]["message"]
    assert str(program.folder) in ended.log
    assert str(program.folder) not in str(ended.result)


def test_an_unreachable_input_exits_with_75(program: Program) -> None:
    ended = program.run(program.spec(raw_data="http://127.0.0.1:9/series.json"))
    assert ended.code == 75, ended.log
    assert ended.result["error"]["retryable"]


def test_a_budget_that_is_over_exits_with_70_in_time(program: Program, waves: Waves) -> None:
    series, labels = waves({"calm": 100, "rough": 100}, length=100)
    program.write("series.json", series)
    program.write("labels.json", labels)
    began = time.monotonic()
    ended = program.run(
        program.spec(
            raw_data="series.json",
            labels="labels.json",
            budget=10,
            extract_features=COLUMNS,
            model_training={**FOREST, "model_args": {"n_estimators": 100_000}},
        )
    )
    took = time.monotonic() - began
    assert ended.code == 70, ended.log
    assert ended.result["error"]["code"] == "budget-exceeded"
    # The guard acts at 1.05 of the budget; the rest is a busy machine starting a program.
    assert took < 10 + 5
    assert list(program.temporary.iterdir()) == []


def test_a_stop_exits_with_75_at_once_and_leaves_nothing(program: Program, waves: Waves) -> None:
    series, labels = waves({"calm": 20, "rough": 20})
    program.write("series.json", series)
    program.write("labels.json", labels)
    process = program.start(
        program.spec(
            raw_data="series.json",
            labels="labels.json",
            budget=600,
            extract_features=COLUMNS,
            model_training={"test_fraction": 0.25},
        )
    )
    wait_for(lambda: any(e["stage"] == "search" for e in program.progress()))
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    ended = program.ended(process)
    assert time.monotonic() - began < 5
    assert ended.code == 75, ended.log
    assert ended.result["error"]["code"] == "interrupted"
    assert ended.result["error"]["retryable"]
    _, alive = psutil.wait_procs(children, timeout=5)
    assert alive == []
    assert list(program.temporary.iterdir()) == []
    assert not (program.folder / "home").exists()


@pytest.mark.slow
def test_no_search_outlives_a_run_that_is_killed(program: Program, waves: Waves) -> None:
    process = program.start(program.spec_of(*waves({"calm": 20, "rough": 20})))
    children: list[psutil.Process] = []

    def searching() -> bool:
        children[:] = psutil.Process(process.pid).children(recursive=True)
        return bool(children)

    wait_for(searching)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []


@pytest.mark.slow
def test_a_run_takes_all_from_a_store_and_leaves_all_there(program: Program, waves) -> None:
    data, labels = waves({"a": 6, "b": 6})
    for name, content in (("raw_data", data), ("labels", labels)):
        program.write(name, content)
    spec = program.spec(
        raw_data="raw_data",
        labels="labels",
        extract_features={"column_id": "case", "default_fc_parameters": "minimal"},
        model_training={"model": "sklearn.linear_model.LogisticRegression"},
    )
    (program.folder / "store").mkdir()
    url = f"file://{program.folder}"
    message = program.folder / "termination-log"
    ended = program.run(
        f"{url}/{spec.name}",
        *("--result", f"{url}/runs/1/result.json"),
        *("--termination-message", str(message)),
        *("--report", "http://127.0.0.1:1/jobs/a/progress"),
        TIDELINE_STORE=f"{url}/store",
    )
    assert ended.code == 0, ended.log
    result = json.loads((program.folder / "runs" / "1" / "result.json").read_text())
    assert result["published"]["modelId"] == "waves"
    assert json.loads(message.read_text())["published"]["version"] == 1
    published = program.folder / "store" / "models" / "waves" / "versions"
    assert list(published.iterdir())
    # A run without a name cannot be started again.
    assert not (program.folder / "home" / "runs").exists()
    assert not list(program.folder.glob("checkpoint-*"))
    assert "progress cannot be told" in ended.log


def test_a_spec_that_is_not_in_its_store_is_not_found(program: Program) -> None:
    assert program.run(f"file://{program.folder}/none.yaml").code == 66
