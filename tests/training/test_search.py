"""Tests of the search as a whole, in real workers: what it publishes, and of whose making."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from tests.training.small import table_of, target_of, tools_of
from tideline.errors import SearchFailed
from tideline.panel import Panel
from tideline.spec import ModelTrainingSpec
from training.candidate import proposed
from training.finder import Until
from training.ledger import MAIN
from training.search import Data, Search
from training.split import split_cases
from training.trial import Trial
from training.workers import Workers

N_CASES = 200
BUDGET = 14.0
"""Seconds, too few to ask TPOT."""


@pytest.mark.slow
@pytest.mark.parametrize(("fit_seconds", "is_published"), [(0.01, True), (1000.0, False)])
def test_what_could_not_be_fitted_in_time_is_not_chosen(
    tmp_path: Path, fit_seconds: float, is_published: bool
) -> None:
    target = target_of(2, N_CASES)
    split = split_cases(target, 0.25)
    panel = Panel.from_arrays(np.random.default_rng(0).normal(size=(N_CASES, 1, 8)))
    best = proposed([("model", LogisticRegression(C=3.0))])
    trial = Trial(
        best.key, best.name, best.model_type, "search", "features", 0.0,
        value=0.0, score=0.0, fit_seconds=fit_seconds, predict_seconds=0.001,
    )  # fmt: skip
    # As an earlier start would leave it: without a fault, on features that know little.
    answers = np.eye(2, dtype=np.float32)[target.y[split.train]]
    with Workers(2) as workers:
        tools = tools_of(tmp_path, workers, BUDGET)
        tools.ledger.record(MAIN, trial, answers, best.steps)
        data = Data(panel, target, split, table_of(tmp_path, target, signal=0.2))
        found = Search(ModelTrainingSpec(), Until(), data, tools).find()

    chosen = {candidate.key for _, candidate in found.choice.members}
    assert (best.key in chosen) == is_published
    notices = " ".join(tools.journal.notices)
    assert ("is better, but to fit and to score it takes" in notices) != is_published
    assert found.held_out is not None


@pytest.mark.slow
def test_a_search_of_which_more_failed_than_not_publishes_nothing(tmp_path: Path) -> None:
    target = target_of(2, N_CASES)
    split = split_cases(target, 0.25)
    panel = Panel.from_arrays(np.random.default_rng(0).normal(size=(N_CASES, 1, 8)))
    with Workers(2) as workers:
        tools = tools_of(tmp_path, workers, BUDGET)
        for number in range(20):  # as an earlier start would leave them
            bad = proposed([("model", LogisticRegression(C=-1.0 - number))])
            trial = Trial(
                bad.key, bad.name, bad.model_type, "search", "features", 0.0, failure="made up"
            )
            tools.ledger.record(MAIN, trial, None)
        data = Data(panel, target, split, table_of(tmp_path, target))
        search = Search(ModelTrainingSpec(), Until(), data, tools)
        with pytest.raises(SearchFailed, match=r"20 of 2\d pipelines failed, most often: made up"):
            search.find()
