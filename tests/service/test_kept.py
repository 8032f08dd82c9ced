"""What is kept beside a pipeline, over HTTP."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from service.kept import report_path
from service.settings import PredictorSettings
from tests.tideline.fitted import document_of, fitted
from tideline.model import ModelDocument
from tideline.store import ModelStore, ModelVersion, open_store, write_model

PIPELINE = fitted().narrowed()
PAGE = b"<!doctype html><title>waves</title>"


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return open_store(PredictorSettings(home=tmp_path / "home").store_home)


@pytest.fixture
def publish(store: ModelStore, tmp_path: Path):
    def published(run_id: str, **extras: bytes) -> ModelVersion:
        folder = tmp_path / run_id
        document = document_of(PIPELINE, "waves", run_id)
        write_model(folder, PIPELINE, document, {k.replace("_", "."): v for k, v in extras.items()})
        return store.publish(folder, "waves", run_id=run_id)

    return published


def test_the_report_of_the_newest_version_is_a_page_that_runs_nothing(client, publish):
    publish("a", report_html=b"old")
    publish("b", report_html=PAGE)
    answer = client.get("/models/waves/report")
    assert (answer.status_code, answer.content) == (200, PAGE)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "style-src 'unsafe-inline'", "sandbox"} <= set(policy)
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_version_is_named_by_its_number_or_an_alias(client, publish, store):
    first = publish("a", report_html=b"first")
    publish("b", report_html=b"second")
    store.set_alias("waves", "stable", first)
    paths = {"1": b"first", "2": b"second", "stable": b"first", "latest": b"second"}
    for version, content in paths.items():
        assert client.get(f"/models/waves/versions/{version}/report").content == content


def test_a_version_without_a_report_says_so(client, publish):
    publish("a")
    for path in ("/models/waves/report", "/models/waves/versions/1/report"):
        problem = client.get(path).json()
        assert problem["status"] == 404
        assert problem["type"] == "urn:tideline:problem:model-file-not-found"
        assert "published without report.html" in problem["detail"]
    assert "links" not in client.get("/models/waves").json()


@pytest.mark.parametrize(
    "path", ["/models/tides/report", "/models/waves/versions/7/report", "/models/..%2F/report"]
)
def test_what_is_not_there_is_not_found(client, publish, path):
    publish("a", report_html=PAGE)
    assert client.get(path).status_code == 404


def test_the_report_needs_the_token_of_the_service(serve, publish):
    publish("a", report_html=PAGE)
    client: httpx.Client = serve(token="secret")
    assert client.get("/models/waves/report").status_code == 401
    assert client.get("/models/waves/report", auth=("anybody", "secret")).content == PAGE


def test_a_changed_report_is_not_shown(client, publish, store):
    version = publish("a", report_html=PAGE)
    path = store.pull(version) / "report.html"
    path.chmod(0o644)
    path.write_bytes(PAGE + b"<script>")
    problem = client.get("/models/waves/report").json()
    assert problem["type"] == "urn:tideline:problem:model-refused"


def test_the_model_tells_where_its_report_is(client, publish):
    publish("a", report_html=PAGE, search_parquet=b"PAR1")
    told = client.get("/models/waves").json()
    assert told["extras"] == ["report.html", "search.parquet"]
    assert told["links"] == {"report": "/models/waves/versions/1/report"}
    assert client.get(told["versions"]["1"]["links"]["report"]).content == PAGE


def test_the_page_of_all_models_leads_to_the_report(client, publish):
    publish("a", report_html=PAGE)
    assert '<a href="models/waves/versions/1/report">report</a>' in client.get("/").text


def test_a_summary_leads_to_a_report_only_where_there_is_one():
    document: ModelDocument = document_of(PIPELINE)
    assert report_path(document.summary(1)) is None
    assert report_path({}) is None
    kept = document.model_copy(update={"extras": ("report.html",)})
    assert report_path(kept.summary(3)) == "/models/waves/versions/3/report"
