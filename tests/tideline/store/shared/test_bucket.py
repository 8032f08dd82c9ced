from __future__ import annotations

import os
import re
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tideline.errors import ModelRefused, SpecError, StoreUnavailable
from tideline.store.bucket import BLOCK, Bucket


@pytest.fixture
def bucket(url: str) -> Bucket:
    return Bucket(url)


def test_an_object_is_created_once(bucket: Bucket) -> None:
    assert bucket.create("a/b/one.json", b"first")
    assert not bucket.create("a/b/one.json", b"second")
    assert bucket.read("a/b/one.json", 100) == b"first"


def test_an_upload_replaces(bucket: Bucket) -> None:
    bucket.upload("one", [b"first"])
    bucket.upload("one", [b"sec", b"ond"])
    assert bucket.read("one", 100) == b"second"


@pytest.mark.parametrize("size", [0, 1, BLOCK, 2 * BLOCK + 7])
def test_what_was_uploaded_is_downloaded(bucket: Bucket, tmp_path: Path, size: int) -> None:
    content = os.urandom(size)
    bucket.upload("large", [content[i : i + 5_000_000] for i in range(0, size, 5_000_000)])

    assert bucket.download("large", tmp_path / "file", size)
    assert (tmp_path / "file").read_bytes() == content


def test_what_is_not_there_is_no_error(bucket: Bucket, tmp_path: Path) -> None:
    assert bucket.read("none", 100) is None
    assert not bucket.download("none", tmp_path / "file", 5)
    assert list(bucket.keys("none")) == []
    assert bucket.names("none") == ()
    bucket.remove(["none", "no/ne"])


def test_refuses_what_is_larger_than_expected(bucket: Bucket, tmp_path: Path) -> None:
    bucket.create("one", b"12345")

    with pytest.raises(ModelRefused, match="over 4 bytes"):
        bucket.read("one", 4)
    with pytest.raises(ModelRefused, match="5 bytes, and 4 are expected"):
        bucket.download("one", tmp_path / "file", 4)
    assert not (tmp_path / "file").exists()


def test_keys_are_below_whole_names(bucket: Bucket) -> None:
    for key in ("a/1/x", "a/1/y/z", "a/10/x", "ab/1"):
        bucket.create(key, b"")

    assert sorted(bucket.keys("a/1")) == ["a/1/x", "a/1/y/z"]
    assert bucket.names("a") == ("1", "10")
    bucket.remove(["a/1/x"])
    assert list(bucket.keys("a/1")) == ["a/1/y/z"]


def test_readers_never_see_half_an_object(bucket: Bucket) -> None:
    # A server may hang up on a large object that it refuses.
    size = 1 << 16 if bucket.folder is None else 48 << 20
    done, seen = threading.Event(), set()

    def read() -> None:
        while not done.is_set():
            content = bucket.read("large", size)
            seen.add(None if content is None else len(content))

    reader = threading.Thread(target=read)
    reader.start()
    for content in (b"a" * size, b"b" * size):
        bucket.create("large", content)
    done.set()
    reader.join()

    assert seen <= {None, size}
    assert bucket.read("large", size) == b"a" * size


def test_of_many_that_create_one_object_one_does(bucket: Bucket) -> None:
    together, created = threading.Barrier(8), []

    def create(content: bytes) -> None:
        together.wait()
        if bucket.create("one", content):
            created.append(content)

    threads = [threading.Thread(target=create, args=(bytes([65 + i]),)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [bucket.read("one", 1)] == created


@pytest.mark.parametrize("scheme", ["s3", "gs", "abfss"])
def test_refuses_credentials_in_the_address(scheme: str) -> None:
    for address in (f"{scheme}://key:hush@bucket/models", f"{scheme}://bucket/models?secret=hush"):
        with pytest.raises(SpecError, match="environment") as caught:
            Bucket(address)
        assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    ["", "models", "ftp://host/models", "memory:///", "http://host", "s3://", "file://host/x",
     "file:///"],
)  # fmt: skip
def test_refuses_an_address_that_is_no_stores(address: str) -> None:
    with pytest.raises(SpecError, match="not the address of a model store") as caught:
        Bucket(address)
    assert caught.value.field == "store"


def test_refuses_an_address_that_is_no_url() -> None:
    with pytest.raises(SpecError, match="cannot be read"):
        Bucket("s3://[models")


def test_says_what_the_environment_lacks() -> None:
    with pytest.raises(SpecError, match=r"Account must be specified\. .*AZURE_"):
        Bucket("az://models")


def said(bucket: Bucket, secrets: tuple[str, ...] = ()) -> str:
    """Return what is said of a bucket that cannot be used, by each way of use."""
    messages = []
    for use in (
        lambda: list(bucket.keys("models")),
        lambda: bucket.names("models"),
        lambda: bucket.read("models/x", 10),
        lambda: bucket.create("models/x", b""),
        lambda: bucket.remove(["models/x"]),
    ):
        with pytest.raises(StoreUnavailable) as caught:
            use()
        told = "".join(traceback.format_exception(caught.value))
        assert not any(secret in told for secret in secrets)
        assert caught.value.retryable
        messages.append(caught.value.message)
    return "\n".join(messages)


def test_says_what_was_tried_when_nobody_answers(s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    messages = said(Bucket(s3, patience=0.3))

    assert f"the model store {s3} cannot be used: listing models failed, tried " in messages
    assert "reading models/x failed, tried " in messages
    assert re.search(r"times in [0-9.]+m?s: HTTP error: error sending request\.", messages)


def test_says_that_credentials_are_refused_without_them(
    s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-this-one")
    secrets = ("not-this-one", "StringToSign", "Signature=", "SignatureProvided")
    assert "SignatureDoesNotMatch" in said(Bucket(s3, patience=0.3), secrets)

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "stranger")
    assert "UserNotFound" in said(Bucket(s3, patience=0.3), ("stranger",))


def test_a_bucket_that_is_not_there_is_not_an_empty_one(s3: str) -> None:
    with pytest.raises(StoreUnavailable, match="NoSuchBucket"):
        Bucket("s3://nowhere/models").read("x", 10)
    with pytest.raises(StoreUnavailable, match="NoSuchBucket"):
        list(Bucket("s3://nowhere/models").keys("x"))


def test_a_folder_that_is_not_there_is_not_an_empty_one(tmp_path: Path) -> None:
    bucket = Bucket((tmp_path / "new").as_uri())

    with pytest.raises(StoreUnavailable, match="no such folder"):
        bucket.read("x", 10)
    assert not (tmp_path / "new").exists()
    bucket.make()
    assert bucket.read("x", 10) is None
    (tmp_path / "new").rmdir()
    with pytest.raises(StoreUnavailable, match="no such folder"):
        list(bucket.keys("x"))


class Flaky(ThreadingHTTPServer):
    """A server that hangs up on the first requests, and then has every object."""

    requests = 0


class Answer(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        self.server.requests += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.requests > 2:
            self.send_error(412)

    def log_message(self, *parts: object) -> None:
        """Say nothing."""


def test_a_request_whose_answer_is_lost_is_repeated(
    s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Flaky(("127.0.0.1", 0), Answer) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, daemon=True).start()

        assert not Bucket(s3).create("x", b"1")
        server.shutdown()

    assert server.requests == 3


def test_one_endpoint_variable_is_as_good_as_the_other(
    s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT", os.environ["AWS_ENDPOINT_URL"])
    monkeypatch.delenv("AWS_ENDPOINT_URL")

    assert Bucket(s3).create("x", b"")
