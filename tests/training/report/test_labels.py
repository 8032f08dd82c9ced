"""Labels tell pipelines apart."""

from __future__ import annotations

import dataclasses

from training.report.labels import labels_of
from training.trial import Trial


def trial(key: str, name: str = "RandomForest", family: str = "features", **told: str) -> Trial:
    return Trial(key, name, name, "portfolio", family, 1.0, parameters=dict(told))


def test_a_name_that_is_alone_stands_by_itself() -> None:
    trials = [
        trial("a", **{"model.n": "1"}),
        trial("b", "Ridge"),
        trial("c", family="convolutions"),
    ]
    assert labels_of(trials) == {
        "a": "RandomForest on features",
        "b": "Ridge on features",
        "c": "RandomForest on convolutions",
    }


def test_names_that_are_alike_have_what_they_differ_in() -> None:
    some = {"model.max_features": "0.1", "model.random_state": "0"}
    trials = [trial("a", **some), trial("b", **some, **{"model.n_estimators": "300"})]
    assert labels_of(trials) == {
        "a": "RandomForest on features, n_estimators=default",
        "b": "RandomForest on features, n_estimators=300",
    }


def test_one_that_selects_features_says_so_beside_one_that_does_not() -> None:
    selecting = dataclasses.replace(trial("b"), selects=True)
    assert labels_of([trial("a"), selecting]) == {
        "a": "RandomForest on features",
        "b": "RandomForest on features, of relevant ones only",
    }
    assert labels_of([selecting]) == {"b": "RandomForest on features"}
