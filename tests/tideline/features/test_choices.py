"""What was chosen of a frame of features is computed again: from names, settings and plans."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from tsfresh.feature_extraction.settings import from_columns

from tideline import FeaturePlan, extract_features
from tideline.errors import InputMismatch, SpecError
from tideline.features.exchange import plan_of_names
from tideline.features.views import View

FRAME = pd.DataFrame(
    {
        "id": np.repeat([1, 2, 3], 20),
        "x": np.random.default_rng(0).normal(size=60).cumsum(),
        "y": np.random.default_rng(1).normal(size=60),
    }
)
MEAN: dict[str, Any] = {"mean": None}


def test_a_choice_of_the_set_tideline_is_computed_again() -> None:
    features = extract_features(FRAME, "tideline", column_id="id")
    chosen = features.iloc[:, ::97]

    by_kinds = extract_features(FRAME, kind_to_fc_parameters=from_columns(chosen), column_id="id")
    by_plan = extract_features(FRAME, plan_of_names(chosen.columns), column_id="id")

    pd.testing.assert_frame_equal(by_plan, chosen)
    pd.testing.assert_frame_equal(by_kinds[chosen.columns], chosen)
    assert len(by_kinds.columns) == len(chosen.columns)


def test_the_columns_of_a_plan_are_in_its_order() -> None:
    plan = plan_of_names(["y__mean", "x|difference__maximum", "x__mean", "y__maximum"])

    assert tuple(extract_features(FRAME, plan, column_id="id").columns) == plan.names


def test_a_plan_is_computed_of_series_of_one_value_too() -> None:
    plan = plan_of_names(["x|difference__maximum", "x__mean"])

    frame = extract_features(FRAME.iloc[19:], plan, column_id="id")

    assert frame.loc[1].isna().tolist() == [True, False]


def test_a_channel_wins_over_a_view_of_its_name() -> None:
    frame = FRAME.rename(columns={"y": "x|difference"})

    found = extract_features(
        frame, kind_to_fc_parameters={"x|difference": MEAN, "x|spectrum": MEAN}, column_id="id"
    )

    assert list(found.columns) == ["x|spectrum__mean", "x|difference__mean"]
    by_hand = frame.groupby("id")["x|difference"].mean().to_numpy()
    np.testing.assert_allclose(found["x|difference__mean"], by_hand)


def test_what_is_asked_for_of_a_view_stands_for_what_a_set_has_of_it() -> None:
    found = extract_features(FRAME, "tideline", {"x|difference": MEAN}, column_id="id")

    assert [n for n in found.columns if n.startswith("x|difference__")] == ["x|difference__mean"]
    assert "y|difference__maximum" in found.columns


def test_a_default_is_computed_beside_a_view() -> None:
    found = extract_features(FRAME, MEAN, {"x|1:2/4": MEAN}, column_id="id")

    assert list(found.columns) == ["x__mean", "x|1:2/4__mean", "y__mean"]


def test_refuses_names_that_a_channel_and_a_view_share() -> None:
    frame = FRAME.rename(columns={"y": "x|difference"})

    with pytest.raises(SpecError, match=r"one of the view 'difference' of channel 'x', one of ch"):
        extract_features(frame, "tideline", column_id="id")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("z|difference", r"'z\|difference' is not in the data: found 'x', 'y'"),
        ("x|diference", r"Did you mean 'x\|difference'"),
        ("x|3:2/4", r"kind 'x\|3:2/4' is not in the data"),
    ],
)
def test_refuses_a_kind_that_is_neither_a_channel_nor_a_view(kind: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        extract_features(FRAME, kind_to_fc_parameters={kind: MEAN}, column_id="id")


def test_refuses_a_plan_that_does_not_fit() -> None:
    plan = FeaturePlan.from_parameters(["z"], "minimal", views=(View("difference"),))
    dated = FeaturePlan.from_parameters(["x"], "time_based", timed=["x"])

    with pytest.raises(InputMismatch, match="the plan is for kinds 'z' too, and the data has 'x'"):
        extract_features(FRAME, plan, column_id="id")
    with pytest.raises(InputMismatch, match=r"the plan has .* and the rows have no dates"):
        extract_features(FRAME, dated, column_id="id")
    with pytest.raises(SpecError, match="kind_to_fc_parameters is set beside a FeaturePlan"):
        extract_features(FRAME, plan, {"x": MEAN}, column_id="id")
    with pytest.raises(SpecError, match="the parameters name no calculator"):
        extract_features(FRAME, FeaturePlan(()), column_id="id")
