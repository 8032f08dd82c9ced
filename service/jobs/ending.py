"""How a run ended, in words."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from typing import Any

from service.jobs.bounds import cut
from service.jobs.launcher import SIGNALLED
from service.problems import Problem
from tideline.errors import Interrupted

MAX_FIELD = 500
EXIT_WORDS = {
    64: "a parameter file that cannot be used",
    65: "data that cannot be used",
    66: "an input that is not there",
    75: "something that may pass",
}
"""The exit codes of the training program."""


def document_of(content: bytes | str) -> Mapping[str, Any]:
    """Return a JSON object; empty for anything else."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def told(error: Mapping[str, object], instance: str) -> Problem:
    """Return the problem that the training program told of."""
    field = error.get("field")
    return Problem.of_code(
        str(error.get("code")),
        cut(error.get("message", "the run failed.")),
        mend=cut(error.get("mend") or ""),
        field=None if field is None else cut(field, MAX_FIELD),
        retryable=bool(error.get("retryable")),
        instance=instance,
    )


def is_interrupted(result: Mapping[str, Any], code: int) -> bool:
    """Return whether a run was stopped from outside, by its result and its exit code."""
    told_code = result.get("error", {}).get("code")
    return told_code == Interrupted.code or code == SIGNALLED + signal.SIGTERM


def in_words(code: int) -> str:
    """Return an exit code in words that follow on `the run ended`."""
    if code in EXIT_WORDS:
        return f"with exit code {code}: {EXIT_WORDS[code]}"
    number = code - SIGNALLED
    if number not in set(signal.Signals):
        return f"with exit code {code}"
    return f"by signal {number} ({signal.Signals(number).name})"


def perhaps(code: int) -> str:
    """Return what may be behind an exit code, in words that follow on those of it."""
    return "; often there was too little memory" if code == SIGNALLED + signal.SIGKILL else ""
