from __future__ import annotations

import httpx
import pytest

from tests.service.bad_inputs import good
from tests.service.conftest import serving

TOKEN = "correct horse"


@pytest.fixture(scope="module")
def addresses(tmp_path_factory):
    """One service for each way of setting it up."""
    ways = {
        "open": {},
        "named": {"allowed_hosts": ("tide.example",)},
        "any": {"allowed_hosts": "*"},
    }
    with serving(tmp_path_factory.mktemp("service")) as start:
        ways |= {"guarded": {"token": TOKEN}}
        folder = tmp_path_factory.mktemp("homes")
        yield {way: start(home=folder / way, **options).base_url for way, options in ways.items()}


@pytest.fixture
def call(addresses):
    with httpx.Client(timeout=30, trust_env=False) as client:

        def call(way: str, method: str = "GET", path: str = "/jobs", **options) -> httpx.Response:
            return client.request(method, addresses[way].join(path), **options)

        yield call


def train(call, way: str, **headers: str) -> httpx.Response:
    files = {name: (name, content) for name, content in good().items()}
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return call(way, "POST", "/train_pipeline", files=files, headers=names)


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:3000", "LOCALHOST", "127.0.0.1:3000", "[::1]:3000", "192.168.1.5:80"],
)
def test_without_a_token_localhost_and_addresses_are_answered(call, host):
    assert call("open", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:3000", "localhost.evil.example", "127.0.0.1.evil", "[", ""],
)
@pytest.mark.parametrize("path", ["/", "/jobs", "/models", "/openapi.json", "/nowhere"])
def test_without_a_token_a_name_that_may_be_anybodys_is_refused(call, host, path):
    answer = call("open", path=path, headers={"Host": host})
    assert answer.status_code == 403
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["type"] == "urn:tideline:problem:foreign-request"
    assert problem["field"] == "Host"
    assert repr(host) in problem["detail"]
    assert "TIDELINE_ALLOWED_HOSTS" in problem["mend"]


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
@pytest.mark.parametrize("way", ["open", "named", "guarded"])
def test_probes_are_answered_whatever_host_they_name(call, way, path):
    assert call(way, path=path, headers={"Host": "probe.example"}).status_code == 200


def test_a_name_that_the_service_was_told_is_answered(call):
    assert call("named", headers={"Host": "Tide.example:8080"}).status_code == 200
    assert call("named", headers={"Host": "ebb.example"}).status_code == 403


def test_every_name_can_be_allowed(call):
    assert call("any", headers={"Host": "evil.example"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec_Fetch_Site": "same-site", "Origin": "http://localhost:8000"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:8000"},
        {"Origin": "null"},
    ],
)
@pytest.mark.parametrize("way", ["open", "any"])
def test_without_a_token_the_form_of_another_site_trains_nothing(call, way, headers):
    answer = train(call, way, Host="localhost:3000", **headers)
    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:tideline:problem:foreign-request"
    assert call(way).json() == {"jobs": []}
    deleted = call(way, "DELETE", "/jobs/x", headers={"Origin": "https://evil.example"})
    assert deleted.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://localhost:3000"},
        {"Sec_Fetch_Site": "same-origin", "Origin": "http://localhost:3000"},
        {"Sec_Fetch_Site": "none"},
    ],
    ids=["a program", "a page of ours", "a page of ours, newer", "the address bar"],
)
def test_programs_and_the_pages_of_the_service_may_train(serve, headers):
    client = serve()

    def call(_: str, method: str, path: str, **options) -> httpx.Response:
        return client.request(method, path, **options)

    assert train(call, "", Host="localhost:3000", **headers).status_code == 202


def test_with_a_token_no_host_and_no_origin_is_looked_at(call):
    headers = {"Authorization": f"Bearer {TOKEN}", "Host": "tide.svc.cluster.local"}
    assert call("guarded", headers=headers).status_code == 200
    answer = train(call, "guarded", Origin="https://tide.example", **headers)
    assert answer.status_code == 202
