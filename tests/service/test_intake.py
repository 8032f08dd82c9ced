from __future__ import annotations

import pytest

from tests.service.bad_inputs import BAD, SPEC, Bad, good
from tests.service.conftest import serving
from tideline.panel import NAMED


def files(parts: dict[str, bytes]) -> dict[str, tuple[str, bytes]]:
    return {name: (name, content) for name, content in parts.items()}


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One service for the whole table: none of it changes anything."""
    with serving(tmp_path_factory.mktemp("service")) as start:
        yield start()


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.name)
def test_refuses(shared, bad: Bad):
    answer = shared.post("/train_pipeline", files=bad.body())
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, problem["status"]) == (bad.status, bad.status), problem
    assert problem["type"] == f"urn:tideline:problem:{bad.code}"
    assert problem["detail"]
    assert problem["mend"]
    assert problem["field"] == bad.field
    for word in bad.said:
        assert word in f"{problem['detail']} {problem['mend']}"
    assert shared.get("/jobs").json() == {"jobs": []}


def test_names_ten_ids_and_counts_the_others(shared):
    labels = {str(n): n % 2 for n in range(6)} | {f"x{n}": 0 for n in range(30)}
    parts = good() | {"labels": str(labels).replace("'", '"').encode()}
    detail = shared.post("/train_pipeline", files=files(parts)).json()["detail"]
    assert detail.count("'x") == NAMED
    assert "20 more" in detail


def test_large_data_is_left_to_the_job(serve):
    client = serve(max_checked_bytes=10)
    parts = good() | {"raw_data": b"no table at all", "params": SPEC.replace(b"publish", b"refuse")}
    answer = client.post("/train_pipeline?wait=30", files=files(parts))
    assert answer.status_code == 422
    assert answer.json()["field"] == "labels"
    assert answer.json()["instance"] == answer.headers["location"]


@pytest.mark.parametrize("key", [b"", b"k" * 256, b"\xe9"], ids=["empty", "long", "not ASCII"])
def test_refuses_a_key_that_cannot_be_one(client, key):
    answer = client.post("/train_pipeline", files=files(good()), headers={"Idempotency-Key": key})
    assert answer.status_code == 400
    assert answer.json()["field"] == "Idempotency-Key"


def test_a_quoted_key_and_a_bare_one_are_the_same(client):
    jobs = {
        client.post(
            "/train_pipeline", files=files(good()), headers={"Idempotency-Key": key}
        ).json()["id"]
        for key in ("k-1", '"k-1"')
    }
    assert len(jobs) == 1
