from __future__ import annotations

import asyncio

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.app import predictor_app, trainer_app
from service.metrics import Measured, Metrics
from service.settings import PredictorSettings, TrainerSettings
from tests.service.bad_inputs import good
from tests.service.test_auth import TOKEN
from tests.service.test_multipart import body, post
from tests.service.test_serving import Service
from tests.tideline.fitted import fitted, write
from tideline.store import open_store

REQUESTS = "tideline_http_requests_total"


def samples(page: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Return the values of each series, by the values of its labels in the order of their names."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            labels = tuple(value for _, value in sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


def read(client: httpx.Client) -> dict[str, dict[tuple[str, ...], float]]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return samples(answer.text)


def test_the_page_asks_for_the_token(serve):
    client = serve(token=TOKEN)
    assert client.get("/metrics").status_code == 401
    client.headers["Authorization"] = f"Bearer {TOKEN}"
    read(client)


def test_requests_are_counted_by_route_method_and_class_of_status(client):
    client.get("/models")
    client.get("/models/nobody")
    client.get("/jobs/somebody")
    client.put("/jobs")
    found = read(client)
    assert found[REQUESTS] == {
        ("GET", "/models", "2xx"): 1,
        ("GET", "/models/{name}", "4xx"): 1,
        ("GET", "/jobs/{job_id}", "4xx"): 1,
        ("PUT", "/jobs", "4xx"): 1,
    }
    assert found["tideline_http_request_seconds_count"]["GET", "/models"] == 1
    assert 0 < found["tideline_http_request_seconds_sum"]["GET", "/models"] < 30


def test_what_is_refused_for_want_of_a_token_is_counted(serve):
    client = serve(token=TOKEN)
    for path in ("/models", "/jobs"):
        assert client.get(path).status_code == 401
    client.headers["Authorization"] = f"Bearer {TOKEN}"
    assert read(client)[REQUESTS] == {("GET", "unknown", "4xx"): 2}


def test_no_caller_makes_series_grow(client):
    client.get("/nowhere")
    client.request("BREW", "/nowhere")
    client.get("/models/x")
    before = read(client)
    for number in range(20):
        assert client.get(f"/nowhere/{number}").status_code == 404
        assert client.get(f"/models/m{number}?q={number}").status_code == 404
        client.request(f"BREW{number}", "/nowhere")
    after = read(client)
    mine = {("GET", "/metrics")}
    for name in (REQUESTS, "tideline_http_request_seconds_count"):
        grown = {labels[:2] for labels in after[name].keys() - before[name].keys()}
        assert grown <= mine
    assert after[REQUESTS]["GET", "unknown", "4xx"] == 21


def test_jobs_are_counted_by_state(client):
    answer = post(client, body(**good()), "/train_pipeline?wait=30")
    assert answer.status_code == 200
    found = read(client)
    assert found["tideline_jobs"] == {
        ("queued",): 0,
        ("running",): 0,
        ("succeeded",): 1,
        ("failed",): 0,
        ("cancelled",): 0,
    }


def test_a_predictor_tells_of_its_models_and_of_its_store(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    folder = write(tmp_path / "written", fitted().narrowed(), "waves", "run")
    open_store(shared.as_uri()).publish(folder, "waves", run_id="run")
    settings = PredictorSettings(home=tmp_path / "home", store=shared.as_uri(), poll_seconds=0.05)
    app = predictor_app(settings)
    assert "tideline_store_age_seconds" not in samples(app.state.metrics.page().decode())

    async def followed() -> dict[str, dict[tuple[str, ...], float]]:
        async with app.router.lifespan_context(app):
            for _ in range(200):
                found = samples(app.state.metrics.page().decode())
                if found["tideline_models_loaded"][()] == 1:
                    return found
                await asyncio.sleep(0.05)
        raise AssertionError(found)

    found = asyncio.run(followed())
    assert 0 <= found["tideline_store_age_seconds"][()] < 30


def test_each_service_tells_of_its_own(tmp_path):
    predictor = predictor_app(PredictorSettings(home=tmp_path)).state.metrics.page().decode()
    trainer = trainer_app(TrainerSettings(home=tmp_path)).state.metrics.page().decode()
    assert "tideline_models_loaded 0.0" in predictor
    assert "tideline_jobs{" not in predictor
    assert "tideline_models_loaded" not in trainer


def test_a_request_that_fails_and_one_without_an_answer_are_counted():
    metrics = Metrics()

    async def fails(scope, receive, send):
        raise RuntimeError("no")

    async def silent(scope, receive, send):
        pass

    with pytest.raises(RuntimeError):
        asyncio.run(Measured(fails, metrics)({"type": "http", "method": "GET"}, None, None))
    asyncio.run(Measured(silent, metrics)({"type": "http", "method": "GET"}, None, None))
    assert samples(metrics.page().decode())[REQUESTS] == {
        ("GET", "unknown", "5xx"): 1,
        ("GET", "unknown", "none"): 1,
    }


def test_a_request_is_counted_once_however_often_it_is_measured():
    metrics = Metrics()

    async def answers(scope, receive, send):
        await send({"type": "http.response.start", "status": 204})

    async def sent(message):
        assert message["status"] == 204

    measured = Measured(Measured(answers, metrics), metrics)
    asyncio.run(measured({"type": "http", "method": "GET"}, None, sent))
    assert samples(metrics.page().decode())[REQUESTS] == {("GET", "unknown", "2xx"): 1}


@pytest.mark.slow
@pytest.mark.parametrize("role", ["predictor", "trainer"])
def test_each_service_serves_the_page(tmp_path, role):
    service = Service(tmp_path / "home", role, TOKEN)
    try:
        assert service.http.get("/metrics").status_code == 401
        assert service.http.get("/nowhere").status_code == 401
        service.http.headers["Authorization"] = f"Bearer {TOKEN}"
        assert service.http.get("/docs").status_code == 200
        found = read(service.http)
        assert found[REQUESTS]["GET", "unknown", "4xx"] == 2
        assert found[REQUESTS]["GET", "/docs", "2xx"] == 1
        assert found[REQUESTS]["GET", "/readyz", "2xx"] >= 1
        assert found["process_resident_memory_bytes"][()] > 0
        # No files that several processes would share.
        assert not list(service.home.glob("**/prometheus_multiproc_dir/*"))
    finally:
        service.close()
