"""What is special to the kernels of autocorrelations."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from tests.tideline.features.parity import (
    kernel_values,
    require_parity,
    shaped,
)
from tideline.features.batch import Batch
from tideline.features.kernels.correlation import FLAT, FLATTER, agg_autocorrelation

AGGREGATES = ("max", "mean", "median", "min", "std", "sum", "var")
MANY_LAGS = [{"f_agg": f_agg, "maxlag": m} for f_agg in AGGREGATES for m in (40, 1000, 10_000)]
NEAR = [{"f_agg": f_agg, "maxlag": m} for f_agg in ("mean", "var") for m in (1, 200, 201, 1249)]


def test_takes_lags_beyond_the_length_and_the_transform_of_long_series():
    shapes = ("noise", "walk", "constant", "whole", "nearly constant")
    cases = [shaped(s, n, n) for s in shapes for n in (1, 2, 60, 1250, 1251, 1300)]
    require_parity("correlation", "agg_autocorrelation", MANY_LAGS, *cases)
    broken = shaped("noise", 1400, 1)
    broken[700] = np.nan
    require_parity("correlation", "agg_autocorrelation", MANY_LAGS, broken)


@pytest.mark.parametrize("length", [300, 1250, 1251, 4000])
def test_an_aggregate_does_not_depend_on_the_lags_of_others(length):
    cases = [shaped("walk", length, 3), shaped("noise", 40, 4), np.full(length, 0.1)]
    together = kernel_values("correlation", "agg_autocorrelation", MANY_LAGS + NEAR, cases)
    for column, argument in enumerate(MANY_LAGS + NEAR):
        alone = kernel_values("correlation", "agg_autocorrelation", [argument], cases)
        np.testing.assert_array_equal(alone[:, 0], together[:, column])


def test_many_short_series_beside_a_long_one_take_no_room_for_its_lags():
    cases = [shaped("noise", 12_000, 0), *[np.array([1.0, 2.0, 0.0])] * 4000]
    offsets = np.cumsum([0, *(case.size for case in cases)])
    batch, out = Batch(np.concatenate(cases), offsets), np.empty((len(cases), 1))
    kernel = agg_autocorrelation([{"f_agg": "mean", "maxlag": 10_000}])
    kernel(batch, out)
    tracemalloc.start()
    kernel(batch, out)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20e6


@pytest.mark.parametrize(
    ("calculator", "argument", "bound"),
    [
        ("autocorrelation", {"lag": 1}, FLAT),
        ("agg_autocorrelation", {"f_agg": "mean", "maxlag": 2}, FLATTER),
    ],
)
@pytest.mark.parametrize("factor", [0.98, 0.999999, 1.000001, 1.02])
def test_a_series_is_flat_up_to_the_variance_of_tsfresh(calculator, argument, bound, factor):
    shape = np.array([1.0, -1.0, -1.0, 1.0, 1.0, 1.0, -1.0, -1.0])
    series = np.sqrt(bound * factor) * shape
    require_parity("correlation", calculator, [argument], series)
    value = kernel_values("correlation", calculator, [argument], [series])[0, 0]
    assert (np.isfinite(value) and value != 0) == (factor > 1)


def test_takes_as_many_partial_lags_as_half_the_length():
    arguments = [{"lag": lag} for lag in (1, 20, 98, 99, 100, 10_000)]
    cases = [shaped(shape, 200, 5) for shape in ("noise", "walk", "sine", "heavy")]
    require_parity("correlation", "partial_autocorrelation", arguments, *cases)


def test_partial_lag_0_is_1_whatever_else_is_asked_for():
    """tsfresh has none alone, so that a part of a plan would differ from the whole."""
    series = shaped("noise", 50, 0)
    for arguments in ([{"lag": 0}], [{"lag": 0}, {"lag": 1}]):
        found = kernel_values("correlation", "partial_autocorrelation", arguments, [series])
        assert found[0, 0] == 1
    short = shaped("noise", 3, 0)
    assert np.isnan(kernel_values("correlation", "partial_autocorrelation", [{"lag": 0}], [short]))
