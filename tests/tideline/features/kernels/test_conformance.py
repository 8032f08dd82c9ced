"""Every kernel against tsfresh's function: what holds of all calculators, tried on each of them.

What is special to a calculator (its parameters over their whole range, its borders) stands in the
file of its family.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tideline.features.kernels.examples import MORE, SMALL, arguments_of
from tests.tideline.features.parity import broken_series, in_range, require_parity, series
from tideline.features.catalogue import CATALOGUE


@dataclass(frozen=True)
class Trial:
    """How much a kernel is tried: what tsfresh's own function takes for it differs widely."""

    longest: int = 2000
    """Values of the longest series."""
    longest_of_many: int = 20_000
    """The same where many series are tried."""
    many: int = 300
    stride: int = 1
    """Of the sets of parameters, which are asked of small series: every first, every fifth."""


FAMILIES = {
    "autoregression": Trial(250, 2000, 150),
    "changes": Trial(2000, 6000, 300),
    "correlation": Trial(600, 2000, 400),
    "entropy": Trial(300, 1000, 150),
    "langevin": Trial(2000, 2000, 1000),
    "locations": Trial(many=600),
    "moments": Trial(),
    "repetition": Trial(),
    "spectrum": Trial(2000, 2000, 500),
    "thresholds": Trial(),
    "trend": Trial(600, 2000, 1000),
    "unit_root": Trial(250, 2000, 150),
    "wavelets": Trial(600, 2000, 400),
}
OTHERWISE = {
    "change_quantiles": Trial(2000, 6000, 300, stride=5),
    "approximate_entropy": Trial(150, 450, 150),
    "lempel_ziv_complexity": Trial(2000, 6000, 150),
    "permutation_entropy": Trial(2000, 6000, 150),
}
TAKE_NO_VALUES = {"entropy", "moments", "repetition", "thresholds"}
"""The families that are asked about series of no values; the others are spared them."""


every_calculator = pytest.mark.parametrize(
    "calculator", [name for name, row in CATALOGUE.items() if row.family]
)


def trial_of(calculator: str) -> Trial:
    return OTHERWISE.get(calculator) or FAMILIES[CATALOGUE[calculator].family]


def askable(calculator: str, case: np.ndarray) -> np.ndarray:
    """Return a series, or what is like it, that tsfresh comes back from.

    statsmodels refuses a column whose greatest value is not finite. One with minus infinity alone
    it hands to LAPACK, which may never return; the differences that the test of Dickey and Fuller
    takes have it next to any infinity. Nor does `numpy.polyfit` return from powers out of range.
    """
    if CATALOGUE[calculator].family == "langevin":
        return in_range(case)
    if calculator == "ar_coefficient":
        return np.where(np.isneginf(case), np.inf, case)
    if calculator == "augmented_dickey_fuller":
        return np.where(np.isinf(case), np.nan, case)
    return case


def require_conformance(calculator: str, *cases: np.ndarray, stride: int = 1) -> None:
    asked = [askable(calculator, case) for case in cases]
    family = CATALOGUE[calculator].family
    require_parity(family, calculator, arguments_of(calculator)[::stride], *asked)


def test_every_family_is_tried_and_nothing_else():
    assert set(FAMILIES) == {row.family for row in CATALOGUE.values() if row.family}
    assert {*OTHERWISE, *MORE} < set(CATALOGUE)


@every_calculator
def test_equals_tsfresh_on_small_series(calculator):
    takes_none = CATALOGUE[calculator].family in TAKE_NO_VALUES
    cases = [np.array(case, dtype=np.float64) for case in SMALL if case or takes_none]
    require_conformance(calculator, *cases, stride=trial_of(calculator).stride)


@every_calculator
def test_equals_tsfresh(calculator):
    longest = trial_of(calculator).longest

    @settings(deadline=None, max_examples=10)
    @given(whole=series(longest=longest), broken=broken_series(longest=min(longest, 200)))
    def test(whole, broken):
        require_conformance(calculator, whole, broken)

    test()


@pytest.mark.slow
@every_calculator
def test_equals_tsfresh_on_many_series(calculator):
    trial = trial_of(calculator)
    drawn = series(longest=trial.longest_of_many) | broken_series(trial.longest_of_many // 10)

    @settings(deadline=None, max_examples=trial.many)
    @given(st.lists(drawn, min_size=1, max_size=2))
    def test(cases):
        require_conformance(calculator, *cases)

    test()
