"""The names that a spec may use, and the nearest to one that it may not."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from tideline.errors import SpecError
from tideline.names import LONGEST_NAME, NAME_RULE, is_name
from tideline.wording import shown


def pipeline_name(value: object, *, field: str = "pipeline_id") -> str:
    """Return the name of a pipeline as the model store takes it; a whole number becomes text.

    Raises
    ------
    SpecError
        When the value cannot be the name of a BentoML model; a name that can be is suggested.

    Examples
    --------
    >>> pipeline_name(1)
    '1'
    >>> pipeline_name("Pump A")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    tideline.errors.SpecError: 'Pump A' cannot name a pipeline: ... Write 'pump-a'.
    """
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and is_name(text):
        return text
    letters = re.sub(r"[^-._a-z0-9]+", "-", text.lower()) if isinstance(text, str) else ""
    suggestion = letters[:LONGEST_NAME].strip("-._")
    raise SpecError(
        f"{shown(value)} cannot name a pipeline: {NAME_RULE}.",
        mend=f"Write {suggestion!r}." if suggestion else "Choose another name.",
        field=field,
    )


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that looks most like this one, or None."""
    by_lower = {k.lower(): k for k in known}
    near = get_close_matches(word.lower()[:100], by_lower, 1)
    return by_lower[near[0]] if near else None


def step(key: object) -> str:
    """Return a key as part of a dotted path, which a key of a client's own does not swell."""
    return str(key)[:LONGEST_NAME]
