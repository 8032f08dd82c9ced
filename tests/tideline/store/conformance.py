"""What every model store must do; a test module of a store derives a class from this one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.tideline.fitted import document_of, waves
from tideline.errors import (
    ModelFileNotFound,
    ModelNotFound,
    ModelRefused,
    SpecError,
    VersionConflict,
)
from tideline.pipeline import Pipeline
from tideline.store import ModelStore, ModelVersion, write_model

Folder = Callable[..., Path]
"""Writes a model folder: `folder(name="waves", run_id="run")`."""


class StoreConformance:
    """A subclass has a fixture `store`, which returns an empty store."""

    @pytest.fixture
    def store(self) -> ModelStore:
        raise NotImplementedError

    def publish(self, store: ModelStore, folder: Folder, *runs: str) -> list[ModelVersion]:
        return [store.publish(folder(run_id=r), "waves", run_id=r) for r in runs]

    def test_an_empty_store_has_nothing(self, store: ModelStore) -> None:
        assert store.list() == ()
        assert store.list("waves") == ()
        assert store.aliases("waves") == {}
        with pytest.raises(ModelNotFound, match="models none"):
            store.resolve("waves")

    def test_versions_are_numbered_in_order(self, store: ModelStore, folder: Folder) -> None:
        versions = self.publish(store, folder, "a", "b", "c")

        assert [v.version for v in versions] == ["1", "2", "3"]
        assert store.list("waves") == store.list() == tuple(versions)

    def test_what_was_published_answers_as_before(
        self, store: ModelStore, folder: Folder, pipeline: Pipeline
    ) -> None:
        [version] = self.publish(store, folder, "a")
        panel, _ = waves()

        loaded = store.load(version)

        np.testing.assert_array_equal(
            loaded.pipeline.predict(panel).probabilities, pipeline.predict(panel).probabilities
        )
        assert loaded.pipeline.classes == pipeline.classes
        assert loaded.document == store.describe(version)
        assert loaded.document.run_id == "a"

    def test_what_was_kept_beside_a_pipeline_is_read_alone(
        self, store: ModelStore, tmp_path: Path, pipeline: Pipeline
    ) -> None:
        extras = {"report.html": b"<p>page</p>", "search.parquet": b"PAR1", "pipeline.py": b"1\n"}
        path = tmp_path / "with-extras"
        write_model(path, pipeline, document_of(pipeline, "waves", "a"), extras)
        version = store.publish(path, "waves", run_id="a")

        assert {name: store.read(version, name) for name in extras} == extras
        assert store.describe(version).extras == tuple(sorted(extras))
        assert store.load(version).document.run_id == "a"
        assert {name: store.read(version, name) for name in extras} == extras

    def test_a_version_without_a_file_says_so(self, store: ModelStore, folder: Folder) -> None:
        [version] = self.publish(store, folder, "a")

        with pytest.raises(ModelFileNotFound, match=r"without report\.html"):
            store.read(version, "report.html")
        with pytest.raises(ValueError, match=r"model\.json of 0 found"):
            store.read(version, "model.json")
        with pytest.raises(ModelNotFound):
            store.read(ModelVersion("waves", 7), "report.html")

    def test_the_publisher_keeps_its_folder(self, store: ModelStore, folder: Folder) -> None:
        path = folder(run_id="a")
        before = {file.name: file.read_bytes() for file in path.iterdir()}
        version = store.publish(path, "waves", run_id="a")

        assert {file.name: file.read_bytes() for file in path.iterdir()} == before
        (path / "pipeline.skops").write_bytes(b"")
        store.load(version)

    def test_a_run_publishes_once(self, store: ModelStore, folder: Folder) -> None:
        first, second = self.publish(store, folder, "a", "b")

        assert self.publish(store, folder, "a", "b") == [first, second]
        assert len(store.list()) == 2

    def test_a_run_finds_what_it_has_published(self, store: ModelStore, folder: Folder) -> None:
        assert store.version_of_run("waves", "a") is None
        first, second, _ = self.publish(store, folder, "a", "b", "c")

        assert store.version_of_run("waves", "b") == second
        assert store.version_of_run("waves", "d") is None
        assert store.version_of_run("tides", "b") is None
        store.delete(second)
        assert store.version_of_run("waves", "b") is None
        assert store.version_of_run("waves", "a") == first

    def test_models_do_not_mix(self, store: ModelStore, folder: Folder) -> None:
        other = store.publish(folder(name="other", run_id="a"), "other", run_id="a")
        [version] = self.publish(store, folder, "a")

        assert (other.number, version.number) == (1, 1)
        assert store.list() == (other, version)
        assert store.list("other") == (other,)

    def test_the_newest_of_each_model_is_told_by_its_name(
        self, store: ModelStore, folder: Folder
    ) -> None:
        assert store.newest() == {}
        *_, waves = self.publish(store, folder, *"abcdefghijk")
        tides = store.publish(folder("tides", "t"), "tides", run_id="t")

        assert store.newest() == {"tides": tides, "waves": waves}

    def test_latest_is_the_newest(self, store: ModelStore, folder: Folder) -> None:
        *_, newest = self.publish(store, folder, *"abcdefghijk")

        assert newest.number == 11
        assert store.resolve("waves") == store.resolve("waves", "latest") == newest
        assert store.aliases("waves") == {"latest": newest}

    def test_a_number_matches_that_version_and_no_other(
        self, store: ModelStore, folder: Folder
    ) -> None:
        versions = self.publish(store, folder, *"abcdefghijk")
        store.delete(versions[0])

        assert store.resolve("waves", 10).number == 10
        assert store.resolve("waves", "10").number == 10
        for absent in ("1", 1, "12", "01", "v1", "1.0"):
            with pytest.raises(ModelNotFound):
                store.resolve("waves", absent)

    def test_says_what_there_is_instead(self, store: ModelStore, folder: Folder) -> None:
        self.publish(store, folder, "a", "b")

        with pytest.raises(
            ModelNotFound, match="no version 7 of model 'waves'; found versions 1, 2"
        ):
            store.resolve("waves", "7")
        with pytest.raises(ModelNotFound, match="alias 'prod' of model 'waves'"):
            store.resolve("waves", "prod")
        with pytest.raises(ModelNotFound, match="found models waves"):
            store.resolve("tides")
        with pytest.raises(ModelNotFound):
            store.pull(ModelVersion("waves", 3))

    def test_an_alias_moves(self, store: ModelStore, folder: Folder) -> None:
        first, second = self.publish(store, folder, "a", "b")

        assert store.set_alias("waves", "production", first) == first
        assert store.resolve("waves", "production") == first
        for number in (2, "1", second):
            store.set_alias("waves", "production", number)
        assert store.resolve("waves", "production") == second
        assert store.aliases("waves") == {"latest": second, "production": second}

    def test_an_alias_moves_only_from_where_it_is_expected(
        self, store: ModelStore, folder: Folder
    ) -> None:
        self.publish(store, folder, "a", "b")

        store.set_alias("waves", "production", 1, expected=0)
        store.set_alias("waves", "production", 2, expected="1")
        with pytest.raises(VersionConflict, match="stands for 2, and 1 was expected"):
            store.set_alias("waves", "production", 1, expected=1)
        with pytest.raises(VersionConflict, match="stands for 2, and nothing was expected"):
            store.set_alias("waves", "production", 1, expected=0)
        assert store.resolve("waves", "production").number == 2

    def test_of_many_movers_one_wins(self, store: ModelStore, folder: Folder) -> None:
        self.publish(store, folder, "a", "b")
        store.set_alias("waves", "production", 1)
        together = threading.Barrier(8)

        def move(_: int) -> bool:
            together.wait()
            try:
                store.set_alias("waves", "production", 2, expected=1)
            except VersionConflict:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(move, range(8))) == 1

    @pytest.mark.parametrize("alias", ["latest", "7", "Prod", "a/b", "..", "", "a" * 64])
    def test_refuses_what_cannot_be_an_alias(
        self, store: ModelStore, folder: Folder, alias: str
    ) -> None:
        [version] = self.publish(store, folder, "a")

        with pytest.raises(SpecError) as caught:
            store.set_alias("waves", alias, version)
        assert caught.value.field == "alias"

    def test_an_alias_stands_for_a_version_that_there_is(
        self, store: ModelStore, folder: Folder
    ) -> None:
        self.publish(store, folder, "a")

        for absent in (2, "v1", "latest"):
            with pytest.raises(ModelNotFound):
                store.set_alias("waves", "production", absent)
        assert store.aliases("waves").keys() == {"latest"}

    def test_a_deleted_version_is_gone_and_its_number_too(
        self, store: ModelStore, folder: Folder
    ) -> None:
        first, second = self.publish(store, folder, "a", "b")

        store.delete(second)

        assert store.list() == (first,)
        assert store.resolve("waves") == first
        with pytest.raises(ModelNotFound):
            store.load(second)
        with pytest.raises(ModelNotFound):
            store.delete(second)
        assert self.publish(store, folder, "b")[0].number == 3

    def test_numbers_go_on_after_the_last_version_is_deleted(
        self, store: ModelStore, folder: Folder
    ) -> None:
        for version in self.publish(store, folder, "a", "b"):
            store.delete(version)

        with pytest.raises(ModelNotFound):
            store.resolve("waves")
        assert self.publish(store, folder, "c")[0].number == 3

    def test_a_version_that_an_alias_stands_for_stays(
        self, store: ModelStore, folder: Folder
    ) -> None:
        first, second = self.publish(store, folder, "a", "b")
        store.set_alias("waves", "production", first)

        with pytest.raises(VersionConflict, match="'production' stands for waves:1"):
            store.delete(first)
        store.set_alias("waves", "production", second)
        store.delete(first)

    @pytest.mark.parametrize(
        "name", ["Waves", "a/b", "../up", ".hidden", "", "a b", "x" * 64, "a\n"]
    )
    def test_refuses_what_cannot_be_a_name(
        self, store: ModelStore, folder: Folder, name: str
    ) -> None:
        for call in (
            lambda: store.publish(folder(run_id="a"), name, run_id="a"),
            lambda: store.resolve(name),
            lambda: store.version_of_run(name, "a"),
            lambda: store.list(name),
            lambda: store.aliases(name),
            lambda: store.pull(ModelVersion(name, 1)),
            lambda: store.set_alias(name, "production", 1),
            lambda: store.delete(ModelVersion(name, 1)),
        ):
            with pytest.raises(SpecError, match="cannot be a name"):
                call()
        assert store.list() == ()

    def test_refuses_a_folder_that_is_another_models_or_runs(
        self, store: ModelStore, folder: Folder
    ) -> None:
        for name, run_id in (("tides", "a"), ("waves", "b")):
            with pytest.raises(ModelRefused, match="expected"):
                store.publish(folder(name="waves", run_id="a"), name, run_id=run_id)
        assert store.list() == ()

    def test_refuses_a_damaged_folder(self, store: ModelStore, folder: Folder) -> None:
        path = folder(run_id="a")
        (path / "pipeline.skops").write_bytes(b"other")

        with pytest.raises(ModelRefused, match="hash differs"):
            store.publish(path, "waves", run_id="a")
        assert store.list() == ()

    def test_threads_publish_side_by_side(self, store: ModelStore, folder: Folder) -> None:
        runs = [f"run-{i}" for i in range(6)]
        folders = [folder(run_id=run) for run in runs]

        with ThreadPoolExecutor(6) as pool:
            published = list(
                pool.map(lambda p, r: store.publish(p, "waves", run_id=r), folders, runs)
            )

        assert sorted(v.number for v in published) == [1, 2, 3, 4, 5, 6]
        for version, run in zip(published, runs, strict=True):
            assert store.describe(version).run_id == run

    def test_threads_of_one_run_publish_once(self, store: ModelStore, folder: Folder) -> None:
        folders = [folder(run_id="a") for _ in range(4)]

        with ThreadPoolExecutor(4) as pool:
            published = set(
                pool.map(lambda path: store.publish(path, "waves", run_id="a"), folders)
            )

        assert published == {ModelVersion("waves", 1)}

    def test_readers_never_see_half_a_version(self, store: ModelStore, folder: Folder) -> None:
        folders = [folder(run_id=str(i)) for i in range(8)]
        self.publish(store, folder, "first")
        done = threading.Event()

        def read() -> int:
            rounds = newest = 0
            while not done.is_set():
                for version in store.list("waves"):
                    store.load(version)
                assert store.resolve("waves").number >= newest
                newest, rounds = store.resolve("waves").number, rounds + 1
            return rounds

        with ThreadPoolExecutor(2) as pool:
            readers = [pool.submit(read) for _ in range(2)]
            for i, path in enumerate(folders):
                store.publish(path, "waves", run_id=str(i))
            done.set()
            assert all(reader.result() > 0 for reader in readers)
