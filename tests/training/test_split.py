"""Tests of the split into training part, folds and held-out part."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.split import split_cases
from training.task import Target


def classes(*members: int) -> Target:
    y = np.repeat(np.arange(len(members)), members)
    return Target("classification", tuple(range(len(members))), y)


def numbers(n: int) -> Target:
    return Target("regression", (), np.linspace(0.0, 1.0, n))


def test_holds_out_a_quarter_of_each_class() -> None:
    target = classes(40, 20)
    split = split_cases(target)
    assert np.bincount(target.y[split.held_out]).tolist() == [10, 5]
    assert split.note is None
    assert split.n_folds == 5


def test_holds_nothing_out_when_a_class_can_spare_no_member() -> None:
    split = split_cases(classes(40, 3))
    assert split.held_out.size == 0
    assert "3 members" in str(split.note)


def test_a_fraction_of_nothing_holds_nothing_out() -> None:
    split = split_cases(classes(8, 8), test_fraction=0.0)
    assert split.held_out.size == 0
    assert "test_fraction is 0" in str(split.note)


def test_has_no_more_folds_than_the_smallest_class_has_members() -> None:
    assert split_cases(classes(40, 3)).n_folds == 3
    assert split_cases(classes(40, 2), folds=10).n_folds == 2


def test_uses_as_many_folds_as_asked_for() -> None:
    assert split_cases(classes(40, 40), folds=7).n_folds == 7


def test_the_seed_decides_the_split() -> None:
    first, again, other = (split_cases(classes(30, 30), random_state=s) for s in (1, 1, 2))
    assert (first.held_out == again.held_out).all()
    assert (first.fold_of == again.fold_of).all()
    assert (first.held_out != other.held_out).any()


@pytest.mark.parametrize(("n", "held_out"), [(6, 0), (7, 0), (12, 3), (100, 25)])
def test_regression_holds_cases_out_when_there_are_enough(n: int, held_out: int) -> None:
    assert split_cases(numbers(n)).held_out.size == held_out


@pytest.mark.parametrize("fraction", [0.0, 0.25, 0.5])
@pytest.mark.parametrize("n", [6, 7, 8, 9, 10, 12, 13, 20, 100])
def test_each_part_of_a_regression_has_three_cases(n: int, fraction: float) -> None:
    split = split_cases(numbers(n), fraction, folds=5)
    assert split.n_folds >= 2
    assert np.bincount(split.fold_of).min() >= 3
    assert split.held_out.size == 0 or split.held_out.size >= 3


@given(
    members=st.lists(st.integers(2, 12), min_size=2, max_size=8).filter(lambda m: sum(m) >= 6),
    fraction=st.floats(0.0, 0.5),
    folds=st.none() | st.integers(2, 20),
)
def test_every_part_knows_every_class(
    members: list[int], fraction: float, folds: int | None
) -> None:
    target = classes(*members)
    split = split_cases(target, fraction, folds)
    both = np.concatenate([split.train, split.held_out])
    assert sorted(both.tolist()) == list(range(target.y.size))
    everything = set(range(len(members)))
    learned = target.y[split.train]
    if split.held_out.size:
        assert set(target.y[split.held_out].tolist()) == everything
    else:
        assert split.note
    for fold in range(split.n_folds):
        assert set(learned[split.fold_of == fold].tolist()) == everything
        assert set(learned[split.fold_of != fold].tolist()) == everything
