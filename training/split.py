"""Which cases are learned from, which are held out, and which folds the search compares on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split

from training.task import Target

DEFAULT_FOLDS = 5
DEFAULT_TEST_FRACTION = 0.25
LEAST_FOR_HOLD_OUT = 4
"""Members of a class below which none is spared."""
LEAST_OF_NUMBERS = 3
"""Cases of a regression in each fold, and in the held-out part: of fewer, r2 says nothing."""

Positions = NDArray[np.intp]


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
        The fold in which each training case is tested.
    note : str or None
        Why there is no held-out part, where there is none.
    """

    train: Positions
    held_out: Positions
    fold_of: NDArray[np.int64]
    note: str | None = None

    @property
    def n_folds(self) -> int:
        """The number of folds, at least 2."""
        return int(self.fold_of.max()) + 1


def split_cases(
    target: Target,
    test_fraction: float | None = None,
    folds: int | None = None,
    random_state: int = 0,
) -> Split:
    """Split stratified by class, or at random for regression.

    A part is held out when every class can spare a member and keep two. There are as many folds as
    asked for (5 when nothing is said), but never more than the smallest class has members, so
    that each fold tests every class; and for regression so few that each tests three cases.
    """
    fraction = DEFAULT_TEST_FRACTION if test_fraction is None else test_fraction
    held_out, note = _held_out(target, fraction, random_state)
    train = np.setdiff1d(np.arange(target.y.size, dtype=np.intp), held_out)
    wanted = DEFAULT_FOLDS if folds is None else folds
    return Split(train, held_out, _folds(target, train, wanted, random_state), note)


def _held_out(target: Target, fraction: float, seed: int) -> tuple[Positions, str | None]:
    nobody = np.empty(0, dtype=np.intp)
    if fraction <= 0:
        return nobody, "test_fraction is 0: no part was held out"
    n = target.y.size
    size = max(round(n * fraction), target.n_classes, 1)
    reason = _why_not(target, n, size)
    if reason:
        return nobody, reason
    stratify = target.y if target.n_classes else None
    _, chosen = train_test_split(
        np.arange(n, dtype=np.intp), test_size=size, random_state=seed, stratify=stratify
    )
    if target.n_classes:
        here = np.bincount(target.y[chosen], minlength=target.n_classes)
        left = np.bincount(target.y, minlength=target.n_classes) - here
        if here.min() < 1 or left.min() < 2:
            return nobody, "the smallest class is too small to be split: no part was held out"
    return np.sort(chosen), None


def _why_not(target: Target, n: int, size: int) -> str | None:
    if not target.n_classes:
        enough = size >= LEAST_OF_NUMBERS and n - size >= 2 * LEAST_OF_NUMBERS
        return None if enough else f"{n} cases are too few to hold a part out"
    smallest = int(np.bincount(target.y).min())
    if smallest < LEAST_FOR_HOLD_OUT:
        return (
            f"the smallest class has {smallest} members, fewer than {LEAST_FOR_HOLD_OUT}: "
            "no part was held out"
        )
    if n - size < 2 * target.n_classes:
        return "the held-out part would leave too few cases to learn from: none was held out"
    return None


def _folds(target: Target, train: Positions, wanted: int, seed: int) -> NDArray[np.int64]:
    y = target.y[train]
    most = int(np.bincount(y).min()) if target.n_classes else train.size // LEAST_OF_NUMBERS
    n_folds = max(2, min(wanted, most))
    kind = StratifiedKFold if target.n_classes else KFold
    splitter = kind(n_splits=n_folds, shuffle=True, random_state=seed)
    fold_of = np.zeros(train.size, dtype=np.int64)
    for number, (_, tested) in enumerate(splitter.split(np.zeros((train.size, 1)), y)):
        fold_of[tested] = number
    return fold_of
