"""The kernels of counts and thresholds against tsfresh's functions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tsfresh.feature_extraction import ComprehensiveFCParameters

from tests.tideline.features.parity import (
    broken_series,
    kernel_values,
    require_parity,
    series,
)

ALL = ComprehensiveFCParameters()
CALCULATORS = (
    "variance_larger_than_standard_deviation",
    "large_standard_deviation",
    "symmetry_looking",
    "ratio_beyond_r_sigma",
    "value_count",
    "range_count",
    "count_above",
    "count_below",
    "count_above_mean",
    "count_below_mean",
)
OTHERS = {
    "large_standard_deviation": [{"r": r} for r in (-1, 0, 1, 2.5)],
    "symmetry_looking": [{"r": r} for r in (-1, 3)],
    "ratio_beyond_r_sigma": [{"r": r} for r in (-1, 0, 0.3, 1e300)],
    "value_count": [{"value": value} for value in (2, 0.5, -3.0, 1e100, 2**60)],
    "range_count": [
        {"min": 2, "max": -2},
        {"min": 0, "max": 0},
        {"min": 0, "max": 5e-324},
        {"min": -5e-324, "max": 0.0},
        {"min": 0.5, "max": 10**299},
    ],
    "count_above": [{"t": t} for t in (1, 0.25, -(10**30), 1e300)],
    "count_below": [{"t": t} for t in (1, 0.25, -(10**30), 1e300)],
}
SMALL = (
    [],
    [3.0],
    [0.0],
    [-0.0, 0.0],
    [1.0, 2.0],
    [0.0, 2.0],
    [1.0, -1.0],
    [0.1, 0.1, 0.1],
    [0.7, 0.7, 0.7, 0.7, 0.7],
    [0.0, 0.0, 0.0, 8.0],
    [-3.0, -1.0, 0.0, 1.0, 3.0],
    [1.0, 1.0, 2.0, 2.0, 2.0],
    [5e-324, -5e-324, 0.0],
    [1.7e308, -1.7e308, 1.7e308],
    [np.nan],
    [np.nan, 1.0, 2.0, 0.0],
    [1.0, 2.0, np.nan, 2.0, 5.0],
    [np.inf],
    [np.inf, np.inf, np.inf, np.inf],
    [1.0, np.inf, np.inf, 2.0, 3.0],
    [-np.inf, 1.0, 2.0, 3.0],
    [-np.inf, np.inf, -np.inf, 0.0],
)
NUMBERS = st.integers(-3, 3) | st.floats(-2, 2) | st.floats(-1e300, 1e300)
THRESHOLDS = st.lists(NUMBERS, min_size=1, max_size=5)


def arguments_of(calculator: str) -> list[dict]:
    return (ALL[calculator] or [{}]) + OTHERS.get(calculator, [])


@pytest.mark.parametrize("calculator", CALCULATORS)
def test_equals_tsfresh_on_small_series(calculator):
    cases = [np.array(case, dtype=np.float64) for case in SMALL]
    require_parity("thresholds", calculator, arguments_of(calculator), *cases)


@pytest.mark.parametrize("calculator", CALCULATORS)
@given(st.lists(series() | broken_series(), min_size=1, max_size=3))
@settings(deadline=None, max_examples=10)
def test_equals_tsfresh(calculator, cases):
    require_parity("thresholds", calculator, arguments_of(calculator), *cases)


@pytest.mark.slow
@pytest.mark.parametrize("calculator", CALCULATORS)
@given(st.lists(series(longest=20_000) | broken_series(longest=5000), min_size=1, max_size=3))
@settings(deadline=None, max_examples=300)
def test_equals_tsfresh_on_many_series(calculator, cases):
    require_parity("thresholds", calculator, arguments_of(calculator), *cases)


@given(THRESHOLDS, series(longest=300) | broken_series())
@settings(deadline=None, max_examples=10)
def test_takes_every_parameter(thresholds, case):
    for calculator, parameter in (
        ("large_standard_deviation", "r"),
        ("symmetry_looking", "r"),
        ("ratio_beyond_r_sigma", "r"),
        ("value_count", "value"),
        ("count_above", "t"),
        ("count_below", "t"),
    ):
        arguments = [{parameter: number} for number in thresholds]
        require_parity("thresholds", calculator, arguments, case)
    ranges = [{"min": low, "max": high} for low in thresholds for high in thresholds]
    require_parity("thresholds", "range_count", ranges, case)


def test_counts_the_infinities_beyond_a_threshold():
    case = np.array([-np.inf, 0.0, np.inf, np.nan])
    assert kernel_values("thresholds", "count_above", [{"t": 0}], [case]) == 0.5
    assert kernel_values("thresholds", "count_below", [{"t": 0}], [case]) == 0.5
