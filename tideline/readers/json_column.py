"""A column whose values came as JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from tideline.panel import FloatArray
from tideline.readers.column import (
    MISSING,
    Column,
    Factor,
    Place,
    TimeArray,
    factor_objects,
    iso_times,
)

NUMBERS = {int, float, type(None)}


class JsonColumn(Column):
    """A column of JSON values, one a row.

    Parameters
    ----------
    values
        What `json.loads` gives: None, text, numbers, booleans, lists or mappings.
    """

    def __init__(self, name: str, values: Sequence[object], field: str) -> None:
        super().__init__(name, field)
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    @override
    def factor(self) -> Factor:
        return factor_objects(self.values)

    @override
    def numbers(self, place: Place) -> FloatArray:
        values = self.values
        if not set(map(type, values)) <= NUMBERS:
            values = [None if isinstance(v, str) and v in MISSING else v for v in values]
            for row, value in enumerate(values):
                if type(value) not in NUMBERS:
                    raise self.not_a_number(value, place(row))
        try:
            return np.array(values, dtype=np.float64)
        except OverflowError:
            # A whole number beyond float64's range is as infinite as 1e400 is.
            return np.array([_float(v) for v in values], dtype=np.float64)

    @override
    def times(self, place: Place) -> TimeArray:
        kinds = set(map(type, self.values))
        if kinds == {str}:
            stamps, wrong = iso_times(self.values)
            if stamps is None:
                raise self.not_a_time(self.values[wrong], place(wrong))
            return stamps
        for row, value in enumerate(self.values):
            if type(value) not in (int, float) or not math.isfinite(_float(value)):
                raise self.not_a_time(value, place(row))
        # Whole numbers stay whole: nanoseconds since 1970 are beyond what float64 tells apart.
        whole = [v for v in self.values if isinstance(v, int) and abs(v) < 2**63]
        if len(whole) == len(self.values):
            return np.array(whole, dtype=np.int64)
        return np.array(self.values, dtype=np.float64)


def _float(value: object) -> float:
    if value is None:
        return math.nan
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    return math.nan
