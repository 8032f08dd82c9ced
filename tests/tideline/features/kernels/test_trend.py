"""What is special to the kernels of straight lines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tsfresh.feature_extraction.settings import ComprehensiveFCParameters

from tests.tideline.features.parity import broken_series, kernel_values, require_parity, series

ATTRIBUTES = ("slope", "intercept", "rvalue", "stderr", "pvalue")
AGGREGATES = ("max", "mean", "min", "std", "sum", "var")
LINEAR = ComprehensiveFCParameters()["linear_trend"]


@st.composite
def chunked(draw: st.DrawFn) -> list[dict]:
    """Draw a few sets of parameters of agg_linear_trend, short chunks more often than long."""
    widths = st.integers(1, 12) | st.integers(1, 2000) | st.just(10_000)
    asked = st.tuples(st.sampled_from(ATTRIBUTES[:-1]), widths, st.sampled_from(AGGREGATES))
    drawn = draw(st.lists(asked, min_size=1, max_size=12, unique=True))
    return [{"attr": attr, "chunk_len": width, "f_agg": f} for attr, width, f in drawn]


@settings(deadline=None, max_examples=10)
@given(chunked(), st.lists(series(longest=400) | broken_series(), min_size=1, max_size=3))
def test_chunks_of_any_length_and_aggregate(arguments, cases):
    require_parity("trend", "agg_linear_trend", arguments, *cases)


@pytest.mark.slow
@settings(deadline=None, max_examples=1500)
@given(chunked(), series() | broken_series())
def test_many_lines(arguments, case):
    require_parity("trend", "agg_linear_trend", arguments, case)


@pytest.mark.parametrize(
    "case",
    [
        [3.0],
        [1.0, 1.0],
        [1.0, 2.0],
        [0.0, -0.0],
        [np.inf, np.inf],
        [np.inf, 1.0],
        [np.nan, 1.0],
        [1.0, 1.0, 1.0],
        [0.1, 0.1, 0.1],
        [1.0, 2.0, 3.0],
        [3.0, 1.0, 3.0],
        [1e200, 1.0, 1e200],
        [1e-320, 0.0, 3e-320, 0.0],
        [5.0, 4.0, 3.0, 2.0, 1.0],
        [0.7] * 53,
    ],
)
def test_short_and_even_series(case):
    case = np.array(case)
    asked = [
        {"attr": attr, "chunk_len": width, "f_agg": f}
        for attr in ATTRIBUTES[:-1]
        for width in (1, 2, 3, 5, 10)
        for f in AGGREGATES
    ]
    require_parity("trend", "linear_trend", LINEAR, case)
    require_parity("trend", "agg_linear_trend", asked, case)


def test_a_perfect_line_has_no_error_and_no_doubt():
    line = 3.0 * np.arange(20.0) - 7
    values = kernel_values("trend", "linear_trend", [{"attr": a} for a in ATTRIBUTES], [line])
    np.testing.assert_array_equal(values[0, :4], [3, -7, 1, 0])
    assert values[0, 4] < 1e-100


def test_p_values_of_lines_through_chunks():
    rng = np.random.default_rng(5)
    asked = [{"attr": "pvalue", "chunk_len": width, "f_agg": "mean"} for width in (7, 25, 60)]
    require_parity("trend", "agg_linear_trend", asked, rng.normal(size=50), rng.normal(size=61))


@pytest.mark.parametrize("line", [0.3 * np.arange(5.0), 0.1 - 0.3 * np.arange(4.0)])
def test_the_correlation_of_a_line_is_at_most_1(line):
    """Rounding makes more of these two, of which the standard error would not be a number."""
    require_parity("trend", "linear_trend", LINEAR, line)
    asked = [{"attr": "rvalue"}, {"attr": "stderr"}]
    values = kernel_values("trend", "linear_trend", asked, [line])
    np.testing.assert_array_equal(np.abs(values), [[1, 0]])
