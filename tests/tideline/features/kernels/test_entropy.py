"""What is special to the kernels of entropies and complexity."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tideline.features.parity import (
    equal,
    kernel_values,
    own,
    require_parity,
    series,
    shaped,
)
from tideline.features.kernels import neighbours
from tideline.features.kernels.weak_orders import (
    _weak_orders,
    entropies_by_numpy,
    permutations_by_weak_order,
)


@given(
    case=series(longest=130),
    m=st.integers(1, 12) | st.integers(1, 128),
    r=st.floats(0, 3) | st.sampled_from([0.5, 1.0, 2.0]) | st.floats(-1, 0),
)
@settings(deadline=None, max_examples=10)
def test_any_length_and_tolerance(case: np.ndarray, m: int, r: float) -> None:
    require_parity("entropy", "approximate_entropy", [{"m": m, "r": r}], case)


def test_a_tolerance_less_than_zero_gives_nan_where_tsfresh_raises() -> None:
    sets = [{"m": 2, "r": -0.5}]
    for case in ([1.0, 2.0], [1.0, 2.0, 3.0, 1.0, 0.0], [2.0] * 9, [np.nan] * 9):
        require_parity("entropy", "approximate_entropy", sets, np.array(case))


@given(case=series(longest=400), tau=st.integers(1, 50), dimension=st.integers(2, 60))
@settings(deadline=None, max_examples=10)
def test_any_windows(case: np.ndarray, tau: int, dimension: int) -> None:
    sets = [{"tau": tau, "dimension": d} for d in (dimension, min(dimension, 5))]
    require_parity("entropy", "permutation_entropy", sets, case)


@given(case=series(longest=500), bins=st.integers(1, 40) | st.integers(1, 10_000))
@settings(deadline=None, max_examples=10)
def test_any_bins(case: np.ndarray, bins: int) -> None:
    sets = [{"bins": bins}, {"bins": 3}]
    require_parity("entropy", "lempel_ziv_complexity", sets, case)


def test_values_on_the_edge_of_a_bin() -> None:
    # Thirds and tenths have no exact edges: the rounding of numpy's linspace decides.
    for step in (0.1, 1 / 3, 0.7):
        case = np.random.default_rng(0).permutation(np.arange(300) * step)
        sets = [{"bins": bins} for bins in (10, 23, 299)]
        require_parity("entropy", "lempel_ziv_complexity", sets, case)


def test_a_difference_that_is_the_tolerance_is_within_it() -> None:
    case = np.random.default_rng(0).permutation(np.repeat([-1.0, 1.0], 30))  # of deviation 1
    sets = [{"m": m, "r": r} for m in (1, 2) for r in (2.0, np.nextafter(2, 0), np.nextafter(2, 3))]
    require_parity("entropy", "approximate_entropy", sets, case)
    assert kernel_values("entropy", "approximate_entropy", sets[:2], [case]).tolist() != [[0, 0]]


@pytest.mark.parametrize("m", [1, 2, 3, 63, 64, 65, 150])
def test_a_matrix_made_in_parts_counts_the_same(m: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Of period 100 and another after 500, so that long runs have matches near and far.
    cases = [np.sin(np.arange(n) * np.pi / 50) + (np.arange(n) > 500) for n in (700, 64, 300)]
    sets = [{"m": m, "r": r} for r in (0.05, 0.2, 0.6)]
    whole = kernel_values("entropy", "approximate_entropy", sets, cases)
    sampled = kernel_values("entropy", "sample_entropy", [{}], cases)
    monkeypatch.setattr(neighbours, "ROOM", 0)
    np.testing.assert_array_equal(
        kernel_values("entropy", "approximate_entropy", sets, cases), whole
    )
    np.testing.assert_array_equal(kernel_values("entropy", "sample_entropy", [{}], cases), sampled)


def test_the_matrix_of_a_long_series_has_bounded_room() -> None:
    words_for = neighbours._words_for.py_func
    assert words_for(2_000, np.array([2]), neighbours.ROOM) == 2_000 * 33
    assert words_for(100_000, np.array([2]), neighbours.ROOM) == neighbours.ROOM


@pytest.mark.parametrize(("dimension", "count"), [(2, 3), (3, 13), (4, 75), (5, 541), (6, 4683)])
def test_numbers_tell_weak_orders_apart(dimension: int, count: int) -> None:
    ranks, codes = _weak_orders(dimension)
    assert len(ranks) == len(np.unique(ranks, axis=0)) == len(np.unique(codes)) == count
    assert codes.max() < permutations_by_weak_order(dimension).size


@pytest.mark.parametrize("dimension", [2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("shape", ["few", "whole", "steps", "noise"])
def test_tables_and_numpy_agree(dimension: int, shape: str) -> None:
    cases = [shaped(shape, 1500, seed) for seed in range(5)]
    sets = [{"tau": 1, "dimension": dimension}, {"tau": 3, "dimension": dimension}]
    values = kernel_values("entropy", "permutation_entropy", sets, cases)
    for k, each in enumerate(sets):
        by_numpy = entropies_by_numpy(np.array(cases), each["tau"], dimension)
        np.testing.assert_allclose(values[:, k], by_numpy, rtol=1e-12, atol=1e-14)
    assert equal(values[0, 0], own("permutation_entropy", sets[:1], cases[0])[0])


def test_windows_are_sorted_in_blocks() -> None:
    case = shaped("walk", 4000, 0)
    sets = [{"tau": 1, "dimension": 600}, {"tau": 7, "dimension": 1500}]
    require_parity("entropy", "permutation_entropy", sets, case)


def test_no_query_is_counted() -> None:
    out = kernel_values("entropy", "query_similarity_count", [{}, {}], [np.arange(5.0)])
    assert np.isnan(out).all()
