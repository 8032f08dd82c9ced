from __future__ import annotations

import base64

import httpx
import pytest

from tests.service.bad_inputs import good
from tests.service.conftest import serving
from tests.service.test_multipart import body, post
from tests.service.test_serving import Service

TOKEN = "correct horse"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("service")) as start:
        yield start(token=TOKEN).base_url


@pytest.fixture
def guarded(address):
    with httpx.Client(base_url=address, timeout=30, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_probes_carry_no_token(guarded, path):
    assert guarded.get(path).status_code == 200


@pytest.mark.parametrize(
    "path", ["/", "/models", "/jobs", "/metrics", "/docs", "/openapi.json", "/nowhere"]
)
def test_every_other_route_asks_for_the_token(guarded, path):
    answer = guarded.get(path)
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:tideline:problem:unauthorized"
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_the_bearer_token_opens(guarded):
    guarded.headers["Authorization"] = f"Bearer {TOKEN}"
    assert guarded.get("/models").status_code == 200
    assert post(guarded, body(**good())).status_code == 202


@pytest.mark.parametrize("header", ["Bearer wrong", "Bearer", "", "Token x", "Basic %%"])
def test_anything_else_does_not(guarded, header):
    assert guarded.get("/models", headers={"Authorization": header}).status_code == 401


def test_a_browser_may_look_with_the_token_as_password_but_not_change_anything(guarded):
    assert guarded.get("/models", auth=("anybody", TOKEN)).status_code == 200
    assert guarded.get("/models", auth=("anybody", "wrong")).status_code == 401
    guarded.auth = ("anybody", TOKEN)
    assert post(guarded, body(**good())).status_code == 401
    assert guarded.delete("/jobs/x").status_code == 401


@pytest.mark.slow
def test_the_token_is_not_in_the_log_of_the_server(tmp_path):
    service = Service(tmp_path / "home", "predictor", TOKEN)
    basic = base64.b64encode(f"anybody:{TOKEN}".encode()).decode()
    for header, status in (
        (f"Bearer {TOKEN}", 200),
        (f"Basic {basic}", 200),
        (f"Token {TOKEN}", 401),
        (f"Bearer {TOKEN}x", 401),
    ):
        answer = service.http.get("/models", headers={"Authorization": header})
        assert answer.status_code == status
    service.close()
    log = service.log.read_text(encoding="utf-8")
    assert log.count("/models") == 4
    assert TOKEN not in log
    assert basic not in log
