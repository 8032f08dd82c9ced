"""Tests of how the time for TPOT is shared."""

from __future__ import annotations

import pytest

from training.search_time import SearchTime, least_for


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
