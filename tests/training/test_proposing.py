"""Tests of searches on one part after the other, in real workers; what TPOT says is made up."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.training.scripted import Course, InTurn, failing, logistic
from tests.training.small import candidate_of, part_of
from tideline.spec import ModelTrainingSpec
from training import finder as finder_module
from training.finder import Finder, Until
from training.journal import STAGES, Journal
from training.proposing import Searches, can_go_on, has_ended
from training.tools import Tools

SECONDS = {"main": 10.0, "outer-1": 5.0, "outer-2": 5.0}


class Started:
    """Begins a proposer for each list of courses, and remembers them."""

    def __init__(self, *each: Sequence[Course]) -> None:
        self._left = list(each)
        self.proposers: list[InTurn] = []

    def __call__(self, _folder: Path) -> InTurn:
        self.proposers.append(InTurn(self._left.pop(0)))
        return self.proposers[-1]

    @property
    def tasks(self) -> list[int]:
        """How many tasks each of them was given."""
        return [proposer.tasks for proposer in self.proposers]


@pytest.fixture
def log() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def events() -> list[Mapping[str, Any]]:
    return []


@pytest.fixture
def told(tools: Tools, log: io.StringIO, events: list[Mapping[str, Any]]) -> Tools:
    return replace(tools, journal=Journal(stream=log, listener=events.append))


@pytest.fixture
def searched(tmp_path: Path, told: Tools) -> Callable[..., list[Finder]]:
    """Return what searches on all cases and in two outer folds, and returns the finders."""

    def run(start: Started, until: Until | None = None, seconds: float = 1.0) -> list[Finder]:
        finders = [Finder(part_of(tmp_path, name=name), told, until) for name in SECONDS]
        # TPOT begins with what is known.
        for finder in finders:
            finder.compare([candidate_of(logistic(99))], float("inf"))
        parts = [(f, seconds * SECONDS[f.part.name]) for f in finders]
        Searches(ModelTrainingSpec(), told, start).run(parts[0], parts[1:])
        return finders

    return run


def strengths(finder: Finder) -> set[str | None]:
    """Return what was found beside what TPOT began with."""
    return {found.candidate.parameters.get("model.C") for found in finder.found} - {"100.0"}


def has_searched(tools: Tools) -> list[bool]:
    return [tools.ledger.has_searched(name) for name in SECONDS]


def test_one_process_serves_all_parts_and_what_one_leaves_is_for_the_next(
    searched: Callable[..., list[Finder]], told: Tools, log: io.StringIO
) -> None:
    start = Started([Course([logistic(n)]) for n in (1, 2, 3)])
    finders = searched(start)
    assert start.tasks == [3]
    assert [strengths(finder) for finder in finders] == [{"2.0"}, {"3.0"}, {"4.0"}]
    assert has_searched(told) == [True, True, True]
    said = re.findall(r"TPOT searches for (\d+) s \((\d) of 3\)", log.getvalue())
    assert [number for _, number in said] == ["1", "2", "3"]
    main, first, second = (int(seconds) for seconds, _ in said)
    assert main == 10
    # Half of what is left, then all of it, and not 5 s each.
    assert 7 <= first <= 10
    assert 14 <= second <= 20
    assert told.journal.notices == []


def test_where_tpot_dies_it_is_started_once_more(
    searched: Callable[..., list[Finder]], told: Tools
) -> None:
    start = Started(
        [Course([logistic(1)], dies=True)],
        [Course([logistic(1), logistic(2)]), Course([logistic(3)], dies=True)],
        [Course([logistic(3), logistic(4)]), Course([logistic(5)])],
    )
    finders = searched(start, seconds=3.0)
    assert start.tasks == [1, 2, 2]
    assert [strengths(f) for f in finders] == [{"2.0", "3.0"}, {"4.0", "5.0"}, {"6.0"}]
    assert has_searched(told) == [True, True, True]
    assert told.journal.notices == ["TPOT ended early: exit code 9: it had had enough."] * 2


def test_without_a_search_on_all_cases_no_outer_fold_is_searched(
    searched: Callable[..., list[Finder]], told: Tools
) -> None:
    start = Started([Course(dies=True)], [Course([logistic(1)], dies=True)])
    finders = searched(start)
    assert start.tasks == [1, 1]
    assert has_searched(told) == [False, False, False]
    assert [strengths(finder) for finder in finders[1:]] == [set(), set()]
    assert told.journal.notices[-1] == "TPOT was not asked in the outer folds either."


def test_a_proposer_that_falls_silent_is_replaced(
    searched: Callable[..., list[Finder]], told: Tools, log: io.StringIO
) -> None:
    start = Started(
        [Course([logistic(1)]), Course(is_heard=False)],
        [Course([logistic(2)]), Course([logistic(3)])],
    )
    finders = searched(start, seconds=0.3)
    assert start.tasks == [2, 2]
    assert [strengths(finder) for finder in finders] == [{"2.0"}, {"3.0"}, {"4.0"}]
    assert has_searched(told) == [True, True, True]


def test_a_search_that_came_to_its_end_at_an_earlier_start_is_not_made_again(
    searched: Callable[..., list[Finder]], told: Tools, log: io.StringIO
) -> None:
    silent = Course(is_heard=False)
    searched(
        Started([Course([logistic(1), failing(1)]), Course([logistic(2)]), silent], [silent]),
        seconds=0.2,
    )
    assert has_searched(told) == [True, True, False]
    start = Started([Course([logistic(3)])])
    finders = searched(start)
    assert start.tasks == [1]
    assert [strengths(finder) for finder in finders] == [{"2.0"}, {"3.0"}, {"4.0"}]
    assert has_searched(told) == [True, True, True]
    # What is for the others is not for it.
    assert "TPOT searches for 5 s (1 of 1)" in log.getvalue()


def test_what_until_asks_for_holds_for_each_part(
    searched: Callable[..., list[Finder]], told: Tools
) -> None:
    start = Started([Course([logistic(n)], ends=False) for n in (1, 2, 3)])
    finders = searched(start, Until(pipelines=2))
    assert [strengths(finder) for finder in finders] == [{"2.0"}, {"3.0"}, {"4.0"}]
    assert has_searched(told) == [True, True, True]


def test_what_an_earlier_start_left_is_searched_where_the_time_does_for_it(
    tmp_path: Path, told: Tools
) -> None:
    main, *nested = (Finder(part_of(tmp_path, name=name), told) for name in SECONDS)
    assert not can_go_on(1000.0, main, nested, told), "all cases are still to be searched"
    told.ledger.end_search("main")
    assert not can_go_on(14.0, main, nested, told)
    assert can_go_on(16.0, main, nested, told)
    told.ledger.end_search("outer-2")
    assert not can_go_on(9.0, main, nested, told), "TPOT has to be imported again"
    assert can_go_on(11.0, main, nested, told)
    assert not has_ended(main, nested, told)
    for name in SECONDS:
        told.ledger.end_search(name)
    assert has_ended(main, nested, told)
    assert not can_go_on(1000.0, main, nested, told), "nothing is left to search"


def test_a_search_tells_how_far_it_has_come(
    searched: Callable[..., list[Finder]],
    told: Tools,
    log: io.StringIO,
    events: list[Mapping[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(finder_module, "TELL_SECONDS", 0.05)
    told.journal.enter("search", "TPOT searches")
    searched(Started([Course([logistic(n)], ends=False) for n in (1, 2, 3)]), seconds=0.1)
    # How many, depends on how busy the machine is.
    assert re.search(r"\d pipelines? tried\n", log.getvalue())
    assert re.search(r"\d pipelines? tried in this outer fold", log.getvalue())
    # From the first part to the last, and not anew in each of them.
    tallies = [event for event in events if " tried" in event["message"]]
    begins, ends = STAGES["search"], STAGES["ensemble"]
    of_main = [e["share"] for e in tallies if "outer fold" not in e["message"]]
    of_folds = [e["share"] for e in tallies if "outer fold" in e["message"]]
    assert begins < of_main[0] < of_main[-1] < of_folds[0] < of_folds[-1] <= ends
