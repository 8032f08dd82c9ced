"""How many cores this process may use."""

from __future__ import annotations

import joblib


def available_cores() -> int:
    """Return how many cores this process may use: the machine's, or its container's if fewer."""
    return max(1, int(joblib.cpu_count()))
