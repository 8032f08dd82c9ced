"""Labels are matched by id, and refused by name."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tideline.errors import LabelError
from tideline.labels import Label, Labels, Task
from tideline.panel import CaseId, Panel


def test_learns_from_six_cases_of_two_classes() -> None:
    Labels(tuple(range(6)), ("a", "b") * 3).require_classes("classification")
    Labels(tuple(range(6)), (1, 2, 3, 4, 5, 6)).require_classes("regression")


@pytest.mark.parametrize(
    ("values", "task", "told"),
    [
        (("a", "b", "a", "b", "a"), None, "5 labelled cases were found; at least 6"),
        (("a",) * 6, None, "every case has the label 'a'; at least two classes"),
        ((1,) * 6, "regression", "every case has the label 1; at least two values"),
        (("a", "a", "a", "b", "b", "c"), None, "1 class with one member only: 'c'"),
        ((1, 1, 1, 2, 2, 3), "classification", "1 class with one member only: 3"),
        (("1", "2") * 3, "regression", "6 labels are not numbers: '1'"),
        ((True, False) * 3, "regression", "6 labels are not numbers: True"),
        ((1.0, 2.0, 3.0, 4.0, math.nan, math.inf), "regression", "2 cases have a label .*: 4, 5"),
        ((1.0, 2.0, 3.0, 4.0, 5.0, math.inf), "regression", "1 case has a label .*: 5"),
        ((1,), None, "1 labelled case was found"),
    ],
)
def test_refuses_labels_from_which_nothing_is_learned(
    values: tuple[Label, ...], task: Task | None, told: str
) -> None:
    with pytest.raises(LabelError, match=told) as caught:
        Labels(tuple(range(len(values))), values).require_classes(task)
    assert caught.value.field == "labels"


def test_a_number_that_is_there_once_may_be_a_value() -> None:
    Labels(tuple(range(6)), (1, 2, 3, 4, 5, 6)).require_classes(None)


def panel(*ids: CaseId) -> Panel:
    return Panel.from_arrays(np.zeros((len(ids), 1, 2)), ids)


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(6)))
def test_matches_by_id_and_never_by_position(order: list[int]) -> None:
    labels = Labels(tuple(order), tuple(f"class {i}" for i in order))
    assert labels.aligned_to(panel(*range(6))) == tuple(f"class {i}" for i in range(6))


@pytest.mark.parametrize(
    ("case_id", "label_id"), [(7, "7"), (7, 7.0), ("7", 7), (True, "true"), (1.5, "1.5")]
)
def test_matches_ids_as_json_spells_them(case_id: CaseId, label_id: CaseId) -> None:
    assert Labels((label_id,), ("a",)).aligned_to(panel(case_id)) == ("a",)


@pytest.mark.parametrize(("case_id", "label_id"), [("007", 7), (True, 1), (True, "True")])
def test_does_not_match_ids_that_only_look_alike(case_id: CaseId, label_id: CaseId) -> None:
    with pytest.raises(LabelError):
        Labels((label_id,), ("a",)).aligned_to(panel(case_id))


def test_names_the_first_ten_cases_without_a_label() -> None:
    with pytest.raises(LabelError) as refusal:
        Labels((0,), ("a",)).aligned_to(panel(*range(13)))
    assert refusal.value.message == (
        "the labels do not fit the data: 12 cases of the data have no label: "
        "1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more."
    )
    assert refusal.value.field == "labels"


def test_names_missing_and_surplus_ids_together() -> None:
    with pytest.raises(LabelError) as refusal:
        Labels(("a", "z"), (1, 2)).aligned_to(panel("a", "b"))
    assert "1 case of the data has no label: 'b'" in refusal.value.message
    assert "1 labelled id is not in the data: 'z'" in refusal.value.message


def test_refuses_an_id_with_two_labels() -> None:
    with pytest.raises(LabelError, match="more than one label for 1 id: '7'"):
        Labels((7, "7", 8), (1, 1, 0)).aligned_to(panel(7, 8))


def test_refuses_labels_of_several_kinds() -> None:
    with pytest.raises(LabelError, match=r"numbers \(1\) and text \('b'\)"):
        Labels((1, 2), (1, "b"))


def test_accepts_whole_numbers_beside_fractions() -> None:
    assert Labels((1, 2), (1, 2.5)).values == (1, 2.5)


def test_cuts_a_long_id_short_in_a_message() -> None:
    with pytest.raises(LabelError) as refusal:
        Labels(("x" * 10_000,), (1,)).aligned_to(panel("a"))
    assert len(str(refusal.value)) < 500


def test_refuses_a_label_that_is_no_name_but_a_text():
    assert Labels(("a", "b"), ("x" * 1000, "y")).values[0] == "x" * 1000
    with pytest.raises(LabelError, match="a label has 1001 characters; at most 1000 are taken"):
        Labels(("a", "b"), ("x" * 1001, "y"))
