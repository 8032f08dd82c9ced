from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tideline.errors import ModelRefused, SpecError
from tideline.features.catalogue import CATALOGUE, CONVOLUTIONS
from tideline.features.convolutions import (
    LEAST_OF_CHANNEL,
    plan_convolutions,
    plan_for_lengths,
)
from tideline.features.exchange import fc_parameters_of_plan, plan_of_names
from tideline.features.extraction import extract
from tideline.features.feature import Feature
from tideline.features.parameters import checked
from tideline.features.plan import FeaturePlan
from tideline.features.views import PLAIN, View
from tideline.panel import Channel, Panel


def panel(lengths: list[int], channels: int = 1, seed: int = 0) -> Panel:
    rng = np.random.default_rng(seed)
    return Panel(
        tuple(range(len(lengths))),
        {
            f"c{c}": Channel.from_series([rng.normal(size=n).cumsum() for n in lengths])
            for c in range(channels)
        },
    )


def test_the_catalogue_of_tsfresh_stays_what_it_is() -> None:
    assert not set(CATALOGUE) & set(CONVOLUTIONS)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 3000), st.integers(5 * LEAST_OF_CHANNEL, 4000), st.integers(1, 5))
def test_a_plan_is_sound_distinct_and_no_larger_than_asked(length, features, channels) -> None:
    plan = plan_for_lengths({f"c{c}": length for c in range(channels)}, features=features)

    plan.require_computable()
    plan.require_distinct()
    of_channel = Counter(feature.channel for feature in plan.features)
    assert all(count >= 100 for count in of_channel.values())
    # A group of Hydra of each dilation is the least, however long the series.
    assert len(plan.features) <= max(features, channels * 360)
    assert {f.view for f in plan.features} == {PLAIN, View("difference")}
    assert {f.calculator for f in plan.features} == {"multirocket", "hydra"}
    dilations = {f.arguments["dilation"] for f in plan.features}
    assert 1 in dilations
    assert max(dilations) <= max(1, (length - 1) // 8)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 400), st.integers(LEAST_OF_CHANNEL, 3000), st.integers(2, 300))
def test_many_channels_share_the_kernels_of_one(length, features, channels) -> None:
    features = min(features, channels * LEAST_OF_CHANNEL - 1)
    plan = plan_for_lengths({f"c{c}": length for c in range(channels)}, features=features)
    alone = plan_for_lengths({"c": length}, features=features)

    plan.require_computable()
    plan.require_distinct()
    # The same kernels, of which those that compete stay together; each on one channel.
    without_channel = Counter((f.calculator, f.view, f.parameters) for f in plan.features)
    assert without_channel == Counter((f.calculator, f.view, f.parameters) for f in alone.features)
    groups = {}
    for f in plan.features:
        if f.calculator == "hydra":
            told = (f.view, f.arguments["dilation"], f.arguments["group"])
            groups.setdefault(told, set()).add(f.channel)
    assert all(len(owners) == 1 for owners in groups.values())
    names = [f.channel for f in plan.features]
    assert names == sorted(names, key=lambda name: int(name[1:]))


def test_many_channels_have_about_as_many_kernels_each() -> None:
    plan = plan_for_lengths({f"c{c}": 100 for c in range(300)}, features=20_000)

    of_channel = Counter(feature.channel for feature in plan.features)
    assert len(of_channel) == 300
    # A unit of MultiRocket is four features, a group of Hydra sixteen.
    assert max(of_channel.values()) - min(of_channel.values()) <= 40
    assert len(plan.features) <= 20_000


def test_a_plan_depends_on_names_and_lengths_alone() -> None:
    first, second = panel([40, 44, 50], seed=0), panel([44, 44, 44], seed=1)

    assert plan_convolutions(first, features=500) == plan_convolutions(second, features=500)


def test_refuses_fewer_features_than_there_are_at_least() -> None:
    with pytest.raises(SpecError, match="200 or more are expected"):
        plan_for_lengths({"x": 50}, features=199)


def test_a_channel_may_have_the_name_of_a_view() -> None:
    plan = plan_for_lengths({"x": 50, "x|difference": 49}, features=400)

    assert len(set(plan.names)) == len(plan.names)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(2, 60), min_size=1, max_size=5), st.integers(1, 2))
