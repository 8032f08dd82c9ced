"""Tests of features under a budget."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tideline.errors import BudgetExceeded
from tideline.features.plan import FeaturePlan
from tideline.panel import Channel, Panel
from tideline.spec import ExtractionSpec
from training import planning
from training.clock import Clock
from training.journal import Journal
from training.planning import (
    Means,
    TooSlowError,
    _paced,
    compute_convolutions,
    compute_features,
    sizes_of_convolutions,
)

PANEL = Panel.from_arrays(np.random.default_rng(0).normal(size=(20_000, 100)))
"""Takes seconds with the efficient set, and a part of one with the minimal set."""


@pytest.fixture
def told() -> Journal:
    return Journal(stream=io.StringIO())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "features.npy"


def test_an_open_set_falls_back_to_minimal_when_time_is_short(told: Journal, file: Path) -> None:
    # A third of what is left here is less than a tenth of a second.
    clock = Clock(5.0, started=time.monotonic() - 4.8)
    with pytest.raises(BudgetExceeded):
        # Nothing is left even for the minimal set.
        compute_features(PANEL, ExtractionSpec(), Means(clock, told, 1, file))
    assert "those of the minimal set" in told.notices[-1]


def test_an_open_set_is_minimal_where_only_that_fits(
    monkeypatch: pytest.MonkeyPatch, told: Journal, file: Path
) -> None:
    # A second for each feature, so that no machine's speed decides.
    monkeypatch.setattr(
        planning, "projected_seconds", lambda _panel, plan, _workers: float(len(plan.features))
    )
    few = PANEL.take(range(10))
    plan = compute_features(few, ExtractionSpec(), Means(Clock(100.0), told, 1, file))
    assert len(plan.features) == 10
    matrix = np.load(file)
    assert matrix.shape == (10, 10)
    assert matrix.dtype == np.float32
    assert "efficient would take about 777 s, over a third of the time left" in told.notices[0]


def test_what_is_in_the_file_is_what_the_plan_names(told: Journal, file: Path) -> None:
    spec = ExtractionSpec(default_fc_parameters={"mean": None, "maximum": None})
    plan = compute_features(PANEL.take(range(7)), spec, Means(Clock(60.0), told, 2, file))
    series = PANEL.channels["0"].values[: 7 * 100].reshape(7, 100)
    expected = {"0__mean": series.mean(axis=1), "0__maximum": series.max(axis=1)}
    for name, column in zip(plan.names, np.load(file).T, strict=True):
        np.testing.assert_allclose(column, expected[name], rtol=1e-5)


def test_a_slow_first_use_is_not_taken_for_the_pace(
    monkeypatch: pytest.MonkeyPatch, told: Journal, file: Path
) -> None:
    def compiled(panel: Panel, plan: FeaturePlan, workers: int) -> float:
        time.sleep(1.5)
        return 0.001

    monkeypatch.setattr(planning, "projected_seconds", compiled)
    spec = ExtractionSpec(default_fc_parameters="minimal")
    compute_features(PANEL.take(range(3_000)), spec, Means(Clock(8.0), told, 1, file))
    assert len(np.load(file)) == 3_000


def test_an_open_set_has_views_where_there_is_time(told: Journal, file: Path) -> None:
    few = PANEL.take([0, 1])
    plan = compute_features(few, ExtractionSpec(), Means(Clock(300.0), told, 1, file))
    assert np.load(file).shape == (2, len(plan.features))
    assert {feature.view.form for feature in plan.features} == {"series", "difference", "spectrum"}


@pytest.mark.parametrize(
    ("n_channels", "name", "most"),
    [
        (6, "efficient", 10_000),
        (20, "tideline_quarters", 10_000),
        (60, "tideline_halves", 10_000),
        (200, "tideline_outline", 10_000),
        (1_000, "tideline_outline", 100_000),
    ],
)
def test_an_open_set_is_the_smaller_the_more_channels_there_are(
    n_channels: int, name: str, most: int, told: Journal, file: Path
) -> None:
    panel = Panel.from_arrays(np.random.default_rng(0).normal(size=(2, n_channels, 60)))
    plan = compute_features(panel, ExtractionSpec(), Means(Clock(300.0), told, 1, file))
    assert plan == FeaturePlan.for_panel(panel, name)
    assert most / 3 < len(plan.features) <= most
    [notice] = told.notices
    assert notice.startswith(f"the features are those of the {name} set: tideline would be ")
    assert f"of {n_channels} channels, over 10000" in notice


def test_the_size_of_a_plan_is_known_without_it() -> None:
    values = np.random.default_rng(0).normal(size=(3, 20))
    plain = Channel.from_series(list(values))
    dated = replace(plain, index=np.tile(np.arange(20).astype("datetime64[ns]"), 3))
    panel = Panel(("a", "b", "c"), {"x": plain, "y": dated})
    for name in ("tideline", "tideline_halves", "comprehensive"):
        plan = FeaturePlan.for_panel(panel, name)
        assert FeaturePlan.size_for_panel(panel, name) == len(plan.features)


def test_a_set_that_was_asked_for_is_computed_or_refused(told: Journal, file: Path) -> None:
    spec = ExtractionSpec(default_fc_parameters="efficient")
    with pytest.raises(BudgetExceeded, match="would take about") as caught:
        compute_features(PANEL, spec, Means(Clock(0.5), told, 1, file))
    assert caught.value.field == "budget"
    assert "default_fc_parameters" in caught.value.mend


def test_where_one_channel_is_named_alone_the_others_have_no_features(
    told: Journal, file: Path
) -> None:
    two = Panel.from_arrays(np.random.default_rng(0).normal(size=(4, 2, 20)))
    spec = ExtractionSpec(kind_to_fc_parameters={"0": {"mean": None}})
    plan = compute_features(two, spec, Means(Clock(60.0), told, 1, file))
    assert plan.names == ("0__mean",)


def test_convolutions_are_fewer_where_the_time_is_short(
    monkeypatch: pytest.MonkeyPatch, told: Journal, file: Path
) -> None:
    # A millisecond for each, of 20 s: a quarter of the time does for 5,000.
    monkeypatch.setattr(
        planning, "projected_seconds", lambda _panel, plan, _workers: len(plan.features) / 1000
    )
    # Where the kernels were never used they are compiled first, which is none of those seconds.
    compute_convolutions(PANEL.take(range(3)), Means(Clock(600.0), told, 1, file))
    plan = compute_convolutions(PANEL.take(range(3)), Means(Clock(20.0), told, 1, file))
    assert plan is not None
    assert 1_000 <= len(plan.features) < 5_000
    assert np.load(file).shape == (3, len(plan.features))


def test_without_time_there_are_no_convolutions(told: Journal, file: Path) -> None:
    clock = Clock(5.0, started=time.monotonic() - 5.0)
    assert compute_convolutions(PANEL.take(range(3)), Means(clock, told, 1, file)) is None
    assert "no random convolutions" in told.notices[-1]


def test_a_pace_is_judged_after_a_while() -> None:
    told: list[int] = []
    late = _paced(lambda done, _total: told.append(done), time.monotonic() - 10.0, 20.0)
    late(60, 100)
    with pytest.raises(TooSlowError, match="at this pace"):
        late(40, 100)
    early = _paced(lambda done, _total: told.append(done), time.monotonic(), 20.0)
    early(1, 10**9)
    assert told == [60, 40, 1]


@pytest.mark.parametrize(
    ("n_cases", "sizes"),
    [
        (100, [20_000, 10_000, 5_000, 2_500, 1_250]),
        (4_000, [10_000, 5_000, 2_500, 1_250]),
        (4_001, [3_000, 1_500]),
        (100_000, [1_000]),
    ],
)
def test_the_more_cases_the_fewer_convolutions_are_tried(n_cases: int, sizes: list[int]) -> None:
    assert sizes_of_convolutions(n_cases) == sizes
