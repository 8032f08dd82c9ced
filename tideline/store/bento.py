"""The model store on a disk: a BentoML home, which BentoML itself reads.

Under the home, next to BentoML's own folders:

    models/<name>/<number>/          the versions; `latest` beside them is for BentoML
    .tideline/publishing/            versions not yet complete, which nobody reads
    .tideline/aliases/<name>/<alias>/<number>    records; the highest one holds
    .tideline/retired/<name>/<number>            numbers of deleted versions
    .tideline/locks/<name>           held by whoever publishes or deletes
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tideline.errors import ModelRefused, SpecError, StoreUnavailable
from tideline.store.aliases import AliasRecords, require_free
from tideline.store.base import (
    LATEST,
    ModelStore,
    ModelVersion,
    not_found,
    require_name,
    version_number,
)
from tideline.store.disk import reachable, sync_tree, write_whole
from tideline.store.folder import DOCUMENT, read_document
from tideline.store.manifest import MANIFEST, read_manifest, seal, verify
from tideline.store.shelf import numbered

ABANDONED_AFTER = 24 * 3600.0
"""Seconds until an unfinished publication is taken for a killed one, and cleared away."""


class BentoStore(ModelStore):
    """A model store in a BentoML home.

    Parameters
    ----------
    home
        The folder that BENTOML_HOME names; made when something is published. It belongs to one
        machine: the lock that publishers wait on does not reach across a network.
    """

    def __init__(self, home: Path) -> None:
        self.home = home.expanduser().absolute()
        self._models = self.home / "models"
        self._own = self.home / ".tideline"

    def __repr__(self) -> str:
        return f"BentoStore({str(self.home)!r})"

    def publish(self, folder: Path, name: str, *, run_id: str) -> ModelVersion:
        """Make a folder the next version of a model; see `ModelStore.publish`."""
        require_name(name)
        require_own(folder, name, run_id)
        with reachable(self.home), self._locked(name):
            published = self._version_of_run(name, run_id)
            if published is not None:
                return published
            self._clear_abandoned()
            version = ModelVersion(name, self._next_number(name))
            self._keep(folder, version)
            return version

    def version_of_run(self, name: str, run_id: str) -> ModelVersion | None:
        """Return the version that a run has published; see `ModelStore.version_of_run`."""
        require_name(name)
        with reachable(self.home):
            return self._version_of_run(name, run_id)

    def resolve(self, name: str, version_or_alias: str | int = LATEST) -> ModelVersion:
        """Return the version that a number or an alias stands for; see `ModelStore.resolve`."""
        require_name(name)
        with reachable(self.home):
            number = version_number(version_or_alias)
            if number is None:
                number = self._aliased(name, str(version_or_alias))
            version = ModelVersion(name, number)
            self._require(version)
            return version

    def pull(self, version: ModelVersion) -> Path:
        """Return the version's own folder; see `ModelStore.pull`."""
        require_name(version.name)
        with reachable(self.home):
            self._require(version)
            return self._folder(version)

    def list(self, name: str | None = None) -> tuple[ModelVersion, ...]:
        """Return the versions of a model, or of all; see `ModelStore.list`."""
        with reachable(self.home):
            names = self._names() if name is None else (require_name(name),)
            return tuple(ModelVersion(n, number) for n in names for number in self._numbers(n))

    def set_alias(
        self,
        name: str,
        alias: str,
        version: ModelVersion | int | str,
        *,
        expected: int | str | None = None,
    ) -> ModelVersion:
        """Let an alias stand for a version; see `ModelStore.set_alias`."""
        require_alias(alias)
        target = numbered(name, version)
        with reachable(self.home), self._locked(name):
            # Under the lock, so that the version is not deleted in between.
            self._require(target)
            before = None if expected is None else int(expected)
            self._aliases(name).move(alias, target.number, before)
        return target

    def aliases(self, name: str) -> dict[str, ModelVersion]:
        """Return what each alias of a model stands for; see `ModelStore.aliases`."""
        require_name(name)
        with reachable(self.home):
            numbers = self._numbers(name)
            standing = self._aliases(name).standing()
            if numbers:
                standing[LATEST] = numbers[-1]
            return {alias: ModelVersion(name, n) for alias, n in sorted(standing.items())}

    def delete(self, version: ModelVersion) -> None:
        """Delete a version for ever; see `ModelStore.delete`."""
        require_name(version.name)
        with reachable(self.home), self._locked(version.name):
            self._require(version)
            require_free(version, self._aliases(version.name).standing())
            retired = self._own / "retired" / version.name
            retired.mkdir(parents=True, exist_ok=True)
            write_whole(retired / version.version, b"")
            with self._hidden() as workplace:
                self._folder(version).rename(workplace / "deleted")
            self._mark_latest(version.name)

    def adopt(self, folder: Path, version: ModelVersion) -> Path:
        """Keep a folder as exactly this version, and return where; for a copy of another store.

        A version of that number that is there already stays as it is.

        Raises
        ------
        ModelRefused
            When the folder is not what its manifest says.
        """
        require_name(version.name)
        with reachable(self.home), self._locked(version.name):
            if not self._is_ours(version):
                self._keep(folder, version)
            return self._folder(version)

    def discard(self, version: ModelVersion) -> None:
        """Forget an adopted version, if it is there; it may be adopted again."""
        require_name(version.name)
        with reachable(self.home), self._locked(version.name):
            if self._is_ours(version):
                with self._hidden() as workplace:
                    self._folder(version).rename(workplace / "discarded")
                self._mark_latest(version.name)

    def _keep(self, folder: Path, version: ModelVersion) -> None:
        with self._hidden() as workplace:
            built = _build(folder, workplace, version.name, version.number)
            (self._models / version.name).mkdir(parents=True, exist_ok=True)
            # A rename onto a version that is there fails: what is published stays.
            built.rename(self._folder(version))
        sync_tree(self._models / version.name, files=False)
        self._mark_latest(version.name)

    def _names(self) -> tuple[str, ...]:
        if not self._models.is_dir():
            return ()
        return tuple(sorted(path.name for path in self._models.iterdir() if path.is_dir()))

    def _numbers(self, name: str) -> tuple[int, ...]:
        ours = (n for n in self._candidates(name) if self._is_ours(ModelVersion(name, n)))
        return tuple(sorted(ours))

    def _newest(self, name: str) -> int | None:
        """Return the newest version's number; asked at each request, so with few looks."""
        falling = sorted(self._candidates(name), reverse=True)
        return next((n for n in falling if self._is_ours(ModelVersion(name, n))), None)

    def _candidates(self, name: str) -> Sequence[int]:
        try:
            found = map(version_number, os.listdir(self._models / name))  # noqa: PTH208 - quicker
        except FileNotFoundError:
            return []
        return [number for number in found if number is not None]

    def _is_ours(self, version: ModelVersion) -> bool:
        # BentoML's own programs may put models beside ours, and theirs have no manifest.
        return (self._folder(version) / MANIFEST).is_file()

    def _folder(self, version: ModelVersion) -> Path:
        return self._models / version.name / version.version

    def _require(self, version: ModelVersion) -> None:
        if not self._is_ours(version):
            raise self._unknown(version.name, f"version {version.number}")

    def _unknown(self, name: str, wanted: str) -> Exception:
        numbers = self._numbers(name)
        if numbers:
            return not_found(name, wanted, f"versions {', '.join(map(str, numbers[-10:]))}")
        return not_found(name, "version", f"models {', '.join(self._names()[:10]) or 'none'}")

    def _aliased(self, name: str, alias: str) -> int:
        if alias == LATEST:
            newest = self._newest(name)
            if newest is None:
                raise self._unknown(name, "version")
            return newest
        number = self._aliases(name).standing().get(alias)
        if number is None:
            raise self._unknown(name, f"alias {alias[:80]!r}")
        return number

    def _aliases(self, name: str) -> AliasRecords:
        return AliasRecords(self._own / "aliases" / name)

    def _next_number(self, name: str) -> int:
        """Return the number after every one that was ever given, or that a folder has."""
        given = [0]
        for folder in (self._models / name, self._own / "retired" / name):
            if folder.is_dir():
                given += [version_number(path.name) or 0 for path in folder.iterdir()]
        return max(given) + 1

    def _version_of_run(self, name: str, run_id: str) -> ModelVersion | None:
        for number in reversed(self._numbers(name)):
            version = ModelVersion(name, number)
            try:
                found = read_document(self._folder(version)).run_id
            except ModelRefused:
                continue  # A damaged version says nothing of its run, and must not stop the others.
            if found == run_id:
                return version
        return None

    def _mark_latest(self, name: str) -> None:
        numbers = self._numbers(name)
        if numbers:
            write_whole(self._models / name / LATEST, str(numbers[-1]).encode())
        else:
            (self._models / name / LATEST).unlink(missing_ok=True)

    def _clear_abandoned(self) -> None:
        now = time.time()
        for path in (self._own / "publishing").glob("*"):
            with suppress(FileNotFoundError):  # another model's publisher has just finished
                if now - path.stat().st_mtime > ABANDONED_AFTER:
                    shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def _hidden(self) -> Iterator[Path]:
        """Lend a folder on the store's own file system that no reader looks into."""
        workplace = self._own / "publishing" / uuid.uuid4().hex
        workplace.mkdir(parents=True)
        try:
            yield workplace
        finally:
            # What cannot be removed now is out of sight, and is cleared away later.
            shutil.rmtree(workplace, ignore_errors=True)

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        """Hold the model's lock; the system releases that of a process that dies."""
        locks = self._own / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        with (locks / name).open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def require_own(folder: Path, name: str, run_id: str) -> None:
    """Refuse a folder that is damaged, or another model's or run's."""
    verify(folder)
    document = read_document(folder)
    if (document.name, document.run_id) != (name, run_id):
        raise ModelRefused(
            f"{DOCUMENT} is that of model {document.name!r}, run {document.run_id!r}; "
            f"model {name!r}, run {run_id!r} expected.",
            mend="Publish the folder under the name and the run that it was written for.",
        )


