"""How a run ended, in words."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import Any

from service.jobs.launcher import SIGNALLED
from service.problems import Problem
from tideline.errors import Interrupted


def told(error: Mapping[str, object], instance: str) -> Problem:
    """Return the problem that the training program told of."""
    field = error.get("field")
    return Problem.of_code(
        str(error.get("code")),
        str(error.get("message", "the run failed.")),
        mend=str(error.get("mend") or ""),
        field=None if field is None else str(field),
        retryable=bool(error.get("retryable")),
        instance=instance,
    )


def is_interrupted(result: Mapping[str, Any], code: int) -> bool:
    """Return whether a run was stopped from outside, by its result and its exit code."""
    told_code = result.get("error", {}).get("code")
    return told_code == Interrupted.code or code == SIGNALLED + signal.SIGTERM


def in_words(code: int) -> str:
    """Return an exit code in words that follow on `the run ended`."""
    if code <= SIGNALLED:
        return f"with exit code {code}"
    number = code - SIGNALLED
    name = signal.Signals(number).name if number in set(signal.Signals) else "unknown"
    memory = "; often there was too little memory" if number == signal.SIGKILL else ""
    return f"by signal {number} ({name}){memory}"
