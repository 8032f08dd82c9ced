"""Tests of candidates and their keys."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.feature_selection import SelectFromModel, SelectPercentile, f_regression
from sklearn.linear_model import ElasticNet, LogisticRegression
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from tideline.features.imputation import RangeImputer
from tideline.features.selection import RelevanceSelection
from training.candidate import Candidate

PLAIN = Candidate("portfolio", "features", (("model", LogisticRegression()),))
AWKWARD = Candidate(
    "search",
    "features",
    (
        # Functions and nested steps: in no process are they where they are in another.
        ("select", SelectPercentile(f_regression, percentile=3.5)),
        ("narrow", SelectFromModel(ExtraTreesClassifier(77), threshold=-1.0)),
        ("map", FunctionTransformer(np.log1p, inverse_func=np.expm1)),
        ("model", TransformedTargetRegressor(ElasticNet(0.5), func=np.cbrt, inverse_func=abs)),
    ),
)
IN_ANOTHER = "from tests.training.test_candidate import AWKWARD; print(AWKWARD.key)"


def one(model: object) -> Candidate:
    return Candidate("search", "features", (("model", model),))


@pytest.mark.parametrize(
    "other",
    [
        one(LogisticRegression(C=2.0)),
        one(ExtraTreesClassifier()),
        Candidate("portfolio", "convolutions", PLAIN.steps),
        Candidate("portfolio", "features", PLAIN.steps, selects=True),
        Candidate("portfolio", "features", (("scale", StandardScaler()), *PLAIN.steps)),
    ],
)
def test_what_is_fitted_otherwise_has_another_key(other: Candidate) -> None:
    assert other.key != PLAIN.key


def test_the_key_tells_nested_parameters_and_one_from_true_apart() -> None:
    trees = [
        one(SelectFromModel(ExtraTreesClassifier(7, n_jobs=n_jobs, bootstrap=bootstrap)))
        for n_jobs, bootstrap in ((1, True), (True, True), (1, False), (1, 1))
    ]
    assert len({candidate.key for candidate in trees}) == len(trees)


@pytest.mark.parametrize(
    "same",
    [
        one(LogisticRegression()),
        one(LogisticRegression(C=1.0)),
        one(LogisticRegression(C=np.float64(1.0))),
        Candidate("search", "features", (("another_name", LogisticRegression()),)),
    ],
)
def test_the_same_steps_on_the_same_features_have_the_same_key(same: Candidate) -> None:
    assert same.key == PLAIN.key


def test_the_key_is_the_same_in_another_process() -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    said = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert said.stdout.strip() == AWKWARD.key
    assert not any("0x" in value for value in AWKWARD.parameters.values())


def test_only_parameters_that_are_no_defaults_are_told() -> None:
    assert PLAIN.parameters == {}
    assert one(LogisticRegression(C=2.0, max_iter=100)).parameters == {"model.C": "2.0"}


@pytest.mark.parametrize(
    ("candidate", "classes"),
    [
        (PLAIN, [RangeImputer, LogisticRegression]),
        (
            Candidate("search", "features", PLAIN.steps, selects=True),
            [RangeImputer, RelevanceSelection, LogisticRegression],
        ),
        (Candidate("portfolio", "convolutions", PLAIN.steps), [LogisticRegression]),
    ],
)
def test_the_whole_begins_with_the_preparation_of_its_family(
    candidate: Candidate, classes: Sequence[type]
) -> None:
    whole = candidate.whole("classification")
    assert [type(step) for _, step in whole.steps] == classes
    assert whole.steps[-1][1] is not candidate.steps[-1][1]


def test_only_trees_alone_are_a_forest() -> None:
    trees = ("model", ExtraTreesClassifier())
    assert one(trees[1]).is_forest
    assert not Candidate("search", "features", (("scale", StandardScaler()), trees)).is_forest
    assert not PLAIN.is_forest


def test_a_selection_of_its_own_goes_beside_that_of_the_preparation() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 12)), np.arange(30) % 2
    steps = (("select", SelectPercentile(percentile=50)), ("model", LogisticRegression()))
    whole = Candidate("search", "features", steps, selects=True).whole("classification")
    assert whole.fit(X, y).predict_proba(X).shape == (30, 2)
