"""Axes hold their values, end where values end, and number themselves readably."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from training.report.axes import Axis
from training.report.words import tick

finite = st.floats(-1e300, 1e300, allow_nan=False).map(lambda v: 0.0 if abs(v) < 1e-300 else v)


@given(st.lists(finite, min_size=1, max_size=9))
@example([1.0, 1.0 - 1e-12])
@example([1e6, 1e6 + 1])
def test_no_two_ticks_have_the_same_number(values: list[float]) -> None:
    axis = Axis.around(values, 0, 100)
    told = [tick(at) for at in axis.ticks()]
    assert len(set(told)) == len(told)
    places = axis.places(values)
    assert ((places >= 0) & (places <= 100)).all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
@example([1.0])
@example([0.0])
def test_an_axis_of_shares_ends_at_nothing_and_at_all(values: list[float]) -> None:
    axis = Axis.around(values, 0, 100, within=(0.0, 1.0))
    assert 0.0 <= axis.low < axis.high <= 1.0
    assert (np.diff(axis.places(np.sort(values))) >= 0).all()


def test_a_bound_that_is_far_away_changes_nothing() -> None:
    assert Axis.around([0.4, 0.6], 0, 100, within=(0.0, 1.0)) == Axis.around([0.4, 0.6], 0, 100)
