"""The ids that were met in a file that is read in parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray


class Seen:
    """The cases that were met, eight bytes each: what has to be kept of them all."""

    def __init__(self) -> None:
        # Ascending hashes; each array is larger than the next, so that there are few.
        self._runs: list[NDArray[np.uint64]] = []

    def again(self, keys: Sequence[str]) -> list[int]:
        """Return the positions of keys that were met before, or very rarely share a hash."""
        if not keys:
            return []
        hashes = pd.util.hash_array(np.array(keys, dtype=object), categorize=False)
        known = np.zeros(hashes.size, dtype=np.bool_)
        for run in self._runs:
            at = np.minimum(np.searchsorted(run, hashes), run.size - 1)
            known |= run[at] == hashes
        merged = np.sort(hashes)
        while self._runs and self._runs[-1].size <= merged.size:
            merged = np.sort(np.concatenate([self._runs.pop(), merged]), kind="stable")
        self._runs.append(merged)
        return [int(position) for position in np.flatnonzero(known)]
