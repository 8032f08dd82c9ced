"""What is special to the kernels of repeated values, of bins and of leading digits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tideline.features.kernels.examples import SMALL
from tests.tideline.features.parity import (
    broken_series,
    kernel_values,
    own,
    require_parity,
    series,
)


@given(st.integers(1, 60) | st.integers(1, 10_000), series(longest=300) | broken_series())
@settings(deadline=None, max_examples=10)
def test_bins_as_finely_as_asked(bins, case):
    require_parity("repetition", "binned_entropy", [{"max_bins": bins}], case)


@pytest.mark.parametrize("bins", [1, 2, 7, 100, 10_000])
def test_bins_values_that_are_close_or_few(bins):
    """Alone: where tsfresh fails for one number of bins, it has no entropy for the others."""
    cases = [np.array(case, dtype=np.float64) for case in SMALL]
    require_parity("repetition", "binned_entropy", [{"max_bins": bins}], *cases)


def test_takes_many_numbers_of_bins_at_once():
    arguments = [{"max_bins": bins} for bins in (7, 1, 100, 2)]
    cases = [np.sin(np.arange(length)) for length in (50, 3, 200)]
    require_parity("repetition", "binned_entropy", arguments, *cases)


def leading_digits(numbers: np.ndarray) -> np.ndarray:
    """Return what the kernel takes for the leading digits: each digit has a value of its own."""
    alone = np.array([own("benford_correlation", [{}], np.array([d]))[0] for d in range(1, 10)])
    found = kernel_values(
        "repetition", "benford_correlation", [{}], np.split(numbers, numbers.size)
    )
    return np.abs(found - alone).argmin(axis=1) + 1


def printed_digits(numbers: np.ndarray) -> list[int]:
    return [int(np.format_float_scientific(abs(number))[0]) for number in numbers]


def test_finds_the_leading_digit_on_both_sides_of_each_border():
    borders = [float(f"{digit}e{power}") for power in range(-323, 308, 5) for digit in range(1, 10)]
    numbers = np.concatenate([np.nextafter(borders, 0), borders, -np.nextafter(borders, np.inf)])
    numbers = numbers[numbers != 0]
    np.testing.assert_array_equal(leading_digits(numbers), printed_digits(numbers))


def test_finds_the_leading_digit_of_the_least_and_the_greatest_numbers():
    least = np.arange(1, 300, dtype=np.int64).view(np.float64)
    greatest = np.array([1e308, 1.7e308, np.finfo(float).max])
    numbers = np.concatenate([least, greatest])
    np.testing.assert_array_equal(leading_digits(numbers), printed_digits(numbers))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
@settings(deadline=None, max_examples=10)
def test_finds_the_leading_digit_of_any_number(drawn):
    numbers = np.array([number or 1.0 for number in drawn])
    np.testing.assert_array_equal(leading_digits(numbers), printed_digits(numbers))


def test_tells_no_correlation_from_equal_shares():
    digits = np.tile(np.arange(1.0, 10.0), 7)
    require_parity("repetition", "benford_correlation", [{}], digits)


def test_lets_one_infinity_make_the_sum_of_repeated_values_unknown():
    case = np.array([1.0, 1.0, np.inf])
    for calculator in ("sum_of_reoccurring_values", "sum_of_reoccurring_data_points"):
        assert np.isnan(kernel_values("repetition", calculator, [{}], [case])).all()
