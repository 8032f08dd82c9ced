"""Tests that features have the values of tsfresh, and that its own functions are called well."""

from __future__ import annotations

import threading
import warnings

import numpy as np
import pandas as pd
import pytest
from tsfresh import extract_features
from tsfresh.feature_extraction import settings as sets

from tests.tideline.features.panels import ragged
from tests.tideline.features.parity import ABSOLUTE, RELATIVE, require_values
from tideline.errors import DataError
from tideline.features import reference
from tideline.features.catalogue import TIMEWISE
from tideline.features.extraction import extract
from tideline.features.feature import Feature
from tideline.features.plan import FeaturePlan
from tideline.features.reference import values_by_tsfresh
from tideline.panel import Channel, Panel
from tideline.readers import read_panel
from tideline.roles import ColumnRoles


def by_tsfresh(panel: Panel, plan: FeaturePlan, parameters: str) -> np.ndarray:
    frames = []
    for name, channel in panel.channels.items():
        columns = {"id": np.repeat(panel.ids, channel.lengths), "kind": name}
        index = np.arange(channel.values.size) if channel.index is None else channel.index
        frames.append(pd.DataFrame({**columns, "value": channel.values}, index=index))
    frame = extract_features(
        pd.concat(frames),
        column_id="id",
        column_kind="kind",
        column_value="value",
        default_fc_parameters=getattr(sets, parameters)(),
        n_jobs=0,
        disable_progressbar=True,
    )
    assert sorted(frame.columns) == sorted(plan.names)
    return frame.loc[list(panel.ids), list(plan.names)].to_numpy(dtype=float)


@pytest.mark.filterwarnings("ignore")  # tsfresh's own
@pytest.mark.parametrize(
    ("name", "parameters", "lengths"),
    [
        ("minimal", "MinimalFCParameters", [30, 2, 77]),
        ("efficient", "EfficientFCParameters", [60, 5]),
        ("comprehensive", "ComprehensiveFCParameters", [40]),
    ],
)
def test_values_are_those_of_tsfresh(name: str, parameters: str, lengths: list[int]) -> None:
    panel = ragged(lengths)
    plan = FeaturePlan.for_panel(panel, name)

    np.testing.assert_allclose(
        extract(panel, plan), by_tsfresh(panel, plan, parameters), RELATIVE, ABSOLUTE
    )


@pytest.mark.filterwarnings("ignore")  # tsfresh's own
def test_trends_over_time_are_those_of_tsfresh() -> None:
    times = pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-05", "2026-01-06"] * 2).to_numpy()
    series = np.random.default_rng(1).normal(size=8)
    channel = Channel(series, np.array([0, 4, 8]), times.astype("datetime64[ns]"))
    panel = Panel((0, 1), {"x": channel})
    plan = FeaturePlan.for_panel(panel, "time_based")

    assert {f.calculator for f in plan.features} == {TIMEWISE}
    np.testing.assert_array_equal(
        extract(panel, plan), by_tsfresh(panel, plan, "TimeBasedFCParameters")
    )


def test_names_the_case_on_which_a_calculator_of_tsfresh_fails() -> None:
    times = np.array([0, 0, 1], dtype="datetime64[s]").astype("datetime64[ns]")
    channel = Channel(np.array([1.0, 2.0, 3.0]), np.array([0, 1, 3]), times)
    panel = Panel(("a", "b"), {"c0": channel})
    plan = FeaturePlan((Feature.of("c0", TIMEWISE, {"attr": "no_such_thing"}),))

    with pytest.raises(DataError, match=f"{TIMEWISE} failed on channel 'c0' of case 'a'"):
        values_by_tsfresh(panel, range(2), plan.calls[0])


def test_the_callers_warnings_are_as_they_were_after_many_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = np.tile(np.arange("2026-01-01", "2026-01-13", dtype="datetime64[D]"), 20)
    channel = Channel(
        np.random.default_rng(0).normal(size=240),
        np.arange(0, 241, 12),
        times.astype("datetime64[ns]"),
    )
    panel = Panel(tuple(range(20)), {"x": channel})
    plan = FeaturePlan.for_panel(panel, "time_based")
    assert all(call.kernel is None for call in plan.calls)
    silence = reference._silence
    together = threading.Barrier(8, timeout=60)
    most: list[int] = []

    def enter() -> None:
        type(silence).enter(silence)
        together.wait()
        most.append(silence.inside)
        together.wait()

    monkeypatch.setattr(silence, "enter", enter)
    before = list(warnings.filters)

    threads = [threading.Thread(target=extract, args=(panel, plan)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert most == [8] * 8  # tsfresh's own function was reached, by all threads at once
    assert list(warnings.filters) == before


@pytest.mark.filterwarnings("ignore")  # tsfresh's own
@pytest.mark.parametrize(
    ("name", "file", "cases"),
    [("GunPoint", "GunPoint_TEST.ts", 8), ("BeetleFly", "BeetleFly_TRAIN.ts", 4)],
)
def test_real_series_have_the_values_of_tsfresh(shared_data, name, file, cases) -> None:
    path = next(shared_data(name).glob(f"*{file}*"), None)
    if path is None:
        pytest.skip(f"{file} is not here")
    panel = read_panel(path, ColumnRoles(column_id=None)).panel.take(range(cases))
    plan = FeaturePlan.for_panel(panel, "efficient")

    np.testing.assert_allclose(
        extract(panel, plan), by_tsfresh(panel, plan, "EfficientFCParameters"), RELATIVE, ABSOLUTE
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # tsfresh's own
@pytest.mark.parametrize(
    ("name", "part", "parameters", "cases"),
    [
        ("GunPoint", "TRAIN", "efficient", 50),
        ("GunPoint", "TEST", "efficient", 150),
        ("Chinatown", "TRAIN", "comprehensive", 20),
        ("PLAID", "TRAIN", "efficient", 20),
        ("BasicMotions", "TRAIN", "efficient", 4),
    ],
)
def test_whole_real_data_sets_have_the_values_of_tsfresh(
    shared_data, name: str, part: str, parameters: str, cases: int
) -> None:
    path = shared_data(name) / f"{name}_{part}.ts"
    panel = read_panel(path, ColumnRoles(column_id=None)).panel.take(range(cases))
    plan = FeaturePlan.for_panel(panel, parameters)

    ours = extract(panel, plan)

    for call in plan.calls:
        for position in range(cases):
            require_values(
                call.calculator,
                call.arguments,
                panel.channels[call.channel].series(position),
                ours[position, call.columns],
            )
