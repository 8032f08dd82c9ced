"""The kernels of sums, means, moments, quantiles and extremes against tsfresh's functions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tsfresh.feature_extraction import ComprehensiveFCParameters

from tests.tideline.features.parity import (
    broken_series,
    kernel_values,
    own,
    require_parity,
    series,
)

ALL = ComprehensiveFCParameters()
CALCULATORS = (
    "sum_values",
    "mean",
    "median",
    "variance",
    "standard_deviation",
    "variation_coefficient",
    "skewness",
    "kurtosis",
    "root_mean_square",
    "abs_energy",
    "maximum",
    "minimum",
    "absolute_maximum",
    "length",
    "quantile",
    "mean_n_absolute_max",
)
OTHERS = {
    "quantile": [{"q": q} for q in (0, 1, 0.0, 1.0, 0.5, 1 / 3, 0.999, 1e-9)],
    "mean_n_absolute_max": [{"number_of_maxima": count} for count in (1, 2, 100, 10_000)],
}
SMALL = (
    [],
    [3.0],
    [0.0],
    [-0.0],
    [1.0, 2.0],
    [-2.0, 2.0],
    [0.1, 0.1, 0.1],
    [0.1, 0.1, 0.1, 0.1],
    [0.7, 0.7, 0.7, 0.7, 0.7],
    [1.0, 1.0, 2.0, 2.0, 2.0],
    [4.0, -3.0, 2.0, 1.0, 0.0],
    [7.0, -7.0, 6.0, -6.0, 5.0, -5.0, 4.0, -4.0],
    [1.7e308],
    [1.7e308, -1.7e308, 1.7e308],
    [1.7e308, 1.7e308],
    [1e160, -2e160, 3e160, 0.0],
    [1e-320, 0.0, 2e-320, 0.0],
    [np.nan],
    [np.nan, 1.0, 2.0, 4.0],
    [1.0, 2.0, np.nan, 2.0, 5.0],
    [np.inf],
    [-np.inf],
    [np.inf, np.inf, np.inf, np.inf],
    [1.0, np.inf, np.inf, 2.0, 3.0],
    [-np.inf, 1.0, 2.0, 3.0],
    [-np.inf, np.inf, -np.inf, 0.0],
)
AROUND_LEAVES = (127, 128, 129, 255, 256, 257, 258, 511, 513, 1023, 1025, 2051)


def arguments_of(calculator: str) -> list[dict]:
    return (ALL[calculator] or [{}]) + OTHERS.get(calculator, [])


@pytest.mark.parametrize("calculator", CALCULATORS)
def test_equals_tsfresh_on_small_series(calculator):
    cases = [np.array(case, dtype=np.float64) for case in SMALL]
    require_parity("moments", calculator, arguments_of(calculator), *cases)


@pytest.mark.parametrize("calculator", CALCULATORS)
@given(st.lists(series() | broken_series(), min_size=1, max_size=3))
@settings(deadline=None, max_examples=10)
def test_equals_tsfresh(calculator, cases):
    require_parity("moments", calculator, arguments_of(calculator), *cases)


@pytest.mark.slow
@pytest.mark.parametrize("calculator", CALCULATORS)
@given(st.lists(series(longest=20_000) | broken_series(longest=5000), min_size=1, max_size=3))
@settings(deadline=None, max_examples=300)
def test_equals_tsfresh_on_many_series(calculator, cases):
    require_parity("moments", calculator, arguments_of(calculator), *cases)


@given(
    st.lists(st.integers(0, 1) | st.floats(0, 1), min_size=1, max_size=9),
    st.lists(st.integers(1, 10_000) | st.integers(1, 40), min_size=1, max_size=5),
    series(longest=300) | broken_series(),
)
@settings(deadline=None, max_examples=10)
def test_takes_every_parameter(shares, counts, case):
    require_parity("moments", "quantile", [{"q": share} for share in shares], case)
    maxima = [{"number_of_maxima": count} for count in counts]
    require_parity("moments", "mean_n_absolute_max", maxima, case)


@pytest.mark.parametrize("calculator", ["sum_values", "mean", "variance", "skewness", "kurtosis"])
@pytest.mark.parametrize("length", AROUND_LEAVES)
def test_adds_in_the_order_of_numpy_and_of_pandas(calculator, length):
    rng = np.random.default_rng(length)
    for case in (rng.normal(size=length), np.full(length, rng.normal()), np.full(length, 0.1)):
        ours = kernel_values("moments", calculator, [{}], [case])[0]
        np.testing.assert_array_equal(ours, own(calculator, [{}], case))


def test_leaves_nan_out_of_the_kurtosis_and_not_out_of_the_skewness():
    case = np.array([1.0, 2.0, np.nan, 2.0, 9.0])
    without = case[~np.isnan(case)]
    kurtosis = kernel_values("moments", "kurtosis", [{}], [case, without])
    assert kurtosis[0] == kurtosis[1]
    assert np.isnan(kernel_values("moments", "skewness", [{}], [case])).all()
