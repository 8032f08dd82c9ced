"""Loaded models, held for the next request."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future

from tideline.store import Loaded, ModelStore, ModelVersion


class ModelCache:
    """Loads each version once and holds the most recently used.

    Versions never change, so nothing held is ever stale: a request resolves its name to a version
    first, and a version published meanwhile is loaded beside the old one, which goes on answering
    those that resolved to it. Safe to use from several threads.

    Parameters
    ----------
    store
        Where the models are.
    held
        How many versions are held.
    """

    def __init__(self, store: ModelStore, held: int) -> None:
        self._store = store
        self._held = held
        self._lock = threading.Lock()
        self._models: OrderedDict[ModelVersion, Future[Loaded]] = OrderedDict()

    def __len__(self) -> int:
        """Return how many versions are held, loaded."""
        with self._lock:
            return sum(model.done() for model in self._models.values())

    def get(self, version: ModelVersion) -> Loaded:
        """Return a version's pipeline and document; requests for one version load it once.

        Raises
        ------
        ModelNotFound, ModelRefused, StoreUnavailable
            As the store does; a failure is not held.
        """
        with self._lock:
            model = self._models.get(version)
            is_mine = model is None
            if model is None:
                model = self._models[version] = Future()
            self._models.move_to_end(version)
            while len(self._models) > self._held:
                self._models.popitem(last=False)
        if is_mine:
            self._load(version, model)
        return model.result()

    def _load(self, version: ModelVersion, model: Future[Loaded]) -> None:
        try:
            model.set_result(self._store.load(version))
        except BaseException as error:  # noqa: BLE001 - handed on, to all who wait
            with self._lock:
                # By now another load may have taken its place.
                if self._models.get(version) is model:
                    del self._models[version]
            # Those who wait for it learn of it here, and the caller by asking for the result.
            model.set_exception(error)
