"""Bodies as they come over a socket: whole, cut off, too large, strangely put together."""

from __future__ import annotations

import json
import socket

import httpx
import pytest

from tests.service.bad_inputs import SPEC, good
from tests.service.conftest import serving

BOUNDARY = b"frontier"


def part(name: str, content: bytes, filename: str | None = "f") -> bytes:
    file = b"" if filename is None else b'; filename="%s"' % filename.encode()
    head = b'--%s\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n'
    return head % (BOUNDARY, name.encode(), file) + content + b"\r\n"


def body(**parts: bytes) -> bytes:
    return b"".join(part(n, c) for n, c in parts.items()) + b"--%s--\r\n" % BOUNDARY


def post(client: httpx.Client, content: bytes | object, path: str = "/train_pipeline"):
    kind = f"multipart/form-data; boundary={BOUNDARY.decode()}"
    return client.post(path, content=content, headers={"Content-Type": kind})


def by_socket(client: httpx.Client, announced: int, content: bytes) -> bytes:
    """Send a body shorter than announced, then no more, and return what comes back."""
    with socket.create_connection((client.base_url.host, client.base_url.port), 10) as wire:
        head = (
            f"POST /train_pipeline HTTP/1.1\r\nHost: localhost\r\nContent-Length: {announced}\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY.decode()}\r\n\r\n"
        )
        wire.sendall(head.encode() + content)
        wire.shutdown(socket.SHUT_WR)
        return wire.recv(65536)


@pytest.fixture(scope="module")
def refusing(tmp_path_factory):
    """One service for all that is refused, and so changes nothing."""
    with serving(tmp_path_factory.mktemp("service")) as start:
        yield start()


def test_a_whole_body_is_accepted(client):
    answer = post(client, body(**good()))
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/jobs/{answer.json()['id']}"


@pytest.mark.parametrize("left", [-4, -5, -15, -100, 1000, 200, 60, 5])
def test_a_body_that_stops_in_the_middle_is_refused(refusing, left):
    answer = post(refusing, body(**good())[:left])
    assert answer.status_code == 400
    assert "closing boundary is missing" in answer.json()["detail"]
    assert refusing.get("/jobs").json() == {"jobs": []}


def test_a_body_cut_between_two_parts_is_refused(refusing):
    answer = post(refusing, part("raw_data", b"x") + part("params", SPEC))
    assert answer.status_code == 400
    assert answer.json()["field"] == "params"


def test_a_connection_that_breaks_in_the_middle_starts_no_job_and_harms_nothing(client):
    whole = body(**good())
    by_socket(client, len(whole), whole[:-100])
    assert client.get("/jobs").json() == {"jobs": []}
    assert post(client, whole).status_code == 202


def test_a_file_name_is_not_looked_at(client, tmp_path):
    parts = [part(name, content, filename="../../../escaped") for name, content in good().items()]
    answer = post(client, b"".join(parts) + b"--%s--\r\n" % BOUNDARY)
    assert answer.status_code == 202
    assert not list(tmp_path.rglob("escaped*"))


def test_a_plain_field_is_as_good_as_a_file(client):
    parts = [part(name, content, filename=None) for name, content in good().items()]
    answer = post(client, b"".join(parts) + b"--%s--\r\n" % BOUNDARY)
    assert answer.status_code == 202


def test_a_plain_field_in_latin_1_is_refused_as_a_file_is(refusing):
    parts = good() | {"params": SPEC + "# ü".encode("latin-1")}
    raw = [part(name, content, filename=None) for name, content in parts.items()]
    answer = post(refusing, b"".join(raw) + b"--%s--\r\n" % BOUNDARY)
    assert (answer.status_code, answer.json()["field"]) == (422, "params")
    assert "UTF-8" in answer.json()["detail"]


def test_a_part_sent_twice_is_refused(refusing):
    twice = part("params", SPEC) + body(**good())
    answer = post(refusing, twice)
    assert (answer.status_code, answer.json()["field"]) == (400, "params")
    assert "twice" in answer.json()["detail"]


def test_a_part_without_a_name_is_refused(refusing):
    answer = post(refusing, b"--%s\r\nX: y\r\n\r\nx\r\n--%s--\r\n" % (BOUNDARY, BOUNDARY))
    assert answer.status_code == 400


def test_a_broken_body_is_refused(refusing):
    answer = post(refusing, b"this is no form at all")
    assert answer.status_code == 400


def test_a_part_with_endless_headers_is_refused(refusing):
    head = b"--%s\r\n" % BOUNDARY + b"X-Header: %s\r\n" % (b"y" * 100) * 10_000
    assert post(refusing, head).status_code == 400


@pytest.mark.parametrize(
    "kind", ["application/json", "multipart/form-data", "multipart/form-data; boundary=", "x"]
)
def test_another_content_type_is_refused(refusing, kind):
    answer = refusing.post("/train_pipeline", content=b"{}", headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["field"]) == (400, "Content-Type")


def test_a_body_over_the_limit_is_refused_by_its_announcement(serve):
    client = serve(max_body_bytes=1000)
    answer = post(client, body(**good() | {"raw_data": b"x" * 5_000_000}))
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:tideline:problem:payload-too-large"
    assert "at most 1000" in answer.json()["detail"]
    assert "TIDELINE_MAX_BODY_BYTES" in answer.json()["mend"]


def test_a_streamed_body_over_the_limit_is_refused_when_it_crosses_it(serve):
    client = serve(max_body_bytes=100_000)
    whole = body(**good() | {"raw_data": b"x" * 1_000_000})
    pieces = (whole[i : i + 10_000] for i in range(0, len(whole), 10_000))
    answer = post(client, pieces)
    assert answer.status_code == 413
    assert client.get("/jobs").json() == {"jobs": []}


def test_a_body_larger_than_memory_is_held_for_goes_to_disk_and_arrives_whole(client):
    rows = [{"id": i, "x": (i * t) % 7} for i in range(6) for t in range(30_000)]
    raw = json.dumps(rows).encode()
    assert len(raw) > 2 * 1024 * 1024
    answer = post(client, body(**good() | {"raw_data": raw}), "/train_pipeline?wait=30")
    # The program that stands in for training tells the size that it found.
    assert answer.json()["trainShape"] == [len(raw), 1]
