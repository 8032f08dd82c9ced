"""Outer folds of small data: what is found without each of them judges the way of finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from training.finder import Finder
from training.ledger import Ledger
from training.schedule import FIT_SHARE, LEAST_SEARCH, NESTED_SHARE
from training.split import Split

FEWEST_TO_SEARCH = 5
"""Outer folds, below which a score that is nearer to the truth is worth more than a search."""
SURELY = 1.25
"""What is reckoned with of a search beyond its least: the estimate comes before the comparisons."""
JOB_SECONDS = 0.1
"""What a fold takes beside fit and answer: the way to a worker, and its features."""
NESTED_FOLDS = 3
"""Folds inside an outer fold, at most: what is judged there is the way of choosing."""


@dataclass(frozen=True, eq=False)
class OuterFold:
    """One of them.

    Attributes
    ----------
    finder
        Compares on the cases outside of it.
    split
        What it tests is held out, the rest is `train`.
    """

    finder: Finder
    split: Split


def affordable(
    ways: Iterable[Sequence[OuterFold]],
    fold_seconds: Mapping[str, float],
    ledger: Ledger,
    left: float,
    n_workers: int,
) -> Sequence[OuterFold]:
    """Return the way of cutting outer folds that the time does for; nothing if none is.

    The finest one in which TPOT can search as well; else the finest that the portfolio can be
    compared in.

    Parameters
    ----------
    ways
        The folds of each, the dearest way first.
    fold_seconds : mapping of key to float
        What one fold takes of each candidate that is to be compared in every outer fold.
    ledger
        What it knows, of an earlier start of the run, costs nothing; the way that was taken then is
        taken again.
    left
        Seconds until everything has to be fitted.
    """
    needed = [(folds, _seconds(folds, fold_seconds, ledger) / n_workers) for folds in ways]
    if fold_seconds and (known := [folds for folds, seconds in needed if not seconds]):
        return known[0]
    most = NESTED_SHARE * max(left, 0.0)
    found = [(folds, seconds) for folds, seconds in needed if seconds <= most]
    for folds, seconds in found:
        each = (1 - FIT_SHARE) * (left - seconds) / 2 / len(folds)
        if len(folds) >= FEWEST_TO_SEARCH and each >= SURELY * LEAST_SEARCH:
            return folds
    return found[0][0] if found else ()


def _seconds(
    folds: Sequence[OuterFold], fold_seconds: Mapping[str, float], ledger: Ledger
) -> float:
    """Return what is still to be spent on comparing some candidates in each fold."""
    return sum(
        fold.finder.part.n_folds * (each + JOB_SECONDS)
        for fold in folds
        for key, each in fold_seconds.items()
        if ledger.find(fold.finder.part.name, key) is None
    )
