"""From an address to a store."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from tideline.errors import SpecError
from tideline.store.base import ModelStore


def open_store(address: str | Path) -> ModelStore:
    """Open the model store at an address.

    Parameters
    ----------
    address
        The folder of a BentoML home, as a path or a `file://` URL. It is made when something is
        published.

    Raises
    ------
    SpecError
        When the address is empty, or of a kind that no store is kept in.
    """
    from tideline.store.bento import BentoStore  # noqa: PLC0415 - one of several stores to come

    if isinstance(address, Path):
        return BentoStore(address)
    parts = urlsplit(address)
    if "://" in address and parts.scheme == "file" and parts.netloc in {"", "localhost"}:
        return BentoStore(Path(unquote(parts.path)))
    if not address or "://" in address:
        raise SpecError(
            f"{address!r} is not the address of a model store: a folder or a file:// URL is "
            "expected.",
            mend="Name the folder of a BentoML home.",
            field="store",
        )
    return BentoStore(Path(address))
