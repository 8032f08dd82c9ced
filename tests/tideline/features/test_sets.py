from __future__ import annotations

import inspect

import pytest
from tsfresh.feature_extraction import feature_calculators, settings

from tideline.features.catalogue import CATALOGUE
from tideline.features.feature import Call, Feature
from tideline.features.parameters import PARAMETER_SETS
from tideline.features.sets import named_set

SLOW_TWELVE = {
    "change_quantiles", "approximate_entropy", "friedrich_coefficients", "agg_linear_trend",
    "max_langevin_fixed_point", "number_cwt_peaks", "augmented_dickey_fuller", "sample_entropy",
    "fourier_entropy", "ar_coefficient", "permutation_entropy", "lempel_ziv_complexity",
}  # fmt: skip


@pytest.mark.parametrize(("name", "class_name"), PARAMETER_SETS.items())
def test_a_named_set_is_that_of_tsfresh(name: str, class_name: str) -> None:
    theirs = getattr(settings, class_name)()
    ours = named_set(name)

    assert list(ours) == list(theirs)
    for calculator, entries in theirs.items():
        # By what they look like: 1 is equal to 1.0, and gives another name.
        shown = [sorted((k, repr(v).replace("(", "[").replace(")", "]")) for k, v in e.items())
                 for e in entries or ()]  # fmt: skip
        assert [sorted((k, repr(v)) for k, v in e.items()) for e in ours[calculator] or ()] == shown
        assert (ours[calculator] is None) == (entries is None)


def test_a_set_is_the_callers_own() -> None:
    named_set("efficient")["c3"].clear()

    assert len(named_set("efficient")["c3"]) == 3


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_catalogue_knows_the_parameters_of_tsfresh(name: str) -> None:
    taken = set(inspect.signature(getattr(feature_calculators, name)).parameters) - {"x", "param"}
    used = {key for entry in named_set("comprehensive")[name] or () for key in entry}

    assert taken | used <= set(CATALOGUE[name].parameters)


def test_the_slow_calculators_have_kernels_and_at_most_eight_have_none() -> None:
    without = {name for name, entry in CATALOGUE.items() if entry.family is None}

    assert not without & SLOW_TWELVE
    assert len(without) <= 8


@pytest.mark.parametrize("name", [n for n, entry in CATALOGUE.items() if entry.family])
def test_every_family_has_the_kernel_that_the_catalogue_promises(name: str) -> None:
    entries = named_set("comprehensive")[name] or [{}]
    call = Call.of([Feature.of("x", name, entry) for entry in entries], range(len(entries)))

    assert call.kernel is not None
