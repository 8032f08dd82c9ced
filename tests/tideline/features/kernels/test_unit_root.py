"""What is special to the kernel of the test for a unit root."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.tsa.adfvalues import mackinnonp

from tests.tideline.features.kernels.examples import arguments_of
from tests.tideline.features.parity import kernel_values, require_parity, shaped
from tideline.features.kernels.unit_root import _p_value


@pytest.mark.parametrize("level", [1e3, 1e5, 1e8])
def test_equals_tsfresh_far_from_0(level):
    moved = level + shaped("walk", 80, 3)
    require_parity(
        "unit_root", "augmented_dickey_fuller", arguments_of("augmented_dickey_fuller"), moved
    )


@pytest.mark.parametrize("infinity", [np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 1, 11, 23, 24, 31])
@pytest.mark.parametrize("shape", ["noise", "ascending", "few"])
def test_ends_where_statsmodels_does_not(infinity, place, shape):
    series = shaped(shape, 33, 5)
    series[place] = infinity
    values = kernel_values(
        "unit_root", "augmented_dickey_fuller", arguments_of("augmented_dickey_fuller"), [series]
    )
    assert np.isnan(values).all()


def test_finds_a_random_walk_by_its_p_value():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=400)
    found = kernel_values(
        "unit_root", "augmented_dickey_fuller", [{"attr": "pvalue"}], [noise, noise.cumsum()]
    )
    assert found[0, 0] < 0.01
    assert found[1, 0] > 0.05


def test_p_values_on_either_side_of_where_the_polynomials_meet():
    """MacKinnon's two polynomials, one up to -1.61 and the other from there on, nearly meet."""
    statistics = [-18.9, -18.8, -1.6101, -1.61, -1.6099, -1.0, 2.73, 2.75]
    expected = [mackinnonp(each, regression="c") for each in statistics]
    np.testing.assert_allclose([_p_value(each) for each in statistics], expected, rtol=1e-13)
    assert abs(expected[3] - expected[4]) > 1e-5
