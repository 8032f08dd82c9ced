"""What a replica last knew of the shared store, also after a restart."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tideline.store.disk import write_whole
from tideline.store.shelf import Shelf

logger = logging.getLogger(__name__)

FILE = "replica.json"


@dataclass(frozen=True)
class Known:
    """The shared store as it was at one moment.

    Attributes
    ----------
    store
        The URL of the shared store.
    shelves
        What there was of each model.
    seen
        When, in seconds since 1970, by this machine's clock.
    """

    store: str
    shelves: Mapping[str, Shelf]
    seen: float = field(default_factory=time.time)

    def shelf(self, name: str) -> Shelf:
        """Return what there was of a model; of one that there was not, an empty shelf."""
        return self.shelves.get(name, Shelf(name, (), {}))

    def write(self, folder: Path) -> None:
        """Keep it in a folder, for `read`."""
        folder.mkdir(parents=True, exist_ok=True)
        shelves = {
            n: _Shelf(numbers=s.numbers, standing=s.standing) for n, s in self.shelves.items()
        }
        content = _Document(store=self.store, seen=self.seen, shelves=shelves)
        write_whole(folder / FILE, content.model_dump_json().encode())

    @classmethod
    def read(cls, folder: Path, store: str) -> Known | None:
        """Return what was kept of this store; None when there is nothing."""
        try:
            found = _Document.model_validate_json((folder / FILE).read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError:
            logger.warning("%s is damaged, and the store is asked anew", folder / FILE)
            return None
        if found.store != store:
            return None
        shelves = {n: Shelf(n, s.numbers, s.standing) for n, s in found.shelves.items()}
        return cls(store, shelves, found.seen)


class _Shelf(BaseModel):
    model_config = ConfigDict(frozen=True)

    numbers: tuple[int, ...]
    standing: Mapping[str, int]


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True)

    store: str
    seen: float
    shelves: dict[str, _Shelf]
