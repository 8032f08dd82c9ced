"""Tests of what a worker does: fit to some cases, answer for others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, RadiusNeighborsClassifier
from sklearn.pipeline import Pipeline as Steps
from sklearn.svm import LinearSVC

from tests.training.jobs import Strange
from tests.training.small import N_CASES, candidate_of, model_of, part_of, table_of, target_of
from tideline.errors import DataError
from training.candidate import preparation
from training.evaluator import Part
from training.fold import Fit, Fold, as_array, as_prediction
from training.prepared import Prepared
from training.table import Table, new_matrix

FIT_ON, ASKED = np.arange(20), np.arange(20, N_CASES)


@pytest.fixture
def part(tmp_path: Path) -> Part:
    return part_of(tmp_path)


def fold(part: Part, model: Any, prepared: str | None = None, **fields: Any) -> Fold:
    return Fold(part.table, part.target, candidate_of(model, **fields), FIT_ON, ASKED, prepared)


@pytest.mark.parametrize("n_classes", [0, 2, 3])
@pytest.mark.parametrize("family", ["features", "convolutions"])
def test_it_answers_as_scikit_learn_does(tmp_path: Path, n_classes: int, family: str) -> None:
    target = target_of(n_classes)
    table = table_of(tmp_path, target)
    model = model_of(target)
    found = Fold(table, target, candidate_of(model, family=family), FIT_ON, ASKED)()
    X = np.array(table.matrix(family))
    model.fit(X[FIT_ON], target.y[FIT_ON])
    wanted = model.predict_proba(X[ASKED]) if n_classes else model.predict(X[ASKED])[:, None]
    assert found.answers.dtype == np.float32
    np.testing.assert_allclose(found.answers, wanted, rtol=1e-3, atol=1e-4)
    assert found.fit_seconds > 0
    assert found.predict_seconds > 0


def test_weights_are_those_of_the_cases_that_are_fitted(part: Part) -> None:
    rare = np.arange(N_CASES) % 10 == 0
    target = replace(part.target, y=rare.astype(np.int64), weights="balanced")
    weighed = fold(replace(part, target=target), DummyClassifier(strategy="prior"))()
    np.testing.assert_allclose(weighed.answers, 0.5)
    priced = fold(
        replace(part, target=replace(target, weights=(1.0, 9.0))), DummyClassifier(strategy="prior")
    )()
    np.testing.assert_allclose(priced.answers[:, 1], 0.5)
    plain = fold(
        replace(part, target=replace(target, weights=None)), DummyClassifier(strategy="prior")
    )()
    np.testing.assert_allclose(plain.answers[:, 1], 0.1)


def test_a_model_that_takes_no_weights_is_fitted_without(part: Part) -> None:
    target = replace(part.target, weights="balanced")
    assert fold(replace(part, target=target), KNeighborsClassifier())().answers.shape == (10, 2)


@pytest.mark.parametrize("selects", [False, True])
def test_features_are_prepared_once_and_in_few_numbers(
    part: Part, tmp_path: Path, selects: bool
) -> None:
    prepared = tmp_path / "prepared" / "main-0"
    first = fold(part, LogisticRegression(), str(prepared), selects=selects)()
    [kept] = prepared.iterdir()
    with np.load(kept) as arrays:
        assert all(arrays[name].shape == arrays["columns"].shape for name in arrays)
    written = kept.stat().st_mtime_ns
    for again in (str(prepared), None):
        same = fold(part, LogisticRegression(), again, selects=selects)()
        np.testing.assert_array_equal(first.answers, same.answers)
    assert kept.stat().st_mtime_ns == written
    # And without a selection, or with one, they are others.
    fold(part, LogisticRegression(), str(prepared), selects=not selects)()
    assert len(list(prepared.iterdir())) == 2


@pytest.mark.parametrize("selects", [False, True])
def test_prepared_features_are_those_of_the_published_steps(
    part: Part, tmp_path: Path, selects: bool
) -> None:
    matrix = np.array(part.table.matrix("features"))
    matrix[::3, 4], matrix[1, 5], matrix[2, 6] = np.nan, np.inf, -np.inf
    y = part.target.y
    steps = preparation("classification", selects=selects)
    prepared = Prepared.fitted(steps, matrix[FIT_ON], y[FIT_ON])
    prepared.write(tmp_path / "kept.npz")
    wanted = Steps(steps).fit(matrix[FIT_ON], y[FIT_ON]).transform(matrix[ASKED])

    for each in (prepared, Prepared.read(tmp_path / "kept.npz")):
        found = each.of(matrix, ASKED)
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, wanted.astype(np.float32))


@pytest.mark.parametrize("family", ["features", "convolutions"])
def test_models_are_given_float32_in_the_folds(part: Part, tmp_path: Path, family: str) -> None:
    told = tmp_path / "told"
    prepared = str(tmp_path / "prepared" / "main-0")
    for _ in range(2):
        fold(part, Strange(file=str(told)), prepared, family=family)()
    assert told.read_text().split() == ["float32", "float32"]


def test_the_labels_of_asked_cases_reach_no_preparation(tmp_path: Path) -> None:
    """Selection over all cases would let noise look useful (tsfresh issue 162)."""
    target = target_of(2, 60)
    matrix = new_matrix(tmp_path / "noise.npy", 60, 2000)
    matrix[:] = np.random.default_rng(0).normal(size=matrix.shape)
    matrix.flush()
    table = Table({"features": str(tmp_path / "noise.npy")})
    candidate = candidate_of(LogisticRegression(), selects=True)
    right = 0
    for asked in np.split(np.arange(60), 3):
        fit_on = np.setdiff1d(np.arange(60), asked)
        answers = Fold(table, target, candidate, fit_on, asked)().answers
        right += int((answers.argmax(axis=1) == target.y[asked]).sum())
    assert 15 < right < 45


def test_features_that_are_not_finite_are_imputed_from_the_fitted_cases(tmp_path: Path) -> None:
    target = target_of(2)
    matrix = new_matrix(tmp_path / "holes.npy", N_CASES, 4)
    matrix[:] = target.y[:, np.newaxis]
    matrix[0, 0], matrix[1, 1], matrix[25, 2], matrix[26, 3] = np.nan, np.inf, np.nan, -np.inf
    matrix.flush()
    table = Table({"features": str(tmp_path / "holes.npy")})
    answers = Fold(table, target, candidate_of(), FIT_ON, ASKED)().answers
    assert np.isfinite(answers).all()


def test_classes_that_were_not_fitted_have_no_probability(part: Part) -> None:
    three = replace(part.target, classes=("a", "b", "c"), y=np.arange(N_CASES) % 2 * 2)
    answers = fold(replace(part, target=three), LogisticRegression())().answers
    assert answers.shape == (10, 3)
    assert (answers[:, 1] == 0).all()


def test_a_model_without_probabilities_answers_by_its_decisions(part: Part) -> None:
    answers = fold(part, LinearSVC())().answers
    np.testing.assert_allclose(answers.sum(axis=1), 1.0, rtol=1e-6)


def test_no_answer_for_a_case_is_an_error(part: Part) -> None:
    with pytest.raises(DataError, match=r"the model refuses these cases|no answer for"):
        fold(part, RadiusNeighborsClassifier(1e-9))()


@pytest.mark.parametrize("selects", [True, False])
def test_a_fit_returns_preparation_and_model(part: Part, selects: bool) -> None:
    candidate = candidate_of(selects=selects)
    fitted = Fit(part.table, part.target, candidate, FIT_ON)()
    answers = fitted.predict_proba(part.table.rows("features", ASKED))
    wanted = Fold(part.table, part.target, candidate, FIT_ON, ASKED)().answers
    np.testing.assert_allclose(answers, wanted, rtol=1e-5)


@pytest.mark.parametrize("n_classes", [0, 3])
def test_answers_are_predictions_and_back(n_classes: int) -> None:
    target = target_of(n_classes)
    answers = np.random.default_rng(0).random((5, max(n_classes, 1)))
    if n_classes:
        answers /= answers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(as_array(as_prediction(answers, target)), answers, rtol=1e-6)
