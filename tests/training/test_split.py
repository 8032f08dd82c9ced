"""Tests of the split into training part, folds and held-out part."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedKFold, TimeSeriesSplit

from tideline.errors import LabelError
from training.split import Split, split_cases
from training.task import Target


def classes(*members: int) -> Target:
    return labelled(np.repeat(np.arange(len(members)), members).tolist())


def labelled(y: list[int]) -> Target:
    return Target("classification", tuple(range(max(y) + 1)), np.array(y))


def numbers(n: int) -> Target:
    return Target("regression", (), np.linspace(0.0, 1.0, n))


def spread(n: int, n_groups: int) -> np.ndarray:
    return np.arange(n) % n_groups


def parts(split: Split) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return what is learned from and what is tested, in the panel, at every place of a split."""
    found = []
    for one in (split, *chain.from_iterable(split.outer_splits())):
        if one.held_out.size:
            found.append((one.train, one.held_out))
        found += one.folds
    return found


def assert_sound(split: Split, target: Target) -> None:
    """Check that nothing is tested on itself, and that who learns knows every class there is."""
    everything = set(range(target.n_classes))
    for learned, tested in parts(split):
        assert learned.size
        assert tested.size
        assert not set(learned.tolist()) & set(tested.tolist())
        if everything:
            assert set(target.y[learned].tolist()) == everything


def test_large_data_holds_out_a_quarter_of_each_class() -> None:
    target = classes(400, 200)
    split = split_cases(target)
    assert np.bincount(target.y[split.held_out]).tolist() == [100, 50]
    assert split.note is None
    assert split.outer == ()
    assert split.n_folds == 5


def test_small_data_is_scored_by_outer_folds() -> None:
    target = classes(40, 20)
    split = split_cases(target)
    assert split.held_out.size == 0
    assert split.train.size == 60
    assert "60 cases are fewer than 400" in str(split.note)
    assert "outer folds" in str(split.note)
    for ones, n_folds in zip(split.outer_splits(), (10, 5, 3), strict=True):
        assert len(ones) == n_folds
        held_out = [one.held_out for one in ones]
        assert sorted(np.concatenate(held_out).tolist()) == list(range(60))
        for one in ones:
            assert (
                np.abs(np.bincount(target.y[one.held_out]) - [40 / n_folds, 20 / n_folds]).max() < 1
            )
            assert (one.fold_of == split.basis.folds_of(one.train)).all()


def test_a_fraction_asks_for_a_held_out_part_of_small_data() -> None:
    target = classes(40, 20)
    split = split_cases(target, 0.25)
    assert np.bincount(target.y[split.held_out]).tolist() == [10, 5]
    assert (split.note, split.outer) == (None, ())


@pytest.mark.parametrize("n", [40, 4000])
@pytest.mark.parametrize("fraction", [None, 0.25])
def test_has_outer_folds_when_a_class_can_spare_no_member(n: int, fraction: float | None) -> None:
    split = split_cases(classes(n, 3), 0.25 if n < 400 else fraction)
    assert split.held_out.size == 0
    assert split.outer
    assert "the smallest class has 3 members" in str(split.note)


def test_a_fraction_of_nothing_holds_nothing_out() -> None:
    split = split_cases(classes(8, 8), test_fraction=0.0)
    assert split.held_out.size == 0
    assert not split.outer
    assert "test_fraction is 0" in str(split.note)


def test_a_rare_class_does_not_make_the_folds_few() -> None:
    target = classes(40, 2)
    split = split_cases(target)
    assert split.n_folds == 5
    rare = split.fold_of[target.y == 1]
    assert rare[0] != rare[1]
    assert_sound(split, target)


def test_a_class_with_one_member_left_is_learned_from_and_never_tested() -> None:
    target = classes(40, 2)
    split = split_cases(target)
    for one in chain.from_iterable(split.outer_splits()):
        left = one.fold_of[target.y[one.train] == 1]
        assert left.tolist() == [-1] or left.size == 2