def require_alias(alias: str) -> None:
    """Refuse what cannot be an alias that is set."""
    require_name(alias, "alias")
    if alias == LATEST or alias.isdigit():
        raise SpecError(
            f"{alias!r} cannot be set: numbers are versions, and {LATEST} is the newest always.",
            mend="Choose another alias.",
            field="alias",
        )


def _build(folder: Path, workplace: Path, name: str, number: int) -> Path:
    """Make a BentoML model of a folder in a private store, and return its path, checked."""
    # Imported here, because only a publisher needs BentoML.
    from bentoml import Model  # noqa: PLC0415
    from bentoml._internal.models import ModelStore as Store  # noqa: PLC0415
    from bentoml.models import ModelContext, ModelOptions  # noqa: PLC0415

    document = read_document(folder)
    before = read_manifest(folder)
    # What bentoml.models.create does, without the report of use that it sends.
    model = Model.create(
        f"{name}:{number}",
        module="tideline.store",
        api_version="v1",
        signatures={},
        labels={"tideline.run_id": document.run_id, "tideline.task": document.task},
        options=ModelOptions(),
        metadata={"model_type": document.model_type, "channels": len(document.channels)},
        context=ModelContext("tideline", {"tideline": document.versions["tideline"]}),
    )
    for file in before.files:
        shutil.copyfile(folder / file, model.path_of(file))
    model.flush()  # type: ignore[no-untyped-call]  # BentoML's own, without types
    model.save(Store(workplace))
    built = workplace / name / str(number)
    after = seal(built)
    if {file: after.files.get(file) for file in before.files} != before.files:
        raise StoreUnavailable(
            "a file of the model was damaged while it was copied.", mend="Publish it again."
        )
    sync_tree(built)
    return built
