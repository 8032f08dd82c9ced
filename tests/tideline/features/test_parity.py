"""The rule that says when a kernel may differ from tsfresh: itself, for all kernels rest on it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from tests.tideline.features.parity import _neighbours, broken_series, own, require_values, series

TIES = np.repeat(np.random.default_rng(3).normal(size=12), 5)


@settings(deadline=None, max_examples=50)
@given(series(longest=300) | broken_series())
def test_neighbours_differ_by_one_unit_in_the_last_place_and_keep_ties(case: np.ndarray) -> None:
    for neighbour in _neighbours(case):
        still = (case == 0) | ~np.isfinite(case)
        np.testing.assert_array_equal(neighbour[still], case[still])
        away = np.abs(neighbour[~still] - case[~still])
        assert np.all(away <= np.spacing(np.abs(case[~still])))
        _, places = np.unique(case, return_inverse=True)
        assert all(np.unique(neighbour[places == p]).size == 1 for p in set(places.tolist()))


@pytest.mark.parametrize(
    ("calculator", "arguments", "off"),
    [
        ("count_above_mean", {}, 1.0),
        ("number_crossing_m", {"m": 0}, -1.0),
        ("percentage_of_reoccurring_values_to_all_values", {}, 1e-3),
        ("ratio_value_number_to_time_series_length", {}, 1 / 60),
        ("sum_of_reoccurring_values", {}, 1e-6),
        ("permutation_entropy", {"tau": 1, "dimension": 3}, 1e-3),
        ("sample_entropy", {}, 1e-3),
        ("mean", {}, 1e-8),
        ("kurtosis", {}, np.inf),
        ("kurtosis", {}, np.nan),
    ],
)
def test_what_rounding_does_not_explain_is_refused(
    calculator: str, arguments: dict[str, float], off: float
) -> None:
    values = own(calculator, [arguments], TIES)
    require_values(calculator, [arguments], TIES, values)

    with pytest.raises(AssertionError, match=calculator):
        require_values(calculator, [arguments], TIES, values + off)


def test_a_sum_that_cancels_may_differ_as_far_as_it_moves() -> None:
    noise = np.random.default_rng(0).normal(size=50) * 1e6
    case = np.concatenate([noise, -noise[::-1]])
    values = own("sum_values", [{}], case)

    require_values("sum_values", [{}], case, values + 1e-10)
    with pytest.raises(AssertionError, match="sum_values"):
        require_values("sum_values", [{}], case, values + 1e-5)
