"""Copies of a shared store's versions, in a BentoML home of this machine."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Collection, Set
from pathlib import Path

from tideline.errors import ModelNotFound, ModelRefused, StoreUnavailable
from tideline.model import ModelDocument
from tideline.store.base import Loaded, ModelVersion
from tideline.store.bento import BentoStore
from tideline.store.disk import reachable
from tideline.store.manifest import Manifest, verify
from tideline.store.objects import ObjectStore, published_files

ROOM = 1 << 31
NEVER = -float("inf")


class Copies:
    """Versions of a shared store, copied under the same numbers.

    A copy is made beside the others, verified, and moved to its place; one that an earlier
    process left is used again when it is what the shared store has. Where there is no room for
    the next copy, others go: first those that no alias stands for and nobody has asked for, then
    the rest, each time the one that was not used for the longest time. What has gone is pulled
    again when it is asked for. Safe to use from several threads; the own store is of this object
    alone.

    Parameters
    ----------
    shared
        The store whose versions are copied.
    own
        Where the copies are.
    room
        The bytes that all copies may take; the one used last stays even where it takes more. For
        as long as a version is pulled, its size comes on top.
    """

    def __init__(self, shared: ObjectStore, own: BentoStore, room: int = ROOM) -> None:
        self.shared = shared
        self.own = own
        self.room = room
        self._place = own.home / ".tideline" / "pulling"
        shutil.rmtree(self._place, ignore_errors=True)  # what a process left that was killed
        self._used: dict[ModelVersion, float] = {}
        # Written without the lock, which a request that only resolves a name must not wait for.
        self._asked: dict[ModelVersion, float] = {}
        self._wanted: Set[ModelVersion] = frozenset()
        # Held while copies are put in place, read and discarded; never during a request.
        self._lock = threading.RLock()

    @property
    def names(self) -> set[str]:
        """The models of which there are copies that were used by this process."""
        with self._lock:
            return {version.name for version in self._used}

    @property
    def names_here(self) -> set[str]:
        """The models of which there are copies, also those that an earlier process left."""
        return {version.name for version in self.own.list()}

    def note(self, version: ModelVersion) -> None:
        """Take note that somebody asks for a version, whether or not it is here."""
        self._asked[version] = time.monotonic()

    def is_asked_for(self, name: str) -> bool:
        """Tell whether somebody has asked this process for a version of a model."""
        return any(version.name == name for version in self._asked.copy())

    def want(self, wanted: Set[ModelVersion]) -> None:
        """Say which versions aliases stand for, or are about to."""
        self._wanted = wanted

    def has_room_for(self, version: ModelVersion) -> bool:
        """Tell whether a version can be here beside all that are wanted or were asked for.

        Raises
        ------
        ModelNotFound, ModelRefused, StoreUnavailable
            As `ObjectStore.manifest` does.
        """
        size = self.shared.manifest(version).size
        with self._lock:
            beside = [v for v in self.own.list() if self._is_held(v) and v != version]
            return size + sum(map(self._size, beside)) <= self.room

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

    def read(self, version: ModelVersion, name: str) -> bytes | None:
        """Return a file that was kept beside a copy's pipeline; None when the copy is not here."""
        with self._lock:
            return None if self.get(version) is None else self.own.read(version, name)

    def discard(self, there: Collection[ModelVersion]) -> None:
        """Discard copies of versions that the shared store no longer has, or without room."""
        with self._lock:
            for version in self.own.list():
                if version not in there:
                    self._drop(version)
            self._make_room(0)
        for version in self._asked.copy():
            if version not in there:
                self._asked.pop(version, None)

    def _make_room(self, size: int) -> None:
        """Discard copies until there is room for so many bytes more."""
        sizes = {version: self._size(version) for version in self.own.list()}
        surplus = sum(sizes.values()) + size - self.room
        going = sorted(sizes, key=self._rank)
        if not size:
            del going[-1:]  # Larger than all the room: it would only be pulled again.
        for version in going:
            if surplus <= 0:
                return
            surplus -= sizes[version]
            self._drop(version)

    def _rank(self, version: ModelVersion) -> tuple[bool, float]:
        used = max(self._used.get(version, NEVER), self._asked.get(version, NEVER))
        return self._is_held(version), used

    def _is_held(self, version: ModelVersion) -> bool:
        return version in self._wanted or version in self._asked

    def _size(self, version: ModelVersion) -> int:
        return sum(file.stat().st_size for file in self.own.pull(version).iterdir())

    def _drop(self, version: ModelVersion) -> None:
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
                size = self.shared.fetch(version, Path(draft)).size
                with self._lock:
                    if version not in self._used:  # another thread was quicker
                        self.own.discard(version)
                        self._make_room(size)
                        self.own.adopt(Path(draft), version)
                        self._used[version] = time.monotonic()
                    return self.own.pull(version)
