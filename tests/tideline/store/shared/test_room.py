"""How large a model a replica takes, and how much room all that it has pulled."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tideline.store.conformance import Folder
from tests.tideline.store.shared.test_replica import away
from tideline.errors import ModelRefused
from tideline.store import ModelVersion, open_replica
from tideline.store.manifest import seal
from tideline.store.objects import ObjectStore
from tideline.store.replica import Replica

MEBIBYTE = 1 << 20


@pytest.fixture
def shared(shared_folder: str) -> ObjectStore:
    return ObjectStore(shared_folder)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def publish(shared: ObjectStore, folder: Folder) -> Callable[..., ModelVersion]:
    return lambda run: shared.publish(folder(run_id=run), "waves", run_id=run)


@pytest.fixture
def publish_large(shared: ObjectStore, folder: Folder) -> Callable[..., ModelVersion]:
    """Publish a model that takes a mebibyte and a little more."""

    def published(name: str, run: str = "a") -> ModelVersion:
        path = folder(name=name, run_id=run)
        (path / "search.parquet").write_bytes(os.urandom(MEBIBYTE))
        seal(path)
        return shared.publish(path, name, run_id=run)

    return published


def ask(replica: Replica, name: str) -> None:
    """Ask for a model as a prediction does."""
    assert replica.load(replica.resolve(name)).document.name == name


def here(replica: Replica) -> list[str]:
    return [str(version) for version in replica.own.list()]


def test_a_model_over_the_limit_is_refused_in_words_and_the_others_are_served(
    shared_folder: str, home: Path, publish: Callable, publish_large: Callable
) -> None:
    publish("a")
    publish_large("tides")
    replica = open_replica(shared_folder, home, poll_seconds=0, max_bytes=MEBIBYTE)

    replica.sync()

    assert here(replica) == ["waves:1"]
    for use in (replica.load, replica.describe):
        with pytest.raises(ModelRefused, match="of 1048576 bytes in all are allowed") as caught:
            use(replica.resolve("tides"))
        assert "TIDELINE_MAX_MODEL_BYTES" in caught.value.mend
    publish_large("waves", "b")
    replica.sync()
    assert replica.resolve("waves") == ModelVersion("waves", 1)
    assert here(replica) == ["waves:1"]
    ask(replica, "waves")


def test_the_copies_used_last_stay_and_the_others_are_pulled_again(
    shared_folder: str, home: Path, publish_large: Callable
) -> None:
    replica = open_replica(shared_folder, home, poll_seconds=1e9, room=5 * MEBIBYTE // 2)
    for name in ("tides", "waves", "winds"):
        publish_large(name)

    for name in ("winds", "tides", "waves"):
        ask(replica, name)
    assert here(replica) == ["tides:1", "waves:1"]

    replica.resolve("tides")  # What a request does whose model is in memory.
    ask(replica, "winds")
    assert here(replica) == ["tides:1", "winds:1"]
    replica.sync()
    assert here(replica) == ["tides:1", "winds:1"]


def test_what_nobody_asks_for_takes_no_others_place(
    shared_folder: str, home: Path, publish_large: Callable
) -> None:
    replica = open_replica(shared_folder, home, poll_seconds=0, room=5 * MEBIBYTE // 2)
    for name in ("tides", "waves", "winds"):
        publish_large(name)

    for _ in range(2):
        replica.sync()
        assert here(replica) == ["tides:1", "waves:1"]
    ask(replica, "winds")
    assert here(replica) == ["waves:1", "winds:1"]

    # Those that an earlier process left come first, so that nothing is pulled at a start.
    again = open_replica(shared_folder, home, poll_seconds=0, room=5 * MEBIBYTE // 2)
    again.sync()
    assert here(again) == ["waves:1", "winds:1"]


def test_versions_that_were_superseded_go_before_all_others(
    shared_folder: str, home: Path, publish_large: Callable
) -> None:
    replica = open_replica(shared_folder, home, poll_seconds=0, room=7 * MEBIBYTE // 2)
    publish_large("tides")
    for run in "abcd":
        publish_large("waves", run)
        replica.sync()

    assert here(replica) == ["tides:1", "waves:3", "waves:4"]


def test_the_next_version_of_a_model_in_use_is_here_before_its_alias_moves(
    shared: ObjectStore, shared_folder: str, home: Path, publish_large: Callable
) -> None:
    replica = open_replica(shared_folder, home, poll_seconds=1e9, room=3 * MEBIBYTE // 2)
    publish_large("tides"), publish_large("waves")
    ask(replica, "waves")

    publish_large("waves", "b")
    replica.sync()

    assert here(replica) == ["waves:2"]
    with away(shared):
        ask(replica, "waves")


def test_a_copy_that_is_larger_than_all_the_room_stays_alone(
    shared_folder: str, home: Path, publish_large: Callable
) -> None:
    replica = open_replica(shared_folder, home, poll_seconds=0, room=1)
    publish_large("waves")
    ask(replica, "waves")
    before = (home / "models" / "waves" / "1").stat().st_ino

    replica.sync()
    ask(replica, "waves")

    assert (home / "models" / "waves" / "1").stat().st_ino == before
