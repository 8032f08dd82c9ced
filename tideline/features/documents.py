"""The features of a plan as JSON: an entry each, or a table of those in a row that are alike.

Random convolutions, of which there are thousands, are told as tables: a list of values for each
parameter. tsfresh's are told one by one. Both forms are read of any calculator.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from tideline.features.catalogue import CONVOLUTIONS
from tideline.features.feature import Feature, ParameterValue, frozen, thawed
from tideline.features.views import View


def entries_of(features: Iterable[Feature]) -> list[dict[str, Any]]:
    """Return features as JSON knows them; `features_of_entries` reads them back."""
    entries: list[dict[str, Any]] = []
    for kind, run in groupby(features, key=_kind):
        alike = list(run)
        if alike[0].calculator not in CONVOLUTIONS or not alike[0].parameters:
            entries += [_entry(each, "parameters", _parameters(each)) for each in alike]
            continue
        columns = zip(*([value for _, value in each.parameters] for each in alike), strict=True)
        table = {
            key: [thawed(value) for value in column]
            for key, column in zip(kind[-1], columns, strict=True)
        }
        entries.append(_entry(alike[0], "table", table))
    return entries


def features_of_entries(entries: Iterable[Mapping[str, Any]]) -> Iterator[Feature]:
    """Read features back, from entries of either form.

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError, SpecError
        When an entry is of no such form.
    """
    for entry in entries:
        if "table" in entry:
            yield from _of_table(**entry)
        else:
            yield _of_entry(**entry)


def count_of_entries(entries: Iterable[Mapping[str, Any]]) -> int:
    """Return how many features some entries tell of, without building any."""
    tables = (entry.get("table") if isinstance(entry, Mapping) else None for entry in entries)
    return sum(1 if table is None else max(map(len, table.values()), default=0) for table in tables)


def _kind(feature: Feature) -> tuple[str, str, View, tuple[str, ...]]:
    keys = tuple([key for key, _ in feature.parameters])
    return feature.channel, feature.calculator, feature.view, keys


def _parameters(feature: Feature) -> dict[str, Any]:
    return {key: thawed(value) for key, value in feature.parameters}


def _entry(feature: Feature, form: str, values: dict[str, Any]) -> dict[str, Any]:
    told = {"channel": feature.channel, "calculator": feature.calculator, form: values}
    return told if feature.view.is_plain else {**told, "view": feature.view.to_json()}


def _of_entry(
    channel: str, calculator: str, parameters: Mapping[str, Any], view: Sequence[Any] = ()
) -> Feature:
    return Feature.of(channel, calculator, parameters, View(*view))


def _of_table(
    channel: str, calculator: str, table: Mapping[str, Any], view: Sequence[Any] = ()
) -> Iterator[Feature]:
    keys = sorted(table)
    if not keys or not all(isinstance(values, list) for values in table.values()):
        raise ValueError("a table needs a list of values for each parameter")
    seen = View(*view)
    columns = [_pairs(key, table[key]) for key in keys]
    for parameters in zip(*columns, strict=True):
        yield Feature(channel, calculator, parameters, seen)


def _pairs(key: str, values: list[Any]) -> list[tuple[str, ParameterValue]]:
    """Return the key with each value; one pair for all that are the same, where that is told."""
    kinds = set(map(type, values))
    if len(kinds) == 1 and kinds <= {int, str, bool}:
        # Not so of numbers of several kinds, for True is equal to 1, nor of 0.0 and -0.0.
        made = {value: (key, value) for value in set(values)}
        return [made[value] for value in values]
    return [(key, frozen(value)) for value in values]
