from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import bentoml
import pytest
from bentoml._internal.models import ModelStore as BentoModels

from tests.tideline.store.conformance import Folder, StoreConformance
from tideline.errors import ModelNotFound, ModelRefused, StoreUnavailable
from tideline.store import ModelVersion, open_replica
from tideline.store.bento import BentoStore
from tideline.store.objects import ObjectStore
from tideline.store.replica import Replica

FIRST, SECOND = ModelVersion("waves", 1), ModelVersion("waves", 2)


class TestReplica(StoreConformance):
    @pytest.fixture
    def store(self, shared_folder: str, tmp_path: Path) -> Replica:
        return open_replica(shared_folder, tmp_path / "home", poll_seconds=0)


@pytest.fixture
def shared(shared_folder: str) -> ObjectStore:
    return ObjectStore(shared_folder)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def replica(shared_folder: str, home: Path) -> Replica:
    return open_replica(shared_folder, home, poll_seconds=0)


@pytest.fixture
def publish(shared: ObjectStore, folder: Folder) -> Callable[..., ModelVersion]:
    return lambda run, name="waves": shared.publish(folder(name, run), name, run_id=run)


@contextmanager
def away(shared: ObjectStore) -> Iterator[None]:
    """Take the shared store away, as a network does."""
    hidden = shared.bucket.folder.with_name("away")
    shared.bucket.folder.rename(hidden)
    yield
    hidden.rename(shared.bucket.folder)


