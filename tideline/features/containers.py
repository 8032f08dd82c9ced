"""The containers that tsfresh takes, as a panel: flat frames, stacked frames, and dicts of frames.

What tsfresh leaves to pandas is left to pandas here: which rows are one case, and how ids are
sorted. The values are only ever moved as whole columns.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tideline.errors import DataError
from tideline.panel import CaseId, Channel, FloatArray, Panel, named
from tideline.readers.long import require_bounded
from tideline.wording import counted, shown

FIELD = "timeseries_container"
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Columns:
    """The columns that have a role, by tsfresh's names for them; a name may be a number."""

    column_id: Hashable | None = None
    column_sort: Hashable | None = None
    column_kind: Hashable | None = None
    column_value: Hashable | None = None


@dataclass(frozen=True, eq=False)
class Cases:
    """What a container holds.

    Attributes
    ----------
    index : pandas.Index of shape (n_cases,)
        The ids, sorted, and of the type of the column that held them.
    panel
        The cases in that order, with a channel for each kind, in the order of tsfresh's columns.
        A series is of length zero where a case has no row of a kind.
    """

    index: pd.Index[Any]
    panel: Panel


@dataclass(frozen=True, eq=False)
class _Groups:
    """Which group each row belongs to: its position among the sorted names of the groups."""

    codes: Codes
    names: pd.Index[Any]


def cases_of(container: object, columns: Columns) -> Cases:
    """Return the cases of a container.

    Parameters
    ----------
    container
        A DataFrame, with `column_kind` stacked and without it flat; or a mapping of kind to
        DataFrame.
    columns
        The columns that have a role.

    Raises
    ------
    DataError
        When the container is another, a column is missing or holds a missing value, or a value is
        no number.
    """
    if isinstance(container, Mapping):
        return _of_mapping(container, columns)
    if not isinstance(container, pd.DataFrame):
        raise _no_container(container, "the container")
    return (
        _of_flat(container, columns)
        if columns.column_kind is None
        else _of_stacked(container, columns)
    )


def _of_flat(frame: pd.DataFrame, columns: Columns) -> Cases:
    """Return the cases of a frame with a column for each kind."""
    groups = _groups(_given(frame, "column_id", columns.column_id))
    order = _order(groups.codes, _times(frame, columns))
    offsets = _offsets(np.bincount(groups.codes, minlength=len(groups.names)))
    dates = _dates(frame, order)
    names = _value_columns(frame, columns)
    _require_distinct(names)
    channels = {
        str(name): Channel(_sorted(_numbers(frame, name), order), offsets, dates) for name in names
    }
    return _cases(groups.names, channels)


def _of_stacked(frame: pd.DataFrame, columns: Columns) -> Cases:
    """Return the cases of a frame that names the kind of each row."""
    groups = _groups(_given(frame, "column_id", columns.column_id))
    kinds = _groups(_given(frame, "column_kind", columns.column_kind))
    _require_distinct(kinds.names)
    n_cases, n_kinds = len(groups.names), len(kinds.names)
    require_bounded(n_cases, [str(kind) for kind in kinds.names], FIELD)
    series = kinds.codes * n_cases + groups.codes
    order = _order(series, _times(frame, columns))
    values = _sorted(_numbers(frame, _value_column(frame, columns)), order)
    dates = _dates(frame, order)
    counts = np.bincount(series, minlength=n_cases * n_kinds).reshape(n_kinds, n_cases)
    starts = _offsets(counts.sum(axis=1))
    channels = {}
    # A column of tsfresh's stands where the first case that has it puts it.
    for kind in np.argsort((counts > 0).argmax(axis=1), kind="stable"):
        part = slice(starts[kind], starts[kind + 1])
        channels[str(kinds.names[kind])] = Channel(
            values[part], _offsets(counts[kind]), None if dates is None else dates[part]
        )
    return _cases(groups.names, channels)


