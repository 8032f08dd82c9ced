"""The kernels of the Fourier transform and of Welch's density against tsfresh's functions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import welch
from tsfresh.feature_extraction import ComprehensiveFCParameters

from tests.tideline.features.parity import (
    SHAPES,
    broken_series,
    kernel_values,
    require_parity,
    series,
    shaped,
)
from tideline.features.batch import Batch
from tideline.features.kernels.spectrum import _kept_powers

ALL = ComprehensiveFCParameters()
ATTRIBUTES = ("real", "imag", "abs", "angle")
OTHERS = {
    "fft_coefficient": [
        {"coeff": coeff, "attr": attr} for coeff in (10_000, 1000, 101) for attr in ATTRIBUTES
    ],
    "fft_aggregated": [{"aggtype": "skew"}],
    "spkt_welch_density": [{"coeff": coeff} for coeff in (9, 127, 128, 129, 10_000)],
    "fourier_entropy": [{"bins": bins} for bins in (1, 7, 1000, 10_000)],
}
CALCULATORS = tuple(OTHERS)
SMALL = (
    [3.0],
    [0.0],
    [1.0, 2.0],
    [-2.0, 2.0],
    [0.1, 0.1, 0.1],
    [0.7, 0.7, 0.7, 0.7, 0.7],
    [1.0, -1.0, 1.0, -1.0],
    [6.0, 0.0, -2.0, 0.0],
    [0.0, 0.0, 1.0, 0.0, 0.0],
    [1.0, 1.0, 2.0, 2.0, 2.0],
    [1.7e308, 1.7e308],
    [1e160, -2e160, 3e160, 0.0],
    [1e-320, 0.0, 2e-320, 0.0],
    [np.nan],
    [np.inf],
    [1.0, np.nan, 2.0],
    [1.0, 2.0, -np.inf, 3.0],
    [-np.inf, np.inf, -np.inf, 0.0],
)
AROUND_SEGMENTS = (254, 255, 256, 257, 383, 384, 385, 1150, 1151, 1152, 1280, 2300, 5000)


def arguments_of(calculator: str) -> list[dict]:
    return ALL[calculator] + OTHERS[calculator]


@pytest.mark.parametrize("calculator", CALCULATORS)
def test_equals_tsfresh_on_small_series(calculator):
    cases = [np.array(case) for case in SMALL]
    require_parity("spectrum", calculator, sorted_by_coefficient(arguments_of(calculator)), *cases)


@pytest.mark.parametrize("calculator", CALCULATORS)
@settings(deadline=None, max_examples=10)
@given(case=series() | broken_series())
def test_equals_tsfresh(calculator, case):
    require_parity("spectrum", calculator, sorted_by_coefficient(arguments_of(calculator)), case)


@pytest.mark.slow
@pytest.mark.parametrize("calculator", CALCULATORS)
@settings(deadline=None, max_examples=500)
@given(cases=st.lists(series() | broken_series(), min_size=1, max_size=3))
def test_equals_tsfresh_on_many_series(calculator, cases):
    require_parity("spectrum", calculator, sorted_by_coefficient(arguments_of(calculator)), *cases)


@pytest.mark.parametrize("calculator", ["spkt_welch_density", "fourier_entropy"])
def test_equals_tsfresh_where_segments_begin(calculator):
    cases = [shaped("walk", length, length) for length in AROUND_SEGMENTS]
    require_parity("spectrum", calculator, sorted_by_coefficient(arguments_of(calculator)), *cases)


@pytest.mark.parametrize("shape", SHAPES)
def test_density_has_the_bits_of_scipy(shape):
    cases = [shaped(shape, length, length) for length in (1, 2, 3, 60, 61, *AROUND_SEGMENTS)]
    offsets = np.concatenate([[0], np.cumsum([case.size for case in cases])])
    found = {}
    for positions, densities in Batch(np.concatenate(cases), offsets).welch:
        found |= dict(zip(positions, densities, strict=True))
    for position, case in enumerate(cases):
        _, expected = welch(case, nperseg=min(case.size, 256))
        np.testing.assert_array_equal(found[position], expected)


def test_many_segments_in_parts_are_as_one_by_one():
    cases = [shaped("noise", 3000, seed) for seed in range(60)]
    together = kernel_values("spectrum", "spkt_welch_density", [{"coeff": 3}], cases)
    alone = [kernel_values("spectrum", "spkt_welch_density", [{"coeff": 3}], [c]) for c in cases]
    np.testing.assert_array_equal(together, np.concatenate(alone))


def test_density_of_a_short_series_goes_to_its_own_coefficient():
    case = shaped("noise", 9, 0)
    arguments = [{"coeff": coeff} for coeff in (8, 2, 5, 4, 0)]
    _, density = welch(case, nperseg=9)
    expected = [np.nan, density[2], np.nan, density[4], density[0]]
    np.testing.assert_array_equal(
        kernel_values("spectrum", "spkt_welch_density", arguments, [case])[0], expected
    )


@pytest.mark.parametrize("share", [0.4, 0.6])
def test_no_shape_of_a_spectrum_narrower_than_that_of_tsfresh(share):
    """Amplitudes at two frequencies that are `span` apart have a variance of `p(1 - p) span^2`."""
    span, p = 2, {0.4: 0.1127, 0.6: 0.1838}[share]
    time = 2 * np.pi * np.arange(32) / 32
    case = (1 - p) * np.cos(5 * time) + p * np.cos((5 + span) * time)
    asked = [{"aggtype": aggregate} for aggregate in ("variance", "skew", "kurtosis")]
    require_parity("spectrum", "fft_aggregated", asked, case)
    variance, *shape = kernel_values("spectrum", "fft_aggregated", asked, [case])[0]
    assert variance == pytest.approx(share, rel=1e-3)
    assert np.isfinite(shape).all() == (share > 0.5)


def test_keeps_no_powers_for_long_series():
    _kept_powers.cache_clear()
    cases = [shaped("noise", length, 0) for length in (4096, 4098, 4100, 20_000)]
    require_parity("spectrum", "fft_aggregated", ALL["fft_aggregated"], *cases)
    assert _kept_powers.cache_info().currsize == 1


def test_angles_of_what_is_only_rounding_are_those_of_tsfresh():
    # The transform of these is zero but for rounding, and the angle of that may be anything.
    whole = [np.tile([3.0, -1.0, 2.0], 40), np.arange(77.0) % 7, np.full(49, 0.1)]
    angles = [{"coeff": coeff, "attr": "angle"} for coeff in range(61)]
    require_parity("spectrum", "fft_coefficient", angles, *whole)


def sorted_by_coefficient(arguments: list[dict]) -> list[dict]:
    """Return the arguments as a plan has them; tsfresh errs on others (see the test above)."""
    return sorted(arguments, key=lambda each: each.get("coeff", 0))
