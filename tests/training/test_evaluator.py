"""Tests of evaluating candidates on folds, in real workers."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.tree import DecisionTreeClassifier

from tests.training.jobs import Strange
from tests.training.small import candidate_of, model_of, part_of, tools_of
from training.evaluator import Evaluated, Evaluator, Part
from training.ledger import MAIN
from training.scoring import ranked
from training.tools import Tools
from training.workers import TOO_LONG, Workers

PATIENCE = 60.0


def finish(evaluator: Evaluator, workers: Workers) -> None:
    ends = time.monotonic() + PATIENCE
    while not evaluator.is_idle:
        assert time.monotonic() < ends, "there is no end to it"
        workers.wait(0.2)


def looped(part: Part) -> np.ndarray:
    """Return the out-of-fold answers of a linear model as a plain loop finds them."""
    X = np.array(part.table.matrix("features"))
    answers = np.zeros((len(X), max(part.target.n_classes, 1)))
    for fit_on, asked in part.folds:
        model = clone(model_of(part.target)).fit(X[fit_on], part.target.y[fit_on])
        found = model.predict_proba if part.target.n_classes else model.predict
        answers[asked] = found(X[asked]).reshape(len(asked), -1)
    return answers


@pytest.mark.parametrize(("n_classes", "metric"), [(2, "roc_auc"), (3, "neg_log_loss"), (0, "r2")])
def test_answers_and_scores_are_those_of_a_plain_loop(
    tmp_path: Path, tools: Tools, workers: Workers, n_classes: int, metric: str
) -> None:
    part = part_of(tmp_path, n_classes, metric)
    evaluator, found = Evaluator(part, tools), []
    evaluator.submit(candidate_of(model_of(part.target)), found.append)
    finish(evaluator, workers)
    [evaluated] = found
    wanted = looped(part)
    np.testing.assert_allclose(evaluated.answers, wanted, rtol=1e-3, atol=1e-3)
    trial = evaluated.trial
    assert (trial.value, trial.score) == ranked(
        metric, part.target, part.target.y, evaluated.answers
    )
    assert trial.n_folds == 3
    assert trial.fold_scores == tuple(
        ranked(metric, part.target, part.target.y[asked], evaluated.answers[asked])[0]
        for _, asked in part.folds
    )
    assert trial.fit_seconds > 0
    assert tools.ledger.trials == (trial,)


def test_a_failing_fold_fails_the_candidate_once(
    tmp_path: Path, tools: Tools, workers: Workers
) -> None:
    evaluator, found = Evaluator(part_of(tmp_path), tools), []
    evaluator.submit(candidate_of(Strange("raise")), found.append)
    evaluator.submit(candidate_of(), found.append)
    finish(evaluator, workers)
    failures = [evaluated.trial.failure for evaluated in found]
    assert sorted(failures, key=str) == [None, "ValueError: # cases are too few"]
    assert len(tools.ledger.trials) == 2
    assert tools.ledger.failures == {"ValueError: # cases are too few": 1}
    assert workers.is_idle


def test_a_candidate_that_takes_too_long_fails(
    tmp_path: Path, tools: Tools, workers: Workers
) -> None:
    evaluator, found = Evaluator(part_of(tmp_path), tools), []
    evaluator.submit(candidate_of(Strange("sleep")), found.append, 0.2)
    finish(evaluator, workers)
    assert [evaluated.trial.failure for evaluated in found] == [TOO_LONG]


def test_a_metric_that_is_no_number_is_a_failure(
    tmp_path: Path, tools: Tools, workers: Workers
) -> None:
    part = part_of(tmp_path, 2, "roc_auc")
    one_class = replace(part.target, y=np.zeros(30, dtype=np.int64))
    evaluator, found = Evaluator(replace(part, target=one_class), tools), []
    evaluator.submit(candidate_of(DecisionTreeClassifier()), found.append)
    finish(evaluator, workers)
    assert found[0].answers is None
    assert found[0].trial.failure.startswith("ValueError: its roc_auc is nan")


def test_what_is_known_is_not_evaluated_again(
    tmp_path: Path, tools: Tools, workers: Workers
) -> None:
    part, fits = part_of(tmp_path), tmp_path / "fits"
    good, bad = candidate_of(Strange(file=str(fits))), candidate_of(Strange("raise", str(fits)))
    evaluator, found = Evaluator(part, tools), []
    for candidate in (good, bad):
        evaluator.submit(candidate, found.append)
    finish(evaluator, workers)
    n_fits = len(fits.read_text().split())
    # In another start of the run, and without a moment's wait.
    again = Evaluator(part, tools_of(tmp_path, workers))
    known: list[Evaluated] = []
    for evaluated in found:
        again.submit(evaluated.candidate, known.append)
    assert again.is_idle
    assert repr([each.trial for each in known]) == repr([each.trial for each in found])
    assert len(fits.read_text().split()) == n_fits
    # What one part knows, another does not.
    other = Evaluator(replace(part, name="outer-1"), tools)
    other.submit(good, known.append)
    assert not other.is_idle
    other.drop()


def test_the_same_candidate_twice_at_once_is_evaluated_once(
    tmp_path: Path, tools: Tools, workers: Workers
) -> None:
    part, fits = part_of(tmp_path), tmp_path / "fits"
    evaluator, found = Evaluator(part, tools), []
    for _ in range(2):
        evaluator.submit(candidate_of(Strange(file=str(fits))), found.append)
    finish(evaluator, workers)
    assert found[0].trial == found[1].trial
    assert len(fits.read_text().split()) == part.n_folds
    assert len(tools.ledger.trials) == 1


def test_what_is_dropped_is_neither_told_nor_kept(
    tmp_path: Path, tools: Tools, workers: Workers
) -> None:
    evaluator, found = Evaluator(part_of(tmp_path), tools), []
    for way in ("sleep", "constant"):
        evaluator.submit(candidate_of(Strange(way)), found.append)
    evaluator.drop()
    assert evaluator.is_idle
    assert workers.is_idle
    workers.wait(0.0)
    assert found == []
    assert tools.ledger.find(MAIN, candidate_of(Strange("sleep")).key) is None


def test_in_the_order_of_time_only_what_is_asked_for_is_scored(
    tmp_path: Path, tools: Tools, workers: Workers
) -> None:
    part = part_of(tmp_path, 0, "r2")
    folds = ((np.arange(10), np.arange(19, 9, -1)), (np.arange(20), np.arange(20, 25)))
    part = replace(part, folds=folds)
    evaluator, found = Evaluator(part, tools), []
    evaluator.submit(candidate_of(Ridge()), found.append)
    finish(evaluator, workers)
    X = np.array(part.table.matrix("features"))
    early = Ridge().fit(X[:10], part.target.y[:10]).predict(X[10:20])
    np.testing.assert_array_equal(part.tested, np.arange(10, 25))
    np.testing.assert_allclose(found[0].answers[:10, 0], early, rtol=1e-3, atol=1e-3)


def test_a_candidate_of_the_spec_is_named_so(
    tmp_path: Path, tools: Tools, workers: Workers
) -> None:
    evaluator, found = Evaluator(part_of(tmp_path), tools), []
    evaluator.submit(candidate_of(LogisticRegression(C=3.0), origin="spec"), found.append)
    finish(evaluator, workers)
    trial = found[0].trial
    assert (trial.origin, trial.family, trial.model_type) == (
        "spec",
        "features",
        "LogisticRegression",
    )
    assert trial.parameters == {"model.C": "3.0"}
