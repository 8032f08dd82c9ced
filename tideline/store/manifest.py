"""The manifest: the SHA-256 of every file of a published model.

A folder is sound when the manifest names exactly the files that are there, each a plain file
directly in the folder, and each has the hash that the manifest says.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tideline.errors import ModelRefused
from tideline.panel import named

MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 1 << 20
BLOCK = 1 << 20

AGAIN = "Publish the model again; do not change a published file."


class FileEntry(BaseModel):
    """One file of a published model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    size: int = Field(ge=0, description="In bytes.")


class Manifest(BaseModel):
    """The files of a published model, by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = Field(1, ge=1, le=1)
    files: dict[str, FileEntry]

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(entry.size for entry in self.files.values())


def seal(folder: Path) -> Manifest:
    """Write the manifest of the files that are in a folder now, and return it.

    Raises
    ------
    ModelRefused
        When the folder holds anything but plain files.
    """
    manifest = Manifest(files={name: _entry(folder / name) for name in _names(folder)})
    (folder / MANIFEST).write_bytes(manifest.model_dump_json(indent=1).encode() + b"\n")
    return manifest


def verify(folder: Path) -> Manifest:
    """Check every file of a folder against its manifest, and return it.

    Raises
    ------
    ModelRefused
        When there is no manifest, it cannot be read, a file is missing, surplus, no plain file,
        or not what it was.
    """
    manifest = read_manifest(folder)
    found = set(_names(folder))
    expected = set(manifest.files)
    if missing := sorted(expected - found):
        raise ModelRefused(f"files of the model are missing: {named(missing)}.", mend=AGAIN)
    if surplus := sorted(found - expected):
        raise ModelRefused(
            f"the model holds files that its manifest does not name: {named(surplus)}.", mend=AGAIN
        )
    for name, entry in manifest.files.items():
        if _entry(folder / name) != entry:
            raise _changed(name)
    return manifest


def verified_bytes(folder: Path, manifest: Manifest, name: str) -> bytes:
    """Read one file, and return its content only if it is what the manifest says.

    What is used is what was hashed: nobody can change the file in between.

    Raises
    ------
    ModelRefused
        When the manifest does not name the file, or the content is another.
    """
    entry = manifest.files.get(name)
    if entry is None:
        raise ModelRefused(f"the manifest of the model does not name {name}.", mend=AGAIN)
    _require_plain(folder / name)
    content = _read(folder / name)
    if FileEntry(sha256=hashlib.sha256(content).hexdigest(), size=len(content)) != entry:
        raise _changed(name)
    return content


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a folder, without a look at the other files.

    Raises
    ------
    ModelRefused
        When it is not there, or not of the form expected.
    """
    path = folder / MANIFEST
    if not path.exists():
        raise ModelRefused(f"the model has no {MANIFEST}.", mend=AGAIN)
    _require_plain(path)
    if path.stat().st_size > MAX_MANIFEST_BYTES:
        raise ModelRefused(f"{MANIFEST} is over {MAX_MANIFEST_BYTES} bytes.", mend=AGAIN)
    try:
        manifest = Manifest.model_validate_json(_read(path))
    except ValidationError as error:
        raise ModelRefused(
            f"{MANIFEST} cannot be read: {error.errors()[0]['msg']}.", mend=AGAIN
        ) from error
    for name in manifest.files:
        if not _is_plain_name(name):
            raise ModelRefused(f"{MANIFEST} names {name!r}, which is not a file name.", mend=AGAIN)
    return manifest


def _is_plain_name(name: str) -> bool:
    return (
        bool(name)
        and name != MANIFEST
        and not name.startswith(".")
        and not any(c in name for c in "/\\:\0")
        and name.isprintable()
    )


def _names(folder: Path) -> list[str]:
    names = []
    for path in sorted(folder.iterdir()):
        _require_plain(path)
        if path.name != MANIFEST:
            names.append(path.name)
    return names


def _require_plain(path: Path) -> None:
    if path.is_symlink() or not path.is_file():
        raise ModelRefused(
            f"{path.name} is not a plain file; a model holds nothing else.", mend=AGAIN
        )


def _entry(path: Path) -> FileEntry:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            size += len(block)
    return FileEntry(sha256=digest.hexdigest(), size=size)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ModelRefused(f"{path.name} of the model is missing.", mend=AGAIN) from error


def _changed(name: str) -> ModelRefused:
    return ModelRefused(
        f"{name} of the model is not what was published: its hash differs.", mend=AGAIN
    )
