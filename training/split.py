"""Which cases are learned from, which are held out, and which folds the search compares on.

Large data is split once: a part is held out, which the search never sees. Small data cannot spare
one: its cases are cut into outer folds, and each is answered by what a search found without it.
Groups stay together on one side, and in the order of time nothing is tested on what came before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from sklearn.model_selection import train_test_split

from tideline.panel import named
from training.fold_assignment import BINS, IntArray, bins_of
from training.split_basis import DEFAULT_FOLDS, LEAST_OF_NUMBERS, Basis, Positions
from training.task import Target

DEFAULT_TEST_FRACTION = 0.25
OUTER_FOLDS = (10, DEFAULT_FOLDS, 3)
"""How many outer folds, as the time allows: of ten each learns from nine tenths of the cases."""
SMALL = 400
"""Cases below which none is held out unless asked for: a quarter would leave a wide interval."""
LEAST_FOR_HOLD_OUT = 4
"""Members of a class below which none is spared."""


@dataclass(frozen=True, eq=False)
class Split:
    """Positions in the panel, and folds over the training part.

    Attributes
    ----------
    train : intp array of shape (n_train,)
        Positions in the panel, rising.
    held_out : intp array of shape (n_held_out,)
        Positions that the search never sees; may be empty.
    fold_of : int64 array of shape (n_train,)
        The fold in which each training case is tested; -1 for one that never is.
    basis : Basis
        What the split goes by.
    outer : tuple of int64 array of shape (n_cases,)
        Ways to cut outer folds, the finest first, where the score is to come from them: the outer
        fold of each case, -1 for one that is in none. `train` is everything then, and `held_out`
        empty.
    note : str or None
        Why there is no held-out part, where there is none, and other things to be told.
    """

    train: Positions
    held_out: Positions
    fold_of: IntArray
    basis: Basis
    outer: tuple[IntArray, ...] = ()
    note: str | None = None

    @property
    def n_folds(self) -> int:
        """The number of folds: at least 2, in the order of time at least 1."""
        return int(self.fold_of.max()) + 1

    @property
    def folds(self) -> tuple[tuple[Positions, Positions], ...]:
        """Of each fold the cases that are learned from, and those that are tested, in the panel.

        Learned from is all which the fold does not test; in the order of time, what came before it.
        """
        tested = [self.train[self.fold_of == fold] for fold in range(self.n_folds)]
        return tuple((self.basis.before(cases, self.train), cases) for cases in tested)

    def in_folds(self, most: int) -> Split:
        """Return the same split with fewer folds over `train`, where it has more."""
        if self.n_folds <= most:
            return self
        fold_of = replace(self.basis, folds=most).folds_of(self.train)
        return replace(self, fold_of=fold_of)

    def outer_splits(self) -> Iterator[tuple[Split, ...]]:
        """Yield, for each way in `outer`, a split for each of its folds.

        What the fold tests is held out, the rest is `train`.
        """
        for outer_of in self.outer:
            everything = np.arange(outer_of.size, dtype=np.intp)
            parts = [np.flatnonzero(outer_of == k) for k in range(int(outer_of.max()) + 1)]
            trains = [self.basis.before(held_out, everything) for held_out in parts]
            yield tuple(
                Split(train, held_out, self.basis.folds_of(train), self.basis)
                for train, held_out in zip(trains, parts, strict=True)
            )


def split_cases(
    target: Target,
    test_fraction: float | None = None,
    folds: int | None = None,
    random_state: int = 0,
    *,
    groups: IntArray | None = None,
    rank: IntArray | None = None,
) -> Split:
    """Split the cases, by class where there are classes, over the values of a regression else.

    Parameters
    ----------
    target
        The labels of all cases.
    test_fraction
        The part to hold out; 0 for none, None for what suits: outer folds below `SMALL` cases or
        where the smallest class can spare no member, else `DEFAULT_TEST_FRACTION`.
    folds
        How many folds; None for `DEFAULT_FOLDS`, or fewer where there are few or very many cases.
    random_state
        The seed.
    groups : int64 array of shape (n_cases,) or None
        Which cases belong together.
    rank : int64 array of shape (n_cases,) or None
        When each case begins; where it is given, the held-out part is the latest, and each fold
        is tested on later cases than it learns from.

    Raises
    ------
    LabelError
        In the order of time, when nothing comes after the first case of each class.
    """
    basis = Basis(target, groups, rank, folds, random_state)
    everything = np.arange(target.y.size, dtype=np.intp)
    nobody = everything[:0]
    if test_fraction == 0:
        note: str | None = "test_fraction is 0: no part was held out"
        split = Split(everything, nobody, basis.folds_of(everything), basis, note=note)
    elif rank is not None:
        split = _latest_held_out(basis, test_fraction or DEFAULT_TEST_FRACTION)
    else:
        chosen, reason = _held_out(basis, test_fraction)
        if reason is None:
            train = basis.before(chosen, everything)
            split = Split(train, chosen, basis.folds_of(train), basis)
        else:
            split = _with_outer_folds(basis, reason)
    return replace(split, note="; ".join(_told(split)) or None)


def _told(split: Split) -> list[str]:
    """Return what is to be told of a split, in sentences without an end."""
    told = [] if split.note is None else [split.note]
    basis, wanted = split.basis, split.basis.folds
    if basis.groups is not None and basis.rank is None and not basis.keeps_groups(split.train):
        told.append(
            "too few groups are left to learn from: the folds that models are compared on divide "
            "them, which flatters the scores of the search"
        )
    if wanted is not None and split.n_folds != wanted:
        told.append(
            f"cv asks for {wanted} folds, and the {split.train.size} cases to learn from are cut "
            f"into {split.n_folds}"
        )
    return told


def _with_outer_folds(basis: Basis, reason: str) -> Split:
    """Return a split that holds nothing out, and has outer folds where each can be learned for."""
    everything = np.arange(basis.target.y.size, dtype=np.intp)
    split = Split(everything, everything[:0], basis.folds_of(everything), basis)
    whole = basis.groups is None or basis.keeps_groups(everything)
    split = replace(split, outer=_outer_folds(basis, everything) if whole else ())
    fit = [all(one.n_folds >= 2 for one in splits) for splits in split.outer_splits()]
    outer = tuple(outer_of for outer_of, is_fit in zip(split.outer, fit, strict=True) if is_fit)
    told = ": no part was held out, and the score is that of outer folds"
    if not outer:
        told = ", and too few for outer folds: no part was held out"
    return replace(split, outer=outer, note=reason + told)


def _outer_folds(basis: Basis, everything: Positions) -> tuple[IntArray, ...]:
    """Return the ways to cut outer folds, the finest first: no more folds than pairs of cases."""
    most = max(2, everything.size // 2)
    ways: list[IntArray] = []
    for number in OUTER_FOLDS:
        outer_of = replace(basis, folds=min(number, most), least=2).folds_of(everything)
        if not ways or outer_of.max() < ways[-1].max():
            ways.append(outer_of)
    return tuple(ways)


def _latest_held_out(basis: Basis, fraction: float) -> Split:
    """Return a split whose held-out part is the latest, of whole units of about that size."""
    everything = np.arange(basis.target.y.size, dtype=np.intp)
    units = basis.units_of(everything)
    sizes = np.cumsum(np.bincount(units)[::-1])[:-1]
    taken = int(np.argmin(np.abs(sizes - fraction * everything.size))) + 1 if sizes.size else 0
    held_out = everything[units > units.max() - taken]
    train = basis.before(held_out, everything) if taken else everything[:0]
    least = 1 if basis.target.n_classes else LEAST_OF_NUMBERS
    fair = 2 * train.size >= everything.size - held_out.size
    if held_out.size >= least and fair and _knows_all(basis.target, train):
        fold_of = basis.folds_in_time(train)
        if fold_of is not None:
            note = _told_of_latest(basis.target, held_out, train)
            return Split(train, held_out, fold_of, basis, note=note)
    note = "in the order of time, too little comes before the latest cases: no part was held out"
    return Split(everything, everything[:0], basis.folds_of(everything), basis, note=note)


def _told_of_latest(target: Target, held_out: Positions, train: Positions) -> str | None:
    """Return what is unexpected about a held-out part that time has chosen."""
    told = []
    absent = np.setdiff1d(np.arange(target.n_classes), target.y[held_out])
    if absent.size:
        classes = named((target.classes[label] for label in absent), absent.size)
        told.append(f"no member of {classes} is among the latest cases, which are held out")
    left = target.y.size - held_out.size - train.size
    if left:
        told.append(
            f"{left} cases are neither learned from nor held out: they begin no earlier than the "
            "held-out cases, and belong to other groups"
        )
    return "; ".join(told) or None


def _knows_all(target: Target, positions: Positions) -> bool:
    return positions.size > 0 and np.unique(target.y[positions]).size >= target.n_classes


def _held_out(basis: Basis, wanted: float | None) -> tuple[Positions, str | None]:
    """Return the positions to hold out, or why there are none."""
    n = basis.target.y.size
    nobody = np.empty(0, dtype=np.intp)
    if wanted is None and n < SMALL:
        return nobody, f"{n} cases are fewer than {SMALL}"
    fraction = DEFAULT_TEST_FRACTION if wanted is None else wanted
    size = max(round(n * fraction), basis.target.n_classes, 1)
    reason = _why_not(basis.target, n, size)
    if reason:
        return nobody, reason
    if basis.groups is not None:
        return _held_out_groups(basis, fraction)
    chosen = _drawn(basis.target, size, basis.random_state)
    if basis.target.n_classes:
        here = np.bincount(basis.target.y[chosen], minlength=basis.target.n_classes)
        left = np.bincount(basis.target.y, minlength=basis.target.n_classes) - here
        if here.min() < 1 or left.min() < 2:
            return nobody, "the smallest class is too small to be split"
    return np.sort(chosen), None


def _drawn(target: Target, size: int, seed: int) -> Positions:
    n = target.y.size
    strata = target.y
    if not target.n_classes:
        n_bins = max(1, min(BINS, size // 2))
        strata = np.minimum(bins_of(target.y.astype(float), n // n_bins), n_bins - 1)
    _, chosen = train_test_split(
        np.arange(n, dtype=np.intp), test_size=size, random_state=seed, stratify=strata
    )
    return np.asarray(chosen, dtype=np.intp)


def _held_out_groups(basis: Basis, fraction: float) -> tuple[Positions, str | None]:
    """Return the cases of some groups, of about the size asked for, that leave every class."""
    everything = np.arange(basis.target.y.size, dtype=np.intp)
    parts = replace(basis, folds=max(2, round(1 / fraction))).folds_of(everything)
    choices = []
    for number in range(int(parts.max()) + 1):
        chosen = np.flatnonzero(parts == number)
        train = basis.before(chosen, everything)
        if not (_knows_all(basis.target, chosen) and _knows_all(basis.target, train)):
            continue
        if basis.keeps_groups(train):
            choices.append((abs(chosen.size - fraction * everything.size), number))
    if not choices:
        return everything[:0], "no group can be spared"
    return np.flatnonzero(parts == min(choices)[1]), None


def _why_not(target: Target, n: int, size: int) -> str | None:
    if not target.n_classes:
        enough = size >= LEAST_OF_NUMBERS and n - size >= 2 * LEAST_OF_NUMBERS
        return None if enough else f"{n} cases are too few to hold a part out"
    smallest = int(np.bincount(target.y).min())
    if smallest < LEAST_FOR_HOLD_OUT:
        return f"the smallest class has {smallest} members, fewer than {LEAST_FOR_HOLD_OUT}"
    if n - size < 2 * target.n_classes:
        return "the held-out part would leave too few cases to learn from"
    return None
