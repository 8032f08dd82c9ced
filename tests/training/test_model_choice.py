"""Tests of finding the model."""

from __future__ import annotations

import io

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import RadiusNeighborsClassifier, RadiusNeighborsRegressor

from tideline.errors import SearchFailed
from tideline.spec import ModelTrainingSpec
from training import model_choice
from training.candidates import Candidate
from training.clock import Clock
from training.folds import CrossValidation
from training.journal import Journal
from training.model_choice import Chosen, Problem, answers_of, fit_whole, searched_models
from training.split import split_cases
from training.task import Target

SPEC = ModelTrainingSpec(select_features=False)
WRONG = [("model", LogisticRegression(C=-1.0))]
RIGHT = [("model", LogisticRegression())]


@pytest.fixture
def journal() -> Journal:
    return Journal(stream=io.StringIO())


@pytest.fixture
def problem() -> Problem:
    y = np.arange(40) % 2
    target = Target("classification", (0, 1), y)
    X = np.random.default_rng(0).normal(size=(40, 3)) + y[:, np.newaxis]
    return Problem(X, target, split_cases(target, 0.0).fold_of, SPEC)


@pytest.mark.parametrize("portfolio", [[WRONG, RIGHT], [RIGHT, WRONG]])
def test_a_default_that_fails_is_left_out(
    problem: Problem, journal: Journal, monkeypatch: pytest.MonkeyPatch, portfolio: list
) -> None:
    monkeypatch.setattr(model_choice, "portfolio", lambda *_: portfolio)
    [found] = searched_models(problem, None, Clock(3.0), journal)
    assert found.steps == RIGHT
    assert "could not be fitted" in journal.notices[0]


def test_fails_when_all_defaults_fail_and_nothing_else_is_found(
    problem: Problem, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_choice, "portfolio", lambda *_: [WRONG, WRONG])
    with pytest.raises(SearchFailed, match="'C' parameter"):
        searched_models(problem, None, Clock(3.0), journal)


@pytest.mark.parametrize(
    ("model", "target"),
    [
        (RadiusNeighborsClassifier(), Target("classification", (0, 1), np.arange(20) % 2)),
        (RadiusNeighborsRegressor(), Target("regression", (), np.arange(20) / 7)),
    ],
)
def test_a_model_that_cannot_answer_is_told(model: object, target: Target) -> None:
    X = np.arange(20.0)[:, np.newaxis]
    candidate = Candidate("spec", [("model", model)], CrossValidation({}, 0.0, 0.0, 0.0, 1))
    chosen = Chosen(candidate, fit_whole(candidate, SPEC, target, X))
    assert len(answers_of(chosen, X, target).ids) == 20
    with pytest.raises(SearchFailed, match="could not answer for the held-out cases"):
        answers_of(chosen, X + 1e6, target)
