"""What the runs of a job have said, in chapters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LOG_TAIL = 1024 * 1024
"""How much of a log is kept and shown, in bytes."""

CUT = "…\n"
"""Stands where the beginning of a long log was."""


@dataclass(frozen=True)
class Chapter:
    """What one run has said so far, or several that write into one place.

    Attributes
    ----------
    name
        The chapter's name, which stays; when a job is accepted anew, its chapters are others.
    text
        Its words, of very many the end; they grow, but those that are known of a run that was
        killed may also become fewer.
    gap
        A line that says why there may be more than can be read now; empty where there is not.
    """

    name: str
    text: str
    gap: str = ""


def log_of(chapters: Iterable[Chapter]) -> str:
    """Return chapters as one text; of a very long one its end."""
    return tail("".join(closed(chapter.text) + chapter.gap for chapter in chapters))


def closed(text: str) -> str:
    """Return a text with its last line ended, as a run that is killed may leave it unended."""
    return text if not text or text.endswith("\n") else text + "\n"


def tail(text: str) -> str:
    """Return the end of a long text, from the beginning of a line on."""
    return text if len(text) <= LOG_TAIL else CUT + text[-LOG_TAIL:].partition("\n")[2]
