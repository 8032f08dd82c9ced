"""From an address to a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tideline.errors import SpecError
from tideline.home import require_home, why_unwritable
from tideline.store.base import ModelStore

if TYPE_CHECKING:
    from tideline.store.bento import BentoStore
    from tideline.store.replica import Replica

PATIENCE = 60.0
"""Seconds over which a request of a training is tried again."""


def open_store(address: str | Path) -> ModelStore:
    """Open the model store at an address.

    Parameters
    ----------
    address
        A path: the BentoML home of this machine, which is made when something is published. A
        URL: a store that machines share, `file:///folder`, `s3://bucket/prefix`,
        `gs://bucket/prefix` or `az://account/container`; credentials come from the environment.

    Raises
    ------
    SpecError
        When the address is empty, or of a kind that no store is kept in.
    """
    if not is_shared(address):
        return _bento(address)
    from tideline.store.objects import ObjectStore  # noqa: PLC0415 - one of several stores

    return ObjectStore(str(address))


def open_outbox(address: str | Path, home: Path, *, patience: float = PATIENCE) -> ModelStore:
    """Open the model store at an address to publish what was trained here.

    Parameters
    ----------
    address
        As for `open_store`.
    home
        The BentoML home into which a version goes first where the store is a shared one.
    patience
        Seconds over which each request to a shared store is tried again.

    Raises
    ------
    SpecError
        As for `open_store`, and when the folder cannot be made or written to: to be told before
        the time of a training is spent.
    """
    if is_shared(address) or Path(address) == home:
        require_home(home)
    else:
        _require_writable(Path(address).expanduser())
    if not is_shared(address):
        return _bento(address)
    from tideline.store.outbox import Outbox  # noqa: PLC0415 - one of several stores

    return Outbox(str(address), _bento(home), patience=patience)


def open_replica(
    address: str,
    home: Path,
    *,
    poll_seconds: float,
    max_bytes: int | None = None,
    room: int | None = None,
) -> Replica:
    """Open a shared store to answer from its models on this machine.

    Parameters
    ----------
    address
        A URL, as for `open_store`.
    home
        The BentoML home that models are pulled into; of this process alone.
    poll_seconds
        How often the shared store is looked at.
    max_bytes
        The size of the largest model that is pulled; that of `ObjectStore` when left out.
    room
        The bytes that the models pulled may take; those of `Copies` when left out.

    Raises
    ------
    SpecError
        As for `open_store`.
    """
    from tideline.store.copies import ROOM  # noqa: PLC0415 - for one of several stores
    from tideline.store.objects import MAX_BYTES, ObjectStore  # noqa: PLC0415
    from tideline.store.replica import Replica  # noqa: PLC0415

    shared = ObjectStore(address, max_bytes=MAX_BYTES if max_bytes is None else max_bytes)
    own = _bento(home)
    return Replica(shared, own, poll_seconds=poll_seconds, room=ROOM if room is None else room)


def is_shared(address: str | Path) -> bool:
    """Tell whether an address is a URL, of a store that machines share, and not a path."""
    return isinstance(address, str) and "://" in address


def _bento(address: str | Path) -> BentoStore:
    from tideline.store.bento import BentoStore  # noqa: PLC0415 - one of several stores

    if not str(address):
        raise SpecError(
            "'' is not the address of a model store: a folder or a URL is expected.",
            mend="Name the folder of a BentoML home, or the URL of a shared store.",
            field="store",
        )
    return BentoStore(Path(address))


def _require_writable(home: Path) -> None:
    reason = why_unwritable(home)
    if reason is not None:
        raise SpecError(
            f"store names the folder {str(home)!r}, but it {reason}.",
            mend="Name a folder that you may write to.",
            field="store",
        )
