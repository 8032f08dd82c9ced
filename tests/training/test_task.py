"""Tests of the task and the encoding of labels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from tideline.spec import TrainingSpec
from training.task import Target, decide_task


def test_weighs_the_classes() -> None:
    target = Target.from_labels(["a", "b", "b", "b"], "classification")
    everything, no_a = np.arange(4), np.array([1, 2])
    assert target.weights_of(everything) is None
    balanced = replace(target, weights="balanced")
    expected = compute_sample_weight("balanced", target.y)
    np.testing.assert_allclose(balanced.weights_of(everything), expected)
    np.testing.assert_allclose(balanced.weights_of(no_a), [1.0, 1.0])
    said = replace(target, weights=(9.0, 1.0))
    np.testing.assert_allclose(said.weights_of(everything), [9.0, 1.0, 1.0, 1.0])


def spec(**fields: Any) -> TrainingSpec:
    return TrainingSpec.from_mapping({"pipeline_id": "waves", **fields})


@pytest.mark.parametrize(
    ("values", "task"),
    [
        (["a", "b"] * 5, "classification"),
        ([True, False] * 5, "classification"),
        ([0, 1] * 5, "classification"),
        ([1.0, 2.0] * 5, "classification"),
        (list(range(50)), "classification"),
        (list(range(51)), "regression"),
        ([*range(51), *([7] * 60)], "classification"),
        ([0.5, 1.0] * 5, "regression"),
        ([1, 2, 2.5] * 5, "regression"),
    ],
)
def test_the_labels_decide_the_task(values: list[Any], task: str) -> None:
    assert decide_task(spec(), None, values)[0] == task


def test_the_header_decides_before_the_labels() -> None:
    task, why = decide_task(spec(), "regression", [0, 1] * 5)
    assert (task, why) == ("regression", "the header of the data says so")


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"task": "regression"}, "the spec says so"),
        ({"model_training": {"metric": "r2"}}, "the metric r2 is for it"),
        (
            {"model_training": {"model": "sklearn.linear_model.Ridge"}},
            "the model sklearn.linear_model.Ridge is for it",
        ),
    ],
)
def test_the_spec_decides_before_all_others(fields: dict[str, Any], why: str) -> None:
    assert decide_task(spec(**fields), "classification", [0, 1] * 5) == ("regression", why)


def test_classes_are_sorted_and_coded() -> None:
    target = Target.from_labels(["b", "a", "b", "c", "c", "a"], "classification")
    assert target.classes == ("a", "b", "c")
    assert target.y.tolist() == [1, 0, 1, 2, 2, 0]


def test_numbers_are_sorted_as_numbers() -> None:
    target = Target.from_labels([10, 9, 10, 9, 100, 100], "classification")
    assert target.classes == (9, 10, 100)


def test_booleans_stay_booleans() -> None:
    assert Target.from_labels([True, False] * 3, "classification").classes == (False, True)


def test_regression_takes_whole_numbers() -> None:
    y = Target.from_labels([1, 2, 3, 4, 5, 6], "regression").y
    assert y.dtype == np.float64