def _of_mapping(frames: Mapping[Any, object], columns: Columns) -> Cases:
    """Return the cases of a mapping of kind to frame."""
    _require_distinct(list(frames))
    tables: dict[str, pd.DataFrame] = {}
    for kind, frame in frames.items():
        if not isinstance(frame, pd.DataFrame):
            raise _no_container(frame, f"kind {shown(kind)}")
        tables[str(kind)] = frame
    if not tables:
        raise _empty("kind")
    ids = [_given(frame, "column_id", columns.column_id) for frame in tables.values()]
    groups = _groups(pd.concat(ids, ignore_index=True))
    ends = np.cumsum([len(column) for column in ids])
    channels = {
        kind: _channel(frame, codes, len(groups.names), columns)
        for (kind, frame), codes in zip(
            tables.items(), np.split(groups.codes, ends[:-1]), strict=True
        )
    }
    return _cases(groups.names.astype(ids[-1].dtype), channels)


def _channel(frame: pd.DataFrame, codes: Codes, n_cases: int, columns: Columns) -> Channel:
    order = _order(codes, _times(frame, columns))
    if columns.column_value is None:
        raise DataError(
            "column_value is not set, and a dict of frames needs it: "
            f"found {named(frame.columns)}.",
            mend="Set column_value to the column of values, the same in each frame.",
            field="column_value",
        )
    values = _sorted(_numbers(frame, columns.column_value), order)
    return Channel(values, _offsets(np.bincount(codes, minlength=n_cases)), _dates(frame, order))


def _cases(values: pd.Index[Any], channels: Mapping[str, Channel]) -> Cases:
    """Return the cases; the panel's ids serve only to name a case in a message."""
    index = values.rename(None)
    told: tuple[CaseId, ...] = tuple(map(str, index))
    if len(set(told)) < len(told):
        told = tuple(range(len(told)))
    if index.dtype == object and isinstance(index[0], tuple):
        # As tsfresh's frame has them: ids of tuples, which rolling makes, are a MultiIndex.
        index = pd.MultiIndex.from_tuples(index)
    return Cases(index, Panel(told, channels))


def _groups(column: pd.Series[Any]) -> _Groups:
    if not len(column):
        raise _empty("row")
    # The rows of a case mostly stand together: only the first of each run is looked up.
    array = column.array
    changes = np.asarray(array[1:] != array[:-1], dtype=np.bool_)
    heads = np.concatenate([[0], np.flatnonzero(changes) + 1])
    runs = column.iloc[heads].reset_index(drop=True)
    grouped = runs.groupby(runs, observed=True)
    codes = grouped.ngroup().to_numpy(dtype=np.int64)
    lengths = np.diff(np.append(heads, len(column)))
    return _Groups(np.repeat(codes, lengths), grouped.size().index)


def _order(groups: Codes, times: NDArray[Any] | None) -> NDArray[np.intp] | None:
    """Return the rows sorted by group and time; None where they are already."""
    rising = groups[1:] >= groups[:-1]
    if times is not None:
        rising &= (groups[1:] > groups[:-1]) | (times[1:] >= times[:-1])
    if rising.all():
        return None
    return np.lexsort((groups,) if times is None else (times, groups))


def _sorted(array: NDArray[Any], order: NDArray[np.intp] | None) -> NDArray[Any]:
    """Return the rows in order, as an array of its own: pandas lends its columns read-only."""
    return array.copy() if order is None else array[order]


def _offsets(counts: NDArray[np.integer]) -> Codes:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _times(frame: pd.DataFrame, columns: Columns) -> NDArray[Any] | None:
    """Return the column to sort by, as numbers or times in the same order."""
    if columns.column_sort is None:
        return None
    column = _given(frame, "column_sort", columns.column_sort)
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy()
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iufbmM":
        return column.to_numpy()
    return pd.factorize(column, sort=True)[0]


def _dates(frame: pd.DataFrame, order: NDArray[np.intp] | None) -> NDArray[np.datetime64] | None:
    """Return the dates of the sorted rows, where the frame's own index holds dates."""
    index = frame.index
    if not isinstance(index, pd.DatetimeIndex):
        return None
    try:
        fine = (index if index.tz is None else index.tz_convert(None)).as_unit("ns")
    except pd.errors.OutOfBoundsDatetime as error:
        raise DataError(
            f"the index of the data holds dates out of range: {error}.",
            mend="Write dates from 1678 to 2262, or reset the index.",
            field=FIELD,
        ) from error
    return _sorted(fine.to_numpy(), order)


