"""The model store that machines share: objects under a URL.

    models/<name>/versions/<number>/claim.json     whose number this is; written first, never again
    models/<name>/versions/<number>/<content>/...  the files; <content> is of the manifest's SHA-256
    models/<name>/versions/<number>/manifest.json  written last: with it the version is there
    models/<name>/versions/<number>/deleted.json   hides a version for ever
    models/<name>/aliases/<alias>/<number>.json    records; the highest one holds

Nothing is locked. Each step is the creation of an object that nobody else can create again.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import uuid
import weakref
from collections.abc import Iterator
from pathlib import Path

from tideline.errors import ModelNotFound, ModelRefused, VersionConflict
from tideline.model import ModelDocument
from tideline.store.aliases import require_expected, require_free
from tideline.store.base import LATEST, ModelStore, ModelVersion, not_found, require_name
from tideline.store.bento import require_alias, require_own
from tideline.store.bucket import BLOCK, PATIENCE, Bucket
from tideline.store.claims import claimed_version, published_version
from tideline.store.disk import reachable
from tideline.store.folder import DOCUMENT, MAX_EXTRA_BYTES, read_document, read_extra
from tideline.store.listing import (
    CLAIM,
    DELETED,
    Listing,
    is_visible,
    listed,
    root_of,
    version_key,
)
from tideline.store.manifest import (
    AGAIN,
    MANIFEST,
    MAX_MANIFEST_BYTES,
    FileEntry,
    Manifest,
    read_manifest,
    verify,
)
from tideline.store.marks import Marks
from tideline.store.shelf import Shelf, numbered

BENTO_FILE = "model.yaml"
"""BentoML's own file in a model's folder; it names the version, and is made where it is kept."""
MAX_BYTES = 1 << 34
MAX_FILES = 100


class ObjectStore(ModelStore):
    """A model store under a URL that `Bucket` reads.

    What is pulled is kept in a private temporary folder, which goes with the store. Where a
    version is to be kept on, see `Replica`.

    Parameters
    ----------
    url
        `file:///folder`, `s3://bucket/prefix`, `gs://...`, `az://...`.
    patience
        Seconds over which a request that failed is tried again, before `StoreUnavailable`.
    max_bytes
        The size of the largest model that is published or pulled.
    """

    def __init__(self, url: str, *, patience: float = PATIENCE, max_bytes: int = MAX_BYTES) -> None:
        self.bucket = Bucket(url, patience=patience)
        self.max_bytes = max_bytes
        self._pulled = Path(tempfile.gettempdir()) / f"tideline-{uuid.uuid4().hex}"
        weakref.finalize(self, shutil.rmtree, self._pulled, ignore_errors=True)
        self._marks = Marks(self.bucket)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.bucket.url!r})"

    def publish(self, folder: Path, name: str, *, run_id: str) -> ModelVersion:
        """Make a folder the next version of a model; see `ModelStore.publish`.

        A run whose publisher died finishes the version that it had begun. A number whose
        publisher never comes back stays out of sight, and is skipped.
        """
        require_name(name)
        require_own(folder, name, run_id)
        with reachable(folder):
            manifest = self._publishable(folder)
            self.bucket.make()
            version = claimed_version(self.bucket, name, run_id)
            if self._manifest(version) is None:
                self._complete(version, folder, manifest)
        return version

    def version_of_run(self, name: str, run_id: str) -> ModelVersion | None:
        """Return the version that a run has published; see `ModelStore.version_of_run`."""
        return published_version(self.bucket, require_name(name), run_id)

    def resolve(self, name: str, version_or_alias: str | int = LATEST) -> ModelVersion:
        """Return the version that a number or an alias stands for; see `ModelStore.resolve`."""
        shelf = self.shelf(name)
        if not shelf.numbers:
            raise self._no_model(name)
        return shelf.resolve(version_or_alias)

    def pull(self, version: ModelVersion) -> Path:
        """Return a folder of this process that holds a version; see `ModelStore.pull`."""
        self._require(version)
        folder = self._pulled / version.name / version.version
        with reachable(self._pulled):
            if folder.exists():
                return folder
            folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = folder.with_name(f".{uuid.uuid4().hex}")
            draft.mkdir()
            try:
                self.fetch(version, draft)
                draft.rename(folder)
            except OSError:
                if not folder.exists():  # another thread was quicker
                    raise
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        return folder

    def list(self, name: str | None = None) -> tuple[ModelVersion, ...]:
        """Return the versions of a model, or of all; see `ModelStore.list`."""
        found = listed(self.bucket, None if name is None else require_name(name))
        return tuple(
            ModelVersion(model, number)
            for model, listing in sorted(found.items())
            for number in listing.visible
        )

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
        self._require(target)
        record = listed(self.bucket, name)[name].records.get(alias, 0)
        now = self._marks.version(name, alias, record)
        require_expected(alias, now, None if expected is None else int(expected))
        self._marks.move(name, alias, record + 1, target.number)
        try:
            # Whoever deletes hides the version first and looks at the aliases then; so one of
            # the two sees the other.
            self._require(target)
        except ModelNotFound:
            self._marks.move(name, alias, record + 2, now)
            raise
        return target

    def aliases(self, name: str) -> dict[str, ModelVersion]:
        """Return what each alias of a model stands for; see `ModelStore.aliases`."""
        return self.shelf(name).aliases

    def delete(self, version: ModelVersion) -> None:
        """Delete a version for ever; see `ModelStore.delete`."""
        self._require(version)
        self._require_free(version)
        hidden = version_key(version, DELETED)
        self.bucket.create(hidden, b"{}\n")
        try:
            self._require_free(version)
        except VersionConflict:
            self.bucket.remove([hidden])
            raise
        kept = {hidden, version_key(version, CLAIM)}
        self.bucket.remove([k for k in self.bucket.keys(root_of(version)) if k not in kept])
        shutil.rmtree(self._pulled / version.name / version.version, ignore_errors=True)

    def describe(self, version: ModelVersion) -> ModelDocument:
        """Return model.json of a version, and pull nothing else; see `ModelStore.describe`."""
        self._require(version)
        with tempfile.TemporaryDirectory(prefix="tideline-") as made, reachable(Path(made)):
            self._fetch_files(version, Path(made), only=DOCUMENT)
            return read_document(Path(made))

    def read(self, version: ModelVersion, name: str) -> bytes:
        """Return one file that was kept, and pull nothing else; see `ModelStore.read`."""
        self._require(version)
        with tempfile.TemporaryDirectory(prefix="tideline-") as made, reachable(Path(made)):
            manifest, _ = self._fetch_manifest(version, Path(made))
            entry = manifest.files.get(name)
            if entry is not None and entry.size <= MAX_EXTRA_BYTES:
                self._fetch_files(version, Path(made), only=name)
            return read_extra(Path(made), name)

    def shelf(self, name: str) -> Shelf:
        """Return what there is of a model now; of one that there is not, an empty shelf."""
        require_name(name)
        return self._shelf(name, listed(self.bucket, name).get(name, Listing()))

    def shelves(self) -> dict[str, Shelf]:
        """Return what there is of all models now, by name."""
        found = {n: self._shelf(n, listing) for n, listing in listed(self.bucket).items()}
        return {name: shelf for name, shelf in found.items() if shelf.numbers}

    def fetch(self, version: ModelVersion, folder: Path) -> Manifest:
        """Write a version's files and its manifest to an empty folder, and verify them.

        Raises
        ------
        ModelNotFound
            When there is no such version.
        ModelRefused
            When it is too large, or not what its manifest says.
        """
        self._fetch_files(version, folder)
        return verify(folder)

    def manifest(self, version: ModelVersion) -> Manifest:
        """Return the manifest of a version.

        Raises
        ------
        ModelNotFound
            When there is no such version.
        ModelRefused
            When it cannot be read.
        """
        self._require(version)
        with tempfile.TemporaryDirectory(prefix="tideline-") as made, reachable(Path(made)):
            return self._fetch_manifest(version, Path(made))[0]

    def _publishable(self, folder: Path) -> Manifest:
        manifest = Manifest(files=published_files(verify(folder)))
        self._require_bounded(manifest)
        return manifest

    def _complete(self, version: ModelVersion, folder: Path, manifest: Manifest) -> None:
        content = manifest.model_dump_json(indent=1).encode() + b"\n"
        place = _place(content)
        for name, entry in manifest.files.items():
            sent = self._send(folder / name, version_key(version, f"{place}/{name}"), entry.size)
            if sent != entry:
                raise ModelRefused(f"{name} changed while it was published.", mend=AGAIN)
        if self.bucket.create(version_key(version, MANIFEST), content):
            return
        # Another pod of this run was quicker, with files of its own.
        if self._manifest(version) != content:
            self.bucket.remove(version_key(version, f"{place}/{n}") for n in manifest.files)

    def _send(self, path: Path, key: str, size: int) -> FileEntry:
        digest, sent = hashlib.sha256(), 0

        def blocks() -> Iterator[bytes]:
            nonlocal sent
            with path.open("rb") as file:
                while block := file.read(BLOCK):
                    digest.update(block)
                    sent += len(block)
                    yield block

        # A file of one block goes in one request.
        self.bucket.upload(key, [b"".join(blocks())] if size <= BLOCK else blocks())
        return FileEntry(sha256=digest.hexdigest(), size=sent)

    def _fetch_files(self, version: ModelVersion, folder: Path, only: str | None = None) -> None:
        manifest, content = self._fetch_manifest(version, folder)
        place = _place(content)
        for name, entry in manifest.files.items():
            key = version_key(version, f"{place}/{name}")
            if only in {None, name} and not self.bucket.download(key, folder / name, entry.size):
                self._require(version)  # It may have been deleted just now.
                raise ModelRefused(f"{name} of {version} is missing.", mend=AGAIN)

    def _fetch_manifest(self, version: ModelVersion, folder: Path) -> tuple[Manifest, bytes]:
        content = self._manifest(version)
        if content is None:
            raise self._no_version(version)
        (folder / MANIFEST).write_bytes(content)
        manifest = read_manifest(folder)
        self._require_bounded(manifest)
        return manifest, content

    def _manifest(self, version: ModelVersion) -> bytes | None:
        return self.bucket.read(version_key(version, MANIFEST), MAX_MANIFEST_BYTES)

    def _require_bounded(self, manifest: Manifest) -> None:
        if len(manifest.files) > MAX_FILES or manifest.size > self.max_bytes:
            raise ModelRefused(
                f"the model has {len(manifest.files)} files of {manifest.size} bytes in all; at "
                f"most {MAX_FILES} files of {self.max_bytes} bytes in all are allowed here.",
                mend="Train a smaller model; or give what answers from it more memory, and raise "
                "its TIDELINE_MAX_MODEL_BYTES.",
            )

    def _require(self, version: ModelVersion) -> None:
        require_name(version.name)
        if not is_visible(self.bucket, version):
            raise self._no_version(version)

    def _require_free(self, version: ModelVersion) -> None:
        found = listed(self.bucket, version.name)[version.name]
        require_free(version, self._shelf(version.name, found).standing)

    def _no_version(self, version: ModelVersion) -> Exception:
        shelf = self.shelf(version.name)
        if not shelf.numbers:
            return self._no_model(version.name)
        found = ", ".join(map(str, shelf.numbers[-10:]))
        return not_found(version.name, f"version {version.number}", f"versions {found}")

    def _no_model(self, name: str) -> Exception:
        names = ", ".join(self.bucket.names("models")[:10])
        return not_found(name, "version", f"models {names or 'none'}")

    def _shelf(self, name: str, listing: Listing) -> Shelf:
        return Shelf.of(name, listing.visible, self._marks.standing(name, listing.records))


def published_files(manifest: Manifest) -> dict[str, FileEntry]:
    """Return the files that are published: all but those that BentoML adds in its own store."""
    return {name: entry for name, entry in manifest.files.items() if name != BENTO_FILE}


def _place(manifest: bytes) -> str:
    """Return the folder of a manifest's files: two publishers of one number never mix theirs."""
    return hashlib.sha256(manifest).hexdigest()[:16]
