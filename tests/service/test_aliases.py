"""Aliases over HTTP: moved through the trainer's routes, followed by predictions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sklearn.linear_model import LogisticRegression

from service.app import predictor_app, trainer_app
from service.settings import PredictorSettings, TrainerSettings
from tests.service.conftest import Served
from tests.service.test_predictor import PANEL, ask
from tests.tideline.fitted import fitted, write
from tideline.client import Client, ServiceProblem
from tideline.store import ModelStore, open_store

MILD = fitted(LogisticRegression(C=0.01, max_iter=5000))
SHARP = fitted(LogisticRegression(C=10.0, max_iter=5000))


def publish(store: ModelStore, folder: Path) -> None:
    """Publish two versions of one model, which answer differently."""
    for run, pipeline in (("mild", MILD), ("sharp", SHARP)):
        store.publish(write(folder / run, pipeline, "waves", run), "waves", run_id=run)


@pytest.fixture(params=["of this machine", "shared"])
def client(
    request: pytest.FixtureRequest, serve: Callable[..., httpx.Client], tmp_path: Path
) -> httpx.Client:
    """Both services, with two versions of a model in each kind of store."""
    if request.param == "shared":
        url = (tmp_path / "store").as_uri()
        publish(open_store(url), tmp_path)
        return serve(store=url)
    publish(open_store(PredictorSettings(home=tmp_path / "home").store_home), tmp_path)
    return serve()


def move(client: httpx.Client, alias: str = "production", name: str = "waves", **body: object):
    return client.put(f"/aliases/{name}/{alias}", json=body)


def scores(pipeline) -> list[float]:
    return pytest.approx(list(pipeline.predict(PANEL).scores().values()))


def test_a_prediction_that_names_an_alias_follows_it(client: httpx.Client) -> None:
    for version, pipeline in ((1, MILD), (2, SHARP), (1, MILD)):
        moved = move(client, version=version)
        assert (moved.status_code, moved.json()) == (
            200,
            {"name": "waves", "alias": "production", "version": version},
        )
        assert list(ask(client, version="production").json().values()) == scores(pipeline)
        told = client.get("/models/waves").json()["aliases"]
        assert told == {"latest": "2", "production": str(version)}
    assert list(ask(client).json().values()) == scores(SHARP)


def test_an_alias_moves_only_from_where_it_is_expected(client: httpx.Client) -> None:
    assert move(client, version=1, expected=0).status_code == 200
    assert move(client, version=2, expected=1).status_code == 200
    for expected in (0, 1):
        refused = move(client, version=1, expected=expected)
        assert refused.status_code == 409
        problem = refused.json()
        assert problem["type"] == "urn:tideline:problem:version-conflict"
        assert "stands for 2" in problem["detail"]
        assert problem["field"] == "alias"
    assert client.get("/models/waves").json()["aliases"]["production"] == "2"
    assert move(client, version=1, expected=None).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "status", "field"),
    [
        ("tides/production", {"version": 1}, 404, "pipeline_id"),
        ("waves/production", {"version": 7}, 404, "pipeline_id"),
        ("Waves/production", {"version": 1}, 404, "name"),
        ("waves/latest", {"version": 1}, 422, "alias"),
        ("waves/7", {"version": 1}, 422, "alias"),
        ("waves/Prod", {"version": 1}, 422, "alias"),
        ("waves/..%2f..%2fetc", {"version": 1}, 404, None),
        ("waves/production", {}, 400, "version"),
        ("waves/production", {"version": 0}, 400, "version"),
        ("waves/production", {"version": "latest"}, 400, "version"),
        ("waves/production", {"version": 1, "expected": -1}, 400, "expected"),
        ("waves/production", {"version": 1, "expcted": 1}, 400, "expcted"),
        ("waves/production", [1], 400, "body"),
    ],
)
def test_refuses_what_cannot_be_and_moves_nothing(
    client: httpx.Client, path: str, body: object, status: int, field: str | None
) -> None:
    answer = client.put(f"/aliases/{path}", json=body)
    problem = answer.json()
    assert (answer.status_code, problem.get("field")) == (status, field), problem
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["mend"]
    assert client.get("/models/waves").json()["aliases"] == {"latest": "2"}


@pytest.mark.parametrize(
    ("content", "kind", "field", "found"),
    [
        (b"{version: 1}", "application/json", "body", "'{version: 1}' is not JSON: Expecting"),
        (b'{"version": 1', "application/json", "body", "delimiter after 13 characters"),
        (b"\xff{", "application/json", "body", "the body cannot be read: 'utf-"),
        (b"[" * 100_000, "application/json", "body", "the body cannot be read: maximum recursion"),
        (b"[1]", "application/json", "body", "the body is [1]"),
        (b"", "application/json", "body", "the body is empty"),
        (b"", None, "body", "the body is empty"),
        (b'{"version": 1}', None, "Content-Type", "the Content-Type is missing"),
        (b'{"version": 1}', "text/plain", "Content-Type", "the Content-Type is 'text/plain'"),
    ],
)
def test_a_body_that_is_no_json_object_is_told_what_is_expected(
    client: httpx.Client, content: bytes, kind: str | None, field: str, found: str
) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    answer = client.put("/aliases/waves/production", content=content, headers=headers)
    problem = answer.json()
    assert (answer.status_code, problem["field"]) == (400, field), problem
    assert problem["type"] == "urn:tideline:problem:bad-request"
    assert found in problem["detail"]
    assert problem["detail"].endswith("; a JSON object is expected.")
    assert "`Content-Type: application/json`" in problem["mend"]
    assert len(answer.text) < 700
    assert client.get("/models/waves").json()["aliases"] == {"latest": "2"}


def test_the_trainer_moves_what_the_predictor_only_reads(tmp_path: Path) -> None:
    store = (tmp_path / "store").as_uri()
    publish(open_store(store), tmp_path)
    trainer = Served(trainer_app(TrainerSettings(home=tmp_path / "trainer", store=store)))
    predictor = Served(predictor_app(PredictorSettings(home=tmp_path / "predictor", store=store)))
    try:
        asked = [f"http://127.0.0.1:{served.port}" for served in (trainer, predictor)]
        answers = [
            httpx.put(f"{url}/aliases/waves/production", json={"version": 1}, trust_env=False)
            for url in asked
        ]
        assert [answer.status_code for answer in answers] == [200, 404]
    finally:
        trainer.close()
        predictor.close()
    assert open_store(store).resolve("waves", "production").number == 1


def test_moving_an_alias_takes_the_bearer_token(
    serve: Callable[..., httpx.Client], tmp_path: Path
) -> None:
    publish(open_store(PredictorSettings(home=tmp_path / "home").store_home), tmp_path)
    client = serve(token="secret")
    path, body = "/aliases/waves/production", {"version": 1}
    assert client.put(path, json=body, auth=("me", "secret")).status_code == 401
    bearer = {"Authorization": "Bearer secret"}
    assert client.put(path, json=body, headers=bearer).status_code == 200


def test_the_client_moves_and_asks_by_alias(client: httpx.Client) -> None:
    with Client(str(client.base_url)) as user:
        assert user.set_alias("waves", "production", 1) == 1
        assert list(user.predict("waves", PANEL, version="production").values()) == scores(MILD)
        assert user.set_alias("waves", "production", "2", expected="1") == 2
        assert list(user.predict("waves", PANEL, version="production").values()) == scores(SHARP)
        chances = user.probabilities("waves", PANEL, version=1)
        assert [by_class["loud"] for by_class in chances.values()] == scores(MILD)
        with pytest.raises(ServiceProblem, match="stands for 2") as caught:
            user.set_alias("waves", "production", 1, expected=1)
        assert (caught.value.problem.status, caught.value.field) == (409, "alias")


def test_the_api_document_tells_the_route(client: httpx.Client) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert json.dumps(paths["/aliases/{name}/{alias}"]["put"]).count("AliasMove") == 1
