"""When each case begins."""

from __future__ import annotations

import pytest

from tideline.readers import ColumnRoles, read_panel
from training.case_order import case_order

TIMED = ColumnRoles("id", "t")


@pytest.mark.parametrize(
    ("source", "roles", "rank", "told"),
    [
        (b"id,t,x\na,5,1\na,3,2\nb,1,3\nb,9,4\nc,3,5\n", TIMED, [1, 0, 1], "first one in column_"),
        (
            b"id,t,x\na,2024-01-02,1\na,2024-01-03,2\nb,2023-05-01,3\n",
            TIMED,
            [1, 0],
            "first one in column_sort",
        ),
        (b"id,t,x\na,0,1\na,1,2\nb,1,3\nb,0,4\n", TIMED, [0, 1], "all cases begin at the same"),
        (b"id,x\na,1\na,2\nb,3\n", ColumnRoles("id"), [0, 1], "the data has no times"),
        (
            b"id,t,k,x\na,4,u,1\na,2,v,2\nb,3,v,3\n",
            ColumnRoles("id", "t", "k", "x"),
            [0, 1],
            "first one in column_sort",
        ),
    ],
)
def test_is_the_first_time_of_the_case_or_its_place(
    source: bytes, roles: ColumnRoles, rank: list[int], told: str
) -> None:
    found, why = case_order(read_panel(source, roles).panel)
    assert found.tolist() == rank
    assert told in why
