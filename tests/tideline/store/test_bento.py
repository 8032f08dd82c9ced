from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import bentoml
import pytest
from bentoml._internal.models import ModelStore as BentoModels

from tests.tideline.store.conformance import Folder, StoreConformance
from tideline.errors import ModelNotFound, ModelRefused, StoreUnavailable
from tideline.store import ModelVersion
from tideline.store.bento import BentoStore
from tideline.store.manifest import seal, verify

REPOSITORY = Path(__file__).resolve().parents[3]


class TestBentoStore(StoreConformance):
    @pytest.fixture
    def store(self, tmp_path: Path) -> BentoStore:
        return BentoStore(tmp_path / "home")


@pytest.fixture
def store(tmp_path: Path) -> BentoStore:
    return BentoStore(tmp_path / "home")


def publisher(store: BentoStore, folder: Path, run_id: str) -> subprocess.Popen[str]:
    """Start a publisher, and return it when it is about to publish."""
    command = [sys.executable, "-m", "tests.tideline.store.publisher", store.home, folder, run_id]
    return subprocess.Popen(
        [str(part) for part in command],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_bentoml_itself_reads_the_versions(store: BentoStore, folder: Folder) -> None:
    for run in "abc":
        store.publish(folder(run_id=run), "waves", run_id=run)
    models = BentoModels(store.home / "models")

    tags = [str(m.tag) for m in bentoml.models.list(_model_store=models)]
    newest = bentoml.models.get("waves", _model_store=models)

    assert tags == ["waves:1", "waves:2", "waves:3"]
    assert str(newest.tag) == "waves:3"
    assert newest.info.labels["tideline.run_id"] == "c"
    assert newest.path == str(store.pull(ModelVersion("waves", 3)))
    assert newest.custom_objects == {}


def test_bentomls_program_lists_them(store: BentoStore, folder: Folder) -> None:
    store.publish(folder(), "waves", run_id="run")
    environment = {**os.environ, "BENTOML_HOME": str(store.home), "BENTOML_DO_NOT_TRACK": "True"}

    listed = subprocess.run(
        [sys.executable, "-m", "bentoml", "models", "list", "-o", "json"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert [model["tag"] for model in json.loads(listed.stdout)] == ["waves:1"]


def test_bentoml_never_stumbles_over_a_publication(store: BentoStore, folder: Folder) -> None:
    folders = [folder(run_id=str(i)) for i in range(10)]
    store.publish(folders[0], "waves", run_id="0")
    models, done, rounds = BentoModels(store.home / "models"), threading.Event(), []

    def read() -> None:
        while not done.is_set():
            rounds.append(len(bentoml.models.list(_model_store=models)))
            bentoml.models.get("waves:latest", _model_store=models)

    reader = threading.Thread(target=read)
    reader.start()
    for i, path in enumerate(folders):
        store.publish(path, "waves", run_id=str(i))
    done.set()
    reader.join()

    assert rounds == sorted(rounds)


def test_deleting_moves_bentomls_latest_back(store: BentoStore, folder: Folder) -> None:
    for run in "ab":
        store.publish(folder(run_id=run), "waves", run_id=run)
    models = BentoModels(store.home / "models")

    store.delete(ModelVersion("waves", 2))
    assert str(bentoml.models.get("waves", _model_store=models).tag) == "waves:1"
    store.delete(ModelVersion("waves", 1))
    assert bentoml.models.list(_model_store=models) == []


def test_models_that_bentoml_put_there_are_left_alone(store: BentoStore, folder: Folder) -> None:
    models = BentoModels(store.home / "models")
    store.publish(folder(), "waves", run_id="run")
    for tag in ("waves:2", "other:abc"):
        foreign = bentoml.Model.create(
            tag,
            module="",
            api_version="v1",
            signatures={},
            context=bentoml.models.ModelContext("", {}),
        )
        foreign.flush()
        foreign.save(models)

    assert [str(v) for v in store.list()] == ["waves:1"]
    with pytest.raises(ModelNotFound):
        store.resolve("waves", 2)
    assert store.publish(folder(run_id="next"), "waves", run_id="next").number == 3


def test_two_processes_get_numbers_of_their_own(store: BentoStore, folder: Folder) -> None:
    process = publisher(store, folder(run_id="child"), "child")
    ours = folder(run_id="parent")
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("go\n")
    process.stdin.flush()

    numbers = {str(store.publish(ours, "waves", run_id="parent").number)}
    numbers.add(process.communicate(timeout=60)[0].strip())

    assert numbers == {"1", "2"}
    assert {store.describe(v).run_id for v in store.list()} == {"child", "parent"}


def test_a_killed_publisher_leaves_nothing_to_see(store: BentoStore, folder: Folder) -> None:
    path = folder(run_id="a")
    # Large enough that the copy, the hash and the write to disk take a while.
    (path / "search.parquet").write_bytes(os.urandom(1 << 20) * 96)
    seal(path)
    process = publisher(store, path, "a")
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("go\n")
    process.stdin.flush()

    hidden = store.home / ".tideline" / "publishing"
    deadline = time.monotonic() + 60
    while not any(hidden.glob("*/waves/1/search.parquet")) and time.monotonic() < deadline:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()

    assert process.returncode == -signal.SIGKILL
    assert any(hidden.iterdir())
    assert store.list() == ()
    with pytest.raises(ModelNotFound):
        store.resolve("waves")
    assert bentoml.models.list(_model_store=_existing(store)) == []
    assert store.publish(folder(run_id="b"), "waves", run_id="b").number == 1


def _existing(store: BentoStore) -> BentoModels:
    (store.home / "models").mkdir(exist_ok=True)
    return BentoModels(store.home / "models")


def test_what_a_killed_publisher_left_is_cleared_after_a_day(
    store: BentoStore, folder: Folder
) -> None:
    hidden = store.home / ".tideline" / "publishing"
    for name, age in (("old", 2 * 86400), ("young", 60)):
        (hidden / name).mkdir(parents=True)
        os.utime(hidden / name, (time.time() - age,) * 2)

    store.publish(folder(), "waves", run_id="run")

    assert [path.name for path in hidden.iterdir()] == ["young"]


def test_a_damaged_version_does_not_stop_the_next(store: BentoStore, folder: Folder) -> None:
    first = store.publish(folder(run_id="a"), "waves", run_id="a")
    (store.pull(first) / "model.json").write_bytes(b"{}")

    second = store.publish(folder(run_id="b"), "waves", run_id="b")

    assert store.load(second).document.run_id == "b"
    with pytest.raises(ModelRefused):
        store.load(first)


def test_the_published_folder_is_whole_by_its_own_manifest(
    store: BentoStore, folder: Folder
) -> None:
    version = store.publish(folder(), "waves", run_id="run")

    assert set(verify(store.pull(version)).files) == {"model.json", "model.yaml", "pipeline.skops"}


def test_a_copied_version_loads_elsewhere(
    store: BentoStore, folder: Folder, tmp_path: Path
) -> None:
    version = store.publish(folder(), "waves", run_id="run")
    shutil.copytree(store.home, tmp_path / "moved")

    assert BentoStore(tmp_path / "moved").load(version).document.name == "waves"


def test_says_that_the_disk_refuses(tmp_path: Path, folder: Folder) -> None:
    (tmp_path / "home").write_text("a file where a folder is expected")

    with pytest.raises(StoreUnavailable, match="cannot be used") as caught:
        BentoStore(tmp_path / "home").publish(folder(), "waves", run_id="run")
    assert caught.value.retryable


def test_a_damaged_alias_record_is_named(store: BentoStore, folder: Folder) -> None:
    store.publish(folder(), "waves", run_id="run")
    store.set_alias("waves", "production", 1)
    [record] = (store.home / ".tideline" / "aliases").rglob("*.json")
    record.write_bytes(b"")

    with pytest.raises(ModelRefused, match="alias 'production' is damaged"):
        store.resolve("waves", "production")
    assert store.resolve("waves").number == 1
