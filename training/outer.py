"""Outer folds of small data: what is found without each of them judges the way of finding."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from training.finder import Finder
from training.ledger import Ledger
from training.schedule import NESTED_SHARE
from training.search_time import SearchTime
from training.split import Split
from training.trial import Trial

FEWEST_TO_SEARCH = 5
"""Outer folds, below which a score that is nearer to the truth is worth more than a search."""
JOB_SECONDS = 0.1
"""What a fold takes at least beside fit and answer: the way to a worker, and its features."""
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

    def seconds(self, known: Trial, beside: float) -> float:
        """Return what it takes to compare a candidate in it, from what it took with all cases.

        Fits take as much longer as there are more cases to learn from, answers as there are more
        to answer for.

        Parameters
        ----------
        beside
            What each of its folds takes beside fit and answer.
        """
        everything = self.split.train.size + self.split.held_out.size
        part, whole = self.finder.part, 1 - 1 / known.n_folds
        learned = sum(fit_on.size for fit_on, _ in part.folds) / (whole * everything)
        asked = sum(asked.size for _, asked in part.folds) * known.n_folds / everything
        told = known.fit_seconds * learned + known.predict_seconds * asked
        return told + part.n_folds * beside


def affordable(
    ways: Iterable[Sequence[OuterFold]],
    known: Mapping[str, Trial],
    ledger: Ledger,
    last_fits: Callable[[int], float],
    *,
    left: float,
    n_workers: int,
    beside: float = JOB_SECONDS,
    searches: bool = True,
) -> Sequence[OuterFold]:
    """Return the way of cutting outer folds that the time does for; nothing if none is.

    The finest one in which TPOT can surely search as well; else the finest in which it may just be
    able to; else the finest that the portfolio can be compared in. Where the second turns out too
    short after all, there are fewer folds than could have been had, and no search.

    Parameters
    ----------
    ways
        The folds of each, the dearest way first.
    known : mapping of key to Trial
        What is known, of all cases, of each candidate that is to be compared in every outer fold.
    ledger
        What it knows, of an earlier start of the run, costs nothing; the way that was taken then is
        taken again.
    last_fits
        Returns the seconds that the default's last fits take with so many outer folds.
    left
        Seconds until everything has to be fitted.
    beside
        What a fold of a candidate takes beside fit and answer; see `seconds_beside`.
    searches
        Whether TPOT is to be asked.
    """
    needed = [(folds, _seconds(folds, known, ledger, beside) / n_workers) for folds in ways]
    if known and (done := [folds for folds, seconds in needed if not seconds]):
        return done[0]
    most = NESTED_SHARE * max(left - last_fits(0), 0.0)
    found = [(folds, seconds) for folds, seconds in needed if seconds <= most]
    searched = [
        (folds, SearchTime.before(last_fits(len(folds)), left - seconds, len(folds)))
        for folds, seconds in found
        if searches and len(folds) >= FEWEST_TO_SEARCH
    ]
    surely = [folds for folds, for_tpot in searched if for_tpot.is_surely_enough]
    # The cheapest, if it may be enough: the dearest would spend what TPOT needs.
    perhaps = [folds for folds, for_tpot in searched if for_tpot.is_enough][-1:]
    without = [folds for folds, _ in found]
    return next(iter([*surely, *perhaps, *without]), ())


def seconds_beside(trials: Iterable[Trial], seconds: float, n_workers: int) -> float:
    """Return what a fold took beside fit and answer, as imputation and the way to a worker.

    Parameters
    ----------
    trials
        What was compared.
    seconds
        In which it was, by so many workers; fewer where the ledger knew of some.
    """
    told = [(trial.n_folds, trial.n_folds * trial.fold_seconds) for trial in trials]
    n_jobs, within = map(sum, zip(*told, strict=True))
    return max(JOB_SECONDS, (n_workers * seconds - within) / n_jobs)


def _seconds(
    folds: Sequence[OuterFold], known: Mapping[str, Trial], ledger: Ledger, beside: float
) -> float:
    """Return what is still to be spent on comparing some candidates in each fold."""
    return sum(
        fold.seconds(trial, beside)
        for fold in folds
        for key, trial in known.items()
        if ledger.find(fold.finder.part.name, key) is None
    )
