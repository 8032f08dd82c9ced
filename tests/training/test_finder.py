"""Tests of finding the model on one part, in real workers."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from tests.training.jobs import Strange
from tests.training.scripted import Scripted, failing, logistic
from tests.training.small import TASK, candidate_of, part_of, tools_of
from tideline.errors import SearchFailed
from training.finder import Finder, Until
from training.ledger import TRIALS
from training.proposer.handle import Proposer
from training.proposer.messages import FAILED, SCORED
from training.tools import Tools
from training.workers import TOO_LONG, Workers

PATIENCE = 60.0


def later(seconds: float = PATIENCE) -> float:
    return time.monotonic() + seconds


def test_candidates_are_compared_and_the_best_is_known(tmp_path: Path, tools: Tools) -> None:
    finder = Finder(part_of(tmp_path), tools)
    candidates = [candidate_of(logistic(0)), candidate_of(Strange()), candidate_of(failing(0))]
    found = finder.compare(candidates, later())
    assert {each.candidate.key for each in found} == {c.key for c in candidates[:2]}
    assert finder.best is not None
    assert finder.best.candidate is candidates[0]
    assert "'C' parameter" in finder.failure
    event = tools.journal.standing
    assert "3" in event
    assert "LogisticRegression" in event


def test_a_comparison_ends_with_its_deadline_but_not_before_enough(
    tmp_path: Path, tools: Tools, workers: Workers
) -> None:
    finder = Finder(part_of(tmp_path), tools)
    slow = candidate_of(Strange("sleep"))
    assert finder.compare([slow], later(0.1)) == []
    assert workers.is_idle
    [found] = finder.compare([candidate_of(), slow], later(-1.0), enough=1)
    assert found.candidate.key == candidate_of().key
    assert workers.is_idle


def test_what_is_proposed_is_evaluated_and_told(tmp_path: Path, tools: Tools) -> None:
    finder = Finder(part_of(tmp_path), tools, Until(pipelines=4))
    with Scripted([logistic(0), failing(0), Strange("sleep"), logistic(1)], None) as proposer:
        assert finder.search(proposer, TASK, later(), 2.0).over == "4 pipelines were tried"
        told = proposer.told()
    assert {number: name for number, (name, _) in told.items()} == {
        0: SCORED, 1: FAILED, 2: FAILED, 3: SCORED
    }  # fmt: skip
    assert told[2][1] == TOO_LONG
    scores = {each.candidate.parameters.get("model.C"): each.trial.score for each in finder.found}
    assert told[0][1] == scores[None]
    assert told[3][1] == scores["2.0"]
    assert all(each.candidate.selects and each.trial.selects for each in finder.found)


def test_a_search_ends_when_there_are_no_more_proposals(tmp_path: Path, tools: Tools) -> None:
    finder = Finder(part_of(tmp_path), tools)
    with Scripted([]) as proposer:
        assert finder.search(proposer, TASK, later(), PATIENCE).over == "TPOT: all was said"


def test_a_search_ends_with_its_time(tmp_path: Path, tools: Tools, workers: Workers) -> None:
    finder = Finder(part_of(tmp_path), tools)
    with Scripted([Strange("sleep")], None) as proposer:
        assert finder.search(proposer, TASK, later(0.5), PATIENCE).over == "the time was over"
    assert workers.is_idle


def test_a_proposer_that_died_is_told(tmp_path: Path, tools: Tools) -> None:
    finder = Finder(part_of(tmp_path), tools)
    with Proposer(tmp_path / "proposer") as proposer:
        proposer._process.kill()
        searched = finder.search(proposer, TASK, later(), PATIENCE)
    assert searched.over.startswith("exit code -9")
    assert not searched.is_whole


@pytest.mark.parametrize(
    ("until", "over"),
    [
        (Until(score=0.6), "a score of 0.6 was reached"),
        (Until(pipelines=3), "3 pipelines were tried"),
        (Until(seconds_without_gain=2.0), "there was no gain for 2 s"),
    ],
)
def test_what_ends_a_search(tmp_path: Path, tools: Tools, until: Until, over: str) -> None:
    finder = Finder(part_of(tmp_path, metric="accuracy"), tools, until)
    with Scripted([logistic(0), logistic(0), *map(logistic, range(9))], None) as proposer:
        assert finder.search(proposer, TASK, later(), PATIENCE).over == over
    if until.pipelines:
        assert len(finder.found) == 3
        # The same ones, whichever worker was first.
        assert {each.candidate.parameters.get("model.C") for each in finder.found} == {
            None, "2.0", "3.0"
        }  # fmt: skip


def test_time_before_the_search_is_no_time_without_gain(tmp_path: Path, tools: Tools) -> None:
    finder = Finder(part_of(tmp_path), tools, Until(seconds_without_gain=1.5))
    time_before = later(2.0)
    while time.monotonic() < time_before:
        tools.workers.wait(0.1)
    with Scripted([logistic(0)]) as proposer:
        assert finder.search(proposer, TASK, later(), PATIENCE).over == "TPOT: all was said"


def test_more_than_half_failing_is_an_error(tmp_path: Path, tools: Tools) -> None:
    finder = Finder(part_of(tmp_path), tools)
    finder.compare([candidate_of(logistic(n)) for n in range(4)], later())
    finder.compare([candidate_of(failing(n)) for n in range(4)], later())
    # What fails and is proposed again fails once.
    finder.compare([candidate_of(failing(n)) for n in range(4)], later())
    finder.require_sound()
    finder.compare([candidate_of(failing(n)) for n in range(4, 6)], later())
    with pytest.raises(
        SearchFailed, match=r"6 of 10 pipelines failed, most often: .*'C' parameter"
    ):
        finder.require_sound()


def test_what_only_took_too_long_is_no_failure_of_many(tmp_path: Path, tools: Tools) -> None:
    finder = Finder(part_of(tmp_path), tools, Until(pipelines=11))
    finder.compare([candidate_of(logistic(n)) for n in range(4)], later())
    slow = [Strange("sleep", str(tmp_path / str(n))) for n in range(7)]
    with Scripted(slow, None) as proposer:
        finder.search(proposer, TASK, later(), 0.3)
        assert [told for _, told in proposer.told().values()] == [TOO_LONG] * 7
    finder.require_sound()
    finder.compare([candidate_of(failing(n)) for n in range(6)], later())
    with pytest.raises(SearchFailed, match="6 of 10 pipelines failed"):
        finder.require_sound()


def test_nothing_found_is_an_error(tmp_path: Path, tools: Tools) -> None:
    finder = Finder(part_of(tmp_path), tools)
    finder.compare([candidate_of(failing(0))], later())
    with pytest.raises(SearchFailed, match="1 of 1 pipeline failed"):
        finder.require_sound()


def test_another_start_goes_on_where_the_last_one_ended(
    tmp_path: Path, tools: Tools, workers: Workers
) -> None:
    part = part_of(tmp_path)
    fits = tmp_path / "fits"
    models = [Strange(file=str(fits)), logistic(0), failing(0)]
    starts = []
    for started in (lambda: tools, lambda: tools_of(tmp_path, workers)):
        finder = Finder(part, started())
        finder.compare([candidate_of(model, selects=True) for model in models], later())
        starts.append(finder)
    assert len(fits.read_text().split()) == part.n_folds
    told = [sorted((e.trial.key, e.trial.score) for e in f.found) for f in starts]
    assert told[0] == told[1]
    np.testing.assert_array_equal(*(finder.choice(0).answers for finder in starts))


def test_what_an_earlier_start_found_is_taken_up_and_not_evaluated_again(
    tmp_path: Path, tools: Tools, workers: Workers
) -> None:
    part = part_of(tmp_path)
    models = [logistic(0), failing(0), logistic(1)]
    with Scripted(models, None) as proposer:
        Finder(part, tools, Until(pipelines=3)).search(proposer, TASK, later(), PATIENCE)
    lines = (tmp_path / "trials" / TRIALS).read_text()
    again = Finder(part, tools_of(tmp_path, workers), Until(pipelines=4))
    assert again.recall() == 2
    assert {each.candidate.key for each in again.found} == {
        candidate_of(logistic(n), selects=True).key for n in range(2)
    }
    assert again.best is not None
    assert again.best.answers is not None
    # TPOT proposes the same again, and goes on from their scores.
    with Scripted([*models, logistic(2), logistic(3)], None) as proposer:
        assert again.search(proposer, TASK, later(), PATIENCE).over == "4 pipelines were tried"
        told = proposer.told()
    assert [told[number][0] for number in range(4)] == [SCORED, FAILED, SCORED, SCORED]
    assert 4 not in told
    assert len(again.found) == 3
    written = (tmp_path / "trials" / TRIALS).read_text()
    assert written.startswith(lines)
    assert written.count("\n") == 4


def test_what_failed_at_an_earlier_start_has_failed(
    tmp_path: Path, tools: Tools, workers: Workers
) -> None:
    part, bad = part_of(tmp_path), [failing(number) for number in range(8)]
    with Scripted([logistic(0), logistic(1), *bad], None) as proposer:
        first = Finder(part, tools, Until(pipelines=10))
        first.search(proposer, TASK, later(), PATIENCE)
    again = Finder(part, tools_of(tmp_path, workers), Until(pipelines=10))
    assert again.recall() == 2
    for finder in (first, again):
        with pytest.raises(SearchFailed, match="8 of 10 pipelines failed"):
            finder.require_sound()
    # None more is tried than were to be.
    with Scripted([logistic(2)], None) as proposer:
        assert again.search(proposer, TASK, later(), PATIENCE).over == "10 pipelines were tried"
    assert len(again.found) == 2


def test_what_was_found_on_another_part_is_not_taken_up(
    tmp_path: Path, tools: Tools, workers: Workers
) -> None:
    with Scripted([logistic(0)], None) as proposer:
        finder = Finder(part_of(tmp_path), tools, Until(pipelines=1))
        finder.search(proposer, TASK, later(), PATIENCE)
    assert len(finder.found) == 1
    outer = replace(part_of(tmp_path), name="outer-1")
    assert Finder(outer, tools_of(tmp_path, workers)).recall() == 0


@pytest.mark.parametrize(
    ("until", "tried"),
    [(Until(), 5), (Until(pipelines=3), 3), (Until(pipelines=1), 2), (Until(score=0.6), 2)],
)
def test_until_ends_a_comparison_between_candidates(
    tmp_path: Path, tools: Tools, until: Until, tried: int
) -> None:
    finder = Finder(part_of(tmp_path, metric="accuracy"), tools, until)
    finder.compare([candidate_of(logistic(n)) for n in range(2)], later())
    finder.compare_further([candidate_of(logistic(n)) for n in range(2, 5)], later())
    assert {each.candidate.key for each in finder.found} == {
        candidate_of(logistic(n)).key for n in range(tried)
    }


def test_outer_parts_are_no_trials_of_the_run(tmp_path: Path, tools: Tools) -> None:
    part = replace(part_of(tmp_path), name="outer-1")
    finder = Finder(part, tools)
    finder.compare([candidate_of(DecisionTreeClassifier(random_state=0))], later())
    assert len(finder.found) == 1
    assert tools.ledger.trials == ()


def test_a_choice_that_has_no_time_is_the_default(tmp_path: Path, tools: Tools) -> None:
    finder = Finder(part_of(tmp_path), tools)
    finder.compare([candidate_of(logistic(n)) for n in range(2)], later())
    assert finder.best is max(finder.found, key=lambda found: found.trial.score)
    assert "no time" in finder.choice(0, deadline=later(-1.0)).reason
    assert "no time" not in finder.choice(0, deadline=later()).reason


@pytest.mark.slow
def test_tpot_searches_from_its_seeds(tmp_path: Path, tools: Tools) -> None:
    finder = Finder(part_of(tmp_path), tools)
    task = replace(TASK, seeds=[[("model", logistic(0))]])
    with Proposer(tmp_path / "proposer") as proposer:
        searched = finder.search(proposer, task, later(200.0), PATIENCE)
    assert searched.is_whole
    assert searched.over == "TPOT: 1 generations are over"
    assert len(finder.found) >= 2
    assert candidate_of(logistic(0), selects=True).key in {e.candidate.key for e in finder.found}
    finder.require_sound()
