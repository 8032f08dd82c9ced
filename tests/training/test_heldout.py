"""Tests of the score on cases that no step of the search has seen."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.jobs import Strange
from tests.training.small import (
    N_CASES,
    candidate_of,
    model_of,
    table_of,
    target_of,
    tools_of,
)
from tideline.blend import SPREAD
from tideline.errors import SearchFailed
from tideline.panel import Panel
from training.candidate import Candidate
from training.choice import Choice
from training.evaluator import Part
from training.finder import Finder
from training.fold import as_prediction
from training.heldout import (
    CONVOLUTIONS,
    WARPING,
    Asking,
    HeldOut,
    Trust,
    beside_neighbours,
    held_out_by,
    neighbours,
    out_of_fold,
)
from training.scoring import Score
from training.split import split_cases
from training.table import Table
from training.task import Target
from training.workers import Workers

PATIENCE = 60.0
FIT_ON, ASKED = np.arange(20), np.arange(20, N_CASES)


def later() -> float:
    return time.monotonic() + PATIENCE


def chosen(*candidates: Candidate, sharpness: float = 1.0) -> Choice:
    members = tuple((1 / len(candidates), candidate) for candidate in candidates)
    return Choice(members, sharpness, Score(0.0, 0.0, {}), np.zeros((0, 2)), "made up")


def fitted(table: Table, target: Target, family: str, trust: Trust) -> np.ndarray:
    """Return what a linear model answers, found without workers."""
    X = np.array(table.matrix(family))
    model = model_of(target).fit(X[trust.fit_on], target.y[trust.fit_on])
    found = model.predict_proba if target.n_classes else model.predict
    return np.asarray(found(X[trust.asked])).reshape(len(trust.asked), -1)


@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.parametrize("n_trusts", [1, 3])
def test_a_choice_answers_for_the_cases_that_it_was_made_without(
    tmp_path: Path, workers: Workers, n_classes: int, n_trusts: int
) -> None:
    target = target_of(n_classes)
    table = table_of(tmp_path, target)
    members = [candidate_of(model_of(target), family=f) for f in ("features", "convolutions")]
    trusts = [Trust(chosen(*members), FIT_ON, ASKED)]
    if n_trusts > 1:
        # Not in the order of the positions, and each with another choice.
        parts = np.split(np.random.default_rng(0).permutation(N_CASES), n_trusts)
        choices = [chosen(*members), chosen(members[0]), chosen(members[1])]
        trusts = [
            Trust(choice, np.setdiff1d(np.arange(N_CASES), asked), asked)
            for choice, asked in zip(choices, parts, strict=True)
        ]
    held_out = held_out_by(trusts, members[1], Asking(table, target, workers), later())
    assert held_out is not None
    assert held_out.by == ("hold-out" if n_trusts == 1 else "outer folds")
    np.testing.assert_array_equal(held_out.positions, np.concatenate([t.asked for t in trusts]))
    wanted = [
        np.mean([fitted(table, target, c.family, trust) for _, c in trust.choice.members], axis=0)
        for trust in trusts
    ]
    np.testing.assert_allclose(held_out.answers, np.concatenate(wanted), rtol=1e-3, atol=1e-3)
    beside = np.concatenate([fitted(table, target, "convolutions", trust) for trust in trusts])
    np.testing.assert_allclose(held_out.baselines[CONVOLUTIONS], beside, rtol=1e-3, atol=1e-3)
    scores = held_out.scores(target, 0)
    assert scores.metrics.keys() == held_out.baseline_scores(target)[CONVOLUTIONS].keys()


def test_a_choice_that_is_sharpened_answers_so(tmp_path: Path, workers: Workers) -> None:
    target = target_of(2)
    asking = Asking(table_of(tmp_path, target), target, workers)
    plain, sharp = (
        held_out_by(
            [Trust(chosen(candidate_of(), sharpness=s), FIT_ON, ASKED)], None, asking, later()
        )
        for s in (1.0, 3.0)
    )
    assert plain is not None
    assert sharp is not None
    cubed = ((1 - SPREAD) * plain.answers.astype(float) + SPREAD / 2) ** 3
    np.testing.assert_allclose(sharp.answers, cubed / cubed.sum(axis=1, keepdims=True), atol=1e-5)


def test_a_member_that_cannot_answer_is_told(tmp_path: Path, workers: Workers) -> None:
    target = target_of(2)
    asking = Asking(table_of(tmp_path, target), target, workers)
    trust = Trust(chosen(candidate_of(Strange("raise"))), FIT_ON, ASKED)
    with pytest.raises(SearchFailed, match=r"Strange could not answer .* cases are too few"):
        held_out_by([trust], None, asking, later())


def test_a_member_that_fills_the_memory_is_told_with_what_helps(
    tmp_path: Path, workers: Workers
) -> None:
    target = target_of(2)
    asking = Asking(table_of(tmp_path, target), target, workers)
    trust = Trust(chosen(candidate_of(Strange("memory"))), FIT_ON, ASKED)
    with pytest.raises(SearchFailed, match="cases in the memory that there is: Memory") as caught:
        held_out_by([trust], None, asking, later())
    assert workers.told_memory in caught.value.message
    assert "smaller model" in caught.value.mend
    assert caught.value.field == "model_training.model"


def test_there_is_no_score_when_the_time_is_over(tmp_path: Path, workers: Workers) -> None:
    target = target_of(2)
    asking = Asking(table_of(tmp_path, target), target, workers)
    trust = Trust(chosen(candidate_of(Strange("sleep"))), FIT_ON, ASKED)
    assert held_out_by([trust], None, asking, time.monotonic() + 0.2) is None
    assert workers.is_idle


@pytest.mark.parametrize("in_time", [False, True])
@pytest.mark.parametrize("n_classes", [0, 2])
def test_out_of_fold_answers_are_those_of_the_folds_in_their_order(
    tmp_path: Path, workers: Workers, n_classes: int, in_time: bool
) -> None:
    target = target_of(n_classes)
    table = table_of(tmp_path, target)
    folds = split_cases(target, test_fraction=0.0, folds=3).folds
    if in_time:
        folds = ((np.arange(10), np.arange(19, 9, -1)), (np.arange(20), np.arange(20, 25)))
    metric = "neg_log_loss" if n_classes else "neg_root_mean_squared_error"
    part = Part("main", table, target, folds, metric, str(tmp_path / "prepared"))
    finder = Finder(part, tools_of(tmp_path, workers))
    model, beside = (
        candidate_of(model_of(target), family=family, origin="spec")
        for family in ("features", "convolutions")
    )
    finder.compare([model, beside], later())
    [own] = [each for each in finder.found if each.candidate.key == model.key]
    assert own.answers is not None
    choice = replace(chosen(model), mean=own.answers.astype(float))
    held_out = out_of_fold(finder, choice, beside)
    assert held_out.positions.tolist() == np.concatenate([asked for _, asked in folds]).tolist()
    assert held_out.learned.tolist() == np.unique(np.concatenate([f for f, _ in folds])).tolist()
    for name, found in (("features", held_out.answers), *held_out.baselines.items()):
        family = "convolutions" if name == CONVOLUTIONS else name
        wanted = [fitted(table, target, family, Trust(choice, *fold)) for fold in folds]
        np.testing.assert_allclose(found, np.concatenate(wanted), rtol=1e-3, atol=1e-3)
    assert list(held_out.baselines) == [CONVOLUTIONS]


def test_out_of_fold_answers_are_sharpened_without_a_look_at_them(
    tmp_path: Path, workers: Workers
) -> None:
    target = target_of(2)
    folds = split_cases(target, test_fraction=0.0, folds=3).folds
    part = Part("main", table_of(tmp_path, target), target, folds, "neg_log_loss", "")
    finder = Finder(part, tools_of(tmp_path, workers))
    mean = np.random.default_rng(0).dirichlet([2, 2], N_CASES)
    choice = replace(chosen(candidate_of(), sharpness=2.0), mean=mean)
    before = out_of_fold(finder, choice, None)
    # Other labels for the first fold change nothing of what is answered for it.
    _, first = folds[0]
    y = target.y.copy()
    y[first] = 1 - y[first]
    other = Finder(replace(part, target=replace(target, y=y)), tools_of(tmp_path, workers))
    after = out_of_fold(other, choice, None)
    np.testing.assert_array_equal(before.answers[: first.size], after.answers[: first.size])
    assert not np.array_equal(before.answers, after.answers)


def panel(target: Target) -> Panel:
    rng = np.random.default_rng(0)
    waves = np.sin(np.linspace(0, 6, 24)) * (1.0 + target.y[:, np.newaxis])
    series = waves + 0.05 * rng.normal(size=waves.shape)
    return Panel.from_arrays(series[:, np.newaxis, :])


@pytest.mark.parametrize("n_classes", [0, 2])
def test_neighbours_answer_in_the_order_of_the_folds(n_classes: int) -> None:
    target = target_of(n_classes)
    folds = [(FIT_ON, ASKED[::-1]), (ASKED, FIT_ON)]
    found = neighbours(folds, panel(target), target, PATIENCE, 1).answers
    assert found is not None
    positions = np.concatenate([ASKED[::-1], FIT_ON])
    if n_classes:
        np.testing.assert_array_equal(found, np.eye(2)[target.y[positions]])
    else:
        assert np.corrcoef(found[:, 0], target.y[positions])[0, 1] > 0.8


def test_neighbours_answer_beside_where_the_time_does(tmp_path: Path, workers: Workers) -> None:
    target = target_of(2)
    held_out = HeldOut("hold-out", ((FIT_ON, ASKED),), np.full((10, 2), 0.5, dtype=np.float32))
    tools = tools_of(tmp_path, workers)
    found = beside_neighbours(held_out, panel(target), target, tools=tools, seconds=PATIENCE)
    np.testing.assert_array_equal(found.baselines[WARPING], np.eye(2)[target.y[ASKED]])
    assert tools.journal.notices == []
    # Too little time, and a series of nothing: each is told, and costs nothing but the baseline.
    late = beside_neighbours(held_out, panel(target), target, tools=tools, seconds=-9.0)
    assert late is held_out
    assert "it takes about 0 s, and 0 s were left for it" in tools.journal.notices[0]
    nothing = Panel.from_arrays(np.full((N_CASES, 1, 24), np.nan))
    none = beside_neighbours(held_out, nothing, target, tools=tools, seconds=PATIENCE)
    assert none is held_out
    assert tools.journal.notices[1].startswith("no 1-NN DTW baseline: ")


def test_what_all_neighbours_would_take_is_foreseen_from_the_first() -> None:
    rng = np.random.default_rng(0)
    series = Panel.from_arrays(rng.normal(size=(600, 1, 300)))
    target = target_of(2, 600)
    everything = np.arange(600)
    folds = [(everything[::2], everything[1::2])] * 2
    found = neighbours(folds, series, target, 0.3, 1)
    assert found.answers is None
    # Of the two folds each takes as long as the other.
    assert found.seconds > 0.6


def test_neighbours_have_no_probabilities_to_judge() -> None:
    target = target_of(2)
    answers = np.full((10, 2), 0.5, dtype=np.float32)
    held_out = HeldOut("hold-out", ((FIT_ON, ASKED),), answers)
    held_out = held_out.beside(WARPING, np.eye(2)[target.y[ASKED]])
    assert held_out.baseline_scores(target) == {WARPING: {"accuracy": 1.0}}


def test_scores_are_those_of_the_held_out_cases_alone() -> None:
    target = target_of(2)
    answers = np.eye(2)[target.y[ASKED]].astype(np.float32)
    held_out = HeldOut("hold-out", ((FIT_ON, ASKED),), answers)
    found = held_out.scores(target, 0)
    assert found.metrics["accuracy"] == 1.0
    assert found.majority["accuracy"] == 0.5
    assert as_prediction(answers, target).labels == tuple(target.y[ASKED])


@pytest.mark.parametrize("n_classes", [0, 2])
def test_a_metric_that_the_spec_names_is_told_of_all(n_classes: int) -> None:
    target = target_of(n_classes)
    metric = "balanced_accuracy" if n_classes else "neg_mean_squared_error"
    answers = np.random.default_rng(0).dirichlet([1, 1], ASKED.size).astype(np.float32)
    answers = answers[:, : max(n_classes, 1)]
    held_out = HeldOut(
        "outer folds", tuple((FIT_ON, asked) for asked in np.split(ASKED, 5)), answers
    )
    held_out = held_out.beside(CONVOLUTIONS, answers).beside(WARPING, answers)
    found = held_out.scores(target, 0, metric=metric)
    plain = held_out.scores(target, 0)
    assert found.metrics.keys() - plain.metrics.keys() == {metric}
    assert found.metrics.keys() == found.majority.keys() == found.intervals.keys()
    low, high = found.intervals[metric]
    assert low < found.metrics[metric] < high
    for theirs in held_out.baseline_scores(target, metric).values():
        assert theirs[metric] == found.metrics[metric]


def test_neighbours_are_judged_by_their_classes_alone() -> None:
    target = target_of(2)
    right = np.eye(2)[target.y[ASKED]]
    held_out = HeldOut("hold-out", ((FIT_ON, ASKED),), right.astype(np.float32))
    held_out = held_out.beside(WARPING, right).beside(CONVOLUTIONS, right)
    by_class = held_out.baseline_scores(target, "f1_macro")
    by_chance = held_out.baseline_scores(target, "average_precision")
    assert by_class[WARPING] == {"accuracy": 1.0, "f1_macro": 1.0}
    assert by_chance[WARPING] == {"accuracy": 1.0}
    assert by_chance[CONVOLUTIONS]["average_precision"] == 1.0


def test_groups_are_those_of_the_cases_held_out() -> None:
    target = target_of(2)
    later = np.linspace(0.1, 0.9, ASKED.size)
    answers = np.column_stack([1 - later, later]).astype(np.float32)
    # Those asked for are in one group, though all cases are in two.
    held_out = HeldOut("hold-out", ((FIT_ON, ASKED),), answers)
    scores = held_out.scores(target, 0, groups=np.isin(np.arange(N_CASES), ASKED).astype(int))
    assert "takes the cases for independent" in str(scores.note)
    grouped = held_out.scores(target, 0, groups=np.arange(N_CASES) // 3)
    assert grouped.note is None
    assert grouped.intervals != held_out.scores(target, 0).intervals
