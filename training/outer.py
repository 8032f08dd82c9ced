"""Outer folds of small data: what is found without each of them judges the way of finding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from training.finder import Finder
from training.ledger import Ledger
from training.split import Split

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
    seconds: float,
) -> Sequence[OuterFold]:
    """Return the first way of cutting outer folds that the time does for; nothing if none is.

    Where there are several, the dearest has to do with half of the time: what it tells is a little
    more, and a score that is late is none.

    Parameters
    ----------
    ways
        The folds of each, the dearest way first.
    fold_seconds : mapping of key to float
        What one fold takes of each candidate that is to be compared in every outer fold.
    ledger
        What it knows, of an earlier start of the run, costs nothing.
    seconds
        Of one worker.
    """
    ways = list(ways)
    for folds in ways:
        needed = sum(
            fold.finder.part.n_folds * each
            for fold in folds
            for key, each in fold_seconds.items()
            if ledger.find(fold.finder.part.name, key) is None
        )
        if needed <= (seconds / 2 if len(ways) > 1 and folds is ways[0] else seconds):
            return folds
    return ()
