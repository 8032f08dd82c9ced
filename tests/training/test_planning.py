"""Tests of features under a budget."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest

from tideline.errors import BudgetExceeded
from tideline.features.plan import FeaturePlan
from tideline.features.views import PLAIN
from tideline.panel import Panel
from tideline.spec import ExtractionSpec
from training import planning
from training.clock import Clock
from training.journal import Journal
from training.planning import (
    TooSlowError,
    _paced,
    compute_features,
)

PANEL = Panel.from_arrays(np.random.default_rng(0).normal(size=(20_000, 100)))
"""Takes seconds with the efficient set, and a part of one with the minimal set."""


def journal() -> Journal:
    return Journal(stream=io.StringIO())


def test_an_open_set_falls_back_to_minimal_when_time_is_short() -> None:
    told = journal()
    # Half of what is left here is a tenth of a second.
    clock = Clock(5.0, started=time.monotonic() - 4.8)
    with pytest.raises(BudgetExceeded):
        # Nothing is left even for the minimal set.
        compute_features(PANEL, ExtractionSpec(), clock, 1, told)
    assert "minimal set is computed" in told.notices[-1]


def test_an_open_set_is_minimal_where_only_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    # A second for each feature, so that no machine's speed decides.
    monkeypatch.setattr(
        planning, "projected_seconds", lambda _panel, plan: float(len(plan.features))
    )
    few, told = PANEL.take(range(10)), journal()
    plan, X = compute_features(few, ExtractionSpec(), Clock(100.0), 1, told)
    assert X.shape == (10, len(plan.features)) == (10, 10)
    assert "efficient" in told.notices[1]


def test_a_slow_first_use_is_not_taken_for_the_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    def compiled(panel: Panel, plan: FeaturePlan) -> float:
        time.sleep(1.5)
        return 0.001

    monkeypatch.setattr(planning, "projected_seconds", compiled)
    spec = ExtractionSpec(default_fc_parameters="minimal")
    _, X = compute_features(PANEL.take(range(3_000)), spec, Clock(8.0), 1, journal())
    assert len(X) == 3_000


def test_an_open_set_has_views_where_there_is_time() -> None:
    few = PANEL.take([0, 1])
    plan, X = compute_features(few, ExtractionSpec(), Clock(300.0), 1, journal())
    assert X.shape == (2, len(plan.features))
    assert {feature.view.form for feature in plan.features} == {"series", "difference", "spectrum"}


def test_an_open_set_of_many_channels_has_none() -> None:
    values = np.random.default_rng(0).normal(size=(2, 6, 60))
    told = journal()
    plan, _ = compute_features(Panel.from_arrays(values), ExtractionSpec(), Clock(300.0), 1, told)
    assert len(plan.features) > 4_000
    assert {feature.view for feature in plan.features} == {PLAIN}
    assert "6 channels" in told.notices[0]


def test_a_set_that_was_asked_for_is_computed_or_refused() -> None:
    spec = ExtractionSpec(default_fc_parameters="efficient")
    with pytest.raises(BudgetExceeded, match="would take about") as caught:
        compute_features(PANEL, spec, Clock(0.5), 1, journal())
    assert caught.value.field == "budget"
    assert "default_fc_parameters" in caught.value.mend


def test_where_one_channel_is_named_alone_the_others_have_no_features() -> None:
    two = Panel.from_arrays(np.random.default_rng(0).normal(size=(4, 2, 20)))
    spec = ExtractionSpec(kind_to_fc_parameters={"0": {"mean": None}})
    plan, _ = compute_features(two, spec, Clock(60.0), 1, journal())
    assert plan.names == ("0__mean",)


def test_a_pace_is_judged_after_a_while() -> None:
    told: list[int] = []
    late = _paced(lambda done, _total: told.append(done), time.monotonic() - 10.0, 20.0)
    late(60, 100)
    with pytest.raises(TooSlowError, match="at this pace"):
        late(40, 100)
    early = _paced(lambda done, _total: told.append(done), time.monotonic(), 20.0)
    early(1, 10**9)
    assert told == [60, 40, 1]
