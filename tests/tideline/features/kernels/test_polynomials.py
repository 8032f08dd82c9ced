"""Fitted polynomials and their roots against numpy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tideline.features.kernels.polynomials import (
    DOUBT,
    fit_polynomials,
    largest_roots,
    largest_roots_by_numpy,
    polynomial_by_numpy,
)

SEEDS = st.integers(0, 2**32 - 1)


@settings(deadline=None, max_examples=10)
@given(SEEDS, st.integers(1, 5), st.integers(0, 40), st.floats(-3, 3), st.floats(-2, 8))
def test_coefficients_are_those_of_polyfit(seed, degree, count, spread, ratio):
    rng = np.random.default_rng(seed)
    x = 10**spread * (10**ratio + rng.normal(size=(4, 40)))
    y = rng.normal(size=(4, 40))
    fitted, doubts = fit_polynomials(
        x.ravel(), y.ravel(), np.arange(0, 160, 40), np.full(4, count), degree
    )
    assert (doubts <= DOUBT).all()
    for case in range(4):
        expected = (
            np.polyfit(x[case, :count], y[case, :count], degree, full=True)[0]
            if count
            else np.full(degree + 1, np.nan)
        )
        np.testing.assert_allclose(fitted[case], expected, rtol=1e-9, atol=0)


def test_a_case_in_doubt_is_left_to_numpy_to_the_bit():
    rng = np.random.default_rng(0)
    x, y = 1e6 + rng.normal(size=30), rng.normal(size=30)
    fitted, doubts = fit_polynomials(x, y, np.array([0]), np.array([30]), 3)
    assert doubts[0] == 0
    np.testing.assert_array_equal(fitted[0], np.polyfit(x, y, 3, full=True)[0])


@pytest.mark.parametrize("value", [np.inf, np.nan, 1e200])
def test_no_polynomial_beyond_the_range_of_floats(value):
    x = np.array([0.5, value, 2.0, 1.0])
    with np.errstate(all="ignore"):
        assert np.isnan(polynomial_by_numpy(x, np.ones(4), 2)).all()


def roots_by_numpy(coefficients: np.ndarray) -> np.ndarray:
    return np.array([np.max(np.real(np.roots(each))) for each in coefficients])


@settings(deadline=None, max_examples=10)
@given(SEEDS, st.floats(0, 4))
def test_the_largest_root_of_cubics(seed, spread):
    rng = np.random.default_rng(seed)
    coefficients = rng.normal(size=(50, 4)) * 10 ** rng.uniform(-spread, spread, (50, 4))
    roots, doubts = largest_roots(coefficients, np.zeros(50))
    sure = doubts <= DOUBT
    np.testing.assert_allclose(roots[sure], roots_by_numpy(coefficients)[sure], rtol=1e-9)


def test_most_cubics_are_solved_without_numpy():
    coefficients = np.random.default_rng(0).normal(size=(1000, 4))
    _, doubts = largest_roots(coefficients, np.full(1000, 1e-13))
    assert np.mean(doubts <= DOUBT) > 0.95


@pytest.mark.parametrize(
    ("roots", "known"),
    [
        ([1.0, 2.0, 3.0], True),
        ([-3.0, -2.0, -1.0], True),
        ([-1.0, 5 + 2j, 5 - 2j], True),
        ([5.0, -1 + 2j, -1 - 2j], True),
        ([1e30, -1e30, 1e29], True),
        ([2.0, 2.0, 1.0], False),
        ([2.0, 2.0, 2.0], False),
        ([1e-12, -1.0, -2.0], False),
    ],
)
def test_roots_that_are_known_and_roots_in_doubt(roots, known):
    coefficients = 3 * np.real(np.poly(roots))[np.newaxis]
    found, doubts = largest_roots(coefficients, np.zeros(1))
    assert (doubts[0] <= DOUBT) == known
    if known:
        np.testing.assert_allclose(found, np.max(np.real(roots)), rtol=1e-12)


@pytest.mark.parametrize(
    "coefficients",
    [[0, 0, 0, 0], [0, 0, 0, 2], [np.nan] * 4, [1e-320, 1, 1, 1]],
)
def test_no_root(coefficients):
    given_ones = np.array([coefficients, [1, 2, 3, 4]], dtype=float)
    with np.errstate(all="ignore"):
        found = largest_roots_by_numpy(given_ones)
    assert np.isnan(found[0])
    assert found[1] == roots_by_numpy(given_ones[1:])[0]


@pytest.mark.parametrize("degree", [1, 2, 3, 5, 9])
def test_roots_by_numpy_of_many_at_once(degree):
    coefficients = np.random.default_rng(degree).normal(size=(20, degree + 1))
    np.testing.assert_array_equal(
        largest_roots_by_numpy(coefficients), roots_by_numpy(coefficients)
    )
    coefficients[3, 0] = coefficients[4, -1] = 0
    coefficients[5, : degree - 1] = 0
    with np.errstate(all="ignore"):
        found = largest_roots_by_numpy(coefficients)
    known = ~np.isnan(found)
    np.testing.assert_array_equal(found[known], roots_by_numpy(coefficients[known]))
