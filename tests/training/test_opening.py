"""Tests of the first comparison, in real workers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.training.small import part_of, tools_of
from training.clock import Clock
from training.finder import Finder, Until
from training.opening import add_forests, compare_portfolio
from training.portfolio import FEWER_TREES, TREES, default_blend, portfolio
from training.workers import Workers

CANDIDATES = portfolio("classification", ("features", "convolutions"), 0)
LEAST = {candidate.key for candidate in default_blend(CANDIDATES)}
CLEAR = 0.6
"""An accuracy that the first of them reaches on the small table."""


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(2) as started:
        yield started


def later() -> float:
    return time.monotonic() + 60.0


def trees(finder: Finder) -> list[int]:
    return [int(f.trial.parameters.get("model.n_estimators", 100)) for f in finder.found]


@pytest.mark.parametrize(
    ("until", "tried"),
    [
        (Until(), 5),
        (Until(pipelines=1), 3),
        (Until(pipelines=4), 4),
        (Until(pipelines=9), 5),
        (Until(score=CLEAR), 3),
        (Until(score=2.0), 5),
        (Until(seconds_without_gain=1e-3), 5),
    ],
)
def test_the_default_is_evaluated_and_the_others_as_far_as_until_asks(
    tmp_path: Path, workers: Workers, until: Until, tried: int
) -> None:
    finder = Finder(part_of(tmp_path, metric="accuracy"), tools_of(tmp_path, workers), until)
    compare_portfolio(finder, CANDIDATES, later())
    keys = {found.candidate.key for found in finder.found}
    assert len(keys) == tried
    assert keys >= LEAST
    assert CANDIDATES[0].key in keys


def test_the_same_ones_are_left_out_each_time(tmp_path: Path, workers: Workers) -> None:
    for number in "12":
        (tmp_path / number).mkdir()
        finder = Finder(
            part_of(tmp_path / number, metric="accuracy"),
            tools_of(tmp_path / number, workers),
            Until(pipelines=4),
        )
        compare_portfolio(finder, CANDIDATES, later())
        left_out = {c.key for c in CANDIDATES} - {f.candidate.key for f in finder.found}
        assert left_out == {CANDIDATES[-1].key}


@pytest.mark.slow
def test_larger_forests_of_an_earlier_start_are_known_whatever_time_is_left(
    tmp_path: Path, workers: Workers
) -> None:
    part, budget = part_of(tmp_path), 600.0
    first = Finder(part, tools_of(tmp_path, workers, budget))
    compare_portfolio(first, CANDIDATES, later())
    add_forests(first, 0, tools_of(tmp_path, workers, budget))
    assert trees(first).count(TREES) == 2

    over = Clock(budget, time.monotonic() - budget)
    late = replace(tools_of(tmp_path, workers), clock=over)
    again = Finder(part, late)
    compare_portfolio(again, CANDIDATES, time.monotonic())
    add_forests(again, 0, late)
    assert sorted(trees(again)) == sorted(trees(first))

    (tmp_path / "new").mkdir()
    unknown = replace(tools_of(tmp_path / "new", workers), clock=over)
    new = Finder(part, unknown)
    compare_portfolio(new, CANDIDATES, later())
    add_forests(new, 0, unknown)
    assert max(trees(new)) == FEWER_TREES


def test_until_leaves_larger_forests_out(tmp_path: Path, workers: Workers) -> None:
    tools = tools_of(tmp_path, workers, 600.0)
    finder = Finder(part_of(tmp_path, metric="accuracy"), tools, Until(score=CLEAR))
    compare_portfolio(finder, CANDIDATES, later())
    add_forests(finder, 0, tools)
    assert max(trees(finder)) == FEWER_TREES
