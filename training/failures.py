"""Why pipelines fail, in words that are the same for failures that are the same."""

from __future__ import annotations

import re

MAX_REASON = 200
"""Characters of one reason."""

_PATH = re.compile(r"(?<![\w/.])/(?:[\w.+-]+/)+[\w.+-]*")
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]+\b")
# A digit that belongs to a name stays: float32, l1, max_depth_2.
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?!\w)")
_NUMBERS = re.compile(r"#(?:(?:[,\s]+#)+,?|,(?=\)))")
_END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)[.!?](?=\s)")


def reason_of(error: BaseException) -> str:
    """Return why something failed, so short and so general that equal failures can be counted.

    Parameters
    ----------
    error
        What was raised.

    Returns
    -------
    str
        The type of the error and its first sentence, at most `MAX_REASON` characters on one line;
        `#` stands for each number, or row of numbers, and `…` for each absolute path.

    Examples
    --------
    >>> reason_of(ValueError("Found array with 0 sample(s) (shape=(0, 7)). A minimum is required."))
    'ValueError: Found array with # sample(s) (shape=(#))'
    """
    name = type(error).__name__
    said = _first_sentence(str(error))
    if not said:
        return name
    masked = _NUMBER.sub("#", _ADDRESS.sub("#", _PATH.sub("…", said)))
    reason = f"{name}: {_NUMBERS.sub('#', masked)}"
    return reason if len(reason) <= MAX_REASON else f"{reason[: MAX_REASON - 1]}…"


def _first_sentence(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    printable = "".join(c if c.isprintable() else " " for c in first)
    end = _END.search(printable)
    return " ".join((printable[: end.start()] if end else printable).split()).rstrip(".!? ")
