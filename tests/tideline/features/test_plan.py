from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tsfresh.feature_extraction import feature_calculators
from tsfresh.utilities.string_manipulation import convert_to_output_format

from tideline.errors import ModelRefused, SpecError
from tideline.features.catalogue import TIMEWISE
from tideline.features.feature import Feature
from tideline.features.parameters import parameter_set
from tideline.features.plan import FeaturePlan
from tideline.features.views import View
from tideline.panel import Channel, Panel

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
features = st.builds(
    Feature.of,
    st.text() | st.just("x"),
    st.text() | st.sampled_from(["multirocket", "hydra"]),
    st.dictionaries(st.text(), scalars | st.lists(scalars), max_size=3),
)


def tsfresh_names(channel: str, calculator: str, listed: list[dict] | None) -> list[str]:
    """Return the names that tsfresh's own code gives the columns of one calculator."""
    function = getattr(feature_calculators, calculator)
    times = pd.date_range("2026-01-01", periods=40, freq="h")
    series = pd.Series(np.random.default_rng(0).normal(size=40), index=times)
    if function.fctype == "combiner":
        x = series if hasattr(function, "input") else series.to_numpy()
        keys = [key for key, _ in function(x, param=listed)]
    else:
        keys = [convert_to_output_format(parameters) for parameters in listed or [{}]]
    return ["__".join(part for part in (channel, calculator, key) if part) for key in keys]


@pytest.mark.filterwarnings("ignore")  # tsfresh's own
def test_names_are_those_of_tsfresh_for_the_whole_comprehensive_set() -> None:
    settings = parameter_set("comprehensive")
    expected = [n for c, listed in settings.items() for n in tsfresh_names("a__b", c, listed)]

    plan = FeaturePlan.from_parameters(["a__b"], "comprehensive", timed={"a__b"})

    assert list(plan.names) == expected
    assert any(TIMEWISE in name for name in expected)


def test_a_named_set_leaves_out_what_needs_dates_where_there_are_none() -> None:
    plan = FeaturePlan.from_parameters(["x", "y"], "efficient", timed={"y"})

    timewise = [f.channel for f in plan.features if f.calculator == TIMEWISE]

    assert set(timewise) == {"y"}


def test_for_panel_sees_which_channels_have_dates() -> None:
    times = np.array(["2026-01-01", "2026-01-02"], dtype="datetime64[ns]")
    dated = Channel(np.array([1.0, 2.0]), np.array([0, 2]), times)
    counted = Channel(np.array([1.0, 2.0]), np.array([0, 2]), np.array([0.0, 1.0]))

    plan = FeaturePlan.for_panel(Panel((1,), {"d": dated, "c": counted}), "efficient")

    assert {f.channel for f in plan.features if f.calculator == TIMEWISE} == {"d"}


def test_refuses_what_needs_dates_when_it_is_asked_for_by_name() -> None:
    with pytest.raises(SpecError, match="has no dates") as caught:
        FeaturePlan.from_parameters(["x"], {TIMEWISE: [{"attr": "slope"}]})
    assert caught.value.field == "extract_features.default_fc_parameters"


def test_a_channel_of_its_own_settings_takes_these_and_no_other() -> None:
    plan = FeaturePlan.from_parameters(["x", "y"], "minimal", {"y": {"maximum": None}})

    assert len(plan.features) == 11
    assert plan.names[-1] == "y__maximum"


def test_without_a_default_only_the_named_channels_are_computed() -> None:
    plan = FeaturePlan.from_parameters(["x", "y"], None, {"y": "minimal"})

    assert plan.channels == ("y",)


def test_refuses_settings_for_a_channel_that_is_not_there() -> None:
    with pytest.raises(SpecError, match="does not have: 'z'; found 'x', 'y'") as caught:
        FeaturePlan.from_parameters(["x", "y"], "minimal", {"z": "minimal"})
    assert caught.value.field == "extract_features.kind_to_fc_parameters"


