"""The names that a model, a pipeline and an alias may have: those of BentoML's tags."""

from __future__ import annotations

import re

LONGEST_NAME = 63
NAME_RULE = (
    "lower-case letters, digits, and '-', '.' or '_' between them are expected, "
    f"at most {LONGEST_NAME}"
)
"""The rule in words, for a message."""

_NAME = re.compile("[a-z0-9]([-._a-z0-9]*[a-z0-9])?")


def is_name(text: str) -> bool:
    """Return whether a text can be a name."""
    return len(text) <= LONGEST_NAME and _NAME.fullmatch(text) is not None
