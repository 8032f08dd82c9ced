"""Convolutions value by value against numpy's."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tideline.features.parity import broken_series, series
from tideline.features.kernels.convolution import SHORT, correlated, same, slack_of, smooth


@settings(deadline=None, max_examples=10)
@given(case=series(longest=300) | broken_series(), size=st.integers(1, 60))
def test_values_have_the_bits_of_numpy(case, size):
    taps = np.sin(np.arange(1.0, min(size, case.size) + 1))
    expected = np.correlate(case, taps, "full")
    found = [correlated(case, taps, place) for place in range(expected.size)]
    np.testing.assert_array_equal(found, expected)
    expected = np.correlate(case, taps, "same")
    np.testing.assert_array_equal([same(case, taps, i) for i in range(case.size)], expected)


@settings(deadline=None, max_examples=10)
@given(case=series(longest=300), size=st.integers(1, 60))
def test_values_by_the_fast_way_differ_by_less_than_the_slack(case, size):
    taps = np.sin(np.arange(1.0, min(size, case.size) + 1))
    smoothed = np.empty(case.size)
    smooth(case, taps, smoothed)
    slack = slack_of(taps, np.abs(case).max())
    expected = np.correlate(case, taps, "same")
    if taps.size <= SHORT:
        assert slack == 0
        np.testing.assert_array_equal(smoothed, expected)
    else:
        # Two neighbours may each be off: far less than half of the slack.
        assert np.all(np.abs(smoothed - expected) <= slack / 4)
