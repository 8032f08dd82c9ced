"""What is special to the kernels of the Fourier transform and of Welch's density."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch
from tsfresh.feature_extraction import ComprehensiveFCParameters

from tests.tideline.features.kernels.examples import arguments_of
from tests.tideline.features.parity import (
    SHAPES,
    kernel_values,
    require_parity,
    shaped,
)
from tideline.features.batch import Batch
from tideline.features.kernels.spectrum import _kept_powers

ALL = ComprehensiveFCParameters()
AROUND_SEGMENTS = (254, 255, 256, 257, 383, 384, 385, 1150, 1151, 1152, 1280, 2300, 5000)


@pytest.mark.parametrize("calculator", ["spkt_welch_density", "fourier_entropy"])
def test_equals_tsfresh_where_segments_begin(calculator):
    cases = [shaped("walk", length, length) for length in AROUND_SEGMENTS]
    require_parity("spectrum", calculator, arguments_of(calculator), *cases)


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
