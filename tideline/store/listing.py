"""The keys of a shared store, and what a listing of them says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from tideline.store.base import ModelVersion, version_number
from tideline.store.bucket import Bucket
from tideline.store.manifest import MANIFEST

MODELS = "models"
CLAIM = "claim.json"
DELETED = "deleted.json"


@dataclass
class Listing:
    """What the keys of one model say.

    Attributes
    ----------
    claimed
        Every number that was ever taken.
    complete, deleted
        The numbers that have a manifest, and those that are hidden for ever.
    records
        The number of each alias's newest record.
    """

    claimed: set[int] = field(default_factory=set)
    complete: set[int] = field(default_factory=set)
    deleted: set[int] = field(default_factory=set)
    records: dict[str, int] = field(default_factory=dict)

    @property
    def visible(self) -> tuple[int, ...]:
        """The numbers of the versions that readers see, ascending."""
        return tuple(sorted(self.complete - self.deleted))

    def note(self, kind: str, item: str, rest: list[str]) -> None:
        """Take account of the key `<kind>/<item>/<rest...>` of the model."""
        number = version_number(item)
        if kind == "versions" and number is not None:
            self.claimed.add(number)
            if rest == [MANIFEST]:
                self.complete.add(number)
            elif rest == [DELETED]:
                self.deleted.add(number)
        elif kind == "aliases" and len(rest) == 1 and PurePosixPath(rest[0]).stem.isdigit():
            record = int(PurePosixPath(rest[0]).stem)
            self.records[item] = max(record, self.records.get(item, 0))


def listed(bucket: Bucket, name: str | None = None) -> dict[str, Listing]:
    """Return what the keys of one model, or of all, say now; of one without any, nothing."""
    found: dict[str, Listing] = defaultdict(Listing)
    for model, kind, item, rest in _parts(bucket, MODELS if name is None else f"{MODELS}/{name}"):
        found[model].note(kind, item, rest)
    return dict(found)


def is_visible(bucket: Bucket, version: ModelVersion) -> bool:
    """Tell whether readers see a version, by its own keys alone."""
    found = Listing()
    for _, kind, item, rest in _parts(bucket, root_of(version)):
        found.note(kind, item, rest)
    return version.number in found.visible


def root_of(version: ModelVersion) -> str:
    """Return what all keys of a version begin with."""
    return f"{MODELS}/{version.name}/versions/{version.number}"


def version_key(version: ModelVersion, file: str) -> str:
    """Return the key of a file of a version."""
    return f"{root_of(version)}/{file}"


def alias_key(name: str, alias: str, record: int) -> str:
    """Return the key of a record of an alias."""
    return f"{MODELS}/{name}/aliases/{alias}/{record:06d}.json"


def _parts(bucket: Bucket, prefix: str) -> Iterator[tuple[str, str, str, list[str]]]:
    for key in bucket.keys(prefix):
        parts = key.split("/")
        if len(parts) >= 5:
            yield parts[1], parts[2], parts[3], parts[4:]
