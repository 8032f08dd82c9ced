"""Why pipelines fail, in words that are the same for failures that are the same."""

from __future__ import annotations

import re

from tideline.errors import SearchFailed

MAX_REASON = 200
"""Characters of one reason."""
KILLED = "its process was killed, as it is when the memory is used up"

# NumPy's, Python's own, and what libraries in C++ say.
_MEMORY = re.compile(r"\b_?(?:Array)?MemoryError\b|\bbad_?[ ]?alloc")
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


def is_of_memory(reason: str) -> bool:
    """Tell whether something failed for want of memory.

    Examples
    --------
    >>> is_of_memory("MemoryError: Unable to allocate # GiB for an array with shape (#)")
    True
    """
    return KILLED in reason or _MEMORY.search(reason) is not None


def could_not_be_fitted(
    said: str, reason: str, memory: str, *, mend: str, field: str = "model_training"
) -> SearchFailed:
    """Return the error of a model that the run cannot do without.

    Parameters
    ----------
    said
        What could not be done, without a full stop.
    reason
        Why, as `reason_of` has it.
    memory
        What memory there was, in words: told where there was too little.
    mend, field
        What would help where memory was not the reason.
    """
    if not is_of_memory(reason):
        return SearchFailed(f"{said}: {reason}.", mend=mend, field=field)
    return SearchFailed(
        f"{said} in the memory that there is: {reason}; {memory}.",
        mend="Name a smaller model (fewer or shallower trees), fewer features "
        "(default_fc_parameters: minimal), or raise the memory limit of the run's container.",
        field=field,
    )


def _first_sentence(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    printable = "".join(c if c.isprintable() else " " for c in first)
    end = _END.search(printable)
    return " ".join((printable[: end.start()] if end else printable).split()).rstrip(".!? ")
