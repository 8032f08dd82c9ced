"""What is special to the kernels of sums, means, moments, quantiles and extremes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tideline.features.parity import (
    broken_series,
    kernel_values,
    own,
    require_parity,
    series,
)

AROUND_LEAVES = (127, 128, 129, 255, 256, 257, 258, 511, 513, 1023, 1025, 2051)


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
