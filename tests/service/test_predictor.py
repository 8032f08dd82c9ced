"""The predictor over HTTP, with small pipelines really fitted and published."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import RadiusNeighborsRegressor

from service.settings import PredictorSettings
from tests.tideline.fitted import fitted, fitted_to_numbers, waves, write
from tideline.pipeline import Pipeline
from tideline.store import ModelStore, open_store

PANEL, CODES = waves()
TWO = fitted(classes=("calm", "loud"))


def instances(panel=PANEL, **channels: str) -> bytes:
    """Return prediction JSON; `channels` renames them."""
    return json.dumps(
        {
            "instances": [
                {"id": i}
                | {channels.get(n, n): c.series(at).tolist() for n, c in panel.channels.items()}
                for at, i in enumerate(panel.ids)
            ]
        }
    ).encode()


def ask(client, raw_data: bytes | None = None, **params: object):
    files = {
        "raw_data": ("raw_data", instances() if raw_data is None else raw_data),
        "params": ("params", json.dumps({"pipeline_id": "waves", **params}).encode()),
    }
    return client.post("/serve_prediction", files=files)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return open_store(PredictorSettings(home=tmp_path / "home").store_home)


@pytest.fixture
def publish(store: ModelStore, tmp_path: Path):
    def published(pipeline: Pipeline, name: str = "waves", run_id: str = "run"):
        folder = write(tmp_path / f"{name}-{run_id}", pipeline, name, run_id)
        return store.publish(folder, name, run_id=run_id)

    return published


def test_two_classes_are_answered_with_the_score_of_the_later_one(client, publish):
    publish(TWO)
    answer = ask(client)
    expected = TWO.predict(PANEL).probabilities[:, 1]
    assert answer.status_code == 200
    assert list(answer.json()) == [str(i) for i in PANEL.ids]
    np.testing.assert_allclose(list(answer.json().values()), expected)


def test_more_classes_are_answered_with_the_label(client, publish):
    pipeline = fitted(n_classes=3)
    publish(pipeline)
    assert list(ask(client).json().values()) == list(pipeline.predict(PANEL).labels)


def test_probabilities_are_answered_when_asked_for(client, publish):
    publish(TWO)
    answers = ask(client, probabilities=True).json()
    assert set(answers["0"]) == {"calm", "loud"}
    assert all(sum(a.values()) == pytest.approx(1) for a in answers.values())


def test_a_regression_is_answered_with_the_value(client, publish):
    pipeline = fitted_to_numbers(Ridge())
    publish(pipeline)
    np.testing.assert_allclose(list(ask(client).json().values()), pipeline.predict(PANEL).values)
    refused = ask(client, probabilities=True)
    assert (refused.status_code, refused.json()["field"]) == (422, "probabilities")


def test_a_training_parameter_file_may_be_sent_as_params(client, publish):
    publish(TWO)
    sections = {
        "extract_features": {"column_id": "id"},
        "model_training": {"model": "x"},
        "budget": 9,
    }
    assert ask(client, **sections).json() == ask(client).json()


@pytest.mark.parametrize(
    ("params", "code", "field"),
    [
        ({"pipeline_id": "tides"}, "model-not-found", "pipeline_id"),
        ({"version": 7}, "model-not-found", "pipeline_id"),
        ({"version": "production"}, "model-not-found", "pipeline_id"),
        ({"pipeline_id": "../etc"}, "bad-spec", "pipeline_id"),
        ({"pipeline_id": None}, "bad-spec", "pipeline_id"),
        ({"probabilties": True}, "bad-spec", "probabilties"),
        ({"probabilities": "perhaps"}, "bad-spec", "probabilities"),
    ],
)
def test_refuses_params(client, publish, params, code, field):
    publish(TWO)
    answer = ask(client, **params)
    problem = answer.json()
    assert answer.status_code == {"model-not-found": 404, "bad-spec": 422}[code]
    assert (problem["type"], problem["field"]) == (f"urn:tideline:problem:{code}", field), problem
    assert problem["mend"]


@pytest.mark.parametrize(
    ("raw_data", "code", "said"),
    [
        (b"", "bad-data", "empty"),
        (b"[1]", "bad-data", "not a table"),
        (instances(y="z"), "input-mismatch", "'y'"),
        (instances().replace(b'"y": [', b'"z": [1, 2], "y": ['), "input-mismatch", "'z'"),
        (instances(waves(3)[0].take([0])).replace(b"[", b"[1e999, ", 2), "bad-data", ""),
        (b'{"instances": [{"id": 1, "x": [1.0], "y": [1.0]}]}', "bad-data", "fewer than 2"),
        (b'{"instances": [{"id": 1, "x": [], "y": [1, 2]}]}', "bad-data", "fewer than 2"),
        (b'{"instances": []}', "bad-data", ""),
    ],
)
def test_refuses_data(client, publish, raw_data, code, said):
    publish(TWO)
    answer = ask(client, raw_data)
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert problem["type"] == f"urn:tideline:problem:{code}"
    assert problem["field"] == "raw_data"
    assert said in problem["detail"]


@pytest.mark.filterwarnings("ignore:One or more samples have no neighbors")
def test_a_case_that_the_model_has_no_number_for_is_named(client, publish):
    publish(fitted_to_numbers(RadiusNeighborsRegressor(radius=1e-9)))
    # Far from every case that was learned from.
    far = json.dumps({"instances": [{"id": "far", "x": [1e6, 0.0, 1e6], "y": [0.0, 1e6, 0.0]}]})
    problem = ask(client, far.encode()).json()
    assert (problem["status"], problem["type"]) == (422, "urn:tideline:problem:bad-data")
    assert "'far'" in problem["detail"]


def test_refuses_more_data_than_is_predicted_from_at_once(serve, publish):
    publish(TWO)
    client = serve(max_prediction_bytes=len(instances()) - 1)
    problem = ask(client).json()
    assert (problem["status"], problem["field"]) == (413, "raw_data")
    assert "TIDELINE_MAX_PREDICTION_BYTES" in problem["mend"]
    assert ask(client, instances(PANEL.take(np.array([0, 1])))).status_code == 200


def test_a_body_without_params_is_refused(client):
    answer = client.post("/serve_prediction", files={"raw_data": ("x", b"1")})
    assert (answer.status_code, answer.json()["field"]) == (400, "params")


def test_a_damaged_model_is_refused_and_the_others_answer(client, publish, store):
    version = publish(TWO)
    publish(TWO, "other")
    (store.pull(version) / "pipeline.skops").write_bytes(b"damaged")
    problem = ask(client).json()
    assert (problem["status"], problem["type"]) == (500, "urn:tideline:problem:model-refused")
    assert ask(client, pipeline_id="other").status_code == 200


def test_models_are_told_by_name_with_their_newest_version(client, publish):
    assert client.get("/models").json() == {}
    publish(TWO)
    publish(TWO, run_id="second")
    publish(fitted(n_classes=3), "1")
    models = client.get("/models").json()
    assert set(models) == {"waves", "1"}
    assert models["waves"]["version"] == 2
    assert models["1"]["modelType"] == "LogisticRegression"
    assert models["1"]["trainShape"] == [24, 20]


def test_a_damaged_model_is_told_among_the_others(client, publish, store):
    version = publish(TWO)
    publish(TWO, "other")
    (store.pull(version) / "model.json").write_bytes(b"{")
    models = client.get("/models").json()
    assert models["waves"]["problem"]["type"] == "urn:tideline:problem:model-refused"
    assert models["other"]["modelType"] == "LogisticRegression"


def test_one_model_is_told_with_its_versions_and_aliases(client, publish, store):
    first = publish(TWO)
    publish(TWO, run_id="second")
    store.set_alias("waves", "production", first)
    model = client.get("/models/waves").json()
    assert model["version"] == 2
    assert set(model["versions"]) == {"1", "2"}
    assert model["aliases"] == {"latest": "2", "production": "1"}
    assert ask(client, version="production").status_code == 200


@pytest.mark.parametrize("name", ["tides", "..", "A B"])
def test_an_unknown_model_is_not_found(client, name):
    answer = client.get(f"/models/{name.replace(' ', '%20').replace('.', '%2e')}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_new_version_takes_over_without_a_failed_call(client, publish, store):
    publish(TWO)
    statuses: list[int] = []
    stop = threading.Event()

    def keep_asking() -> None:
        while not stop.is_set():
            statuses.append(ask(client).status_code)

    asker = threading.Thread(target=keep_asking)
    asker.start()
    reversed_ = fitted(LogisticRegression(C=1e-6), classes=("calm", "loud"))
    before = ask(client).json()
    for n in range(3):
        publish(reversed_, run_id=f"more{n}")
    after = ask(client).json()
    stop.set()
    asker.join()
    assert before != after
    assert set(statuses) == {200}


def test_a_model_of_a_shared_store_over_the_limit_is_refused_in_words(serve, tmp_path):
    url = (tmp_path / "shared").as_uri()
    folder = write(tmp_path / "waves", TWO, "waves", "run")
    open_store(url).publish(folder, "waves", run_id="run")

    client = serve(store=url, max_model_bytes=1000)

    for problem in (ask(client).json(), client.get("/models").json()["waves"]["problem"]):
        assert problem["type"] == "urn:tideline:problem:model-refused"
        assert "of 1000 bytes in all are allowed" in problem["detail"]
        assert "TIDELINE_MAX_MODEL_BYTES" in problem["mend"]
    assert client.get("/readyz").status_code == 200
