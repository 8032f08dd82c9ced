from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.cache import ModelCache
from tests.tideline.fitted import fitted, write
from tideline.errors import ModelNotFound
from tideline.store import ModelVersion, open_store
from tideline.store.bento import BentoStore


class CountingStore(BentoStore):
    """The real store, which notes what it loads."""

    def __init__(self, home) -> None:
        super().__init__(home)
        self.loaded: list[ModelVersion] = []

    def load(self, version):
        self.loaded.append(version)
        return super().load(version)


@pytest.fixture
def store(tmp_path):
    folder = write(tmp_path / "model", fitted())
    open_store(tmp_path / "home").publish(folder, "waves", run_id="run")
    for n in range(3):
        folder = write(tmp_path / f"model{n}", fitted(), run_id=f"run{n}")
        open_store(tmp_path / "home").publish(folder, "waves", run_id=f"run{n}")
    return CountingStore(tmp_path / "home")


def version(number: int) -> ModelVersion:
    return ModelVersion("waves", number)


def test_a_version_is_loaded_once_for_all_who_ask_at_the_same_time(store):
    cache = ModelCache(store, held=2)
    together = threading.Barrier(8)

    def ask(_):
        together.wait()
        return cache.get(version(1))

    with ThreadPoolExecutor(8) as pool:
        models = list(pool.map(ask, range(8)))
    assert store.loaded == [version(1)]
    assert all(model is models[0] for model in models)


def test_the_least_recently_used_version_goes_first(store):
    cache = ModelCache(store, held=2)
    for number in (1, 2, 1, 3, 1, 2):
        cache.get(version(number))
    assert [v.number for v in store.loaded] == [1, 2, 3, 2]


def test_a_failure_is_not_held(store, tmp_path):
    cache = ModelCache(store, held=2)
    with pytest.raises(ModelNotFound):
        cache.get(version(5))
    store.publish(write(tmp_path / "fifth", fitted(), run_id="fifth"), "waves", run_id="fifth")
    assert cache.get(version(5)).document.run_id == "fifth"


class LateStore(CountingStore):
    """Tells the first caller that a version is missing only when it is let go."""

    def __init__(self, home) -> None:
        super().__init__(home)
        self.has_failed = threading.Event()
        self.go = threading.Event()

    def load(self, version):
        try:
            return super().load(version)
        except ModelNotFound:
            self.has_failed.set()
            self.go.wait(30)
            raise


def test_a_late_failure_does_not_push_out_what_was_loaded_since(store, tmp_path):
    late = LateStore(tmp_path / "home")
    cache = ModelCache(late, held=1)
    with ThreadPoolExecutor(1) as pool:
        missing = pool.submit(cache.get, version(5))
        assert late.has_failed.wait(30)
        cache.get(version(1))  # pushes out the one that is being loaded
        late.publish(write(tmp_path / "fifth", fitted(), run_id="fifth"), "waves", run_id="fifth")
        model = cache.get(version(5))
        late.go.set()
        with pytest.raises(ModelNotFound):
            missing.result()
    assert cache.get(version(5)) is model
    assert late.loaded.count(version(5)) == 2
