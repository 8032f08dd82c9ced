"""Parameter sets by name, and explicit choices of calculators."""

from __future__ import annotations

import json
import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tsfresh.feature_extraction import feature_calculators

from tideline.errors import SpecError
from tideline.features.parameters import (
    MAX_FEATURES,
    PARAMETER_SETS,
    canonical_name,
    checked,
    parameter_set,
)

FIELD = "extract_features.default_fc_parameters"


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("minimal", "minimal"),
        ("Minimal", "minimal"),
        ("MinimalFCParameters", "minimal"),
        ("MinimalFCParameters()", "minimal"),
        (" EfficientFCParameters( ) ", "efficient"),
        ("tsfresh.feature_extraction.ComprehensiveFCParameters()", "comprehensive"),
        ("tsfresh.feature_extraction.settings.MinimalFCParameters", "minimal"),
        ("index_based", "index_based"),
        ("TimeBasedFCParameters()", "time_based"),
    ],
)
def test_knows_a_set_however_it_is_spelt(spelling, name):
    assert canonical_name(spelling) == name


@pytest.mark.parametrize("name", PARAMETER_SETS)
def test_a_name_is_its_own_spelling(name):
    assert canonical_name(name) == canonical_name(PARAMETER_SETS[name]) == name


@pytest.mark.parametrize(
    "spelling",
    [
        "",
        "os.system('ls')",
        "__import__('os')",
        "os.MinimalFCParameters()",
        "MinimalFCParameters(1)",
        "minimal\nefficient",
        "m" * 10_000,
    ],
)
def test_refuses_any_other_text_and_evaluates_none_of_it(spelling):
    with pytest.raises(SpecError) as caught:
        canonical_name(spelling)
    assert caught.value.field == FIELD
    assert len(str(caught.value)) < 500


def test_names_the_nearest_set():
    with pytest.raises(SpecError, match="Did you mean 'efficient'"):
        canonical_name("eficient")


@pytest.mark.parametrize("name", PARAMETER_SETS)
def test_a_set_is_json_and_passes_as_an_explicit_mapping(name):
    ours = parameter_set(name)
    assert json.loads(json.dumps(ours)) == ours
    assert checked(ours) == ours == parameter_set(ours)


def test_changing_a_set_changes_it_for_nobody_else():
    parameter_set("comprehensive")["c3"].clear()
    assert len(parameter_set("comprehensive")["c3"]) == 3


@pytest.mark.parametrize("nothing", [None, [], [{}]])
def test_a_calculator_without_parameters_takes_null(nothing):
    assert checked({"mean": nothing}) == {"mean": None}


def test_reads_a_whole_float_where_a_whole_number_is_meant():
    kept = checked({"c3": [{"lag": 2.0}]})["c3"][0]["lag"]
    assert kept == 2
    assert isinstance(kept, int)


def test_the_autolag_of_the_dickey_fuller_test_may_be_left_out_or_be_null():
    entries = [{"attr": "pvalue"}, {"attr": "pvalue", "autolag": None}]
    assert checked({"augmented_dickey_fuller": entries}) == {"augmented_dickey_fuller": entries}


def test_takes_the_widest_wavelet():
    widest = {"number_cwt_peaks": [{"n": 500}]}
    assert checked(widest) == widest


