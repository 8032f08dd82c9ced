"""Tests of how the time of a run is shared out."""

from __future__ import annotations

import time

import pytest

from training.clock import Clock
from training.schedule import Schedule


def schedule(budget: float, spent: float) -> Schedule:
    return Schedule(Clock(budget, time.monotonic() - spent))


@pytest.mark.parametrize(("budget", "spent"), [(20.0, 3.0), (60.0, 40.0), (3600.0, 90.0)])
def test_the_report_keeps_time_for_itself_beside_the_importances(
    budget: float, spent: float
) -> None:
    now = schedule(budget, spent)
    assert now.fitted_at < now.published_at < now.last_at
    late = schedule(budget, spent + now.left)  # all is fitted at the last moment
    kept = late.published_at - late.reported_at
    assert kept == pytest.approx(late.report_seconds / 3, abs=0.01)
    assert late.reported_at > time.monotonic()


@pytest.mark.parametrize("left", [0.0, 30.0, 250.0, 5000.0])
@pytest.mark.parametrize("budget", [60.0, 100.0, 3600.0])
def test_the_budget_that_is_advised_would_leave_enough(budget: float, left: float) -> None:
    now = schedule(budget, 25.0)
    advised = now.budget_for(left)
    assert advised % 30 == 0
    assert advised >= budget
    assert schedule(advised, 25.0).left >= left
    # And it is not far too much.
    assert advised <= max(budget, 1.5 * (left + 40.0)) + 30
