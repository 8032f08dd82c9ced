"""Outer folds of small data: what is found without each of them judges the way of finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from training.evaluator import Part
from training.finder import Finder
from training.ledger import Ledger
from training.schedule import FIT_SHARE, NESTED_SHARE
from training.search_time import SURELY, least_for
from training.split import Split

FEWEST_TO_SEARCH = 5
"""Outer folds, below which a score that is nearer to the truth is worth more than a search."""
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
    main: Part,
    fold_seconds: Mapping[str, float],
    ledger: Ledger,
    *,
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
    main
        Of all cases.
    fold_seconds : mapping of key to float
        What one of its folds took of each candidate that is to be compared in every outer fold.
    ledger
        What it knows, of an earlier start of the run, costs nothing; the way that was taken then is
        taken again.
    left
        Seconds until everything has to be fitted.
    """
    needed = [(folds, _seconds(folds, main, fold_seconds, ledger) / n_workers) for folds in ways]
    if fold_seconds and (known := [folds for folds, seconds in needed if not seconds]):
        return known[0]
    most = NESTED_SHARE * max(left, 0.0)
    found = [(folds, seconds) for folds, seconds in needed if seconds <= most]
    for folds, seconds in found:
        for_tpot = (1 - FIT_SHARE) * (left - seconds)
        if len(folds) >= FEWEST_TO_SEARCH and for_tpot >= SURELY * least_for(len(folds)):
            return folds
    return found[0][0] if found else ()


def _seconds(
    folds: Sequence[OuterFold], main: Part, fold_seconds: Mapping[str, float], ledger: Ledger
) -> float:
    """Return what is still to be spent on comparing some candidates in each fold."""
    learned = _mean_learned(main)
    return sum(
        fold.finder.part.n_folds
        * (each * min(1.0, _mean_learned(fold.finder.part) / learned) + JOB_SECONDS)
        for fold in folds
        for key, each in fold_seconds.items()
        if ledger.find(fold.finder.part.name, key) is None
    )


def _mean_learned(part: Part) -> float:
    """Return how many cases a fold learns from: what it takes grows with them, or faster."""
    return sum(fit_on.size for fit_on, _ in part.folds) / part.n_folds