def test_a_case_has_the_same_features_alone_and_among_others(lengths, channels) -> None:
    many = panel(lengths, channels)
    plan = plan_convolutions(many, features=400)

    together = extract(many, plan)

    alone = [extract(many.take([i]), plan)[0] for i in range(many.n_cases)]
    np.testing.assert_array_equal(together, np.array(alone))
    # Of two values the difference is one, which says nothing and is constant.
    assert np.isfinite(together).all()


def test_a_part_of_a_plan_has_the_values_of_the_whole() -> None:
    some = panel([30, 80, 31])
    plan = plan_convolutions(some, features=3000)
    columns = np.random.default_rng(0).permutation(len(plan.features))[:200]

    np.testing.assert_array_equal(
        extract(some, plan.take(columns), workers=2), extract(some, plan)[:, columns]
    )


def test_a_long_plan_survives_json_as_tables() -> None:
    plan = plan_for_lengths({"x": 60, "y": 90}, features=8000)

    document = json.loads(json.dumps(plan.to_json()))

    assert len(document["features"]) == 8
    again = FeaturePlan.from_json(document)
    assert again == plan
    assert again.names == plan.names
    again.require_computable()


@given(
    st.lists(st.sampled_from([True, 1, 1.0, 0.0, -0.0, False, 0, "a", None, (1, True)]), min_size=2)
)
def test_a_table_tells_what_is_equal_apart(values: list) -> None:
    features = tuple(Feature("x", "c", (("k", v), ("l", 1))) for v in values)
    document = {
        "missing": "interpolate",
        "features": [
            {
                "channel": "x",
                "calculator": "c",
                "table": {"k": list(values), "l": [1] * len(values)},
            }
        ],
    }

    read = FeaturePlan.from_json(json.loads(json.dumps(document)))

    assert repr(read.features) == repr(features)


@pytest.mark.parametrize(
    "table", [{}, {"k": 1}, {"k": "ab"}, {"k": [1], "l": [1, 2]}, [1], None, {"k": [{}]}]
)
def test_refuses_a_table_that_is_none(table: object) -> None:
    entry = {"channel": "x", "calculator": "c", "table": table}
    with pytest.raises(ModelRefused, match="feature plan"):
        FeaturePlan.from_json({"missing": "interpolate", "features": [entry]}).require_computable()


UNIT = {"kernel": 1, "dilation": 2, "bias": 0.5, "padding": True, "pooling": "ppv"}
RIVAL = {"group": 1, "kernel": 2, "dilation": 2, "count": "max"}


@pytest.mark.parametrize(
    ("calculator", "change"),
    [
        ("multirocket", {"kernel": 84}),
        ("multirocket", {"kernel": True}),
        ("multirocket", {"dilation": 0}),
        ("multirocket", {"dilation": 10_001}),
        ("multirocket", {"bias": float("inf")}),
        ("multirocket", {"bias": float("nan")}),
        ("multirocket", {"bias": 1e30}),
        ("multirocket", {"padding": 1}),
        ("multirocket", {"pooling": "mean"}),
        ("multirocket", {"group": 1}),
        ("hydra", {"group": -1}),
        ("hydra", {"group": 10_001}),
        ("hydra", {"kernel": 8}),
        ("hydra", {"count": "sum"}),
    ],
)
def test_refuses_parameters_that_are_out_of_bounds(calculator: str, change: dict) -> None:
    entry = {**(UNIT if calculator == "multirocket" else RIVAL), **change}

    with pytest.raises(SpecError):
        checked({calculator: [entry]})
    with pytest.raises(ModelRefused, match="plan of the model"):
        FeaturePlan((Feature.of("x", calculator, entry),)).require_computable()


def test_a_spec_may_name_them_one_by_one() -> None:
    some = panel([30, 40])
    plan = FeaturePlan.for_panel(some, {"multirocket": [UNIT], "hydra": [RIVAL], "mean": None})

    assert extract(some, plan).shape == (2, 3)
    assert plan_of_names(plan.names) == plan


def test_tsfresh_is_not_told_of_what_it_does_not_have() -> None:
    plan = plan_for_lengths({"x": 20}, features=200)

    with pytest.raises(SpecError, match="hydra and multirocket, which tsfresh does not have"):
        fc_parameters_of_plan(plan)
