"""Prediction JSON: `{"instances": [{"id": "a", "x": [0.1, 0.2], "y": [3.0, 4.0]}]}`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from tideline.errors import DataError
from tideline.groups import GroupColumn
from tideline.panel import CaseId, Channel, Panel, require_case_id
from tideline.readers.column import Place
from tideline.readers.group_column import require_group
from tideline.readers.json_column import JsonColumn
from tideline.readers.long import require_bounded, time_index
from tideline.readers.reading import Reading
from tideline.roles import ColumnRoles
from tideline.wording import shown

ID = "id"


def is_instances(document: object) -> TypeGuard[Mapping[str, object]]:
    """Whether a JSON document lists instances, rather than being a table."""
    return isinstance(document, Mapping) and isinstance(document.get("instances"), list)


def reading_of_instances(document: Mapping[str, object], roles: ColumnRoles, field: str) -> Reading:
    """Return what prediction JSON holds.

    Every key beside `id`, `column_sort` and `column_group` names a channel; one that an instance
    leaves out is a series of length zero there. Times, where they are sent, are those of every
    channel.

    Raises
    ------
    DataError
        When there is no instance, or one is no object, has no id, or holds something else than
        lists of numbers; or when some name a group, and others do not.
    """
    instances = _instances(document, field)
    ids = tuple(
        require_case_id(instance.get(ID), ID, position, field=field)
        for position, instance in enumerate(instances, start=1)
    )
    cases = _Cases(ids, instances, field)
    names = dict.fromkeys(chain.from_iterable(instances))
    channels = [n for n in names if n not in (ID, roles.column_sort, roles.column_group)]
    require_bounded(len(ids), channels, field)
    groups = cases.groups(roles.column_group, tuple(names))
    if roles.column_sort is None or roles.column_sort not in names:
        panel = Panel(ids, {name: cases.channel(name) for name in channels})
    else:
        panel = Panel(ids, cases.timed_channels(channels, roles.column_sort))
    return Reading(panel, groups=groups)


def _instances(document: Mapping[str, object], field: str) -> Sequence[Mapping[str, object]]:
    listed = document["instances"]
    entries = listed if isinstance(listed, list) else []
    wrong = [key for key in document if key != "instances"]
    wrong += [entry for entry in entries if not isinstance(entry, Mapping)]
    if wrong or not entries:
        raise DataError(
            f"{field} should list instances, and holds {shown(wrong) if wrong else 'none'}; "
            '{"instances": [{"id": "a", "x": [0.1, 0.2]}]} is expected.',
            mend="Write each instance as an object of an id and a list of numbers a channel.",
            field=field,
        )
    return entries


@dataclass(frozen=True)
class _Cases:
    """The instances of a request, each with its id."""

    ids: tuple[CaseId, ...]
    instances: Sequence[Mapping[str, object]]
    field: str

    def groups(self, column: str | None, names: tuple[str, ...]) -> GroupColumn | None:
        """Return the group of each instance, where they name one under that key."""
        if column is None or column not in names:
            return None if column is None else GroupColumn(self.field, names)
        values = tuple(
            require_group(instance.get(column), column, f"instance {at}", self.field)
            for at, instance in enumerate(self.instances, start=1)
        )
        return GroupColumn(self.field, names, self.ids, values)

    def channel(self, name: str) -> Channel:
        column, offsets = self._joined(name)
        return Channel(column.numbers(self._place(offsets)), offsets)

    def timed_channels(self, names: Sequence[str], column_sort: str) -> dict[str, Channel]:
        """Return channels whose values are sorted by the times that came with them."""
        column, offsets = self._joined(column_sort)
        times = column.times(self._place(offsets))
        codes = np.repeat(np.arange(len(self.ids)), np.diff(offsets))
        order = np.lexsort((times, codes))
        index = time_index(times, order)
        channels = {}
        for name in names:
            channel = self.channel(name)
            self._require_as_many(name, channel, column_sort, offsets)
            channels[name] = Channel(channel.values[order], offsets, index)
        return channels

    def _joined(self, name: str) -> tuple[JsonColumn, NDArray[np.int64]]:
        """Return the lists of all instances as one column, and where each begins."""
        lists = [self._list(name, at) for at in range(len(self.ids))]
        offsets = np.zeros(len(lists) + 1, dtype=np.int64)
        np.cumsum([len(values) for values in lists], out=offsets[1:])
        return JsonColumn(name, list(chain.from_iterable(lists)), self.field), offsets

    def _list(self, name: str, at: int) -> list[object]:
        values = self.instances[at].get(name, [])
        if isinstance(values, list):
            return values
        raise DataError(
            f"channel {name!r} of case {shown(self.ids[at])} is {shown(values)}; "
            "a list of numbers is expected.",
            mend="Write the series as a list, with null where a value is missing.",
            field=self.field,
        )

    def _place(self, offsets: NDArray[np.int64]) -> Place:
        def place(at: int) -> str:
            case = int(np.searchsorted(offsets, at, side="right")) - 1
            return f"case {shown(self.ids[case])}, position {at - int(offsets[case])}"

        return place

    def _require_as_many(
        self, name: str, channel: Channel, column_sort: str, offsets: NDArray[np.int64]
    ) -> None:
        uneven = np.flatnonzero(channel.lengths != np.diff(offsets))
        if uneven.size:
            at = int(uneven[0])
            raise DataError(
                f"channel {name!r} of case {shown(self.ids[at])} has {channel.lengths[at]} values "
                f"for {offsets[at + 1] - offsets[at]} times in {column_sort!r}.",
                mend="Send as many times as values, or no times at all.",
                field=self.field,
            )