def test_refuses_a_channel_with_the_name_of_a_view() -> None:
    views = (View(), View("difference"))
    channels = ["x", "x|difference"]

    message = (
        r"two features would be named 'x\|difference__mean': one of the view 'difference' of "
        r"channel 'x', one of channel 'x\|difference'.* Rename the channel 'x\|difference'"
    )
    with pytest.raises(SpecError, match=message):
        FeaturePlan.from_parameters(channels, {"mean": None}, views=views)
    with pytest.raises(SpecError, match="two features would be named"):
        FeaturePlan.from_parameters(channels, "tideline")
    assert len(FeaturePlan.from_parameters(channels, "minimal").features) == 20


def test_refuses_a_plan_of_nothing() -> None:
    with pytest.raises(SpecError, match="no feature"):
        FeaturePlan.from_parameters(["x"], None)


def test_takes_columns_by_mask_and_by_position() -> None:
    plan = FeaturePlan.from_parameters(["x"], "minimal")
    mask = np.zeros(10, dtype=bool)
    mask[[2, 7]] = True

    assert plan.take(mask).names == (plan.names[2], plan.names[7])
    assert plan.take([7, 2]).names == (plan.names[7], plan.names[2])


def test_calls_cover_each_column_once() -> None:
    plan = FeaturePlan.from_parameters(["x", "y"], "comprehensive")
    shuffled = plan.take(np.random.default_rng(0).permutation(len(plan.features)))

    columns = np.concatenate([call.columns for call in shuffled.calls])

    assert sorted(columns) == list(range(len(plan.features)))
    for call in shuffled.calls:
        for arguments, column in zip(call.arguments, call.columns, strict=True):
            assert Feature.of(call.channel, call.calculator, arguments) == shuffled.features[column]


@given(st.lists(features, max_size=5))
def test_survives_json(listed: list[Feature]) -> None:
    plan = FeaturePlan(tuple(listed))

    assert FeaturePlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"missing": "zero", "features": []},
        {"missing": "interpolate", "features": [{"channel": "x"}]},
        {"missing": "interpolate", "features": [7]},
        {"missing": "interpolate", "features": None},
        {
            "missing": "interpolate",
            "features": [{"channel": "x", "calculator": "c", "parameters": 1}],
        },
    ],
)
def test_refuses_a_document_that_is_no_plan(document: dict) -> None:
    with pytest.raises(ModelRefused, match="feature plan"):
        FeaturePlan.from_json(document)


def test_a_set_of_one_channel_is_refused_where_it_stands() -> None:
    with pytest.raises(SpecError) as caught:
        FeaturePlan.from_parameters(["x", "y"], "minimal", {"y": {"maximun": None}})
    assert caught.value.field == "extract_features.kind_to_fc_parameters.y"


@pytest.mark.parametrize("name", ["comprehensive", "efficient", "minimal"])
def test_what_a_set_of_tsfresh_plans_can_be_computed(name: str) -> None:
    FeaturePlan.from_parameters(["x"], name, timed={"x"}).require_computable()


@pytest.mark.parametrize(
    "feature",
    [
        Feature.of("x", "set_property", {"key": "a", "value": 1}),
        Feature.of("x", "mean", {"x": 1}),
        Feature.of("x", "lag", None),
        Feature.of("x", "autocorrelation", {"lag": True}),
        Feature.of(
            "x", "change_quantiles", {"ql": 0.0, "qh": 1.0, "isabs": False, "f_agg": "save"}
        ),
    ],
)
def test_refuses_a_plan_that_no_spec_could_ask_for(feature: Feature) -> None:
    sound = Feature.of("x", "autocorrelation", {"lag": 1})
    with pytest.raises(ModelRefused, match="plan of the model cannot be read"):
        FeaturePlan((sound, feature)).require_computable()


def test_a_view_has_no_times() -> None:
    with pytest.raises(SpecError, match=r"'x\|difference', a view, which has no times"):
        Feature.of("x", TIMEWISE, {"attr": "slope"}, View("difference"))
    plain = Feature.of("x", TIMEWISE, {"attr": "slope"})
    document = FeaturePlan((plain,)).to_json()
    document["features"][0]["view"] = ["difference", 0, 1, 1]
    with pytest.raises(ModelRefused, match="a view"):
        FeaturePlan.from_json(document)
