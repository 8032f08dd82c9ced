"""Copies of a shared store's versions, in a BentoML home of this machine."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Collection
from pathlib import Path

from tideline.errors import ModelNotFound, ModelRefused, StoreUnavailable
from tideline.model import ModelDocument
from tideline.store.base import Loaded, ModelVersion
from tideline.store.bento import BentoStore
from tideline.store.disk import reachable
from tideline.store.manifest import Manifest, verify
from tideline.store.objects import ObjectStore, published_files


class Copies:
    """Versions of a shared store, copied under the same numbers.

    A copy is made beside the others, verified, and moved to its place; one that an earlier
    process left is used again when it is what the shared store has. Safe to use from several
    threads; the own store is of this object alone.
    """

    def __init__(self, shared: ObjectStore, own: BentoStore) -> None:
        self.shared = shared
        self.own = own
        self._place = own.home / ".tideline" / "pulling"
        shutil.rmtree(self._place, ignore_errors=True)  # what a process left that was killed
        self._used: dict[ModelVersion, float] = {}
        # Held while copies are put in place, read and discarded; never during a request.
        self._lock = threading.RLock()

    @property
    def names(self) -> set[str]:
        """The models of which there are copies that were used by this process."""
        with self._lock:
            return {version.name for version in self._used}

    def get(self, version: ModelVersion) -> Path | None:
        """Return the folder of a copy that this process has checked, or None."""
        with self._lock:
            if version not in self._used:
                return None
            self._used[version] = time.monotonic()
            return self.own.pull(version)

    def make(self, version: ModelVersion) -> Path:
        """Return the folder of a copy, pulled if it is not here.

        Raises
        ------
        ModelNotFound
            When the shared store has no such version.
        ModelRefused
            When it is damaged there.
        StoreUnavailable
            When the shared store cannot be reached, and there is no sound copy.
        """
        folder = self.get(version)
        if folder is not None:
            return folder
        try:
            manifest = self.shared.manifest(version)
        except StoreUnavailable:
            if not self._is_sound(version, None):
                raise
        else:
            if not self._is_sound(version, manifest):
                return self._pulled(version)
        with self._lock:
            self._used[version] = time.monotonic()
            return self.own.pull(version)

    def load(self, version: ModelVersion) -> Loaded | None:
        """Build the pipeline of a copy; None when it is not here."""
        with self._lock:
            return None if self.get(version) is None else self.own.load(version)

    def describe(self, version: ModelVersion) -> ModelDocument | None:
        """Return model.json of a copy; None when it is not here."""
        with self._lock:
            return None if self.get(version) is None else self.own.describe(version)

    def discard(
        self, there: Collection[ModelVersion], wanted: Collection[ModelVersion], more: int
    ) -> None:
        """Discard copies of versions that are no longer there, or that are not wanted.

        Parameters
        ----------
        there
            The versions of the shared store.
        wanted
            Those that stay.
        more
            How many others stay: those that were used last.
        """
        with self._lock:
            here = self.own.list()
            others = [v for v in here if v in there and v not in wanted]
            others.sort(key=lambda version: self._used.get(version, -float("inf")))
            surplus = others[: max(0, len(others) - more)]
            for version in [*(v for v in here if v not in there), *surplus]:
                self._used.pop(version, None)
                self.own.discard(version)

    def _is_sound(self, version: ModelVersion, expected: Manifest | None) -> bool:
        """Tell whether a copy is whole, and what the shared store has, where that is known."""
        try:
            found = verify(self.own.pull(version))
        except (ModelNotFound, ModelRefused):
            return False
        return expected is None or published_files(found) == expected.files

    def _pulled(self, version: ModelVersion) -> Path:
        with reachable(self.own.home):
            self._place.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._place) as draft:
                self.shared.fetch(version, Path(draft))
                with self._lock:
                    if version not in self._used:  # another thread was quicker
                        self.own.discard(version)
                        self.own.adopt(Path(draft), version)
                        self._used[version] = time.monotonic()
                    return self.own.pull(version)
