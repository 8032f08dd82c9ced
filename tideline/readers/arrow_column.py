"""Columns whose values came as Arrow arrays: typed from Parquet, text from CSV."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from typing_extensions import override

from tideline.panel import FloatArray
from tideline.readers.column import (
    MISSING,
    NUMBER,
    Column,
    Factor,
    Place,
    TimeArray,
    ids_of_text,
    iso_times,
    labels_of_text,
    nanoseconds,
)

NOTHING = -1
"""The code of a null."""


def numbers_of_text(texts: pa.Array) -> tuple[FloatArray, int | None]:
    """Return texts as float64, NaN where missing, and the position of the first that is none.

    Parameters
    ----------
    texts : Arrow array of strings
    """
    trimmed = pc.utf8_trim_whitespace(texts)
    missing = pc.is_in(trimmed, value_set=pa.array(sorted(MISSING), trimmed.type))
    given = pc.if_else(missing, pa.scalar(None, trimmed.type), trimmed)
    try:
        return floats(pc.cast(given, pa.float64())), None
    except pa.ArrowInvalid:
        return np.empty(0), _first_unfit(given)


def _first_unfit(texts: pa.Array) -> int:
    """Return the position of the first text that is no number."""
    low, high = 0, len(texts)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            pc.cast(texts.slice(low, middle - low), pa.float64())
            low = middle
        except pa.ArrowInvalid:
            high = middle
    return low


def floats(array: pa.Array) -> FloatArray:
    """Return an Arrow array of float64 as a NumPy array of its own, NaN where null."""
    values = pc.fill_null(array, float("nan")) if array.null_count else array
    return np.array(values.to_numpy(zero_copy_only=False), dtype=np.float64)


class TextColumn(Column):
    """A column of a text format, where a number is spelled and nothing says so.

    Parameters
    ----------
    texts : Arrow array of strings
    """

    def __init__(self, name: str, texts: pa.Array, field: str) -> None:
        super().__init__(name, field)
        self.texts = texts

    def __len__(self) -> int:
        return len(self.texts)

    @override
    def factor(self) -> Factor:
        return self._factor(ids_of_text)

    @override
    def labels(self) -> Factor:
        return self._factor(labels_of_text)

    def _factor(self, read: Callable[[Sequence[str]], tuple[object, ...]]) -> Factor:
        encoded = pc.dictionary_encode(self.texts)
        values = read(encoded.dictionary.to_pylist())
        # Two spellings of one label, `0.5` and `0.50`, may remain two values here.
        return Factor(encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), values)

    @override
    def numbers(self, place: Place) -> FloatArray:
        values, unfit = numbers_of_text(self.texts)
        if unfit is not None:
            raise self.not_a_number(self.texts[unfit].as_py(), place(unfit))
        return values

    @override
    def times(self, place: Place) -> TimeArray:
        try:
            return np.array(pc.cast(self.texts, pa.int64()).to_numpy())
        except pa.ArrowInvalid:
            values, unfit = numbers_of_text(self.texts)
        wrong = np.flatnonzero(~np.isfinite(values))
        if unfit is None and not wrong.size:
            return values
        stamps, position = iso_times(self.texts.to_pylist())
        if stamps is None:
            # In a column that begins with a number, the text at fault is the first that is none.
            numeric = unfit is None or NUMBER.fullmatch(self.texts[0].as_py().strip())
            position = (int(wrong[0]) if unfit is None else unfit) if numeric else position
            raise self.not_a_time(self.texts[position].as_py(), place(position))
        return stamps


class ArrowColumn(Column):
    """A typed column, as Parquet holds it.

    Parameters
    ----------
    values : Arrow array
    """

    def __init__(self, name: str, values: pa.Array, field: str) -> None:
        super().__init__(name, field)
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    @override
    def factor(self) -> Factor:
        encoded = self.values
        if not pa.types.is_dictionary(encoded.type):
            encoded = pc.dictionary_encode(encoded, "encode")
        indices = pc.fill_null(pc.cast(encoded.indices, pa.int64()), NOTHING)
        # A dictionary that came with the file may be in any order, and have a null of its own.
        codes, places = pd.factorize(indices.to_numpy())
        held = encoded.dictionary.to_pylist()
        distinct = tuple(None if at == NOTHING else held[at] for at in places)
        return Factor(codes.astype(np.int64), distinct)

    @override
    def numbers(self, place: Place) -> FloatArray:
        kind = self.values.type
        measured = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
        if pa.types.is_null(kind) or any(is_kind(kind) for is_kind in measured):
            return floats(pc.cast(self.values, pa.float64(), safe=False))
        given = np.flatnonzero(pc.is_valid(self.values).to_numpy(zero_copy_only=False))
        if not given.size:
            return np.full(len(self.values), np.nan)
        raise self.not_a_number(self.values[int(given[0])].as_py(), place(int(given[0])))

    @override
    def times(self, place: Place) -> TimeArray:
        absent = np.flatnonzero(pc.is_null(self.values).to_numpy(zero_copy_only=False))
        if absent.size:
            raise self.not_a_time(None, place(int(absent[0])))
        times, wrong = self._times()
        if times is None:
            raise self.not_a_time(self.values[wrong].as_py(), place(wrong))
        return times

    def _times(self) -> tuple[TimeArray | None, int]:
        kind = self.values.type
        if pa.types.is_signed_integer(kind):
            return np.array(pc.cast(self.values, pa.int64()).to_numpy()), -1
        if pa.types.is_integer(kind) or pa.types.is_floating(kind):
            values = floats(pc.cast(self.values, pa.float64(), safe=False))
            wrong = np.flatnonzero(~np.isfinite(values))
            return (None, int(wrong[0])) if wrong.size else (values, -1)
        if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
            # Arrow's stamps with a time zone are UTC underneath.
            unit = kind.unit if pa.types.is_timestamp(kind) else "ms"
            naive = pc.cast(self.values, pa.timestamp(unit), safe=False)
            return nanoseconds(naive.to_numpy(zero_copy_only=False))
        if pa.types.is_dictionary(kind) or pa.types.is_string(kind):
            return iso_times(self.values.to_pylist())
        return None, 0
