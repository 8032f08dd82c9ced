from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tideline.store.conformance import Folder, StoreConformance
from tideline.errors import ModelNotFound, ModelRefused, VersionConflict
from tideline.store import ModelVersion, open_store
from tideline.store.bento import BentoStore
from tideline.store.manifest import seal, verify
from tideline.store.objects import ObjectStore

REPOSITORY = Path(__file__).resolve().parents[4]


class TestFolder(StoreConformance):
    @pytest.fixture
    def store(self, shared_folder: str) -> ObjectStore:
        return ObjectStore(shared_folder)


class TestS3(StoreConformance):
    @pytest.fixture
    def store(self, s3: str) -> ObjectStore:
        return ObjectStore(s3)


@pytest.fixture
def store(url: str) -> ObjectStore:
    return ObjectStore(url)


class Worker:
    """A process that does tasks in a shared store."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.tideline.store.shared.worker"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def begin(self, task: str, url: str, *arguments: object) -> None:
        credentials = {k: v for k, v in os.environ.items() if k.startswith("AWS_")}
        self.process.stdin.write(json.dumps([task, [url, *arguments], credentials]) + "\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        return self.process.stdout.readline().strip()


@pytest.fixture(scope="module")
def workers() -> Iterator[tuple[Worker, Worker]]:
    both = Worker(), Worker()
    yield both
    for worker in both:
        worker.process.communicate(timeout=60)


@pytest.fixture
def together(
    workers: tuple[Worker, Worker], store: ObjectStore
) -> Callable[[str, list, list], list[str]]:
    """Let two processes do a task in the store at once, and return what they answer."""

    def done(task: str, *each: list) -> list[str]:
        for worker, arguments in zip(workers, each, strict=True):
            worker.begin(task, store.bucket.url, *arguments)
        return sorted(worker.answer() for worker in workers)

    return done


@pytest.mark.slow
def test_two_processes_get_numbers_of_their_own(
    store: ObjectStore, folder: Folder, together: Callable
) -> None:
    published = together("publish", *([str(folder(run_id=run)), run] for run in "ab"))

    assert published == ["1", "2"]
    assert {store.describe(version).run_id for version in store.list()} == {"a", "b"}


@pytest.mark.slow
def test_two_processes_of_one_run_publish_once(
    store: ObjectStore, folder: Folder, together: Callable
) -> None:
    published = together("publish", *([str(folder(run_id="a")), "a"] for _ in range(2)))

    assert published == ["1", "1"]
    assert store.load(ModelVersion("waves", 1)).document.run_id == "a"
    # The claim, the manifest, and the files of one of the two.
    assert len({key.split("/")[4] for key in store.bucket.keys("models/waves/versions/1")}) == 3


def test_of_two_processes_that_move_an_alias_one_wins(
    store: ObjectStore, folder: Folder, together: Callable
) -> None:
    for run in "abc":
        store.publish(folder(run_id=run), "waves", run_id=run)
    store.set_alias("waves", "production", 1)

    assert together("move", [2, 1], [3, 1]) == ["lost", "won"]
    assert store.resolve("waves", "production").number in {2, 3}


@pytest.mark.slow
def test_a_killed_publisher_leaves_nothing_to_see(store: ObjectStore, folder: Folder) -> None:
    path = folder(run_id="a")
    (path / "search.parquet").write_bytes(os.urandom(1 << 20) * 128)
    seal(path)
    worker = Worker()
    worker.begin("publish", store.bucket.url, str(path), "a")
    deadline = time.monotonic() + 60
    while not list(store.bucket.keys("models")) and time.monotonic() < deadline:
        time.sleep(0.001)
    worker.process.send_signal(signal.SIGKILL)
    worker.process.communicate()

    assert store.list() == ()
    assert store.aliases("waves") == {}
    with pytest.raises(ModelNotFound):
        store.resolve("waves")
    with pytest.raises(ModelNotFound):
        store.pull(ModelVersion("waves", 1))
    # Its number is skipped, and is its own when it comes back.
    assert store.publish(folder(run_id="b"), "waves", run_id="b").number == 2
    assert store.publish(path, "waves", run_id="a").number == 1
    assert store.resolve("waves").number == 2
    assert store.load(ModelVersion("waves", 1)).document.run_id == "a"


def test_a_version_is_visible_by_its_manifest_alone(store: ObjectStore, folder: Folder) -> None:
    store.bucket.create("models/waves/versions/1/claim.json", b'{"run_id": "a"')
    store.bucket.create("models/waves/versions/3/abc/model.json", b"{}")

    assert store.list() == ()
    assert store.publish(folder(run_id="b"), "waves", run_id="b").number == 4


def test_readers_find_the_layout_in_the_store(store: ObjectStore, folder: Folder) -> None:
    store.publish(folder(run_id="a"), "waves", run_id="a")
    store.set_alias("waves", "production", 1)

    keys = set(store.bucket.keys("models"))
    [content] = {key.split("/")[4] for key in keys if key.endswith("model.json")}

    assert keys == {
        "models/waves/aliases/production/000001.json",
        f"models/waves/versions/1/{content}/model.json",
        f"models/waves/versions/1/{content}/pipeline.skops",
        "models/waves/versions/1/claim.json",
        "models/waves/versions/1/manifest.json",
    }
    claim = json.loads(store.bucket.read("models/waves/versions/1/claim.json", 1000))
    assert claim["run_id"] == "a"


def test_a_version_of_a_bentoml_home_is_published_without_bentomls_file(
    store: ObjectStore, folder: Folder, tmp_path: Path
) -> None:
    own = BentoStore(tmp_path / "home")
    kept = own.publish(folder(run_id="a"), "waves", run_id="a")

    version = store.publish(own.pull(kept), "waves", run_id="a")

    assert set(verify(store.pull(version)).files) == {"model.json", "pipeline.skops"}


def test_a_pulled_folder_is_lent_again_and_goes_with_the_store(
    shared_folder: str, folder: Folder
) -> None:
    store = ObjectStore(shared_folder)
    version = store.publish(folder(run_id="a"), "waves", run_id="a")

    assert store.pull(version) == store.pull(version)
    place = store.pull(version)
    del store
    assert not place.exists()


UPWARDS = b'{"files": {"../x": {"sha256": "%s", "size": 1}}}' % (b"0" * 64)


def damaged(store: ObjectStore, version: ModelVersion, name: str, content: bytes) -> None:
    [key] = [k for k in store.bucket.keys(f"models/waves/versions/{version}") if k.endswith(name)]
    store.bucket.upload(key, [content])


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("pipeline.skops", b"", "0 bytes, and"),
        ("manifest.json", b"{", "cannot be read"),
        ("manifest.json", b" " * (1 << 20) + b"1", "over 1048576 bytes"),
        ("manifest.json", UPWARDS, "not a file name"),
    ],
)
def test_refuses_what_was_damaged(
    store: ObjectStore, folder: Folder, name: str, content: bytes, reason: str
) -> None:
    version = store.publish(folder(run_id="a"), "waves", run_id="a")
    damaged(store, 1, name, content)

    with pytest.raises(ModelRefused, match=reason):
        store.load(version)


def test_refuses_a_file_of_the_right_size_and_another_content(
    store: ObjectStore, folder: Folder
) -> None:
    version = store.publish(folder(run_id="a"), "waves", run_id="a")
    [key] = [k for k in store.bucket.keys("models") if k.endswith(".skops")]
    size = len(store.bucket.read(key, 1 << 30))
    store.bucket.upload(key, [b"x" * size])

    with pytest.raises(ModelRefused, match="hash differs"):
        store.pull(version)


def test_refuses_a_model_that_is_too_large(url: str, folder: Folder) -> None:
    small, large = ObjectStore(url, max_bytes=100), ObjectStore(url)
    with pytest.raises(ModelRefused, match="at most 100 files of 100 bytes"):
        small.publish(folder(run_id="a"), "waves", run_id="a")
    assert small.list() == ()

    version = large.publish(folder(run_id="a"), "waves", run_id="a")
    with pytest.raises(ModelRefused, match="at most"):
        small.pull(version)


def test_an_alias_never_stays_on_a_version_that_is_deleted(
    store: ObjectStore, folder: Folder
) -> None:
    """Between the two looks of each, the other does its work."""
    for run in "ab":
        store.publish(folder(run_id=run), "waves", run_id=run)
    # As a deleter leaves it that has hidden the version, and not yet looked at the aliases.
    store.bucket.create("models/waves/versions/1/deleted.json", b"{}")

    with pytest.raises(ModelNotFound):
        store.set_alias("waves", "production", 1)
    assert store.aliases("waves").keys() == {"latest"}


def test_a_damaged_record_is_moved_on_from(store: ObjectStore, folder: Folder) -> None:
    store.publish(folder(run_id="a"), "waves", run_id="a")
    store.bucket.create("models/waves/aliases/production/000001.json", b"")

    assert store.aliases("waves").keys() == {"latest"}
    store.set_alias("waves", "production", 1)
    assert store.resolve("waves", "production").number == 1


def test_a_version_cannot_be_deleted_while_its_alias_is_moved_there(
    store: ObjectStore, folder: Folder
) -> None:
    store.publish(folder(run_id="a"), "waves", run_id="a")
    store.set_alias("waves", "production", 1)

    with pytest.raises(VersionConflict):
        store.delete(ModelVersion("waves", 1))
    assert store.load(ModelVersion("waves", 1)).document.run_id == "a"


def test_two_stores_under_one_bucket_do_not_mix(url: str, folder: Folder) -> None:
    first, second = open_store(f"{url}/one/"), open_store(f"{url}/two")
    first.publish(folder(run_id="a"), "waves", run_id="a")
    second.publish(folder(run_id="b"), "waves", run_id="b")

    assert first.describe(first.resolve("waves")).run_id == "a"
    assert second.describe(second.resolve("waves")).run_id == "b"