def eventually(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert is_so()


def test_versions_are_bentoml_models_of_the_same_number(
    shared: ObjectStore, replica: Replica, publish: Callable
) -> None:
    publish("a"), publish("b")
    shared.delete(FIRST)
    publish("c")

    replica.sync()

    models = BentoModels(replica.own.home / "models")
    assert [str(m.tag) for m in bentoml.models.list(_model_store=models)] == ["waves:3"]
    assert replica.load(SECOND).document.run_id == "b"
    assert replica.own.list("waves") == (SECOND, ModelVersion("waves", 3))
    assert str(bentoml.models.get("waves", _model_store=models).tag) == "waves:3"


def test_follows_the_shared_store(
    shared: ObjectStore, shared_folder: str, home: Path, publish: Callable
) -> None:
    publish("a")
    replica = open_replica(shared_folder, home, poll_seconds=0.02)

    with replica.following():
        eventually(lambda: replica.list() == (FIRST,))
        publish("b")
        eventually(lambda: replica.resolve("waves") == SECOND)
        shared.set_alias("waves", "production", 1)
        eventually(lambda: "production" in replica.aliases("waves"))
        shared.delete(SECOND)
        eventually(lambda: replica.own.list() == (FIRST,))

    assert "replica" not in {thread.name for thread in threading.enumerate()}


def test_a_version_shows_when_it_is_prepared(
    shared_folder: str, home: Path, publish: Callable
) -> None:
    replica = open_replica(shared_folder, home, poll_seconds=0.02)
    publish("a")
    shown, loaded = [], []

    def prepare(version: ModelVersion) -> None:
        loaded.append(replica.load(version).document.run_id)
        shown.append(replica.aliases("waves").get("latest") if len(loaded) > 1 else None)

    with replica.following(prepare):
        eventually(lambda: replica.resolve("waves") == FIRST)
        publish("b")
        eventually(lambda: replica.resolve("waves") == SECOND)

    assert loaded == ["a", "b"]
    assert shown == [None, FIRST]


def test_an_alias_waits_while_its_version_cannot_be_loaded(
    shared: ObjectStore, replica: Replica, publish: Callable
) -> None:
    publish("a")
    replica.sync()
    publish("b")
    [key] = [k for k in shared.bucket.keys("models/waves/versions/2") if k.endswith(".skops")]
    size = len(shared.bucket.read(key, 1 << 30))
    shared.bucket.upload(key, [b"x" * size])

    replica.sync()

    assert replica.resolve("waves") == FIRST
    assert replica.list() == (FIRST, SECOND)
    with pytest.raises(ModelRefused):
        replica.load(SECOND)
    publish("c")
    replica.sync()
    assert replica.resolve("waves").number == 3


def test_goes_on_while_the_shared_store_is_away(
    shared: ObjectStore, replica: Replica, publish: Callable
) -> None:
    publish("a"), publish("b")
    replica.sync()
    assert replica.freshness.problem is None

    with away(shared):
        time.sleep(0.01)
        assert replica.resolve("waves") == SECOND
        assert replica.load(SECOND).document.run_id == "b"
        assert replica.list() == (FIRST, SECOND)
        assert replica.freshness.seconds >= 0.01
        assert "cannot be used" in replica.freshness.problem
        with pytest.raises(StoreUnavailable):
            replica.load(FIRST)
        with pytest.raises(ModelNotFound):
            replica.resolve("tides")
        with pytest.raises(StoreUnavailable):
            replica.set_alias("waves", "production", 1)

    assert replica.load(FIRST).document.run_id == "a"
    assert replica.freshness.problem is None


def test_starts_again_while_the_shared_store_is_away(
    shared: ObjectStore, shared_folder: str, home: Path, publish: Callable
) -> None:
    publish("a")
    open_replica(shared_folder, home, poll_seconds=0).sync()

    with away(shared):
        again = open_replica(shared_folder, home, poll_seconds=0)
        assert again.load(again.resolve("waves")).document.run_id == "a"
        other = open_replica(f"{shared_folder}/other", home, poll_seconds=0)
        with pytest.raises(StoreUnavailable):
            other.resolve("waves")


def test_a_copy_that_is_not_what_is_shared_is_pulled_anew(
    shared: ObjectStore, shared_folder: str, home: Path, folder: Folder, publish: Callable
) -> None:
    publish("a"), publish("b")
    BentoStore(home).publish(folder(run_id="other"), "waves", run_id="other")
    open_replica(shared_folder, home, poll_seconds=0).load(SECOND)
    (home / "models" / "waves" / "2" / "pipeline.skops").write_bytes(b"damaged")

    replica = open_replica(shared_folder, home, poll_seconds=0)

    assert replica.load(FIRST).document.run_id == "a"
    assert replica.load(SECOND).document.run_id == "b"


def test_a_sound_copy_is_not_pulled_again(
    shared: ObjectStore, shared_folder: str, home: Path, publish: Callable
) -> None:
    publish("a")
    open_replica(shared_folder, home, poll_seconds=0).sync()
    place = home / "models" / "waves" / "1"
    before = place.stat().st_ino

    replica = open_replica(shared_folder, home, poll_seconds=0)

    assert replica.pull(FIRST) == place
    assert place.stat().st_ino == before


def test_whatever_one_model_does_the_others_go_on(
    shared_folder: str,
    home: Path,
    publish: Callable,
    caplog: pytest.LogCaptureFixture,
) -> None:
    publish("a", "tides")
    publish("a")
    replica = open_replica(shared_folder, home, poll_seconds=0.02)
    tried, error = [], ValueError("no such kind")

    def prepare(version: ModelVersion) -> None:
        tried.append(str(version))
        if str(version) in {"tides:1", "waves:2"}:
            raise error
        replica.load(version)

    with caplog.at_level(logging.ERROR), replica.following(prepare):
        eventually(lambda: replica.resolve("waves") == FIRST)
        assert replica.freshness.seconds is not None
        publish("b")
        eventually(lambda: replica.list("waves") == (FIRST, SECOND))
        assert replica.resolve("waves") == FIRST
        publish("c")
        eventually(lambda: replica.resolve("waves").number == 3)

    assert tried.count("tides:1") == tried.count("waves:2") == 1
    told = {r.getMessage(): r.exc_info for r in caplog.records}
    assert told["tides:1 is not served"][1] is error
    assert told["waves:2 is not served"] is not None


def test_models_beyond_those_pulled_ahead_wait_until_they_are_asked_for(
    shared: ObjectStore, home: Path, folder: Folder
) -> None:
    replica = Replica(shared, BentoStore(home), poll_seconds=0, ahead=1)
    for name in ("tides", "waves"):
        shared.publish(folder(name=name, run_id="a"), name, run_id="a")

    replica.sync()
    assert [v.name for v in replica.own.list()] == ["tides"]
    assert replica.load(replica.resolve("waves")).document.name == "waves"


def test_a_version_that_is_not_here_is_described_without_a_pull(
    replica: Replica, publish: Callable
) -> None:
    publish("a"), publish("b")

    assert replica.describe(FIRST).run_id == "a"
    assert replica.own.list() == (SECOND,)


def test_requests_never_fail_or_mix_while_versions_come_and_go(
    shared: ObjectStore, shared_folder: str, home: Path, publish: Callable
) -> None:
    replica = open_replica(shared_folder, home, poll_seconds=0.01)
    publish("0")
    done, answered = threading.Event(), []

    def ask() -> None:
        while not done.is_set():
            version = replica.resolve("waves")
            answered.append((version.number, replica.load(version).document.run_id))

    with replica.following(replica.load):
        eventually(lambda: replica.freshness.seconds is not None)
        thread = threading.Thread(target=ask)
        thread.start()
        for run in "12345":
            publish(run)
        eventually(lambda: replica.resolve("waves").number == 6)
        done.set()
        thread.join()

    assert answered == sorted(answered)
    assert {(number, str(number - 1)) for number, _ in answered} == set(answered)


def test_an_empty_home_and_no_shared_store_is_told(tmp_path: Path) -> None:
    replica = open_replica((tmp_path / "none").as_uri(), tmp_path / "home", poll_seconds=0)

    with pytest.raises(StoreUnavailable, match="cannot be used"):
        replica.resolve("waves")
    assert replica.freshness.seconds is None


def test_follows_a_store_on_s3(s3: str, home: Path, folder: Folder) -> None:
    shared = ObjectStore(s3)
    replica = open_replica(s3, home, poll_seconds=0.02)
    with replica.following():
        shared.publish(folder(run_id="a"), "waves", run_id="a")
        eventually(lambda: replica.list() == (FIRST,))
        assert replica.load(FIRST).document.run_id == "a"
    shutil.rmtree(home)
