"""The column of groups: in the labels or in the data, where it is no channel."""

from __future__ import annotations

import pytest

from tideline.errors import DataError
from tideline.readers import ColumnRoles, read_labels, read_panel

GROUPED = ColumnRoles("id", column_group="g")
STACKED = ColumnRoles("id", column_kind="k", column_group="g")


@pytest.mark.parametrize(
    ("source", "roles"),
    [
        (b"id,x,g\n7,1,a\n7,2,a\n3,3,b\n3,4,b\n", GROUPED),
        (b"id,x,k,g\n7,1,x,a\n7,2,x,a\n3,3,x,b\n3,4,x,b\n", STACKED),
        (
            b"""[{"id": 7, "x": 1, "g": "a"}, {"id": 3, "x": 3, "g": "b"},
                 {"id": 7, "x": 2, "g": "a"}, {"id": 3, "x": 4, "g": "b"}]""",
            GROUPED,
        ),
        (
            b'{"instances": [{"id": 7, "x": [1, 2], "g": "a"}, {"id": 3, "x": [3, 4], "g": "b"}]}',
            GROUPED,
        ),
    ],
)
def test_is_read_beside_the_series_and_is_no_channel(source: bytes, roles: ColumnRoles) -> None:
    reading = read_panel(source, roles)
    assert list(reading.panel.channels) == ["x"]
    assert reading.panel.channels["x"].values.tolist() == [1, 2, 3, 4]
    assert reading.groups is not None
    assert reading.groups.ids == (7, 3)
    assert reading.groups.values == ("a", "b")


@pytest.mark.parametrize("source", [b"id,x\n7,1\n", b'{"instances": [{"id": 7, "x": [1]}]}'])
def test_need_not_be_there(source: bytes) -> None:
    groups = read_panel(source, GROUPED).groups
    assert groups is not None
    assert (groups.columns, groups.values) == (("id", "x"), None)
    assert read_panel(source, ColumnRoles("id")).groups is None


def test_a_table_of_labels_may_have_it() -> None:
    labels = read_labels(b"id,y,g\n7,1,1\n3,0,2\n", "id", None, "g")
    assert labels.values == (1, 0)
    assert labels.groups is not None
    assert labels.groups.values == (1, 2)
    assert read_labels(b'{"7": 1}', "id", None, "g").groups is None


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (b"id,x,g\n7,1,a\n7,2,b\n", "differs within 1 case: 7; the first has 'a' at row 1 and 'b'"),
        (b"id,x,g\n7,1,a\n7,2,\n", "column 'g' has nothing at row 2; the group of the case"),
        (b'[{"id": 7, "x": 1, "g": NaN}]', "column 'g' has nan at row 1"),
        (b'[{"id": 7, "x": 1, "g": [1]}]', r"column 'g' has \[1\] at row 1"),
        (
            b'{"instances": [{"id": 7, "x": [1], "g": 1}, {"id": 8, "x": [1]}]}',
            "has nothing at instance 2",
        ),
    ],
)
def test_names_one_group_for_each_case(source: bytes, told: str) -> None:
    with pytest.raises(DataError, match=told) as refusal:
        read_panel(source, GROUPED)
    assert refusal.value.field == "raw_data"
    assert refusal.value.mend


def test_spells_a_group_as_text_or_as_a_number() -> None:
    source = b'[{"id": 7, "x": 1, "g": 1}, {"id": 7, "x": 2, "g": "1"}]'
    groups = read_panel(source, GROUPED).groups
    assert groups is not None
    assert groups.values == (1,)
