from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tsfresh
from hypothesis import given, settings
from hypothesis import strategies as st
from tsfresh.feature_extraction.settings import (
    ComprehensiveFCParameters,
    MinimalFCParameters,
    TimeBasedFCParameters,
    from_columns,
)
from tsfresh.utilities.dataframe_functions import impute, roll_time_series

from tideline import Panel, extract_features, read_panel
from tideline.errors import DataError, SpecError
from tideline.features.containers import Columns, cases_of
from tideline.roles import ColumnRoles

SOME = {
    "mean": None,
    "last_location_of_maximum": None,
    "autocorrelation": [{"lag": 1}],
    "linear_trend": [{"attr": "slope"}],
}
"""Calculators that tell the order of the values, some of them without a value for short series."""

IDS: tuple[list[Any], ...] = (
    [3, 1, 2],
    [2.5, -1.0, 7.0],
    ["b", "a b", "10"],
    [True, False],
    list(pd.to_datetime(["2026-02-01", "2026-01-01", "2026-01-05"])),
    list(pd.to_datetime(["2026-02-01", "2026-01-01"]).tz_localize("CET")),
    [(1, 5), (0, 7), (0, 2)],
)


def by_tsfresh(container: Any, *args: Any, **roles: Any) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tsfresh.extract_features(
            container, *args, n_jobs=0, disable_progressbar=True, **roles
        )


def require_same(container: Any, *args: Any, **roles: Any) -> pd.DataFrame:
    """Fail unless the frame is tsfresh's: values, ids and their type, columns, and their order."""
    ours = extract_features(container, *args, **roles)
    theirs = by_tsfresh(container, *args, **roles)
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-9, atol=1e-12)
    return ours


