"""Groups: which cases belong together, such as those of one machine or one patient.

What is learned from one case of a group helps with the others, so that a score is honest only
where a whole group is on one side of every split.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from tideline.errors import DataError
from tideline.labels import Label, Task, is_number
from tideline.panel import CaseId, Panel, case_key, named
from tideline.wording import counted, shown

FIELD = "group_id"

LEAST_GROUPS = 2
"""The fewest groups that anything is learned from: one to learn from, one to be tested on."""


@dataclass(frozen=True)
class GroupColumn:
    """What one table says of the groups.

    Attributes
    ----------
    table
        The part of the input that the table is: `raw_data` or `labels`.
    columns : tuple of str
        The names of the table's columns, for a message.
    ids : tuple of str, int, float or bool
        The cases of the table.
    values : tuple of str, int, float or bool, or None
        The group of each, in the order of `ids`; None where the table has no such column.
    """

    table: str
    columns: tuple[str, ...]
    ids: tuple[CaseId, ...] = ()
    values: tuple[CaseId, ...] | None = None


@dataclass(frozen=True, eq=False)
class CaseGroups:
    """The group of each case of a panel, in its order.

    Attributes
    ----------
    codes : int64 array of shape (n_cases,)
        Positions in `names`.
    names : tuple of str
        The groups, in the order of their first cases.
    """

    codes: NDArray[np.int64]
    names: tuple[str, ...]

    def require_classes(self, values: Sequence[Label], task: Task | None) -> None:
        """Refuse classes that are known from one group only.

        Parameters
        ----------
        values
            The label of each case.
        task
            What is to be learned, or None where that is not decided; numbers are let pass then.

        Raises
        ------
        DataError
            When all members of a class belong to one group.
        """
        if task == "regression" or (task is None and is_number(values[0])):
            return
        groups_of: dict[Label, set[int]] = {}
        for value, code in zip(values, self.codes.tolist(), strict=True):
            groups_of.setdefault(value, set()).add(code)
        lonely = [value for value, codes in groups_of.items() if len(codes) < LEAST_GROUPS]
        if lonely:
            where = self.names[min(groups_of[lonely[0]])]
            raise DataError(
                f"{counted(len(lonely), 'class', 'classes')} with members in one group only: "
                f"{named(lonely)}, the first in {shown(where)}; a class needs members in at "
                f"least {LEAST_GROUPS} groups, one to learn from and one to be tested on.",
                mend="Add groups with members of these classes, or leave the classes out.",
                field=FIELD,
            )


def case_groups(column: str, panel: Panel, *tables: GroupColumn | None) -> CaseGroups:
    """Return the group of each case, from the first table that has the column.

    Parameters
    ----------
    column
        The name of the column.
    panel
        The cases.
    tables
        What the labels and the data say; None for a part that is no table.

    Raises
    ------
    DataError
        When no table has the column (the nearest is named), or fewer than `LEAST_GROUPS` groups
        are found.
    """
    asked = [table for table in tables if table is not None]
    known = [table for table in asked if table.values is not None]
    if not known:
        raise _unknown(column, asked)
    return _coded(column, panel, known[0])


def _coded(column: str, panel: Panel, table: GroupColumn) -> CaseGroups:
    values = table.values or ()
    group_of = dict(zip(map(case_key, table.ids), map(case_key, values), strict=True))
    missing = [i for i, key in zip(panel.ids, panel.keys, strict=True) if key not in group_of]
    if missing:
        raise DataError(
            f"{counted(len(missing), 'case')} without a group: {named(missing)}.",
            mend=f"Give each case its {column!r}.",
            field=FIELD,
        )
    names: dict[str, int] = {}
    codes = [names.setdefault(group_of[key], len(names)) for key in panel.keys]
    if len(names) < LEAST_GROUPS:
        raise DataError(
            f"every case is of the {column} {next(iter(names), '')!r}; at least {LEAST_GROUPS} "
            "groups are needed, one to learn from and one to be tested on.",
            mend="Add cases of other groups, or leave group_id out.",
            field=FIELD,
        )
    return CaseGroups(np.array(codes, dtype=np.int64), tuple(names))


def _unknown(column: str, tables: Sequence[GroupColumn]) -> DataError:
    if not tables:
        return DataError(
            f"group_id is {shown(column)}, and neither the data nor the labels are a table.",
            mend="Send the labels as a table with an id, a label and a group in each row.",
            field=FIELD,
        )
    near = get_close_matches(column, [name for table in tables for name in table.columns], 1)
    found = "; ".join(f"{table.table} has {named(table.columns)}" for table in tables)
    return DataError(
        f"group_id {shown(column)} is a column of neither the labels nor the data: {found}.",
        mend=(f"Did you mean {near[0]!r}? " if near else "")
        + "Set group_id to one of them, or send the column.",
        field=FIELD,
    )
