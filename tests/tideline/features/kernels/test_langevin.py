"""What is special to the kernels of Langevin models."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tsfresh.feature_extraction.settings import ComprehensiveFCParameters

from tests.tideline.features.parity import (
    broken_series,
    in_range,
    kernel_values,
    own,
    require_parity,
    series,
    shaped,
)
from tideline.features.batch import Batch
from tideline.features.kernels.langevin import friedrich_coefficients

FRIEDRICH = ComprehensiveFCParameters()["friedrich_coefficients"]
FIXED_POINT = ComprehensiveFCParameters()["max_langevin_fixed_point"]


@st.composite
def models(draw: st.DrawFn) -> list[dict]:
    """Draw one degree and one number of quantiles, small ones more often."""
    degree = draw(st.integers(1, 4) | st.integers(1, 12))
    quantiles = draw(st.integers(1, 8) | st.integers(1, 50) | st.integers(1, 10_000))
    return {"m": degree, "r": quantiles}


def coefficients(m: int, r: int) -> list[dict]:
    return [{"m": m, "r": r, "coeff": place} for place in range(m + 3)]


@settings(deadline=None, max_examples=10)
@given(models(), (series(longest=400) | broken_series()).map(in_range))
def test_models_of_any_degree_and_quantiles(model, case):
    require_parity("langevin", "friedrich_coefficients", coefficients(**model), case)
    require_parity("langevin", "max_langevin_fixed_point", [model], case)


@pytest.mark.slow
@settings(deadline=None, max_examples=1500)
@given(models(), (series() | broken_series()).map(in_range))
def test_many_models(model, case):
    require_parity("langevin", "friedrich_coefficients", coefficients(**model), case)
    require_parity("langevin", "max_langevin_fixed_point", [model], case)


@pytest.mark.parametrize(
    "case",
    [
        [3.0],
        [1.0, 2.0],
        [1.0, 1.0],
        [1.0, np.inf],
        [np.inf, 1.0],
        [1.0, np.nan],
        [np.nan, 1.0],
        [1.0, 2.0, 3.0],
        [2.0, 0.5, -1.0, 4.0],
        [1.0, 2.0, 4.0, 3.0, 0.0],
        [0.1, 0.2, 0.4, np.inf],
        [0.1, np.nan, 0.4, np.nan, 0.8, np.nan],
        [0.1, np.nan, 0.4, 0.3, -2.0, np.nan, 0.9],
        [-np.inf, 0.0, 1.0, np.inf, 3.0],
        [0.0, -0.0, 1.0, 2.0, 3.0],
        [7.0] * 40,
    ],
)
def test_short_and_broken_series(case):
    for degree in (1, 2, 3):
        for quantiles in (1, 2, 3, 30):
            asked = coefficients(degree, quantiles)
            require_parity("langevin", "friedrich_coefficients", asked, np.array(case))
            require_parity(
                "langevin",
                "max_langevin_fixed_point",
                [{"m": degree, "r": quantiles}],
                np.array(case),
            )


@pytest.mark.parametrize("offset", [0, 10, 100, 1e3, 1e5, 1e8])
@pytest.mark.parametrize("length", [40, 128, 900])
def test_offsets_that_make_the_powers_dependent(offset, length):
    cases = [offset + shaped(shape, length, 3) for shape in ("walk", "noise", "sine", "ascending")]
    require_parity("langevin", "friedrich_coefficients", FRIEDRICH, *cases)
    require_parity("langevin", "max_langevin_fixed_point", FIXED_POINT, *cases)


@pytest.mark.parametrize("step", [2.0**-52, 3e-15, 1e-13])
def test_edges_that_only_pandas_tells_apart(step):
    walk = np.random.default_rng(4).permutation(400)
    for case in (1 + walk * step, (1 + walk * step) * 1.9, 1e300 * (1 + walk)):
        for quantiles in (2, 7, 30):
            values = kernel_values(
                "langevin", "friedrich_coefficients", coefficients(1, quantiles), [case]
            )
            expected = own("friedrich_coefficients", coefficients(1, quantiles), case)
            np.testing.assert_array_equal(values[0], expected)


@pytest.mark.parametrize("end", [0.5, np.nan, np.inf])
def test_means_of_quantiles_that_are_runs_are_added_as_pandas_adds(end):
    # Of values so different in size, another order of additions leaves another sum.
    spikes = np.append(shaped("spikes", 200, 5), end)
    climb = np.sort(shaped("spikes", 300, 6))
    for case in (spikes, climb, climb[::-1], np.append(climb, end), np.append(np.nan, climb)):
        for quantiles in (1, 2, 9):
            asked = coefficients(2, quantiles)
            values = kernel_values("langevin", "friedrich_coefficients", asked, [case])
            np.testing.assert_allclose(
                values[0], own("friedrich_coefficients", asked, case), rtol=1e-9
            )


def test_models_of_several_degrees_in_one_call():
    asked = [
        {"m": 3, "r": 30, "coeff": 1},
        {"m": 2, "r": 10, "coeff": 2},
        {"m": 3, "r": 30, "coeff": 0},
        {"m": 2, "r": 10, "coeff": 3},
        {"m": 20, "r": 50, "coeff": 4},
    ]
    require_parity("langevin", "friedrich_coefficients", asked, shaped("walk", 200, 1))
    models = [{"m": degree, "r": 30} for degree in (1, 2, 3, 5, 20)]
    require_parity("langevin", "max_langevin_fixed_point", models, shaped("walk", 200, 1))


def test_many_short_series_beside_a_long_one_take_no_room_for_its_quantiles():
    cases = [shaped("noise", 12_000, 0), *[np.array([1.0, 2.0, 0.0])] * 4000]
    offsets = np.cumsum([0, *(case.size for case in cases)])
    out = np.empty((len(cases), 1))
    kernel = friedrich_coefficients([{"m": 3, "r": 10_000, "coeff": 0}])
    kernel(Batch(np.concatenate(cases), offsets), out)
    tracemalloc.start()
    kernel(Batch(np.concatenate(cases), offsets), out)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20e6


def test_huge_values_leave_out_the_powers_that_overflow():
    cases = [shaped("huge", length, 2) for length in (5, 60, 300)]
    require_parity("langevin", "friedrich_coefficients", FRIEDRICH, *cases)


def test_no_value_where_tsfresh_never_returns():
    # numpy's least squares loops for ever on the infinities of powers that vanish.
    tiny = shaped("tiny", 200, 2)
    for name, asked in (
        ("friedrich_coefficients", FRIEDRICH),
        ("max_langevin_fixed_point", FIXED_POINT),
    ):
        assert np.isnan(kernel_values("langevin", name, asked, [tiny])).all()