@st.composite
def tables(draw: st.DrawFn) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Draw a flat frame in any order of its rows, with its roles."""
    ids = draw(st.sampled_from(IDS))
    lengths = draw(st.lists(st.integers(1, 6), min_size=len(ids), max_size=len(ids)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = [
        (name, time) for name, length in zip(ids, lengths, strict=True) for time in range(length)
    ]
    frame = pd.DataFrame(
        {
            "id": pd.Series([name for name, _ in rows]),
            "x": rng.normal(size=len(rows)),
            7: rng.integers(-5, 5, len(rows)),
            "time": draw(st.sampled_from(TIMES))([time for _, time in rows]),
        }
    )
    if draw(st.booleans()):
        kind = pd.CategoricalDtype(pd.unique(frame["id"])[::-1])
        frame["id"] = frame["id"].astype(kind) if not isinstance(ids[0], tuple) else frame["id"]
    if draw(st.booleans()):
        frame = frame.sample(frac=1, random_state=draw(st.integers(0, 99)))
    sort = draw(st.sampled_from(["time", None]))
    return (frame if sort else frame.drop(columns="time")), {"column_id": "id", "column_sort": sort}


TIMES: tuple[Callable[[list[int]], Any], ...] = (
    lambda times: times,
    lambda times: pd.array(times, dtype="Int64"),
    lambda times: [time / 7 for time in times],
    lambda times: pd.to_datetime(times, unit="D"),
    lambda times: pd.to_datetime(times, unit="D").tz_localize("CET"),
    lambda times: pd.to_timedelta(times, unit="s"),
    lambda times: [f"step {time}" for time in times],
    lambda times: pd.Categorical(times, categories=range(max(times), -1, -1)),
)


@settings(deadline=None, max_examples=25)
@given(tables())
def test_flat_frames_give_the_frame_of_tsfresh(drawn: tuple[pd.DataFrame, dict[str, Any]]) -> None:
    frame, roles = drawn

    require_same(frame, SOME, **roles)


@settings(deadline=None, max_examples=25)
@given(tables(), st.integers(0, 99), st.booleans())
def test_stacked_frames_give_the_frame_of_tsfresh(
    drawn: tuple[pd.DataFrame, dict[str, Any]], seed: int, categorical: bool
) -> None:
    frame, roles = drawn
    rng = np.random.default_rng(seed)
    frame["kind"] = rng.permutation(np.array(["b", "a", "c"]))[rng.integers(0, 3, len(frame))]
    if categorical:
        frame["kind"] = frame["kind"].astype(pd.CategoricalDtype(["c", "b", "a", "unused"]))
    roles |= {"column_kind": "kind"}

    require_same(frame, SOME, column_value="x", **roles)
    require_same(frame.drop(columns=7), SOME, **roles)


@settings(deadline=None, max_examples=25)
@given(tables(), st.integers(0, 99))
def test_dicts_of_frames_give_the_frame_of_tsfresh(
    drawn: tuple[pd.DataFrame, dict[str, Any]], seed: int
) -> None:
    frame, roles = drawn
    other = frame.sample(frac=0.5, random_state=seed)
    kinds = {"x": frame, 4: frame.head(3), "y": other if len(other) else frame}

    require_same(kinds, SOME, column_value="x", **roles)


def walks(n_cases: int, length: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        {
            "id": np.repeat(np.arange(n_cases), length),
            "x": rng.normal(size=n_cases * length),
            "y": rng.normal(size=n_cases * length).cumsum(),
        }
    )


def test_everything_is_computed_by_default() -> None:
    frame = require_same(walks(2), column_id="id")

    assert frame.shape == (2, 2 * 783)


def test_settings_objects_and_set_names_are_one() -> None:
    frame = walks(2)
    named = extract_features(frame, "comprehensive", column_id="id")

    pd.testing.assert_frame_equal(
        extract_features(frame, ComprehensiveFCParameters(), column_id="id"), named
    )
    pd.testing.assert_frame_equal(
        extract_features(frame, kind_to_fc_parameters=from_columns(named), column_id="id"), named
    )


@pytest.mark.parametrize(
    ("default", "kinds"),
    [
        (MinimalFCParameters(), {"x": SOME}),
        (None, {"y": {"mean": None}}),
        ({}, {"y": {"mean": []}}),
        ({"maximum": [{}]}, {"y": {}}),
        (None, {"x": {"quantile": [{"q": np.float64(0.5)}]}, "y": {"c3": [{"lag": np.int8(1)}]}}),
        (None, {"x": {"quantile": [{"q": 0.5}, {"q": 0.5}]}}),
        (None, {"x": {"cwt_coefficients": [{"widths": (2, 5), "coeff": 1, "w": 5}]}}),
    ],
)
def test_each_kind_has_its_calculators(default: Any, kinds: Any) -> None:
    require_same(walks(2), default, kinds, column_id="id")


def test_a_set_can_be_named_for_one_kind() -> None:
    frame = extract_features(walks(2), kind_to_fc_parameters={"y": "minimal"}, column_id="id")

    assert frame.columns.equals(
        by_tsfresh(walks(2), {}, {"y": MinimalFCParameters()}, column_id="id").columns
    )


def test_dates_in_the_index_are_the_time_of_each_value() -> None:
    frame = walks(2).set_index(pd.to_datetime(np.arange(80) ** 2, unit="h").tz_localize("CET"))

    require_same(frame.sample(frac=1), TimeBasedFCParameters(), column_id="id", column_sort="y")


def test_the_arguments_are_those_of_tsfresh() -> None:
    assert list(inspect.signature(extract_features).parameters) == list(
        inspect.signature(tsfresh.extract_features).parameters
    )


@pytest.mark.filterwarnings("ignore")  # tsfresh's own
def test_windows_that_tsfresh_rolls_are_cases() -> None:
    frame = walks(2, 6).assign(time=list(range(6)) * 2)
    rolled = roll_time_series(
        frame, column_id="id", column_sort="time", n_jobs=0, disable_progressbar=True
    )

    index = require_same(rolled, SOME, column_id="id", column_sort="time").index

    assert isinstance(index, pd.MultiIndex)


def test_short_and_infinite_series_are_computed_as_far_as_they_go() -> None:
    frame = walks(3, 5).drop(index=range(1, 5))
    frame.loc[7, "y"] = np.inf

    require_same(frame, SOME, column_id="id")


def test_views_are_kinds_also_of_short_series() -> None:
    frame = walks(3, 5).drop(index=range(1, 5), columns="y")

    features = extract_features(frame, "tideline", column_id="id")

    plain = by_tsfresh(frame, {"mean": None}, column_id="id")
    pd.testing.assert_frame_equal(features[["x__mean"]], plain)
    differences = frame.groupby("id")["x"].apply(lambda x: x.diff().mean())
    np.testing.assert_allclose(features["x|difference__mean"], differences)


def test_true_is_one() -> None:
    frame = pd.DataFrame({"id": [0, 0, 0], "x": [True, False, True]})

    require_same(frame, {"mean": None, "count_above_mean": None}, column_id="id")


@pytest.mark.parametrize(
    "values",
    [
        pd.array([1, 2, 4], dtype="Int64"),
        pd.array([1, 2, 4], dtype="double[pyarrow]"),
        np.array([1, 2, 4], dtype=np.float32),
        pd.Series([1, 2.0, 4], dtype=object),
        [Decimal(1), Decimal(2), Decimal(4)],
    ],
    ids=["nullable", "arrow", "float32", "objects", "decimals"],
)
def test_numbers_of_any_type_are_computed_in_float64(values: Any) -> None:
    frame = pd.DataFrame({"id": [0, 0, 0], "x": values})

    expected = by_tsfresh(frame.astype({"x": float}), SOME, column_id="id")

    pd.testing.assert_frame_equal(extract_features(frame, SOME, column_id="id"), expected)


def test_names_that_tsfresh_could_not_read_back_are_taken() -> None:
    frame = pd.DataFrame({"id": [0, 0], "a__b_": [1.0, 2.0]})

    (name,) = extract_features(frame, {"mean": None}, column_id="id").columns

    assert name == "a__b___mean"


def test_gaps_are_imputed_in_place() -> None:
    frame = walks(3, 5).drop(index=range(1, 5))

    require_same(frame, SOME, column_id="id", impute_function=impute)


@pytest.mark.parametrize("n_jobs", [0, 1, 2, -1])
def test_values_do_not_depend_on_the_number_of_threads(n_jobs: int) -> None:
    frame = walks(9)

    pd.testing.assert_frame_equal(
        extract_features(frame, "minimal", column_id="id", n_jobs=n_jobs),
        extract_features(frame, "minimal", column_id="id"),
    )


def test_rows_of_the_same_time_stay_in_their_order() -> None:
    times = np.array([2, 1, 1] * 30)
    frame = pd.DataFrame({"id": 0, "time": times, "x": np.arange(90.0)})

    (channel,) = cases_of(frame, Columns("id", "time")).panel.channels.values()

    assert channel.values.tolist() == [*np.flatnonzero(times == 1), *np.flatnonzero(times == 2)]


def test_the_callers_frame_stays_as_it_was() -> None:
    frame = walks(3).sample(frac=1)
    before = frame.copy()

    extract_features(frame, "minimal", column_id="id", column_sort="y")

    pd.testing.assert_frame_equal(frame, before)


def test_the_panel_is_that_of_the_readers(tmp_path: Path) -> None:
    frame = walks(3)
    frame.to_parquet(tmp_path / "walks.parquet")

    cases = cases_of(frame, Columns("id"))

    panel = read_panel(tmp_path / "walks.parquet", ColumnRoles("id")).panel
    assert Panel(panel.ids, cases.panel.channels).fingerprint() == panel.fingerprint()


PUMPS = pd.DataFrame({"pump": [1, 1, 2, 2], "time": [0, 1, 0, 1], "flow": [1.0, 2.0, 3.0, 4.0]})
GAPS = PUMPS.assign(flow=[1.0, np.nan, 3.0, 4.0])
WORDS = PUMPS.assign(flow=pd.Series([1.0, 2.0, "high", 4.0], dtype=object))


@pytest.mark.parametrize(
    ("container", "roles", "message"),
    [
        (PUMPS, {}, "column_id is not set.* found 'pump', 'time', 'flow'. Set column_id"),
        (PUMPS, {"column_id": "pumps"}, "column_id 'pumps' is not in .* Did you mean 'pump'"),
        (PUMPS, {"column_id": "pump", "column_sort": "t"}, "column_sort 't' is not in the data"),
        (PUMPS, {"column_id": "pump", "column_value": "flaw"}, "Did you mean 'flow'"),
        (PUMPS, {"column_id": "pump", "column_kind": "kind"}, "column_kind 'kind' is not in"),
        (PUMPS[["pump"]], {"column_id": "pump"}, "no column is left for the values"),
        (
            PUMPS.assign(kind="a"),
            {"column_id": "pump", "column_kind": "kind"},
            "one column to be left for the values; 2 are: 'time', 'flow'",
        ),
        ({"a": PUMPS}, {"column_id": "pump"}, "column_value is not set, and a dict"),
        ({"a": 3}, {"column_id": "pump"}, "kind 'a' is of type builtins.int; a pandas DataFrame"),
        ({}, {"column_id": "pump"}, "the data holds no kind"),
        (PUMPS.head(0), {"column_id": "pump"}, "the data holds no row"),
        (PUMPS.to_numpy(), {"column_id": 0}, "type numpy.ndarray; .* Panel.from_arrays"),
        (GAPS, {"column_id": "pump"}, "'flow' holds 1 missing value, the first in row 2; as in"),
        (GAPS, {"column_id": "flow"}, "column_id 'flow' holds 1 missing value"),
        (GAPS, {"column_id": "pump", "column_sort": "flow"}, "column_sort 'flow' holds 1 miss"),
        (WORDS, {"column_id": "pump"}, "'flow' holds 'high' in row 3; a number is expected"),
        (PUMPS.astype({"flow": str}), {"column_id": "pump"}, "holds '1.0' in row 1"),
        (PUMPS.astype({"flow": complex}), {"column_id": "pump"}, "a number is expected"),
        (PUMPS.assign(flow=pd.NaT), {"column_id": "pump"}, "a number is expected"),
        (
            PUMPS.set_axis(["pump", "flow", "flow"], axis=1),
            {"column_id": "pump"},
            "more than one column or kind is named 'flow'",
        ),
        (
            PUMPS.set_axis(["pump", "pump", "flow"], axis=1),
            {"column_id": "pump"},
            "more than one column or kind is named 'pump'",
        ),
        ({"1": PUMPS, 1: PUMPS}, {"column_id": "pump"}, "is named '1'; names are compared as text"),
        (
            PUMPS.set_index(np.array(["0800-01-01"] * 4, dtype="datetime64[s]")),
            {"column_id": "pump"},
            "dates out of range",
        ),
    ],
)
def test_refuses_data_in_words(container: Any, roles: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        extract_features(container, "minimal", **roles)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"default_fc_parameters": {"maen": None}}, "Did you mean 'mean'"),
        ({"default_fc_parameters": "eficient"}, "Did you mean 'efficient'"),
        ({"default_fc_parameters": {max: None}}, "the function max is given as a calculator"),
        ({"default_fc_parameters": {}}, "the parameters name no calculator .* has 'time', 'flow'"),
        ({"default_fc_parameters": TimeBasedFCParameters()}, "no dates. Give the frame a Datet"),
        ({"default_fc_parameters": "time_based"}, "no dates. Give the frame a Datet"),
        ({"kind_to_fc_parameters": {"flaw": SOME}}, "kind 'flaw' .* Did you mean 'flow'"),
        ({"pivot": False}, "pivot is set.* .stack()"),
        ({"profile": True}, "profile is set"),
        ({"distributor": object()}, "distributor is set.* n_jobs threads"),
        ({"impute_function": "impute"}, "impute_function is 'impute'; a function"),
        ({"n_jobs": "a"}, "n_jobs is 'a'; a number of threads from 1, or -1"),
        ({"n_jobs": 1.5}, "n_jobs is 1.5; a number of threads"),
        ({"n_jobs": -5}, "n_jobs is -5; a number of threads"),
        ({"n_jobs": True}, "n_jobs is True; a number of threads"),
    ],
)
def test_refuses_arguments_in_words(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        extract_features(PUMPS, column_id="pump", **arguments)
