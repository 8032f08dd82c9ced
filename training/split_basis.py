"""What a split goes by: labels, groups and the order of time; and the folds that follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tideline.errors import LabelError
from tideline.wording import counted
from training.fold_assignment import BINS, NEVER, IntArray, bins_of, by_group, dealt, in_time
from training.task import Target

DEFAULT_FOLDS = 5
MANY_CASES = 3000
"""Cases in folds, beyond which fewer folds tell as much: half of the models in the same time."""
FOLDS_OF_MANY = 3
LEAST_OF_NUMBERS = 3
"""Cases of a regression in each fold, and in the held-out part: of fewer, r2 says nothing."""

Positions = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Basis:
    """What a split goes by.

    Attributes
    ----------
    target : Target
        The labels of all cases.
    groups : int64 array of shape (n_cases,) or None
        Cases of one group are on one side of every split.
    rank : int64 array of shape (n_cases,) or None
        When each case begins; where it is given, nothing is tested on later cases.
    folds : int or None
        How many folds are asked for.
    random_state
        The seed.
    least : int
        How many cases of a regression a fold tests at least; those of classes test one.
    """

    target: Target
    groups: IntArray | None = None
    rank: IntArray | None = None
    folds: int | None = None
    random_state: int = 0
    least: int = LEAST_OF_NUMBERS

    def folds_of(self, positions: Positions) -> IntArray:
        """Return the fold in which each of some cases is tested, -1 for one that never is.

        Every class that the cases have is known to whoever learns from what a fold does not test:
        the one member of a class is never tested. Where the cases are of too few groups to be
        divided by them, they are divided without.

        Raises
        ------
        LabelError
            In the order of time, when nothing comes after the first case of each class.
        """
        if self.rank is not None:
            fold_of = self.folds_in_time(positions)
            if fold_of is None:
                raise self._too_late(positions)
            return fold_of
        if self.groups is not None:
            groups = self.groups[positions]
            if self.keeps_groups(positions):
                return self._by_group(groups, positions)
        return self._by_case(positions)

    def keeps_groups(self, positions: Positions) -> bool:
        """Whether `folds_of` divides some cases by their groups, and not for want of them without.

        False where there are no groups.
        """
        if self.groups is None:
            return False
        groups = self.groups[positions]
        chosen = ~np.isin(groups, self._only_groups(groups, positions))
        return bool(np.unique(groups[chosen]).size >= 2)

    def n_folds(self, n_cases: int) -> int:
        """Return how many folds some cases are cut into, where classes and groups allow it."""
        # Of so few numbers two folds of three cannot be made.
        least = self.least if n_cases >= 2 * self.least else 2
        least = 1 if self.target.n_classes else least
        if self.folds is not None:
            return max(2, min(self.folds, n_cases // least))
        usual = DEFAULT_FOLDS if n_cases <= MANY_CASES else FOLDS_OF_MANY
        return max(2, min(usual, n_cases // max(least, 2)))

    def before(self, tested: Positions, positions: Positions) -> Positions:
        """Return which of some cases may be learned from, to be tested on others.

        Parameters
        ----------
        tested, positions : intp arrays
            In the panel.
        """
        fine = ~np.isin(positions, tested)
        if self.rank is not None:
            fine &= self.rank[positions] < self.rank[tested].min()
            if self.groups is not None:
                fine &= ~np.isin(self.groups[positions], self.groups[tested])
        return positions[fine]

    def _strata(self, positions: Positions, size: int) -> IntArray:
        y = self.target.y[positions]
        return y.astype(np.int64) if self.target.n_classes else bins_of(y.astype(float), size)

    def _by_case(self, positions: Positions) -> IntArray:
        fold_of = np.full(positions.size, NEVER, dtype=np.int64)
        chosen = np.ones(positions.size, dtype=np.bool_)
        if self.target.n_classes:
            y = self.target.y[positions]
            chosen = np.bincount(y, minlength=self.target.n_classes)[y] > 1
        number = self.n_folds(int(chosen.sum()))
        strata = self._strata(positions[chosen], number)
        fold_of[chosen] = dealt(strata, number, self.random_state)
        return fold_of

    def _by_group(self, groups: IntArray, positions: Positions) -> IntArray:
        chosen = ~np.isin(groups, self._only_groups(groups, positions))
        n_chosen = int(chosen.sum())
        strata = self._strata(positions[chosen], max(1, n_chosen // BINS))
        fold_of = np.full(positions.size, NEVER, dtype=np.int64)
        fold_of[chosen] = by_group(
            strata,
            groups[chosen],
            self.n_folds(n_chosen),
            self.random_state,
            keep=self.target.n_classes > 0,
        )
        return fold_of

    def _only_groups(self, groups: IntArray, positions: Positions) -> IntArray:
        """Return the groups that have all members of a class among some cases."""
        if not self.target.n_classes:
            return np.empty(0, dtype=np.int64)
        y = self.target.y[positions].astype(np.int64)
        pairs = np.unique(np.stack([y, groups]), axis=1)
        alone: IntArray = pairs[1][np.bincount(pairs[0])[pairs[0]] == 1]
        return alone

    def units_of(self, positions: Positions) -> IntArray:
        """Return the place in time of what is never divided: a group, or what begins at once.

        Counted from 0 among the cases asked for; all 0 where there is no order of time.
        """
        if self.rank is None:
            return np.zeros(positions.size, dtype=np.int64)
        rank = self.rank[positions]
        if self.groups is None:
            return np.unique(rank, return_inverse=True)[1].astype(np.int64)
        _, group_of = np.unique(self.groups[positions], return_inverse=True)
        first = np.full(group_of.max() + 1, rank.max(), dtype=np.int64)
        np.minimum.at(first, group_of, rank)
        place = np.empty(first.size, dtype=np.int64)
        place[np.argsort(first, kind="stable")] = np.arange(first.size)
        return place[group_of]

    def folds_in_time(self, positions: Positions) -> IntArray | None:
        """Return folds in the order of time, or None where too little comes before any."""
        units = self.units_of(positions)
        first = self._first_units(positions, units)
        for number in range(self.n_folds(positions.size), 0, -1):
            fold_of = in_time(units, first, number)
            if fold_of is not None and self._may_be_tested(positions, fold_of):
                return fold_of
        return None

    def _first_units(self, positions: Positions, units: IntArray) -> int:
        """Return how many units it takes until there is something to learn from."""
        if not self.target.n_classes:
            ends = np.cumsum(np.bincount(units))
            return int(np.searchsorted(ends, LEAST_OF_NUMBERS)) + 1
        y = self.target.y[positions].astype(np.int64)
        begins = np.full(self.target.n_classes, int(units.max()), dtype=np.int64)
        np.minimum.at(begins, y, units)
        return int(begins[np.unique(y)].max()) + 1

    def _may_be_tested(self, positions: Positions, fold_of: IntArray) -> bool:
        least = 1 if self.target.n_classes else LEAST_OF_NUMBERS
        everything = np.unique(self.target.y[positions]).size
        for number in range(int(fold_of.max()) + 1):
            tested = positions[fold_of == number]
            learned = self.target.y[self.before(tested, positions)]
            if tested.size < least or learned.size < least:
                return False
            # Groups that overlap in time leave little: less than half of it is no fair lesson.
            if 2 * learned.size < (fold_of < number).sum():
                return False
            if self.target.n_classes and np.unique(learned).size < everything:
                return False
        return True

    def _too_late(self, positions: Positions) -> LabelError:
        units = self.units_of(positions)
        known = int((units < self._first_units(positions, units)).sum())
        what = "every class" if self.target.n_classes else f"{self.least} values"
        if self.groups is None:
            found, least = "", "one case that begins later"
        else:
            found = f" of {counted(int(units.max()) + 1, 'group')}"
            least = "one group that begins after all cases of the groups before"
        least = least if self.target.n_classes else least.replace("one", str(self.least), 1)
        return LabelError(
            f"in the order of time, it takes {known} of {positions.size} cases{found} until "
            f"{what} is known; at least {least} is needed, to be tested on.",
            mend="Add later cases, or set model_training.split: random.",
            field="labels",
        )
