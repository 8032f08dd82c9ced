"""How many cores this process may use."""

from __future__ import annotations

import os
from collections.abc import Callable


def available_cores() -> int:
    """Return how many cores this process may use."""
    affinity: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
