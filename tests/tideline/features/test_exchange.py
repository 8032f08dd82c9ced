from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tsfresh
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tsfresh.feature_extraction.settings import (
    ComprehensiveFCParameters,
    EfficientFCParameters,
    from_columns,
)

from tideline.errors import SpecError
from tideline.features.catalogue import TIMEWISE
from tideline.features.exchange import (
    fc_parameters_of_plan,
    plain_settings,
    plan_of_fc_parameters,
    plan_of_names,
)
from tideline.features.feature import Feature
from tideline.features.plan import FeaturePlan
from tideline.features.views import View, dyadic

WHOLE = FeaturePlan.from_parameters(["x"], "comprehensive", timed=["x"])
columns_of_the_whole = st.lists(
    st.integers(0, len(WHOLE.features) - 1), min_size=1, max_size=20, unique=True
)


def test_settings_of_tsfresh_are_the_set_of_their_name() -> None:
    assert plan_of_fc_parameters({"x": ComprehensiveFCParameters()}) == WHOLE


def test_what_from_columns_returns_is_a_plan() -> None:
    assert set(plan_of_fc_parameters(from_columns(WHOLE.names)).names) == set(WHOLE.names)


def test_a_plan_in_the_form_of_tsfresh_is_its_settings() -> None:
    plan = FeaturePlan.from_parameters(["x", "y"], "efficient", timed=["x", "y"])

    assert fc_parameters_of_plan(plan) == {kind: dict(EfficientFCParameters()) for kind in "xy"}


@pytest.mark.filterwarnings("ignore")  # tsfresh's own
def test_tsfresh_computes_a_plan() -> None:
    names = (
        "x__mean",
        "y__cwt_coefficients__coeff_1__w_5__widths_(2, 5, 10)",
        "x__autocorrelation__lag_2",
        'y__augmented_dickey_fuller__attr_"pvalue"__autolag_"AIC"',
        "x__query_similarity_count__query_None__threshold_0.0",
        "x__range_count__max_1__min_-1000000000000.0",
    )
    frame = pd.DataFrame({"id": 0, "x": np.arange(30.0), "y": np.arange(30.0) % 7})

    columns = tsfresh.extract_features(
        frame,
        kind_to_fc_parameters=fc_parameters_of_plan(plan_of_names(names)),
        column_id="id",
        n_jobs=0,
        disable_progressbar=True,
    ).columns

    assert set(columns) == set(names)


@settings(deadline=None, max_examples=30)
@given(columns_of_the_whole)
def test_a_plan_comes_back_from_the_form_of_tsfresh(columns: list[int]) -> None:
    plan = WHOLE.take(columns)

    again = plan_of_fc_parameters(fc_parameters_of_plan(plan))

    assert set(again.features) == set(plan.features)


@settings(deadline=None, max_examples=30)
@given(columns_of_the_whole, st.sampled_from([View(), *dyadic()]), st.sampled_from(["x", "a b|c"]))
def test_a_plan_comes_back_from_its_names(columns: list[int], view: View, channel: str) -> None:
    timewise = any(f.calculator == TIMEWISE for f in WHOLE.take(columns).features)
    assume(view.is_plain or not timewise)  # a view has no times
    plan = FeaturePlan(
        tuple(
            Feature(channel, feature.calculator, feature.parameters, view)
            for feature in WHOLE.take(columns).features
        )
    )

    again = plan_of_names(plan.names)

    assert again.names == plan.names
    assert {(f.channel, f.view) for f in again.features} == {(channel, view)}


@settings(deadline=None, max_examples=30)
@given(
    columns_of_the_whole,
    st.lists(st.sampled_from([View(), *dyadic()]), min_size=1, max_size=3, unique=True),
    st.sampled_from([["x"], ["a b|c", "7"], ["x|spectrum", "y"], ["x|1:2/4"]]),
)
def test_a_plan_with_views_comes_back_from_the_form_of_tsfresh(
    columns: list[int], views: list[View], channels: list[str]
) -> None:
    parts = [f for f in WHOLE.take(columns).features if f.calculator != TIMEWISE]
    assume(parts)
    plan = FeaturePlan(
        tuple(
            Feature(channel, feature.calculator, feature.parameters, view)
            for channel in channels
            for view in views
            for feature in parts
        )
    )

    again = plan_of_fc_parameters(fc_parameters_of_plan(plan), channels)

    assert set(again.features) == set(plan.features)
    assert plan_of_names(plan.names, channels).names == plan.names


