"""The order of the cases in time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tideline.panel import Panel


def case_order(panel: Panel) -> tuple[NDArray[np.int64], str]:
    """Return when each case begins, as a rank, and in words what that was taken from.

    Parameters
    ----------
    panel
        Its channels have times where `column_sort` was given.

    Returns
    -------
    rank : int64 array of shape (n_cases,)
        From 0, equal for cases that begin at the same time.
    told : str
        For a notice.
    """
    starts = _starts(panel)
    if starts is not None and np.unique(starts).size > 1:
        _, rank = np.unique(starts, return_inverse=True)
        return rank.astype(np.int64), "the time of a case is its first one in column_sort"
    why = (
        "the data has no times"
        if starts is None
        else "all cases begin at the same time in column_sort"
    )
    return np.arange(panel.n_cases), f"the time of a case is its place in the data: {why}"


def _starts(panel: Panel) -> NDArray[Any] | None:
    """Return the earliest time of each case over its channels, where all of them have one."""
    earliest: NDArray[Any] | None = None
    known = np.zeros(panel.n_cases, dtype=np.bool_)
    for channel in panel.channels.values():
        if channel.index is None:
            return None
        present = channel.lengths > 0
        begins = channel.index[channel.offsets[:-1][present]]
        if earliest is None:
            earliest = np.zeros(panel.n_cases, dtype=channel.index.dtype)
        fresh = present & ~known
        at = np.flatnonzero(present)
        earliest[at] = np.where(fresh[at], begins, np.minimum(earliest[at], begins))
        known |= present
    return earliest if known.all() else None
