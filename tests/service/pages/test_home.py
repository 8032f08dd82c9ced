"""The page over a real store and real jobs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import anyio
import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline as Steps

from service.jobs.local import LocalJobs
from service.pages.home import gather, router
from service.pages.view import HomePage
from tests.service.jobs.conformance import ended, request, until
from tests.service.jobs.test_local import PROGRAM
from tideline.features.extraction import extract
from tideline.features.imputation import RangeImputer
from tideline.features.plan import FeaturePlan
from tideline.model import ModelDocument, ScoreCard
from tideline.panel import Panel
from tideline.pipeline import Pipeline
from tideline.store import ModelStore, open_store, write_model

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

CLASSES = ScoreCard(
    cross_validation={"accuracy": 0.91, "roc_auc": 0.99},
    held_out={"accuracy": 0.9, "log_loss": 0.3},
    held_out_interval={"accuracy": (0.7, 0.98)},
    n_held_out=10,
    majority={"accuracy": 0.5, "log_loss": 0.7},
)
NUMBERS = ScoreCard(held_out={"r2": 0.4, "mae": 2.0}, majority={"r2": -0.1, "mae": 3.0})
TOO_FEW = ScoreCard(cross_validation={"accuracy": 0.75}, note="Each class needs 4 cases.")


def publish(
    store: ModelStore,
    folder: Path,
    name: str,
    scores: ScoreCard,
    run: str = "a",
    *,
    metric: str | None = None,
) -> None:
    panel = Panel.from_arrays(np.random.default_rng(1).normal(size=(12, 2, 8)))
    plan = FeaturePlan.from_parameters(tuple(panel.channels), "minimal")
    is_classes = scores is not NUMBERS
    model = LogisticRegression() if is_classes else Ridge()
    steps = Steps([("impute", RangeImputer()), ("model", model)])
    steps.fit(extract(panel, plan), np.arange(12) % 2)
    pipeline = Pipeline(
        plan,
        steps,
        "classification" if is_classes else "regression",
        ("down", "up") if is_classes else (),
        tuple(panel.channels),
    )
    document = ModelDocument.describing(
        pipeline,
        name=name,
        run_id=run,
        train_shape=(12, 20),
        train_seconds=1.0,
        scores=scores,
        spec={"model_training": {"metric": metric}},
    )
    write_model(folder, pipeline, document)
    store.publish(folder, name, run_id=run)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return open_store(tmp_path / "bentoml")


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[LocalJobs]:
    backend = LocalJobs(tmp_path / "jobs", "the-store", command=PROGRAM, stop_seconds=0.3)
    backend.start()
    yield backend
    backend.close()


def gathered(store: ModelStore, jobs: LocalJobs | None = None) -> HomePage:
    return gather(store, jobs, now=NOW, address="http://127.0.0.1:3000")


def test_shows_each_model_once_in_its_newest_version(store: ModelStore, tmp_path: Path) -> None:
    publish(store, tmp_path / "1", "b", TOO_FEW, "first")
    publish(store, tmp_path / "2", "b", CLASSES, "second")
    publish(store, tmp_path / "3", "a", NUMBERS)
    page = gathered(store)
    assert [(row.name, row.version) for row in page.models] == [("a", "1"), ("b", "2")]
    assert page.troubles == ()


def test_tells_a_classifier_by_its_accuracy_beside_the_majority_class(
    store: ModelStore, tmp_path: Path
) -> None:
    publish(store, tmp_path / "1", "a", CLASSES)
    (row,) = gathered(store).models
    held = row.held_out
    assert held is not None
    assert (held.metric, held.value, held.baseline) == ("accuracy", 0.9, 0.5)
    assert (held.baseline_name, held.low, held.high) == ("majority class", 0.7, 0.98)
    assert held.n_cases == 10
    assert row.estimator == "LogisticRegression"
    assert row.about == "2 classes, 12 cases, 2 channels, 20 features"


def test_tells_a_regression_by_its_r2_beside_the_mean(store: ModelStore, tmp_path: Path) -> None:
    publish(store, tmp_path / "1", "a", NUMBERS)
    (row,) = gathered(store).models
    held = row.held_out
    assert held is not None
    assert (held.metric, held.value, held.baseline_name) == ("R²", 0.4, "mean")
    assert held.low is None
    assert row.about.startswith("regression, 12 cases")


@pytest.mark.parametrize(
    ("metric", "shown"),
    [
        ("f1_macro", ("f1 macro", 0.8, 0.3)),
        ("roc_auc_ovr", ("ROC AUC", 0.95, 0.5)),
        # Errors have no bar from 0 to 1, and what is not defined is not there.
        ("neg_log_loss", ("accuracy", 0.9, 0.5)),
        ("neg_brier_score", ("accuracy", 0.9, 0.5)),
        ("average_precision", ("accuracy", 0.9, 0.5)),
    ],
)
def test_tells_a_model_by_the_metric_that_its_spec_names(
    store: ModelStore, tmp_path: Path, metric: str, shown: tuple[str, float, float]
) -> None:
    more = {"f1_macro": 0.8, "roc_auc": 0.95, "neg_brier_score": -0.1}
    less = {"f1_macro": 0.3, "roc_auc": 0.5, "neg_brier_score": -0.5}
    scores = CLASSES.model_copy(
        update={
            "held_out": {**(CLASSES.held_out or {}), **more},
            "majority": {**(CLASSES.majority or {}), **less},
        }
    )
    publish(store, tmp_path / "1", "a", scores, metric=metric)
    (row,) = gathered(store).models
    held = row.held_out
    assert held is not None
    assert (held.metric, held.value, held.baseline) == shown


def test_shows_no_held_out_score_where_there_is_none(store: ModelStore, tmp_path: Path) -> None:
    publish(store, tmp_path / "1", "a", TOO_FEW)
    (row,) = gathered(store).models
    assert row.held_out is None
    assert (row.cross_validation, row.note) == ("accuracy 0.750", "Each class needs 4 cases.")


def test_warns_where_simpler_methods_do_as_well(store: ModelStore, tmp_path: Path) -> None:
    weak = CLASSES.model_copy(update={"beats_baselines": False})
    publish(store, tmp_path / "1", "a", weak)
    publish(store, tmp_path / "2", "b", CLASSES.model_copy(update={"beats_baselines": True}))
    publish(store, tmp_path / "3", "c", CLASSES)
    assert [row.is_weak for row in gathered(store).models] == [True, False, False]


def test_tells_of_a_damaged_model_and_shows_the_others(store: ModelStore, tmp_path: Path) -> None:
    publish(store, tmp_path / "1", "a", CLASSES)
    publish(store, tmp_path / "2", "b", CLASSES)
    document = store.pull(store.resolve("a")) / "model.json"
    document.chmod(0o644)
    document.write_text("{}", encoding="utf-8")
    page = gathered(store)
    assert [row.name for row in page.models] == ["b"]
    assert len(page.troubles) == 1
    assert page.troubles[0].startswith("a:1: ")


def test_shows_why_a_job_failed_and_how_to_mend_it(store: ModelStore, jobs: LocalJobs) -> None:
    job = ended(jobs, jobs.submit(request("refuse", "gun-point")).job.id)
    (row,) = gathered(store, jobs).jobs
    assert (row.id, row.model, row.state) == (job.id, "gun-point", "failed")
    assert row.reason == "labels: one class. Add one."
    assert row.ended is not None


def test_shows_how_far_a_job_has_come_and_what_it_does(store: ModelStore, jobs: LocalJobs) -> None:
    job = jobs.submit(request("hang")).job
    until(lambda: jobs.get(job.id).progress)
    (row,) = gathered(store, jobs).jobs
    assert (row.state, row.share, row.doing) == ("running", 0.5, "search: hangs")
    assert row.standing.splitlines() == [
        "34 pipelines tried, 2 failed; best ExtraTreesClassifier, log-loss 0.31",
        "2 \N{MULTIPLICATION SIGN} MemoryError",
    ]


def test_shows_the_newest_jobs_and_counts_the_others(store: ModelStore, jobs: LocalJobs) -> None:
    names = [f"m{number}" for number in range(21)]
    for name in names:
        jobs.submit(request("publish", name))
    page = gathered(store, jobs)
    assert [row.model for row in page.jobs] == names[:0:-1]
    assert page.n_jobs == 21


async def asked(app: FastAPI) -> httpx.Response:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        return await client.get("/")


def test_answers_with_a_page_that_loads_nothing(store: ModelStore, jobs: LocalJobs) -> None:
    app = FastAPI()
    app.include_router(router(store, jobs))
    answer = anyio.run(asked, app)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "curl http://testserver/train_pipeline" in answer.text
    assert "/" not in app.openapi()["paths"]


def test_a_predictor_alone_shows_no_jobs(store: ModelStore) -> None:
    page = gathered(store)
    assert (page.jobs, page.has_jobs) == ((), False)
