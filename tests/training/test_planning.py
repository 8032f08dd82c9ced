"""Tests of features under a budget."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest

from tideline.errors import BudgetExceeded
from tideline.features.plan import FeaturePlan
from tideline.panel import Panel
from tideline.spec import ExtractionSpec
from training.clock import Clock
from training.journal import Journal
from training.planning import TooSlowError, _paced, compute_features, projected_seconds

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
    assert "minimal set is computed" in told.notices[0]


def test_an_open_set_is_minimal_where_only_that_fits() -> None:
    plan = FeaturePlan.for_panel(PANEL, "efficient")
    seconds = projected_seconds(PANEL, plan)
    clock = Clock(seconds)
    told = journal()
    plan, X = compute_features(PANEL, ExtractionSpec(), clock, 1, told)
    assert X.shape == (20_000, len(plan.features)) == (20_000, 10)
    assert told.notices


def test_an_open_set_is_efficient_where_there_is_time() -> None:
    few = PANEL.take([0, 1])
    plan, X = compute_features(few, ExtractionSpec(), Clock(300.0), 1, journal())
    assert X.shape == (2, len(plan.features))
    assert len(plan.features) > 700


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
