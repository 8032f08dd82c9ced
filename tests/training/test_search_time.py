"""Tests of how the time for TPOT is shared."""

from __future__ import annotations

import pytest

from training.search_time import SearchTime, least_for, least_left


@pytest.mark.parametrize(
    ("seconds", "n_outer", "main", "each"),
    [
        (100.0, 0, 100.0, 0.0),
        (100.0, 5, 50.0, 10.0),  # half, and half for the folds
        (40.0, 5, 15.0, 5.0),  # no fold less than it takes
        (1000.0, 10, 500.0, 50.0),
    ],
)
def test_outer_folds_share_a_half_but_have_what_they_take(
    seconds: float, n_outer: int, main: float, each: float
) -> None:
    time = SearchTime(seconds, n_outer)
    assert time.is_enough
    assert time.main == pytest.approx(main)
    assert time.each == pytest.approx(each)


@pytest.mark.parametrize("n_outer", [0, 3, 5, 10])
def test_the_least_is_just_enough(n_outer: int) -> None:
    assert SearchTime(least_for(n_outer), n_outer).is_enough
    assert not SearchTime(least_for(n_outer) - 0.1, n_outer).is_enough
    assert not SearchTime(-5.0, n_outer).is_enough


@pytest.mark.parametrize("n_outer", [0, 3, 5, 10])
@pytest.mark.parametrize("last_fits", [0.0, 3.0, 60.0])
def test_with_what_has_to_be_left_tpot_is_asked(n_outer: int, last_fits: float) -> None:
    left = least_left(last_fits, n_outer)
    assert SearchTime.before(last_fits, left + 0.001, n_outer).is_surely_enough
    assert not SearchTime.before(last_fits, left - 0.1, n_outer).is_surely_enough


def test_what_is_too_short_is_told_with_a_budget_that_would_do() -> None:
    alone = SearchTime(-3.0, 0).told_as_too_short(90)
    assert alone == (
        "TPOT was not asked: it would have 0 s, and takes 10 s at least. "
        "A budget of about 90 s would do."
    )
    nested = SearchTime(12.0, 5).told_as_too_short(90)
    assert "12 s for a search on all cases and in 5 outer folds, and takes 35 s" in nested
    assert nested.endswith("about 90 s would do, or test_fraction: 0.25, with one search.")
