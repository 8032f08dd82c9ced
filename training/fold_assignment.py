"""Which fold tests which case: dealt by class, by group, or in the order of time."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, TimeSeriesSplit

IntArray = NDArray[np.int64]

NEVER = -1
"""The fold of a case that is never tested: it is learned from, or comes before all that is."""

BINS = 10
"""Into how many parts of equal size the values of a regression are cut, to be spread by."""


def bins_of(values: NDArray[np.float64], size: int) -> IntArray:
    """Return the part that each value is in, from the smallest, each part of `size` values.

    Parameters
    ----------
    values : float64 array of shape (n_cases,)
    size : int
        From 1.
    """
    parts = np.empty(values.size, dtype=np.int64)
    parts[np.argsort(values, kind="stable")] = np.arange(values.size) // size
    return parts


def dealt(strata: IntArray, n_folds: int, random_state: int) -> IntArray:
    """Return the fold of each case, the cases of a stratum dealt to the folds in turn.

    As scikit-learn's `StratifiedKFold` does it, which refuses strata that are all smaller than
    `n_folds`. A stratum of up to `n_folds` cases has no two of them in one fold.

    Parameters
    ----------
    strata : int64 array of shape (n_cases,)
    """
    drawn = np.random.default_rng(random_state).random(strata.size)
    fold_of = np.empty(strata.size, dtype=np.int64)
    fold_of[np.lexsort((drawn, strata))] = np.arange(strata.size) % n_folds
    return fold_of


def by_group(
    strata: IntArray, groups: IntArray, n_folds: int, random_state: int, *, keep: bool
) -> IntArray:
    """Return the fold of each case, whole groups together and strata spread where they can be.

    Parameters
    ----------
    strata, groups : int64 arrays of shape (n_cases,)
    n_folds : int
        At most as many as there are groups are made, which have to be two.
    random_state
        The seed.
    keep
        Whether no fold may test all cases of a stratum that several groups have: rather are there
        more folds, up to one for each group.
    """
    _, group_of = np.unique(groups, return_inverse=True)
    _, stratum_of = np.unique(strata, return_inverse=True)
    held = np.zeros((group_of.max() + 1, stratum_of.max() + 1), dtype=np.int64)
    np.add.at(held, (group_of, stratum_of), 1)
    n_groups = len(held)
    if not keep:
        first = _stratified(stratum_of, group_of, min(n_folds, n_groups), random_state)
        return np.unique(first, return_inverse=True)[1][group_of].astype(np.int64)
    for number in range(min(n_folds, n_groups), n_groups):
        first = _stratified(stratum_of, group_of, number, random_state)
        mended = _mended(first, held, number)
        if mended is not None:
            return np.unique(mended, return_inverse=True)[1][group_of].astype(np.int64)
    return group_of.astype(np.int64)


def _stratified(
    strata: NDArray[np.intp], groups: NDArray[np.intp], n_folds: int, random_state: int
) -> IntArray:
    """Return the fold of each group as scikit-learn finds it."""
    large = n_folds <= np.bincount(strata).max()
    kind = StratifiedGroupKFold if large else GroupKFold
    splitter = kind(n_splits=n_folds, shuffle=True, random_state=random_state)
    fold_of = np.zeros(groups.max() + 1, dtype=np.int64)
    with warnings.catch_warnings():
        # That a stratum is smaller than the folds are many is known, and seen to below.
        warnings.simplefilter("ignore", UserWarning)
        for number, (_, tested) in enumerate(splitter.split(strata, strata, groups)):
            fold_of[groups[tested]] = number
    return fold_of


def _mended(fold_of: IntArray, held: IntArray, n_folds: int) -> IntArray | None:
    """Move groups until no fold tests all of a stratum that two groups have; None if that fails.

    Parameters
    ----------
    fold_of : int64 array of shape (n_groups,)
    held : int64 array of shape (n_groups, n_strata)
        How many cases of each stratum a group has.
    """
    fold_of = fold_of.copy()
    wrong = _whole_strata(fold_of, held, n_folds)
    for _ in range(len(held)):
        if not len(wrong):
            break
        fold, stratum = wrong[0]
        moved = int(np.flatnonzero((fold_of == fold) & (held[:, stratum] > 0))[0])
        choices = []
        for other in range(n_folds):
            tried = fold_of.copy()
            tried[moved] = other
            load = int(held[tried == other].sum())
            choices.append((len(_whole_strata(tried, held, n_folds)), load, other))
        fewest, _, fold_of[moved] = min(choices)
        if fewest >= len(wrong):
            return None
        wrong = _whole_strata(fold_of, held, n_folds)
    return None if len(wrong) or np.unique(fold_of).size < 2 else fold_of


def _whole_strata(fold_of: IntArray, held: IntArray, n_folds: int) -> NDArray[np.intp]:
    """Return the pairs of a fold and a stratum of several groups that is all in it."""
    spread = (held > 0).sum(axis=0)
    counts = np.zeros((n_folds, held.shape[1]), dtype=np.int64)
    np.add.at(counts, fold_of, held > 0)
    return np.argwhere((counts == spread) & (spread > 1))


def in_time(units: IntArray, first: int, n_folds: int) -> IntArray | None:
    """Return the fold of each case, each fold later than the one before, as `TimeSeriesSplit`.

    Parameters
    ----------
    units : int64 array of shape (n_cases,)
        The place in time of what is never divided, from 0 without a gap.
    first : int
        How many units come before all that is tested, at least.
    n_folds : int
        From 1.

    Returns
    -------
    int64 array of shape (n_cases,) or None
        `NEVER` for what comes before all that is tested; None when there are too few units.
    """
    n_units = int(units.max()) + 1
    size = min(n_units // (n_folds + 1), (n_units - first) // n_folds)
    if size < 1:
        return None
    fold_of = np.full(n_units, NEVER, dtype=np.int64)
    if n_folds == 1:
        fold_of[n_units - size :] = 0
    else:
        splitter = TimeSeriesSplit(n_splits=n_folds, test_size=size)
        for number, (_, tested) in enumerate(splitter.split(np.empty(n_units))):
            fold_of[tested] = number
    return fold_of[units]