def test_uses_as_many_folds_as_asked_for() -> None:
    assert split_cases(classes(40, 40), folds=7).n_folds == 7
    assert split_cases(classes(40, 2), folds=10).n_folds == 10


def test_says_when_there_are_fewer_folds_than_asked_for() -> None:
    split = split_cases(classes(4, 4), folds=20)
    assert split.n_folds == 8
    assert "cv asks for 20 folds, and the 8 cases" in str(split.note)


def test_deals_the_classes_as_scikit_learn_does() -> None:
    target = classes(33, 17, 9)
    split = split_cases(target, 0.0)
    own = [np.bincount(target.y[split.fold_of == f], minlength=3).tolist() for f in range(5)]
    folds = StratifiedKFold(5).split(target.y, target.y)
    theirs = [np.bincount(target.y[tested], minlength=3).tolist() for _, tested in folds]
    assert sorted(own) == sorted(theirs)


def test_the_seed_decides_the_split() -> None:
    first, again, other = (split_cases(classes(300, 300), random_state=s) for s in (1, 1, 2))
    assert (first.held_out == again.held_out).all()
    assert (first.fold_of == again.fold_of).all()
    assert (first.held_out != other.held_out).any()


def test_six_cases_of_two_classes_have_three_folds() -> None:
    target = classes(3, 3)
    split = split_cases(target)
    assert split.n_folds == 3
    assert [[one.n_folds for one in ones] for ones in split.outer_splits()] == [[2, 2, 2]]
    assert_sound(split, target)


@pytest.mark.parametrize(
    ("members", "n_folds"),
    [([2] * 60, 5), ([2, 3, 4] * 20, 5), ([7] * 60, 5), ([1000, 2], 5), ([5000, 5], 3)],
)
def test_splits_many_classes_and_rare_ones(members: list[int], n_folds: int) -> None:
    target = classes(*members)
    split = split_cases(target)
    assert split.n_folds == n_folds
    assert_sound(split, target)


@pytest.mark.parametrize(("n", "held_out"), [(6, 0), (7, 0), (12, 3), (100, 25)])
def test_regression_holds_cases_out_when_there_are_enough(n: int, held_out: int) -> None:
    assert split_cases(numbers(n), 0.25).held_out.size == held_out


@pytest.mark.parametrize("fraction", [None, 0.0, 0.25, 0.5])
@pytest.mark.parametrize("n", [6, 7, 8, 9, 10, 12, 13, 20, 100, 401])
def test_each_part_of_a_regression_has_three_cases(n: int, fraction: float | None) -> None:
    split = split_cases(numbers(n), fraction, folds=5)
    assert split.n_folds >= 2
    assert np.bincount(split.fold_of).min() >= 3
    assert split.held_out.size == 0 or split.held_out.size >= 3
    for one in chain.from_iterable(split.outer_splits()):
        assert one.held_out.size >= 2
        assert np.bincount(one.fold_of).min() >= 2


def test_the_folds_of_a_regression_are_spread_over_its_values() -> None:
    target = numbers(50)
    split = split_cases(target)
    means = [target.y[split.fold_of == fold].mean() for fold in range(5)]
    assert max(means) - min(means) < 0.1


@given(
    members=st.lists(st.integers(2, 12), min_size=2, max_size=8).filter(lambda m: sum(m) >= 6),
    fraction=st.none() | st.floats(0.0, 0.5),
    folds=st.none() | st.integers(2, 20),
    seed=st.integers(0, 9),
)
def test_every_part_knows_every_class(
    members: list[int], fraction: float | None, folds: int | None, seed: int
) -> None:
    target = classes(*members)
    split = split_cases(target, fraction, folds, seed)
    both = np.concatenate([split.train, split.held_out])
    assert sorted(both.tolist()) == list(range(target.y.size))
    if split.held_out.size:
        assert set(target.y[split.held_out].tolist()) == set(range(len(members)))
    else:
        assert split.note
        few = "too few for outer folds" in split.note
        assert (not split.outer) == (fraction == 0 or few)
        assert not few or min(members) == 2
    # Two folds at least test whatever is not the last of its class.
    assert (split.fold_of >= 0).all() or split.held_out.size
    assert_sound(split, target)


