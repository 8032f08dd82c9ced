"""One column of a table, and the three things that a role can ask of it."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tideline.errors import DataError
from tideline.panel import FloatArray
from tideline.wording import shown

MISSING = frozenset({"", "NaN", "nan"})
"""The texts that stand for a missing value."""

NUMBER = re.compile(r"[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
"""A number without leading zeros, which would make it a code."""

MAX_DIGITS = 300
"""The length up to which digits are a number; beyond it they are text, and float64 ends."""

TimeArray = NDArray[np.int64] | NDArray[np.float64] | NDArray[np.datetime64]
Place = Callable[[int], str]
"""Tells where a row is, for a message: the case that it belongs to, and its number."""


@dataclass(frozen=True, eq=False)
class Factor:
    """A column as codes.

    Attributes
    ----------
    codes : int64 array of shape (n_rows,)
        The position in `values` of each row's value.
    values : tuple
        The distinct values, in order of first appearance; None where nothing is given.
    """

    codes: NDArray[np.int64]
    values: tuple[object, ...]

    @cached_property
    def _first_rows(self) -> NDArray[np.int64]:
        first = np.zeros(len(self.values), dtype=np.int64)
        # Written from the end, so that the first row of each value is what remains.
        first[self.codes[::-1]] = np.arange(self.codes.size, 0, -1)
        return first

    def first_row(self, code: int) -> int:
        """Return the row, counted from one, in which a value first stands."""
        return int(self._first_rows[code])


class Column(ABC):
    """A named column, as its format gives it."""

    def __init__(self, name: str, field: str) -> None:
        self.name = name
        self.field = field

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def factor(self) -> Factor:
        """Return the column as codes of its distinct values."""

    def labels(self) -> Factor:
        """Return the column as codes of its distinct labels."""
        return self.factor()

    @abstractmethod
    def numbers(self, place: Place) -> FloatArray:
        """Return the column as float64, NaN where a value is missing.

        Raises
        ------
        DataError
            When a value is no number; its column and place are named.
        """

    @abstractmethod
    def times(self, place: Place) -> TimeArray:
        """Return the column as something to sort by: int64, float64 or datetime64[ns].

        Raises
        ------
        DataError
            When a value is missing, or neither a number nor an ISO 8601 datetime.
        """

    def not_a_number(self, found: object, place: str) -> DataError:
        """Return the refusal of a value."""
        return DataError(
            f"column {self.name!r} holds {shown(found)} at {place}; "
            "a number is expected, or null where it is missing.",
            mend="Write the value as a number, or leave the column out of the data if it is "
            "not a measurement.",
            field=self.field,
        )

    def not_a_time(self, found: object, place: str) -> DataError:
        """Return the refusal of a value to sort by."""
        return DataError(
            f"column_sort {self.name!r} holds {shown(found)} at {place}; "
            "numbers throughout, or ISO 8601 datetimes throughout, are expected.",
            mend="Give every row its time, or set extract_features.column_sort to another column.",
            field=self.field,
        )


def factor_objects(values: Sequence[object]) -> Factor:
    """Return the codes of some JSON values: `7` and `7.0` are one value, `"7"` is another."""
    kinds = set(map(type, values))
    if kinds in ({int}, {str}):
        array = np.empty(len(values), dtype=object)
        array[:] = values
        codes, distinct = pd.factorize(array)
        return Factor(codes.astype(np.int64), tuple(distinct))
    position: dict[object, int] = {}
    distinct_values: list[object] = []
    coded = np.empty(len(values), dtype=np.int64)
    for row, value in enumerate(values):
        coded[row] = code = position.setdefault(_match(value), len(distinct_values))
        if code == len(distinct_values):
            distinct_values.append(value)
    return Factor(coded, tuple(distinct_values))


def _match(value: object) -> object:
    """Return what makes two values one: equal numbers, equal texts; nothing for lists."""
    if value is None or isinstance(value, str):
        return value
    # Python holds True and 1 for equal, JSON does not.
    return (type(value) is bool, value) if isinstance(value, int | float) else object()


def ids_of_text(texts: Sequence[str]) -> tuple[object, ...]:
    """Return the ids that a text format spells: numbers, or text, for the whole column.

    Only where each is spelled as Python would: `007` and `7.50` stay text, so that no two ids
    become one.
    """
    return _scalars(texts, (_whole, _exact))


def labels_of_text(texts: Sequence[str]) -> tuple[object, ...]:
    """Return the labels that a text format spells: `2.50` and `1e-05` are numbers here."""
    return _scalars(texts, (_whole, _measured, _boolean))


def _scalars(
    texts: Sequence[str], readings: Sequence[Callable[[str], object]]
) -> tuple[object, ...]:
    given = [t for t in texts if t not in MISSING]
    for read in readings:
        if given and all(read(t) is not None for t in given):
            return tuple(None if t in MISSING else read(t) for t in texts)
    return tuple(None if t in MISSING else t for t in texts)


def _whole(text: str) -> int | None:
    digits = text.removeprefix("-")
    plain = digits.isascii() and digits.isdecimal() and len(digits) <= MAX_DIGITS
    return int(text) if plain and str(int(text)) == text else None


def _exact(text: str) -> float | None:
    number = _measured(text)
    return number if number is not None and text in (str(number), str(_whole(text))) else None


def _measured(text: str) -> float | None:
    return float(text) if NUMBER.fullmatch(text) else None


def _boolean(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def iso_times(texts: Sequence[object]) -> tuple[NDArray[np.datetime64] | None, int]:
    """Return texts as datetime64[ns] in UTC, or None and the position of the first at fault."""
    given = np.array(texts, dtype=object)
    stamps = pd.to_datetime(given, format="ISO8601", utc=True, errors="coerce")
    wrong = np.flatnonzero(stamps.isna())
    if wrong.size:
        return None, int(wrong[0])
    return nanoseconds(stamps.tz_localize(None).to_numpy())


def nanoseconds(stamps: NDArray[np.datetime64]) -> tuple[NDArray[np.datetime64] | None, int]:
    """Return stamps as datetime64[ns], or None and the first that is out of its range."""
    fine = stamps.astype("datetime64[ns]")
    wrong = np.flatnonzero(fine.astype(stamps.dtype) != stamps)
    return (None, int(wrong[0])) if wrong.size else (fine, -1)
