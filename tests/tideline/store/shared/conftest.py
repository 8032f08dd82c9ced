from __future__ import annotations

import os
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

CLUSTER = Path(os.environ.get("TIDELINE_CLUSTER", Path.home() / ".cache" / "tideline-cluster"))
KEY, SECRET, BUCKET = "tideline", "tideline-secret", "models"


def s3_program() -> Path:
    program = Path(os.environ.get("TIDELINE_TEST_S3", CLUSTER / "bin" / "storage"))
    if not os.access(program, os.X_OK):
        pytest.skip("no S3 server on this machine; TIDELINE_TEST_S3 names a versitygw program")
    return program


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the Versity S3 gateway on a free port, and return its address; or skip."""
    program = s3_program()
    address = free_address()
    with gateway(program, tmp_path_factory.mktemp("s3"), address):
        yield f"http://{address}"


def free_address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


@contextmanager
def gateway(program: Path, folder: Path, address: str) -> Iterator[None]:
    """Run the gateway, with one empty bucket, at an address."""
    (folder / BUCKET).mkdir()
    with subprocess.Popen(
        [program, "--quiet", "--port", address, "posix", folder],
        env={"ROOT_ACCESS_KEY": KEY, "ROOT_SECRET_KEY": SECRET, "PATH": os.environ["PATH"]},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            _await(f"http://{address}/")
            yield
        finally:
            process.kill()


def _await(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urlopen(url, timeout=1):
                return
        except URLError as error:
            if hasattr(error, "code"):
                error.close()
                return
            if time.monotonic() > deadline:
                raise
        time.sleep(0.02)


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a new place on the S3 server, with its credentials in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return f"s3://{BUCKET}/{uuid.uuid4().hex}"


@pytest.fixture
def shared_folder(tmp_path: Path) -> str:
    """The URL of an empty folder."""
    (tmp_path / "shared models").mkdir()
    return (tmp_path / "shared models").as_uri()


@pytest.fixture(params=["folder", pytest.param("s3", marks=pytest.mark.slow)])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty shared store, of each kind that there is here."""
    return request.getfixturevalue("s3" if request.param == "s3" else "shared_folder")