def test_a_group_is_on_one_side_of_every_split() -> None:
    target, groups = labelled([0, 1] * 300), np.arange(600) // 6
    split = split_cases(target, groups=groups)
    assert 100 <= split.held_out.size <= 200
    assert_keeps_groups(split, groups)
    assert_sound(split, target)


def assert_keeps_groups(split: Split, groups: np.ndarray) -> None:
    for learned, tested in parts(split):
        assert not set(groups[learned].tolist()) & set(groups[tested].tolist())


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_groups_of_any_shape_stay_together(data: st.DataObject) -> None:
    n_classes = data.draw(st.integers(2, 5))
    n_groups = data.draw(st.integers(2, 12))
    # Every class has members in two groups at least, which is what reading the groups makes sure.
    pairs = [(c, (c + i) % n_groups) for c in range(n_classes) for i in range(2)]
    pairs += data.draw(
        st.lists(
            st.tuples(st.integers(0, n_classes - 1), st.integers(0, n_groups - 1)),
            min_size=2,
            max_size=60,
        )
    )
    target, groups = labelled([c for c, _ in pairs]), np.array([g for _, g in pairs])
    fraction = data.draw(st.none() | st.sampled_from([0.0, 0.25, 0.5]))
    split = split_cases(target, fraction, groups=groups)
    assert_sound(split, target)
    outer = [(one.train, one.held_out) for one in (split, *chain(*split.outer_splits()))]
    for learned, tested in outer:
        assert not set(groups[learned].tolist()) & set(groups[tested].tolist())
    folds_of_group = set(zip(groups[split.train].tolist(), split.fold_of.tolist(), strict=True))
    if "divide" not in str(split.note):
        assert len(folds_of_group) == len(set(groups[split.train].tolist()))


def test_classes_that_need_it_make_a_fold_for_each_group() -> None:
    # Each class is known from two of three groups: no two folds can do.
    split = split_cases(labelled([0, 0, 1, 1, 2, 2]), 0.0, 2, groups=np.array([0, 1, 1, 2, 2, 0]))
    assert split.n_folds == 3
    assert "cv asks for 2 folds" in str(split.note)


def test_two_groups_are_enough_and_the_search_within_one_divides_it() -> None:
    target, groups = labelled([0, 1] * 10), np.repeat([0, 1], 10)
    split = split_cases(target, groups=groups)
    assert split.n_folds == 2
    (outer,) = split.outer_splits()
    assert {tuple(set(groups[one.held_out].tolist())) for one in outer} == {(0,), (1,)}
    assert all(one.n_folds == 5 for one in outer)


def test_a_regression_keeps_its_groups_together() -> None:
    split = split_cases(numbers(60), groups=spread(60, 7))
    assert split.n_folds == 5
    assert_keeps_groups(split, spread(60, 7))


def test_time_holds_the_latest_out_and_learns_from_what_is_before() -> None:
    target = labelled([0, 1] * 50)
    rank = np.random.default_rng(0).permutation(100)
    split = split_cases(target, rank=rank)
    assert sorted(rank[split.held_out].tolist()) == list(range(75, 100))
    assert split.note is None
    order = np.argsort(rank[split.train])
    expected = TimeSeriesSplit(5).split(order)
    for found, wanted in zip(split.folds, expected, strict=True):
        for cases, places in zip(found, wanted, strict=True):
            assert set(cases.tolist()) == set(split.train[order[places]].tolist())


def test_time_first_learns_of_every_class() -> None:
    target = labelled([0] * 60 + [1, 0] * 20)
    split = split_cases(target, rank=np.arange(100))
    assert_sound(split, target)
    assert split.fold_of[:61].tolist() == [-1] * 61


