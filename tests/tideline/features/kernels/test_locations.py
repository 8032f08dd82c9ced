"""What is special to the kernels of locations and counts."""

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


@given(case=series() | broken_series(), m=st.floats(-1e300, 1e300) | st.integers(-7, 7))
@settings(max_examples=10, deadline=None)
def test_takes_any_threshold(case, m):
    arguments = [{"m": m}, {"m": float(case[0])}, {"m": 0.5}]
    if np.isfinite(case[0]):
        require_parity("locations", "number_crossing_m", arguments, case)


@given(case=series(longest=400) | broken_series(), n=st.integers(1, 500))
@settings(max_examples=10, deadline=None)
def test_takes_any_support(case, n):
    middle = max((case.size - 1) // 2, 1)
    supports = [n, 2, middle, middle + 1, case.size]
    require_parity("locations", "number_peaks", [{"n": n} for n in supports], case)


def test_a_support_beyond_the_series_finds_no_peak():
    cases = [np.array([0.0, 1.0, 0.0]), np.array([0.0, 1.0, 2.0, 1.0, 0.0])]
    counts = kernel_values("locations", "number_peaks", [{"n": 10_000}, {"n": 2}, {"n": 1}], cases)
    np.testing.assert_array_equal(counts, [[0, 0, 1], [0, 1, 1]])


@given(
    case=series() | broken_series(),
    shares=st.lists(st.floats(0, 1) | st.sampled_from([0, 1]), min_size=1, max_size=6),
)
@settings(max_examples=10, deadline=None)
def test_takes_any_share(case, shares):
    arguments = [{"q": share} for share in shares]
    require_parity("locations", "index_mass_quantile", arguments, case)


@given(
    case=series() | broken_series(),
    segments=st.lists(st.integers(1, 60) | st.integers(1, 10_000), min_size=1, max_size=4),
    part=st.floats(0, 1, exclude_max=True),
)
@settings(max_examples=10, deadline=None)
def test_takes_any_segment(case, segments, part):
    arguments = [{"num_segments": n, "segment_focus": int(part * n)} for n in segments]
    require_parity("locations", "energy_ratio_by_chunks", arguments, case)