@pytest.mark.parametrize("kind", ["x|9:2/4", "x|0:2/2", "x|01:2/4", "|difference", "x|diff"])
def test_a_name_that_ends_like_no_view_is_a_channel(kind: str) -> None:
    expected = (Feature(kind, "mean"),)

    assert plan_of_names([f"{kind}__mean"]).features == expected
    assert plan_of_fc_parameters({kind: {"mean": None}}).features == expected


def test_a_channel_of_the_data_is_no_view() -> None:
    expected = (Feature("x|difference", "mean"),)

    assert plan_of_names(["x|difference__mean"], ["x|difference"]).features == expected
    chosen = {"x|difference": {"mean": None}}
    assert plan_of_fc_parameters(chosen, ["x|difference"]).features == expected


def test_a_view_is_left_without_what_needs_dates() -> None:
    plan = plan_of_fc_parameters({"x|difference": ComprehensiveFCParameters()})

    assert TIMEWISE not in {feature.calculator for feature in plan.features}
    assert plan.channels == ("x",)


def test_refuses_the_set_with_views_for_a_view() -> None:
    with pytest.raises(SpecError, match=r"asked for of the view 'x\|difference'; it has views of"):
        plan_of_fc_parameters({"x|difference": "tideline"})


def test_names_given_twice_count_once() -> None:
    assert plan_of_names(["x__mean", "x__mean"]).names == ("x__mean",)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("x__maen", "'maen' is not a calculator .* Did you mean 'mean'"),
        ("x__autocorrelation__log_1", "'log' is not a parameter .* Did you mean 'lag'"),
        ("x__autocorrelation__lag_-1", "lag of calculator autocorrelation is -1"),
        ("x__autocorrelation__lag", "is not the name of a feature"),
        ("x__autocorrelation__lag_import os", "is not the name of a feature"),
        ("x__autocorrelation", "autocorrelation also needs lag"),
        ("price", "'price' is not the name of a feature.* Leave columns"),
        ("__mean", "is not the name of a feature"),
        (3, "3 is not the name of a feature"),
    ],
)
def test_refuses_what_is_no_name(name: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        plan_of_names([name])


def test_refuses_no_name_at_all() -> None:
    with pytest.raises(SpecError, match="no name of a feature was given"):
        plan_of_names([])


def test_numbers_of_numpy_and_tuples_are_plain() -> None:
    written = {
        "cwt_coefficients": (
            {"widths": (np.int64(2), 5), "coeff": np.int32(1), "w": 2},
            {"widths": np.array([2, 5]), "coeff": 1, "w": np.uint8(2)},
        ),
        "cid_ce": [{"normalize": np.bool_(True)}, {"normalize": True}],
        "mean": None,
    }

    plain = plain_settings(written, field="here")

    assert plain["cwt_coefficients"][0] == {"widths": [2, 5], "coeff": 1, "w": 2}
    assert plain["cid_ce"] == [{"normalize": True}]
    assert plan_of_fc_parameters({"x": written}).names == (
        "x__cwt_coefficients__coeff_1__w_2__widths_(2, 5)",
        "x__cid_ce__normalize_True",
        "x__mean",
    )


def test_kinds_without_calculators_are_left_out() -> None:
    assert plan_of_fc_parameters({"x": {}, 7: {"mean": None}}).names == ("7__mean",)


@pytest.mark.parametrize(
    ("chosen", "message", "field"),
    [
        ({"mean_": None}, "Did you mean 'mean'", "kind_to_fc_parameters.x"),
        ({"c3": [{"lag": -1}]}, "lag of calculator c3 is -1", "kind_to_fc_parameters.x.c3.0.lag"),
        ({"c3": {"lag": 1}}, "Write a list of mappings", "kind_to_fc_parameters.x.c3"),
        (["mean"], r"\['mean'\] was found; a mapping", "kind_to_fc_parameters.x"),
        ({len: None}, "the function len is given as a calculator", "kind_to_fc_parameters.x"),
        ("eficient", "Did you mean 'efficient'", "kind_to_fc_parameters.x"),
    ],
)
def test_refuses_settings_that_cannot_be_computed(chosen: object, message: str, field: str) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        plan_of_fc_parameters({"x": chosen})

    assert str(caught.value.field).endswith(field)