def test_cases_that_begin_at_once_are_not_divided_by_time() -> None:
    rank = np.repeat(np.arange(12), 5)
    split = split_cases(labelled([0, 1, 0, 1, 1] * 12), rank=rank)
    for learned, tested in parts(split):
        assert rank[learned].max() < rank[tested].min()


def test_time_says_which_class_the_latest_cases_lack() -> None:
    split = split_cases(labelled([0, 1] * 30 + [0] * 40), rank=np.arange(100))
    assert "no member of 1 is among the latest cases" in str(split.note)


def test_time_and_groups_leave_out_what_overlaps() -> None:
    # Groups of ten that overlap with the next by five.
    rank = np.concatenate([np.arange(10) + 5 * g for g in range(12)])
    groups = np.repeat(np.arange(12), 10)
    target = labelled([0, 1] * 60)
    split = split_cases(target, groups=groups, rank=rank)
    assert "are neither learned from nor held out" in str(split.note)
    assert_keeps_groups(split, groups)
    assert_sound(split, target)
    for learned, tested in parts(split):
        assert rank[learned].max() < rank[tested].min()


@settings(max_examples=60, deadline=None)
@given(
    cases=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 30), st.integers(0, 9)),
        min_size=6,
        max_size=60,
    ).filter(lambda cases: len({y for y, _, _ in cases}) == 3),
    grouped=st.booleans(),
    fraction=st.none() | st.sampled_from([0.0, 0.2, 0.5]),
    folds=st.none() | st.integers(2, 20),
)
def test_nothing_is_tested_on_what_is_earlier(
    cases: list[tuple[int, int, int]], grouped: bool, fraction: float | None, folds: int | None
) -> None:
    y, rank, groups = np.array(cases).T
    target = labelled(y.tolist())
    try:
        split = split_cases(target, fraction, folds, groups=groups if grouped else None, rank=rank)
    except LabelError:
        return
    assert_sound(split, target)
    for learned, tested in parts(split):
        assert rank[learned].max() < rank[tested].min()
    if grouped:
        assert_keeps_groups(split, groups)


@pytest.mark.parametrize("n", [6, 7, 9, 12, 30])
def test_time_splits_few_numbers(n: int) -> None:
    split = split_cases(numbers(n), rank=np.arange(n))
    assert split.n_folds >= 1
    assert np.bincount(split.fold_of[split.fold_of >= 0]).min() >= 3


@pytest.mark.parametrize(
    ("target", "groups", "rank", "told"),
    [
        (labelled([0] * 9 + [1]), None, np.arange(10), "it takes 10 of 10 cases until every class"),
        (classes(3, 3), None, np.zeros(6, dtype=np.int64), "at least one case that begins later"),
        (numbers(6), None, np.repeat([0, 1], 3)[::-1] * 0, "until 3 values is known; at least 3"),
        (
            labelled([0, 1] * 10),
            spread(20, 4) // 2,
            np.arange(20),
            "at least one group that begins after all cases",
        ),
    ],
)
def test_refuses_an_order_that_leaves_nothing_to_be_tested(
    target: Target, groups: np.ndarray | None, rank: np.ndarray, told: str
) -> None:
    with pytest.raises(LabelError, match=told) as refusal:
        split_cases(target, groups=groups, rank=rank)
    assert "split: random" in refusal.value.mend


@pytest.mark.parametrize(
    ("n_cases", "asked", "n_folds"), [(3000, None, 5), (3001, None, 3), (3001, 7, 7)]
)
def test_very_many_cases_are_cut_into_fewer_folds_unless_more_are_asked_for(
    n_cases: int, asked: int | None, n_folds: int
) -> None:
    split = split_cases(
        labelled([0, 1, 2] * (n_cases // 3) + [0] * (n_cases % 3)), test_fraction=0, folds=asked
    )
    assert split.n_folds == n_folds
