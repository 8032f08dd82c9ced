from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from tests.tideline.store.conformance import Folder, StoreConformance
from tests.tideline.store.shared.conftest import free_address, gateway, s3_program
from tideline.errors import StoreUnavailable
from tideline.store import ModelVersion, open_outbox, open_store
from tideline.store.bento import BentoStore
from tideline.store.outbox import Outbox


class TestOutbox(StoreConformance):
    @pytest.fixture
    def store(self, shared_folder: str, tmp_path: Path) -> Outbox:
        return open_outbox(shared_folder, tmp_path / "home")


def test_a_version_is_published_here_and_then_to_all(
    url: str, tmp_path: Path, folder: Folder
) -> None:
    open_store(url).publish(folder(run_id="before"), "waves", run_id="before")

    version = open_outbox(url, tmp_path / "home").publish(folder(run_id="a"), "waves", run_id="a")

    assert version == ModelVersion("waves", 2)
    assert open_store(url).load(version).document.run_id == "a"
    own = BentoStore(tmp_path / "home")
    assert own.describe(own.resolve("waves")).run_id == "a"


def test_what_could_not_be_sent_is_sent_by_the_next_attempt(
    s3: str, tmp_path: Path, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder(run_id="a")
    with monkeypatch.context() as context:
        context.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        outbox = Outbox(s3, BentoStore(tmp_path / "home"), patience=0.2)
        with pytest.raises(StoreUnavailable, match="cannot be used"):
            outbox.publish(path, "waves", run_id="a")

    assert BentoStore(tmp_path / "home").list() == (ModelVersion("waves", 1),)
    again = open_outbox(s3, tmp_path / "home").publish(path, "waves", run_id="a")
    assert open_store(s3).list() == (again,)


@pytest.mark.slow
def test_a_store_that_comes_back_in_time_is_waited_for(
    s3: str, tmp_path: Path, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, program, asked = free_address(), s3_program(), threading.Event()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{address}")
    (tmp_path / "s3").mkdir()

    def return_after(seconds: float) -> None:
        time.sleep(seconds)
        with gateway(program, tmp_path / "s3", address):
            asked.wait(60)

    server = threading.Thread(target=return_after, args=(12,))
    server.start()
    try:
        outbox = open_outbox(s3, tmp_path / "home", patience=60)
        version = outbox.publish(folder(run_id="a"), "waves", run_id="a")
        assert open_store(s3).list() == (version,)
    finally:
        asked.set()
        server.join()


def test_a_run_that_is_repeated_finds_what_waits_and_sends_it(
    url: str, tmp_path: Path, folder: Folder
) -> None:
    BentoStore(tmp_path / "home").publish(folder(run_id="a"), "waves", run_id="a")

    version = open_outbox(url, tmp_path / "home").version_of_run("waves", "a")

    assert version is not None
    assert open_store(url).list() == (version,)


def test_a_path_is_published_to_alone(tmp_path: Path) -> None:
    assert isinstance(open_outbox(tmp_path / "home", tmp_path / "other"), BentoStore)
