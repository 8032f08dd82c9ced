import numpy as np
import pytest
from hypothesis import given, settings
from statsmodels.tsa.adfvalues import mackinnonp

from tests.tideline.features.parity import (
    broken_series,
    kernel_values,
    require_parity,
    series,
    shaped,
)
from tideline.features.kernels.regression import ATTRIBUTES, CRITERIA, _p_value

ARGUMENTS = {
    # Each coefficient that there is, and the one beyond.
    "ar_coefficient": [{"coeff": c, "k": k} for k in (1, 2, 10) for c in range(12)],
    "augmented_dickey_fuller": [
        {"attr": "pvalue"},
        *({"attr": a, "autolag": c} for c in CRITERIA for a in ATTRIBUTES),
    ],
}
PERIODIC = [1.0, 2.0, 0.0, 2.0] * 8
SMALL = [
    [1.0],
    [1.0, 2.0],
    [1.0, 2.0, 4.0],
    [1.0, 2.0, 4.0, 3.0],
    [1.0, 2.0, 4.0, 3.0, 3.0],
    [0.0] * 30,
    [0.1] * 30,
    [7.0] * 30,
    PERIODIC,
    [*PERIODIC, 5.0],
    [0.0] * 40 + [1.0, 2.0, 1.0] + [0.0] * 4,
    [1.0, 3.0] * 20,
    list(range(25)),
    list(np.arange(25) ** 2.0),
    [1.0, 2.0, 4.0, 3.0, 7.0, 1.0, 2.0, 1.0, 5.0, 7.0, 8.0, np.inf],
    [1.0, 2.0, 4.0, 3.0, 7.0, 1.0, 2.0, 1.0, 5.0, 7.0, 8.0, np.nan],
    [np.nan] * 6,
]

each_calculator = pytest.mark.parametrize("calculator", sorted(ARGUMENTS))


@each_calculator
@given(one=series(longest=250), other=series(longest=60))
@settings(deadline=None, max_examples=10)
def test_gives_the_values_of_tsfresh(calculator, one, other):
    require_parity("regression", calculator, ARGUMENTS[calculator], one, other)


# statsmodels refuses a column whose greatest value is not finite. One with minus infinity alone it
# hands to LAPACK, which may never return: tsfresh is not asked about those. The differences that
# the test of Dickey and Fuller takes have it next to any infinity.
REPLACED = {
    "ar_coefficient": {-np.inf: np.inf},
    "augmented_dickey_fuller": dict.fromkeys((np.inf, -np.inf), np.nan),
}


@each_calculator
@given(broken=broken_series())
@settings(deadline=None, max_examples=10)
def test_gives_the_values_of_tsfresh_where_some_are_not_finite(calculator, broken):
    for infinity, instead in REPLACED[calculator].items():
        broken[broken == infinity] = instead
    require_parity("regression", calculator, ARGUMENTS[calculator], broken)


@pytest.mark.parametrize("infinity", [np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 1, 11, 23, 24, 31])
@pytest.mark.parametrize("shape", ["noise", "ascending", "few"])
def test_ends_where_statsmodels_does_not(infinity, place, shape):
    series = shaped(shape, 33, 5)
    series[place] = infinity
    arguments = [{"attr": a, "autolag": c} for c in CRITERIA for a in ATTRIBUTES]
    values = kernel_values("regression", "augmented_dickey_fuller", arguments, [series])
    assert np.isnan(values).all()
    arguments = [{"coeff": c, "k": k} for k in (1, 10) for c in range(k + 1)]
    values = kernel_values("regression", "ar_coefficient", arguments, [series])
    assert not np.isfinite(values[values != 0]).any()


@each_calculator
def test_gives_the_values_of_tsfresh_where_many_models_fit_alike(calculator):
    require_parity("regression", calculator, ARGUMENTS[calculator], *map(np.array, SMALL))


@each_calculator
@pytest.mark.parametrize("level", [1e3, 1e5, 1e8])
def test_gives_the_values_of_tsfresh_far_from_0(calculator, level):
    moved = level + shaped("walk", 80, 3)
    require_parity("regression", calculator, ARGUMENTS[calculator], moved)


@pytest.mark.slow
@each_calculator
@given(drawn=series(longest=2000))
@settings(deadline=None, max_examples=150)
def test_gives_the_values_of_tsfresh_for_long_series(calculator, drawn):
    require_parity("regression", calculator, ARGUMENTS[calculator], drawn)


def test_keeps_that_the_last_coefficient_of_too_short_a_series_is_0():
    arguments = [{"coeff": c, "k": 3} for c in range(5)]
    short = [np.array([1.0, 2.0, 5.0, 1.0])]
    values = kernel_values("regression", "ar_coefficient", arguments, short)
    np.testing.assert_array_equal(values[0], [np.nan, np.nan, np.nan, 0, np.nan])


def test_takes_the_order_of_a_long_past():
    arguments = [{"coeff": 0, "k": 60}, {"coeff": 60, "k": 60}, {"coeff": 3, "k": 10_000}]
    require_parity("regression", "ar_coefficient", arguments, shaped("noise", 400, 2))


def test_finds_a_random_walk_by_its_p_value():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=400)
    found = kernel_values(
        "regression", "augmented_dickey_fuller", [{"attr": "pvalue"}], [noise, noise.cumsum()]
    )
    assert found[0, 0] < 0.01
    assert found[1, 0] > 0.05


def test_p_values_on_either_side_of_where_the_polynomials_meet():
    """MacKinnon's two polynomials, one up to -1.61 and the other from there on, nearly meet."""
    statistics = [-18.9, -18.8, -1.6101, -1.61, -1.6099, -1.0, 2.73, 2.75]
    expected = [mackinnonp(each, regression="c") for each in statistics]
    np.testing.assert_allclose([_p_value(each) for each in statistics], expected, rtol=1e-13)
    assert abs(expected[3] - expected[4]) > 1e-5
