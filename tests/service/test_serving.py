"""The services as people start them: `python -m service`, real training, real signals."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pandas as pd
import psutil
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from service.jobs.run import MARK

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

FOREST = """
pipeline_id: 1
extract_features:
  column_id: example_id
  impute_function: tsfresh.utilities.dataframe_functions.impute
  default_fc_parameters: MinimalFCParameters()
model_training:
  model: sklearn.ensemble.RandomForestClassifier
"""
TPOT = """
pipeline_id: 2
extract_features:
  column_id: example_id
  impute_function: tsfresh.utilities.dataframe_functions.impute
  default_fc_parameters: MinimalFCParameters()
model_training:
  model: tpot.TPOTClassifier
  model_args: {generations: 20, population_size: 10, verbosity: 2, max_time_mins: 0.1}
"""
PATIENCE = 300.0


def until(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.1)


class Service:
    """A service in processes of its own."""

    def __init__(self, home: Path, role: str = "laptop", token: str = "") -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.home = home
        self.token = token
        self.log = home.parent / "service.log"
        self.start(role)
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", timeout=PATIENCE, trust_env=False
        )

    def start(self, role: str = "laptop") -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "service", role, "--port", str(self.port)],
                env=os.environ | {"TIDELINE_HOME": str(self.home), "TIDELINE_TOKEN": self.token},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until(self.is_ready)

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", trust_env=False).is_success
        except httpx.TransportError:
            return False

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(60)

    def close(self) -> None:
        self.http.close()
        if self.process.poll() is None:
            self.stop()

    def train(self, spec: str, data: dict[str, bytes], query: str = "") -> httpx.Response:
        parts = {"raw_data": data["train"], "labels": data["labels"], "params": spec.encode()}
        files = {name: (name, content) for name, content in parts.items()}
        return self.http.post(f"/train_pipeline{query}", files=files)

    def job(self, answer: httpx.Response) -> dict:
        return self.http.get(answer.headers["location"]).json()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Service]]:
    with ExitStack() as started:

        def new(role: str = "laptop") -> Service:
            service = Service(tmp_path / "home", role)
            started.callback(service.close)
            return service

        yield new


@pytest.fixture(scope="module")
def har(shared_data) -> dict[str, object]:
    """Half of the series to train on, half to test on, by id, stratified."""
    folder = shared_data("HAR_automl_service")
    series = pd.DataFrame(json.loads((folder / "data_test.json").read_text(encoding="utf-8")))
    labels = pd.DataFrame(json.loads((folder / "label_test.json").read_text(encoding="utf-8")))
    train, test = train_test_split(labels, test_size=0.5, random_state=0, stratify=labels.label)
    return {
        "train": series[series.example_id.isin(train.example_id)].to_json().encode(),
        "test": series[series.example_id.isin(test.example_id)].to_json().encode(),
        "labels": train.to_json().encode(),
        "truth": dict(zip(test.example_id.astype(str), test.label, strict=True)),
    }


def processes_of_jobs(home: Path) -> list[int]:
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK, "").startswith(str(home)):
                found.append(process.pid)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def auc(service: Service, pipeline_id: int, har: dict[str, object]) -> float:
    params = f"pipeline_id: {pipeline_id}\n".encode()
    files = {"raw_data": ("x", har["test"]), "params": ("p", params)}
    scores = service.http.post("/serve_prediction", files=files).json()
    truth = har["truth"]
    assert set(scores) == set(truth)
    return roc_auc_score([truth[i] for i in scores], list(scores.values()))


def test_both_founding_parameter_files_train_at_once_and_predict_well(start, har):
    service = start()
    answers = [service.train(spec, har) for spec in (FOREST, TPOT)]
    assert [answer.status_code for answer in answers] == [202, 202]
    waited = [service.train(spec, har, "?wait=300") for spec in (FOREST, TPOT)]
    for first, last in zip(answers, waited, strict=True):
        assert (last.status_code, last.json()["id"]) == (200, first.json()["id"])
        assert {"trainTime", "trainShape", "modelType", "modelId"} <= set(last.json())
        assert last.json()["mean_cv_roc_auc"] > 0.8
        assert last.json()["mean_cv_accuracy"] > 0.7
    assert "verbosity" in service.http.get(answers[1].headers["location"] + "/logs").text
    assert set(service.http.get("/models").json()) == {"1", "2"}
    assert auc(service, 1, har) > 0.9
    assert auc(service, 2, har) > 0.9
    page = service.http.get("/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert service.stop() == 0


@pytest.mark.parametrize("victim", ["supervisor", "worker"])
def test_a_killed_service_leaves_no_orphan_and_its_job_ends_after_the_restart(start, har, victim):
    service = start()
    answer = service.train(TPOT, har)
    until(lambda: (service.job(answer)["progress"] or {}).get("stage") == "search")
    before = processes_of_jobs(service.home)
    assert before
    if victim == "worker":
        [worker] = [
            p
            for p in psutil.Process(service.process.pid).children()
            if "worker" in str(p.cmdline())
        ]
        worker.kill()
    else:
        service.process.kill()
        service.process.wait()
    until(lambda: not any(psutil.pid_exists(pid) for pid in before), 30)
    if victim == "supervisor":
        service.start()
    until(service.is_ready)
    until(lambda: service.job(answer)["state"] not in ("queued", "running"))
    assert service.job(answer)["state"] == "succeeded"
    assert service.http.get("/models").json()["2"]["version"] == 1
    assert processes_of_jobs(service.home) == []


def test_a_stop_answers_those_who_wait_and_the_job_goes_on_at_the_next_start(start, har):
    service = start()
    answers: list[httpx.Response] = []
    caller = threading.Thread(
        target=lambda: answers.append(service.train(FOREST, har, "?wait=300"))
    )
    caller.start()
    until(lambda: processes_of_jobs(service.home))
    service.process.send_signal(signal.SIGTERM)
    caller.join()
    assert answers[0].status_code == 202
    service.process.wait(60)
    assert processes_of_jobs(service.home) == []
    service.start()
    until(lambda: service.job(answers[0])["state"] == "succeeded")
    assert service.job(answers[0])["attempt"] == 1


def test_each_service_runs_alone(start, har):
    trainer = start("trainer")
    assert trainer.train(FOREST, har, "?wait=300").status_code == 200
    assert trainer.http.post("/serve_prediction").status_code == 404
    trainer.stop()
    predictor = start("predictor")
    assert auc(predictor, 1, har) > 0.9
    assert predictor.http.get("/jobs").status_code == 404


def test_a_service_that_ends_with_its_worker_does(start, monkeypatch):
    monkeypatch.setenv("TIDELINE_ENDS_WITH_WORKER", "true")
    service = start("predictor")
    workers = [
        process
        for process in psutil.Process(service.process.pid).children(recursive=True)
        if any("worker" in word for word in process.cmdline())
    ]
    assert len(workers) == 1
    workers[0].kill()
    service.process.wait(60)
    # Whoever takes in orphans here may leave it unburied.
    assert not workers[0].is_running() or workers[0].status() == psutil.STATUS_ZOMBIE


def test_a_service_that_ends_with_its_worker_ends_well_when_it_is_told_to(start, monkeypatch):
    monkeypatch.setenv("TIDELINE_ENDS_WITH_WORKER", "true")
    assert start("predictor").stop() == 0
