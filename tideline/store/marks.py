"""Marks: the alias records of a shared store, each an object that is created once.

As `AliasRecords` does on a disk: moving an alias is creating its next record. Records are never
deleted, for a number given again could be created again.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tideline.store.aliases import moved
from tideline.store.bucket import Bucket
from tideline.store.listing import alias_key

logger = logging.getLogger(__name__)

MAX_MARK_BYTES = 1 << 16


class _Mark(BaseModel):
    model_config = ConfigDict(frozen=True)

    version: int = Field(ge=0, description="0 for none.")
    mover: str = Field(description="Tells an own record, where a request was repeated.")


class Marks:
    """The alias records of all models in a bucket. Safe to use from several threads."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._newest: dict[tuple[str, str], tuple[int, int]] = {}

    def standing(self, name: str, records: Mapping[str, int]) -> dict[str, int]:
        """Return the version that each alias of a model stands for.

        Parameters
        ----------
        records
            The number of each alias's newest record, as a listing has it.
        """
        found = {alias: self.version(name, alias, record) for alias, record in records.items()}
        return {alias: version for alias, version in found.items() if version}

    def version(self, name: str, alias: str, record: int) -> int:
        """Return the version that a record of an alias says; 0 for none."""
        if not record:
            return 0
        known, version = self._newest.get((name, alias), (0, 0))
        if known != record:  # A record never changes, so each is read once.
            mark = self._read(alias_key(name, alias, record))
            version = mark.version if mark else 0
            self._newest[name, alias] = record, version
        return version

    def move(self, name: str, alias: str, record: int, version: int) -> None:
        """Create the next record of an alias.

        Raises
        ------
        VersionConflict
            When somebody else has created it.
        """
        key = alias_key(name, alias, record)
        mark = _Mark(version=version, mover=uuid.uuid4().hex)
        created = self._bucket.create(key, mark.model_dump_json().encode())
        # When the answer to a first request was lost, the second finds the own record.
        if not created and self._read(key) != mark:
            raise moved(alias, "was moved by somebody else at the same moment")

    def _read(self, key: str) -> _Mark | None:
        content = self._bucket.read(key, MAX_MARK_BYTES)
        try:
            return _Mark.model_validate_json(content or b"")
        except ValidationError:
            # It must not hide the other models; and the alias can be moved on from here.
            logger.warning("the record %s cannot be read; the alias stands for nothing", key)
            return None
