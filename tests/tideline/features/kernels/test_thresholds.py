"""What is special to the kernels of counts and thresholds."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tideline.features.parity import (
    broken_series,
    kernel_values,
    require_parity,
    series,
)

NUMBERS = st.integers(-3, 3) | st.floats(-2, 2) | st.floats(-1e300, 1e300)
THRESHOLDS = st.lists(NUMBERS, min_size=1, max_size=5)


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
