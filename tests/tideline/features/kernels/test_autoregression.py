"""What is special to the kernel of autoregressions."""

from __future__ import annotations

import numpy as np
import pytest

from tests.tideline.features.kernels.examples import arguments_of
from tests.tideline.features.parity import kernel_values, require_parity, shaped


@pytest.mark.parametrize("level", [1e3, 1e5, 1e8])
def test_equals_tsfresh_far_from_0(level):
    moved = level + shaped("walk", 80, 3)
    require_parity("autoregression", "ar_coefficient", arguments_of("ar_coefficient"), moved)


@pytest.mark.parametrize("infinity", [np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 1, 11, 23, 24, 31])
@pytest.mark.parametrize("shape", ["noise", "ascending", "few"])
def test_ends_where_statsmodels_does_not(infinity, place, shape):
    series = shaped(shape, 33, 5)
    series[place] = infinity
    values = kernel_values(
        "autoregression", "ar_coefficient", arguments_of("ar_coefficient"), [series]
    )
    assert not np.isfinite(values[values != 0]).any()


def test_keeps_that_the_last_coefficient_of_too_short_a_series_is_0():
    arguments = [{"coeff": c, "k": 3} for c in range(5)]
    short = [np.array([1.0, 2.0, 5.0, 1.0])]
    values = kernel_values("autoregression", "ar_coefficient", arguments, short)
    np.testing.assert_array_equal(values[0], [np.nan, np.nan, np.nan, 0, np.nan])


def test_takes_the_order_of_a_long_past():
    arguments = [{"coeff": 0, "k": 60}, {"coeff": 60, "k": 60}, {"coeff": 3, "k": 10_000}]
    require_parity("autoregression", "ar_coefficient", arguments, shaped("noise", 400, 2))