@pytest.mark.parametrize(
    ("mapping", "field", "said"),
    [
        ({}, "", "no calculator"),
        ({"meen": None}, "", "Did you mean 'mean'"),
        ({3: None}, "", "not a calculator"),
        ({"set_property": None}, "", "not a calculator"),
        ({"matrix_profile": None}, "", "not a calculator"),
        ({"mean": [{"lag": 1}]}, ".mean", "takes no parameter"),
        ({"c3": None}, ".c3", "needs parameters (lag)"),
        ({"c3": []}, ".c3", "needs parameters (lag)"),
        ({"c3": {"lag": 1}}, ".c3", "Write a list"),
        ({"c3": [1]}, ".c3.0", "expects a mapping"),
        ({"c3": [{"lga": 1}]}, ".c3.0", "Did you mean 'lag'"),
        ({"c3": [{"lag": 1}, {}]}, ".c3.1", "also needs lag"),
        ({"c3": [{"lag": -1}]}, ".c3.0.lag", "a whole number from 0"),
        ({"c3": [{"lag": 10**9}]}, ".c3.0.lag", "to 10000"),
        ({"number_cwt_peaks": [{"n": 501}]}, ".number_cwt_peaks.0.n", "from 1 to 500"),
        ({"c3": [{"lag": 10**400}]}, ".c3.0.lag", "a whole number"),
        ({"c3": [{"lag": 1.5}]}, ".c3.0.lag", "a whole number"),
        ({"c3": [{"lag": True}]}, ".c3.0.lag", "a whole number"),
        ({"c3": [{"lag": "1"}]}, ".c3.0.lag", "a whole number"),
        ({"c3": [{"lag": 1}, {"lag": 1.0}]}, ".c3.1", "twice"),
        ({"cid_ce": [{"normalize": 1}]}, ".cid_ce.0.normalize", "true or false"),
        ({"quantile": [{"q": 1.1}]}, ".quantile.0.q", "from 0 to 1"),
        ({"quantile": [{"q": float("nan")}]}, ".quantile.0.q", "from 0 to 1"),
        ({"linear_trend": [{"attr": "__class__"}]}, ".linear_trend.0.attr", "one of intercept"),
        (
            {"agg_autocorrelation": [{"f_agg": "load", "maxlag": 3}]},
            ".agg_autocorrelation.0.f_agg",
            "one of max, mean",
        ),
        (
            {"query_similarity_count": [{"query": [1.0, 2.0, 3.0], "threshold": 0.0}]},
            ".query_similarity_count.0.query",
            "null is expected",
        ),
        (
            {"cwt_coefficients": [{"widths": [2, 5], "coeff": 0, "w": 10}]},
            ".cwt_coefficients.0",
            "one of its widths",
        ),
        (
            {"cwt_coefficients": [{"widths": [2, 2], "coeff": 0, "w": 2}]},
            ".cwt_coefficients.0.widths",
            "distinct",
        ),
        (
            {"energy_ratio_by_chunks": [{"num_segments": 3, "segment_focus": 3}]},
            ".energy_ratio_by_chunks.0",
            "less than num_segments",
        ),
    ],
)
def test_refuses_what_tsfresh_cannot_compute_and_says_where(mapping, field, said):
    with pytest.raises(SpecError) as caught:
        checked(mapping)
    assert caught.value.field == FIELD + field
    assert said in str(caught.value)


def test_refuses_more_features_than_a_run_could_use():
    lags = [{"coeff": c, "k": k} for k in range(1, 60) for c in range(200)]
    assert len(lags) > MAX_FEATURES
    with pytest.raises(SpecError, match="at most 10000"):
        checked({"ar_coefficient": lags})


@cache
def sample() -> pd.Series:
    steps = np.arange(64)
    values = np.sin(steps / 3) + np.random.default_rng(7).normal(0, 0.2, steps.size)
    return pd.Series(values, pd.date_range("2026-01-01", periods=steps.size, freq="h"))


def tsfresh_values(calculator, entry):
    """Compute one feature with tsfresh's own function, or let it raise."""
    function = getattr(feature_calculators, calculator)
    x = sample() if getattr(function, "input", None) == "pd.Series" else sample().to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tsfresh's functions warn of short and flat series
        if function.fctype == "simple":
            return [function(x, **entry)]
        return [value for _, value in function(x, [entry])]


# What a calculator may be given: sound values, slips, and names that numpy has but no rule.
values = st.one_of(
    st.integers(-2, 40),
    st.sampled_from([0.0, 0.2, 0.5, 1.0, 3.5, -1e12, 1e300]),
    st.booleans(),
    st.none(),
    st.sampled_from(
        [
            "mean",
            "median",
            "std",
            "var",
            "max",
            "min",
            "sum",
            "slope",
            "stderr",
            "rvalue",
            "AIC",
            "pvalue",
            "teststat",
            "usedlag",
            "real",
            "abs",
            "centroid",
            "t-stat",
            "BIC",
            "argmax",
        ]
    ),
    st.lists(st.integers(0, 12), max_size=4),
)


@cache
def shapes() -> dict[str, dict[str, object]]:
    return {name: entries[0] for name, entries in parameter_set("comprehensive").items() if entries}


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_tsfresh_computes_whatever_was_accepted(data):
    calculator = data.draw(st.sampled_from(sorted(shapes())))
    entry = {
        key: data.draw(st.one_of(st.just(value), values))
        for key, value in shapes()[calculator].items()
    }
    try:
        accepted = checked({calculator: [entry]})
    except SpecError:
        return
    assert len(tsfresh_values(calculator, accepted[calculator][0])) == 1


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.one_of(st.sampled_from(["mean", "c3", "quantile", "cwt_coefficients"]), st.text()),
        st.recursive(
            st.one_of(values, st.text(), st.floats()),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3),
                st.dictionaries(st.sampled_from(["lag", "q", "w", "?"]), inner, max_size=3),
            ),
            max_leaves=6,
        ),
        max_size=3,
    )
)
def test_any_mapping_is_accepted_or_refused_as_a_spec_error(mapping):
    try:
        accepted = checked(mapping)
    except SpecError as error:
        refused = error
    else:
        assert checked(accepted) == accepted
        return
    assert refused.field.startswith(FIELD)


def test_the_order_of_single_values_is_no_feature() -> None:
    with pytest.raises(
        SpecError, match="dimension of calculator permutation_entropy is 1; a whole"
    ):
        checked({"permutation_entropy": [{"tau": 1, "dimension": 1}]})
