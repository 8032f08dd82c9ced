"""What is special to the kernels of changes."""

from __future__ import annotations

import numpy as np
import pandas as pd
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
from tideline.features.kernels.changes import _fill_thresholds

ALL = ComprehensiveFCParameters()
AGGREGATES = ("max", "mean", "median", "min", "std", "sum", "var")
SHARES = st.sampled_from([0, 1, 0.25, 0.5, 0.75, np.nextafter(0.5, 0)]) | st.floats(0, 1)
CORRIDORS = st.fixed_dictionaries(
    {"ql": SHARES, "qh": SHARES, "isabs": st.booleans(), "f_agg": st.sampled_from(AGGREGATES)}
)


@pytest.mark.parametrize("calculator", ["c3", "time_reversal_asymmetry_statistic"])
@given(case=series() | broken_series(), lags=st.lists(st.integers(0, 10_000), max_size=3))
@settings(max_examples=10, deadline=None)
def test_takes_any_lag(calculator, case, lags):
    lags = [*lags, 0, (case.size - 1) // 2, case.size // 2]
    require_parity("changes", calculator, [{"lag": lag} for lag in lags], case)


@given(case=series() | broken_series(), arguments=st.lists(CORRIDORS, min_size=1, max_size=8))
@settings(max_examples=10, deadline=None)
def test_takes_any_corridor_and_aggregate(case, arguments):
    require_parity("changes", "change_quantiles", arguments, case)


@pytest.mark.parametrize("isabs", [False, True])
def test_knows_every_aggregate(isabs):
    rng = np.random.default_rng(7)
    cases = [rng.normal(size=n) for n in (2, 3, 10, 11, 300)] + [rng.integers(0, 5, 50) * 1.0]
    arguments = [
        {"ql": 0.1, "qh": 0.9, "isabs": isabs, "f_agg": aggregate} for aggregate in AGGREGATES
    ]
    require_parity("changes", "change_quantiles", arguments, *cases)


def test_the_order_of_the_corridors_does_not_matter():
    arguments = ALL["change_quantiles"]
    cases = [np.sin(np.arange(n) ** 1.5) for n in (1, 7, 128, 129)]
    values = kernel_values("changes", "change_quantiles", arguments, cases)
    turned = kernel_values("changes", "change_quantiles", arguments[::-1], cases)
    np.testing.assert_array_equal(turned[:, ::-1], values)


def test_an_empty_corridor_gives_zero():
    arguments = [
        {"ql": ql, "qh": qh, "isabs": False, "f_agg": "mean"}
        for ql, qh in [(0.5, 0.5), (0.8, 0.2), (1, 0)]
    ]
    assert not kernel_values("changes", "change_quantiles", arguments, [np.arange(9.0)]).any()


@given(case=series() | broken_series(), shares=st.lists(SHARES, min_size=1))
@settings(max_examples=10, deadline=None)
def test_quantiles_are_those_of_pandas_to_the_bit(case, shares):
    thresholds = np.empty(len(shares))
    _fill_thresholds(np.sort(case), np.array(shares, dtype=np.float64), thresholds)
    with np.errstate(all="ignore"):
        expected = pd.Series(case).dropna().quantile(shares).to_numpy()
    np.testing.assert_array_equal(thresholds, expected)


@pytest.mark.slow
@given(case=series() | broken_series(), arguments=st.lists(CORRIDORS, min_size=1, max_size=8))
@settings(max_examples=1500, deadline=None)
def test_takes_any_corridor_on_many_series(case, arguments):
    require_parity("changes", "change_quantiles", arguments, case)
