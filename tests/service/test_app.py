from __future__ import annotations

import asyncio
import re

import pytest
from openapi_spec_validator import validate

from service.app import predictor_app, trainer_app
from service.limits import BodyLimit
from service.settings import PredictorSettings, TrainerSettings
from tideline.errors import BodyStalled

CONTRACT = {
    "/train_pipeline": {"post"},
    "/train_model": {"post"},
    "/serve_prediction": {"post"},
    "/models": {"get"},
    "/models/{name}": {"get"},
    "/models/{name}/report": {"get"},
    "/models/{name}/versions/{version}/report": {"get"},
    "/aliases/{name}/{alias}": {"put"},
    "/jobs": {"get"},
    "/jobs/{job_id}": {"get", "delete"},
    "/jobs/{job_id}/logs": {"get"},
    "/jobs/{job_id}/events": {"get"},
    "/livez": {"get"},
    "/readyz": {"get"},
    "/metrics": {"get"},
}


def test_the_openapi_document_is_valid_and_holds_the_contract(client):
    document = client.get("/openapi.json").json()
    validate(document)
    assert {path: set(calls) for path, calls in document["paths"].items()} == CONTRACT


def test_both_names_of_the_training_route_tell_that_a_job_is_accepted(client):
    paths = client.get("/openapi.json").json()["paths"]
    for path in ("/train_pipeline", "/train_model"):
        responses = paths[path]["post"]["responses"]
        assert set(responses) >= {"200", "202", "default"}
        for status in ("200", "202"):
            answer = responses[status]["content"]["application/json"]["schema"]
            assert answer["$ref"].endswith("/JobAnswer")


def test_the_openapi_document_tells_what_a_job_is(client):
    job = client.get("/openapi.json").json()["components"]["schemas"]["JobAnswer"]
    assert {"id", "state", "reason", "progress", "summary", "problem", "links"} <= set(
        job["properties"]
    )
    assert "digest" not in job["properties"]


def test_a_body_that_stops_coming_is_refused():
    async def stalled():
        await asyncio.sleep(60)

    async def reads_it_all(scope, receive, send):
        while (await receive()).get("more_body"):
            pass

    limited = BodyLimit(reads_it_all, limit=10, idle_seconds=0.01)
    with pytest.raises(BodyStalled, match="stopped after 0 bytes"):
        asyncio.run(limited({"type": "http", "headers": []}, stalled, None))


def test_the_openapi_document_tells_the_parts_of_a_form(client):
    paths = client.get("/openapi.json").json()["paths"]
    form = paths["/train_pipeline"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert set(form["schema"]["properties"]) == {"raw_data", "labels", "params"}
    assert form["schema"]["required"] == ["raw_data", "params"]


def test_the_api_pages_load_nothing_from_outside(client):
    page = client.get("/docs").text
    linked = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert linked
    for path in linked:
        assert path.startswith("/")
        assert client.get(path).status_code == 200


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/no", 404), ("PUT", "/jobs", 405)])
def test_what_is_not_routed_is_answered_by_a_problem(client, method, path, status):
    answer = client.request(method, path)
    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert f"{method} {path}" in answer.json()["detail"]


def test_each_service_has_its_own_routes(tmp_path):
    predictor = predictor_app(PredictorSettings(home=tmp_path)).openapi()["paths"]
    trainer = trainer_app(TrainerSettings(home=tmp_path)).openapi()["paths"]
    assert "/serve_prediction" in predictor
    assert "/train_pipeline" not in predictor
    assert "/train_pipeline" in trainer
    assert "/serve_prediction" not in trainer
    assert set(predictor) | set(trainer) == set(CONTRACT)