def _value_columns(frame: pd.DataFrame, columns: Columns) -> list[Hashable]:
    if columns.column_value is not None:
        return [columns.column_value]
    taken = (columns.column_id, columns.column_sort, columns.column_kind)
    left: list[Hashable] = [name for name in frame.columns if name not in taken]
    if not left:
        raise DataError(
            f"no column is left for the values: found {named(frame.columns)}.",
            mend="Add a column of numbers, or leave out column_sort if it holds the values.",
            field=FIELD,
        )
    return left


def _value_column(frame: pd.DataFrame, columns: Columns) -> Hashable:
    left = _value_columns(frame, columns)
    if len(left) > 1:
        raise DataError(
            "column_kind is set without column_value, which needs one column to be left for the "
            f"values; {len(left)} are: {named(left)}.",
            mend="Set column_value to the column of values.",
            field="column_value",
        )
    return left[0]


def _column(frame: pd.DataFrame, role: str, name: Hashable | None) -> pd.Series[Any]:
    found = f"found {named(frame.columns)}"
    if name is None:
        raise DataError(
            f"{role} is not set, and a frame needs it: {found}.",
            mend=f"Set {role} to one of them.",
            field=role,
        )
    if name not in frame.columns:
        near = get_close_matches(str(name), {str(c): c for c in frame.columns}, 1)
        raise DataError(
            f"{role} {shown(name)} is not in the data: {found}.",
            mend=f"Did you mean {near[0]!r}?" if near else f"Set {role} to one of them.",
            field=role,
        )
    column: Any = frame[name]
    if not isinstance(column, pd.Series):
        raise _repeated([str(name)])
    return column


def _given(frame: pd.DataFrame, role: str, name: Hashable | None) -> pd.Series[Any]:
    """Return a column that has a role, with a value in each row."""
    column = _column(frame, role, name)
    missing = column.isna().to_numpy()
    if missing.any():
        raise _missing(f"{role} {shown(name)}", missing, "Give every row a value there")
    return column


def _numbers(frame: pd.DataFrame, name: Hashable) -> FloatArray:
    column = _column(frame, "column_value", name)
    _require_numbers(column, name)
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    missing = np.isnan(values)
    if missing.any():
        raise _missing(f"column {shown(name)}", missing, "Fill the gaps in")
    return values


def _require_numbers(column: pd.Series[Any], name: Hashable) -> None:
    kind = pd.api.types.infer_dtype(column, skipna=True)
    if kind in {"integer", "floating", "mixed-integer-float", "decimal", "boolean", "empty"}:
        return
    wrong = (
        (row, value)
        for row, value in enumerate(column, 1)
        if not isinstance(value, Number) or isinstance(value, complex)
    )
    row, value = next(wrong, (1, column.iloc[0]))
    raise DataError(
        f"column {shown(name)} holds {shown(value)} in row {row}; a number is expected.",
        mend="Write the values as numbers; or name the column of values as column_value, if this "
        "one is not a measurement.",
        field=FIELD,
    )


def _require_distinct(names: Sequence[Hashable] | pd.Index[Any]) -> None:
    """Refuse names of kinds that are one as text, in which columns are named."""
    texts = [str(name) for name in names]
    if len(set(texts)) < len(texts):
        raise _repeated([text for text in dict.fromkeys(texts) if texts.count(text) > 1])


def _repeated(names: list[str]) -> DataError:
    return DataError(
        f"more than one column or kind is named {named(names)}; names are compared as text, so "
        "that 1 and '1' are one.",
        mend="Give each a name of its own.",
        field=FIELD,
    )


def _missing(what: str, missing: NDArray[np.bool_], mend: str) -> DataError:
    return DataError(
        f"{what} holds {counted(int(missing.sum()), 'missing value')}, the first in row "
        f"{int(missing.argmax()) + 1}; as in tsfresh, none is expected.",
        mend=f"{mend}, or leave these rows out. (A Panel may hold missing values.)",
        field=FIELD,
    )


def _empty(what: str) -> DataError:
    return DataError(f"the data holds no {what}.", mend="Send at least one series.", field=FIELD)


def _no_container(found: object, what: str) -> DataError:
    return DataError(
        f"{what} is of type {type(found).__module__}.{type(found).__qualname__}; a pandas "
        "DataFrame, or a dict of kind to DataFrame, is expected.",
        mend="Convert it first: .compute() of Dask, .to_pandas() of Polars and PyArrow; "
        "Panel.from_arrays takes arrays.",
        field=FIELD,
    )
