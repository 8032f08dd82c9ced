"""Two ways of doing the same, timed in turn."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Race:
    """What came of it.

    Attributes
    ----------
    ours, peers
        The median time of one unit of work, in seconds.
    ratio
        The median, over the rounds, of the peer's time by ours in that round.
    """

    ours: float
    peers: float
    ratio: float


def race(
    ours: Callable[[], object],
    peers: Callable[[], object],
    *,
    units: tuple[int, int],
    rounds: int = 5,
) -> Race:
    """Run both in turn, several times, after one run of each that does not count.

    Parameters
    ----------
    ours, peers
        The two.
    units
        How many units of work, such as series, each of them does in one run.
    rounds
        How often. Each round has its own ratio: what else the machine does weighs on both.
    """
    ours()
    peers()
    pairs = []
    for _ in range(rounds):
        gc.collect()
        pairs.append((seconds(ours) / units[0], seconds(peers) / units[1]))
    return Race(
        statistics.median(mine for mine, _ in pairs),
        statistics.median(theirs for _, theirs in pairs),
        statistics.median(theirs / mine for mine, theirs in pairs),
    )


def seconds(work: Callable[[], object]) -> float:
    """Return how long something takes, on the wall's clock."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
