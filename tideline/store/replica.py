"""A replica of a shared store on one machine: what predictors read.

It follows the shared store, pulls what is new into a BentoML home of its own, under the same
numbers, and shows a new version only when it is here, verified and ready to answer. While the
shared store is away, it goes on with what it last knew, and says how old that is.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tideline.errors import ModelNotFound, StoreUnavailable, TidelineError
from tideline.model import ModelDocument
from tideline.store.base import LATEST, Loaded, ModelStore, ModelVersion, not_found, require_name
from tideline.store.bento import BentoStore
from tideline.store.copies import ROOM, Copies
from tideline.store.disk import reachable
from tideline.store.known import Known
from tideline.store.objects import ObjectStore
from tideline.store.shelf import Shelf

logger = logging.getLogger(__name__)

POLL_SECONDS = 5.0
SECONDS_BETWEEN_MISSES = 1.0
SECONDS_BETWEEN_NOTES = 60.0
SECONDS_UNTIL_RETRY = 60.0
SECONDS_TO_END = 5.0
AHEAD = 32
MAX_DOCUMENTS = 256
ATTEMPTS = 3

Prepare = Callable[[ModelVersion], object]


@dataclass(frozen=True)
class Freshness:
    """How well a replica knows the shared store.

    Attributes
    ----------
    seconds
        Since it was last seen; None when it never was.
    problem
        Why it could not be seen at the last try; None when it could.
    """

    seconds: float | None
    problem: str | None


class Replica(ModelStore):
    """A model store that copies a shared one.

    Reads are answered from what was last seen, at most `poll_seconds` ago while the shared store
    can be reached. Writes go to the shared store, and are seen here at once.

    Parameters
    ----------
    shared
        The store that is followed.
    own
        Where pulled versions are kept; of this replica alone, and of one machine.
    poll_seconds
        How often the shared store is looked at.
    room
        The bytes that the versions pulled may take here; see `Copies`.
    ahead
        How many models are pulled before somebody asks for them, while there is room; of a model
        that was asked for, each new version is.
    """

    def __init__(
        self,
        shared: ObjectStore,
        own: BentoStore,
        *,
        poll_seconds: float = POLL_SECONDS,
        room: int = ROOM,
        ahead: int = AHEAD,
    ) -> None:
        self.shared = shared
        self.own = own
        self.poll_seconds = poll_seconds
        self.ahead = ahead
        self._copies = Copies(shared, own, room)
        self._state = own.home / ".tideline"
        with reachable(own.home):
            self._known = Known.read(self._state, shared.bucket.url)
        self._written = self._known
        self._problem: TidelineError | None = None
        self._began = self._tried = -float("inf")
        self._prepare: Prepare = lambda _: None
        self._settled: set[ModelVersion] = set()
        self._refused: dict[ModelVersion, float] = {}
        self._documents: dict[ModelVersion, ModelDocument] = {}
        self._syncing = threading.Lock()
        self._following = False

    def __repr__(self) -> str:
        return f"Replica({self.shared!r}, {self.own!r})"

    @property
    def freshness(self) -> Freshness:
        """How old the answers are that are given now, and why."""
        known, problem = self._known, self._problem
        seconds = None if known is None else max(0.0, time.time() - known.seen)
        return Freshness(seconds, None if problem is None else str(problem))

    @contextmanager
    def following(self, prepare: Prepare | None = None) -> Iterator[None]:
        """Look at the shared store every `poll_seconds`, in a thread, until the block ends.

        Parameters
        ----------
        prepare
            Called with each version that an alias will stand for, before it does: to load it,
            say. When it raises, the alias stays where it is, and other models go on.
        """
        ended = threading.Event()
        self._prepare = prepare or self._prepare
        self._following = True
        thread = threading.Thread(target=self._follow, args=(ended,), name="replica", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            self._following = False
            # A daemon: a request that hangs does not keep the process.
            thread.join(SECONDS_TO_END)

    def sync(self) -> None:
        """Look at the shared store now, and pull what is new.

        Raises
        ------
        StoreUnavailable
            When it cannot be reached. What was known stays.
        """
        with self._syncing:
            self._look()

    def publish(self, folder: Path, name: str, *, run_id: str) -> ModelVersion:
        """Publish to the shared store; see `ModelStore.publish`."""
        version = self.shared.publish(folder, name, run_id=run_id)
        self.sync()
        return version

    def version_of_run(self, name: str, run_id: str) -> ModelVersion | None:
        """Ask the shared store; see `ModelStore.version_of_run`."""
        return self.shared.version_of_run(name, run_id)

    def resolve(self, name: str, version_or_alias: str | int = LATEST) -> ModelVersion:
        """Return the version that a number or an alias stands for; see `ModelStore.resolve`.

        Raises
        ------
        StoreUnavailable
            When the shared store was never seen.
        """
        require_name(name)
        try:
            version = self._resolved(name, version_or_alias)
        except ModelNotFound:
            # Published a moment ago, perhaps.
            if not self._looked_again():
                raise
            version = self._resolved(name, version_or_alias)
        self._copies.note(version)
        return version

    def pull(self, version: ModelVersion) -> Path:
        """Return the folder of a version in the own store; see `ModelStore.pull`.

        It stays until its room is needed for others; see `Copies`.
        """
        require_name(version.name)
        folder = self._copies.get(version)
        if folder is None:
            self._resolved(version.name, version.number)
            folder = self._copies.make(version)
        return folder

    def list(self, name: str | None = None) -> tuple[ModelVersion, ...]:
        """Return the versions of a model, or of all; see `ModelStore.list`."""
        known = self._seen()
        names = sorted(known.shelves) if name is None else [require_name(name)]
        return tuple(version for n in names for version in known.shelf(n).versions)

    def set_alias(
        self,
        name: str,
        alias: str,
        version: ModelVersion | int | str,
        *,
        expected: int | str | None = None,
    ) -> ModelVersion:
        """Move an alias in the shared store; see `ModelStore.set_alias`."""
        target = self.shared.set_alias(name, alias, version, expected=expected)
        self.sync()
        return target

    def aliases(self, name: str) -> dict[str, ModelVersion]:
        """Return what each alias of a model stands for; see `ModelStore.aliases`."""
        return self._seen().shelf(require_name(name)).aliases

    def delete(self, version: ModelVersion) -> None:
        """Delete a version from the shared store; see `ModelStore.delete`."""
        self.shared.delete(version)
        self.sync()

    def describe(self, version: ModelVersion) -> ModelDocument:
        """Return model.json of a version, without pulling it; see `ModelStore.describe`."""
        require_name(version.name)
        document = self._copies.describe(version) or self._documents.get(version)
        if document is None:
            self._resolved(version.name, version.number)
            document = self.shared.describe(version)
            while len(self._documents) >= MAX_DOCUMENTS:
                self._documents.pop(next(iter(self._documents)), None)
            self._documents[version] = document
        return document

    def read(self, version: ModelVersion, name: str) -> bytes:
        """Return one file that was kept, without pulling the version; see `ModelStore.read`."""
        require_name(version.name)
        content = self._copies.read(version, name)
        if content is None:
            self._resolved(version.name, version.number)
            content = self.shared.read(version, name)
        return content

    def load(self, version: ModelVersion) -> Loaded:
        """Build a version's pipeline; see `ModelStore.load`."""
        for _ in range(ATTEMPTS):
            self.pull(version)
            loaded = self._copies.load(version)
            if loaded is not None:
                return loaded
            # It was discarded between the two: many versions are asked for at once.
        raise StoreUnavailable(
            f"{version} was discarded each time before it was read.",
            mend="Raise TIDELINE_REPLICA_BYTES: more is in use at once than there is room for.",
        )

    def _look(self) -> None:
        self._began, seen = time.monotonic(), time.time()
        try:
            found = self.shared.shelves()
            before = self._known.shelves.values() if self._known else ()
            self._copies.want(_aliased([*found.values(), *before]))
            shown = {name: self._shown(found[name]) for name in self._ordered(found)}
            self._know(Known(self.shared.bucket.url, shown, seen))
            self._problem = None
        except TidelineError as error:
            self._problem = error
            raise
        finally:
            self._tried = time.monotonic()

    def _know(self, known: Known) -> None:
        self._known = known
        written = self._written
        if written is None or (
            known.shelves != written.shelves or known.seen - written.seen > SECONDS_BETWEEN_NOTES
        ):
            with reachable(self.own.home):
                known.write(self._state)
            self._written = known
        self._forget(known)

    def _look_since(self, asked: float) -> None:
        """Look at the shared store, unless another thread has begun to since it was asked for."""
        with self._syncing:
            if self._began < asked:
                self._look()
            elif self._problem is not None:
                raise self._problem

    def _follow(self, ended: threading.Event) -> None:
        said = ""
        while not ended.is_set():
            try:
                self.sync()
                now = ""
            except TidelineError as error:
                now = str(error)
            except Exception:
                # Whatever it is: a replica that no longer follows would serve old models for ever.
                logger.exception("the shared store could not be followed")
                now = "unexpected"
            if now != said:
                logger.warning("%s", now or "the model store can be used again")
            said = now
            ended.wait(self.poll_seconds)

    def _seen(self) -> Known:
        """Return what is known, from a new look where one is due."""
        now = time.monotonic()
        due = not self._following and now - self._tried >= self.poll_seconds
        if due or self._known is None:
            try:
                self._look_since(now)
            except StoreUnavailable as error:
                if self._known is None:
                    raise
                logger.warning("%s", error)
        known = self._known
        assert known is not None  # noqa: S101 - sync has set it, or raised
        return known

    def _resolved(self, name: str, version_or_alias: str | int) -> ModelVersion:
        known = self._seen()
        shelf = known.shelf(name)
        if not shelf.numbers:
            names = ", ".join(sorted(known.shelves)[:10])
            raise not_found(name, "version", f"models {names or 'none'}")
        return shelf.resolve(version_or_alias)

    def _looked_again(self) -> bool:
        """Look at the shared store once more, unless that was just done, or does not work."""
        now = time.monotonic()
        if self._problem or now - self._tried < SECONDS_BETWEEN_MISSES:
            return False
        try:
            self._look_since(now)
        except StoreUnavailable:
            return False
        return True

    def _ordered(self, found: Mapping[str, Shelf]) -> tuple[str, ...]:
        """Return the names, those that are here already first."""
        here = self._copies.names_here
        return tuple(sorted(found, key=lambda name: (name not in here, name)))

    def _shown(self, shelf: Shelf) -> Shelf:
        """Return a shelf on which each alias stands for a version that can answer."""
        before = self._known.shelf(shelf.name).standing if self._known else {}
        standing = dict(shelf.standing)
        for alias, number in shelf.standing.items():
            held = before.get(alias)
            is_ready = self._made_ready(ModelVersion(shelf.name, number))
            if not is_ready and held is not None and held in shelf.numbers:
                standing[alias] = held
        return Shelf(shelf.name, shelf.numbers, standing)

    def _made_ready(self, version: ModelVersion) -> bool:
        """Have a version here and prepared where it is due, and tell whether it can be shown."""
        if version in self._settled:
            return True
        if time.monotonic() - self._refused.get(version, -float("inf")) < SECONDS_UNTIL_RETRY:
            return False
        try:
            if self._is_due(version):
                self._copies.make(version)
                self._prepare(version)
        except TidelineError as error:
            logger.warning("%s is not served: %s", version, error)
            if not error.retryable:
                self._refused[version] = time.monotonic()
            return False
        except Exception:
            # Whatever it is about one version: all other models would stand still with it.
            logger.exception("%s is not served", version)
            self._refused[version] = time.monotonic()
            return False
        self._settled.add(version)
        return True

    def _is_due(self, version: ModelVersion) -> bool:
        """Tell whether a version is pulled now, and not when somebody asks for it."""
        if self._copies.is_asked_for(version.name):
            return True
        names = self._copies.names
        is_among = version.name in names or len(names) < self.ahead
        return is_among and self._copies.has_room_for(version)

    def _forget(self, known: Known) -> None:
        """Let go of what the shared store no longer has, and of what there is no room for."""
        there = {version for shelf in known.shelves.values() for version in shelf.versions}
        wanted = _aliased(known.shelves.values())
        self._copies.want(wanted)
        self._copies.discard(there)
        self._settled &= wanted
        for record in (self._refused, self._documents):
            for version in {*record} - there:
                record.pop(version, None)


def _aliased(shelves: Iterable[Shelf]) -> frozenset[ModelVersion]:
    """Return the versions that aliases stand for."""
    return frozenset(version for shelf in shelves for version in shelf.aliases.values())
