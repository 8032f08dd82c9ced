"""How a message shows what it found."""

from __future__ import annotations

import reprlib

_repr = reprlib.Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = 100


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number of things as a sentence counts them: `1 class`, `2 classes`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def shown(value: object) -> str:
    """Return a value as a message shows it, cut short where it is long."""
    return _repr.repr(value)
