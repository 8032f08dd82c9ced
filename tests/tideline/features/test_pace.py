"""The sentences of a progress, on a clock that the test turns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tideline.features.extraction import extract
from tideline.features.pace import STEP, WINDOW, Pace, _duration, _per_time
from tideline.features.plan import FeaturePlan
from tideline.panel import Panel


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Told:
    """A pace on a clock of its own, and what it said."""

    def __init__(self, every: float = 0.0) -> None:
        self.clock = Clock()
        self.sentences: list[str] = []
        self.pace = Pace("cases", self.sentences.append, every=every, clock=self.clock)

    def after(self, seconds: float, done: int, of: int = 1_000_000) -> str:
        self.clock.seconds += seconds
        self.pace(done, of)
        return self.sentences[-1] if self.sentences else ""


def test_tells_the_rate_and_the_time_left() -> None:
    said = Told().after(52, 120_000)
    assert said == "120,000 of 1,000,000 cases, 2,300 a second, 6 min left"


def test_tells_no_rate_before_anything_is_done() -> None:
    told = Told()
    assert told.after(0, 0) == "0 of 1,000,000 cases"
    assert told.after(3, 0) == "0 of 1,000,000 cases"


def test_tells_how_long_all_of_it_took() -> None:
    told = Told()
    told.after(100, 500_000)
    assert told.after(325, 1_000_000) == "1,000,000 cases in 7 min, 2,400 a second"


def test_nothing_to_do_is_done() -> None:
    assert Told().after(0, 0, 0) == "0 cases in 0 s"


def test_the_rate_is_that_of_late() -> None:
    told = Told()
    # A minute of compiling; then a thousand a second.
    told.after(60, 100)
    for second in range(1, 121):
        said = told.after(1, 100 + 1000 * second)
    assert said == "120,100 of 1,000,000 cases, 1,000 a second, 15 min left"


def test_keeps_a_window_and_no_more() -> None:
    told = Told()
    for done in range(5000):
        told.after(0.1, done)
    assert len(told.pace._marks) <= WINDOW / STEP + 2


def test_says_nothing_too_often_but_always_the_end() -> None:
    told = Told(every=10)
    for done in range(1, 101):
        told.after(1, done, 100)
    assert len(told.sentences) == 10
    assert told.sentences[0].startswith("10 of 100 cases, 1 a second")
    assert told.sentences[-1] == "100 cases in 2 min, 1 a second"


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (2317.4, "2,300 a second"),
        (1_250_000.0, "1,200,000 a second"),
        (99.7, "100 a second"),
        (10.0, "10 a second"),
        (9.96, "10 a second"),
        (1.5, "1.5 a second"),
        (0.5, "30 a minute"),
        (0.0004, "0.024 a minute"),
    ],
)
def test_rounds_a_rate_to_two_figures(rate: float, said: str) -> None:
    assert _per_time(rate) == said


@given(st.floats(1e-9, 1e12))
def test_a_rate_is_told_within_its_two_figures(rate: float) -> None:
    number, _, unit = _per_time(rate).partition(" a ")
    told = float(number.replace(",", "")) / (60 if unit == "minute" else 1)
    assert told == pytest.approx(rate, rel=0.051)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (380, "6 min"),
        (3599, "1 h 0 min"),
        (7500, "2 h 5 min"),
        (4e6, "1,111 h 7 min"),
    ],
)
def test_says_how_long(seconds: float, said: str) -> None:
    assert _duration(seconds) == said


def test_is_the_progress_of_an_extraction() -> None:
    told = Told()
    panel = Panel.from_arrays(np.random.default_rng(0).normal(size=(20, 9)))
    extract(panel, FeaturePlan.for_panel(panel, "minimal"), progress=told.pace)
    assert told.sentences == ["20 cases in 0 s"]
