"""How much of what a run, or a cluster, tells of itself is kept.

A record is read again by every trainer that starts, and shown in every list of jobs: what a run
says of itself must not be able to make it large.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

MAX_TEXT = 4000
"""Characters of one message."""
MAX_SUMMARY = 64 * 1024
"""About how many characters of a summary are kept."""
LIMITS = ((100, 300), (20, 100), (5, 50))
"""How many entries of a list, and characters of a text, are kept: the first that is enough."""
MIN_WORDS = 20
"""So many words of the summary itself are kept in any case; the first are those that matter."""
MAX_DEPTH = 4
LARGEST_BITS = 63


def cut(text: object, most: int = MAX_TEXT) -> str:
    """Return a text, or what stands for it, of at most so many characters."""
    said = str(text)
    return said if len(said) <= most else f"{said[: most - 1]}…"


def bounded(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return a summary of bounded size; what was left out is said among its notices."""
    for most, characters in LIMITS:
        shortening = _Shortening(most, characters)
        kept = shortening.summary(summary)
        if _size(kept) <= MAX_SUMMARY:
            break
    if not shortening.told:
        return kept
    before = kept.get("notices")
    notice = f"This summary is shortened: {'; '.join(shortening.told[:10])}."
    return kept | {"notices": [*(before if isinstance(before, list) else ()), notice]}


class _Shortening:
    """Shortens one summary, and remembers in words what it left out."""

    def __init__(self, most: int, characters: int) -> None:
        self.most = most
        self.characters = characters
        self.told: list[str] = []

    def summary(self, found: Mapping[str, Any]) -> dict[str, Any]:
        most = max(self.most, MIN_WORDS)
        if len(found) > most:
            self.told.append(f"{most} of its {len(found)} words are kept")
        words = list(found.items())[:most]
        return {
            cut(key, self.characters): self._kept(value, cut(key, 50), 1) for key, value in words
        }

    def _kept(self, value: Any, place: str, depth: int) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(value, str) and len(value) > self.characters:
            self._tell(f"texts in {place} are cut at {self.characters} characters")
            return cut(value, self.characters)
        if isinstance(value, list | tuple | dict):
            if depth == MAX_DEPTH:
                self._tell(f"{place} is nested too deeply")
                return None
            if len(value) > self.most:
                self._tell(f"{place} holds {len(value)} entries, the first {self.most} are kept")
            return self._entries(value, place, depth + 1)
        return _told(value)

    def _entries(self, value: Any, place: str, depth: int) -> Any:  # noqa: ANN401 - any JSON
        if not isinstance(value, dict):
            return [self._kept(entry, place, depth) for entry in value[: self.most]]
        pairs = list(value.items())[: self.most]
        return {cut(k, self.characters): self._kept(v, place, depth) for k, v in pairs}

    def _tell(self, what: str) -> None:
        if what not in self.told:
            self.told.append(what)


def _told(value: object) -> object:
    """Return a number as every reader of JSON takes it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    is_huge = isinstance(value, int) and value.bit_length() > LARGEST_BITS
    return str(value)[:LARGEST_BITS] if is_huge else value


def _size(value: object) -> int:
    return sum(len(part) for part in _texts(value))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    else:
        yield str(value)
