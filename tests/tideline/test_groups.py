"""Groups are matched to the cases by id, and refused where nothing is honest with them."""

from __future__ import annotations

import numpy as np
import pytest

from tideline.errors import DataError
from tideline.groups import GroupColumn, case_groups
from tideline.labels import Label, Task
from tideline.panel import CaseId, Panel


def panel(*ids: CaseId) -> Panel:
    return Panel.from_arrays(np.zeros((len(ids), 1, 2)), ids)


def column(table: str, ids: tuple[CaseId, ...], *values: CaseId) -> GroupColumn:
    return GroupColumn(table, ("id", "y", "machine"), ids, values)


WITHOUT = GroupColumn("raw_data", ("id", "x", "mashine"))


def test_a_group_is_that_of_the_case_with_the_id() -> None:
    groups = case_groups("machine", panel(8, 15, 9), column("labels", ("9", "15", "8"), 1, "a", 1))
    assert groups.codes.tolist() == [0, 1, 0]
    assert groups.names == ("1", "a")


def test_a_number_and_its_text_name_one_group() -> None:
    groups = case_groups("machine", panel(1, 2, 3), column("labels", (1, 2, 3), 7, "7", 8))
    assert groups.codes.tolist() == [0, 0, 1]


def test_the_first_table_that_has_the_column_counts() -> None:
    found = case_groups("machine", panel(1, 2), None, WITHOUT, column("raw_data", (1, 2), "a", "b"))
    assert found.names == ("a", "b")
    labels = column("labels", (1, 2), "c", "d")
    assert case_groups("machine", panel(1, 2), labels, column("raw_data", (1, 2), "a", "b")).names


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ((None,), "neither the data nor the labels are a table"),
        ((WITHOUT,), r"raw_data has 'id', 'x', 'mashine'. Did you mean 'mashine'\?"),
        ((column("labels", (1, 2), "a", "a"),), "of the machine 'a'; at least 2 groups"),
        ((column("labels", (1,), "a"),), "1 case without a group: 2"),
    ],
)
def test_refuses_groups_that_divide_nothing(tables: tuple[GroupColumn, ...], told: str) -> None:
    with pytest.raises(DataError, match=told) as refusal:
        case_groups("machine", panel(1, 2), *tables)
    assert refusal.value.field == "group_id"
    assert refusal.value.mend


@pytest.mark.parametrize(
    ("values", "task", "refused"),
    [
        ("aabb", None, True),
        ("abab", None, False),
        ((1, 1, 2, 2), "classification", True),
        ((1, 1, 2, 2), None, False),
        ((1, 1, 2, 2), "regression", False),
    ],
)
def test_refuses_a_class_that_is_known_from_one_group(
    values: tuple[Label, ...], task: Task | None, refused: bool
) -> None:
    groups = case_groups("machine", panel(*range(4)), column("labels", (0, 1, 2, 3), 5, 5, 6, 6))
    if not refused:
        groups.require_classes(values, task)
        return
    with pytest.raises(DataError, match="2 classes with members in one group only"):
        groups.require_classes(values, task)
