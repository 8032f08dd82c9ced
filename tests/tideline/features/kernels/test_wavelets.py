"""What is special to the kernels of the wavelet transforms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import choose_conv_method

from tests.tideline.features.kernels.examples import SMALL
from tests.tideline.features.parity import (
    SHAPES,
    broken_series,
    kernel_values,
    require_parity,
    series,
    shaped,
)
from tideline.features.kernels import wavelets

PEAKS = [{"n": 1}, {"n": 5}]


@st.composite
def widths_and_places(draw: st.DrawFn) -> list[dict]:
    """Draw arguments of `cwt_coefficients`, in no order, some of them twice."""
    width = st.integers(1, 40) | st.integers(1, 10_000)
    widths = draw(st.lists(width, min_size=1, max_size=4, unique=True))
    coeff = st.integers(0, 20) | st.integers(0, 2000)
    pairs = st.tuples(st.sampled_from(widths), coeff)
    drawn = draw(st.lists(pairs, min_size=1, max_size=12))
    return [{"widths": widths, "w": w, "coeff": coeff} for w, coeff in drawn]


@settings(deadline=None, max_examples=10)
@given(case=series(longest=400) | broken_series(), arguments=widths_and_places())
def test_coefficients_of_other_widths_equal_tsfresh(case, arguments):
    require_parity("wavelets", "cwt_coefficients", arguments, case)


def test_coefficients_that_are_at_one_place_of_two_wavelets_are_two():
    # What is known of one width was taken for another: their wavelets lie one behind the other.
    widths = [17, 16]
    case = np.random.default_rng(0).normal(size=268)
    arguments = [{"widths": widths, "w": w, "coeff": coeff} for w in widths for coeff in range(268)]
    for pair in ([3, 268 + 267], range(len(arguments))):
        require_parity("wavelets", "cwt_coefficients", [arguments[k] for k in pair], case)


def test_number_of_peaks_equals_tsfresh_on_small_series():
    arguments = [{"n": n} for n in (5, 1, 2, 3, 4, 5, 6, 12, 30)]
    cases = [np.array(case, dtype=np.float64) for case in SMALL if case]
    require_parity("wavelets", "number_cwt_peaks", arguments, *cases)


@settings(deadline=None, max_examples=10)
@given(
    case=series(longest=200) | broken_series(),
    widest=st.lists(st.integers(1, 40), min_size=1, max_size=3),
)
def test_number_of_peaks_over_other_widths_equals_tsfresh(case, widest):
    require_parity("wavelets", "number_cwt_peaks", [{"n": n} for n in widest], case)


@pytest.mark.slow
@settings(deadline=None, max_examples=400)
@given(
    cases=st.lists(series() | broken_series(), min_size=1, max_size=3),
    arguments=widths_and_places(),
)
def test_coefficients_of_other_widths_equal_tsfresh_on_many_series(cases, arguments):
    require_parity("wavelets", "cwt_coefficients", arguments, *cases)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape not in {"tiny", "huge"}])
def test_symmetry_and_plateaus_give_the_peaks_of_tsfresh(shape):
    # Neighbours that are equal but for rounding: which is greater hangs on the last bit.
    half = np.round(shaped(shape, 60, 3), 1)
    cases = [np.concatenate([half, half[::-1]]), np.convolve(half, half[::-1]), half.repeat(3)]
    require_parity("wavelets", "number_cwt_peaks", [{"n": n} for n in (1, 5, 20)], *cases)


def test_a_line_that_ends_in_two_maxima_begins_where_scipy_has_it(monkeypatch):
    left = []
    by_scipy = wavelets._counted_by_scipy
    monkeypatch.setattr(
        wavelets,
        "_counted_by_scipy",
        lambda series, width: left.append(width) or by_scipy(series, width),
    )
    cases = [shaped("noise", 300, seed) for seed in range(30)]
    require_parity("wavelets", "number_cwt_peaks", [{"n": 5}, {"n": 50}], *cases)
    # Which of the two hangs on an unstable sort. Of many widths scipy has to be asked now and then.
    assert set(left) == {50}


def test_each_width_counts_in_a_batch_of_many_lengths():
    cases = [shaped("walk", length, length) for length in range(1, 70)]
    together = kernel_values("wavelets", "number_cwt_peaks", PEAKS, cases)
    alone = [kernel_values("wavelets", "number_cwt_peaks", PEAKS, [case]) for case in cases]
    np.testing.assert_array_equal(together, np.concatenate(alone))


@pytest.mark.slow
def test_long_series_are_convolved_as_scipy_chooses():
    waves = np.sin(np.arange(40_000) / 30)
    assert choose_conv_method(waves, waves[:600], mode="same") == "fft"
    require_parity("wavelets", "number_cwt_peaks", [{"n": 60}, {"n": 5}], waves)
    assert choose_conv_method(np.empty(10**8), waves[:256], mode="same") == "direct"
