"""How a message shows what it found."""

from __future__ import annotations

import reprlib

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = 100


def shown(value: object) -> str:
    """Return a value as a message shows it, cut short where it is long."""
    return _repr.repr(value)
