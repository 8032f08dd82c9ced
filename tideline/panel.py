"""The panel: labelled or unlabelled cases, one series per channel, lengths as they come.

A channel is one contiguous float64 buffer for all cases, cut by int64 offsets, so that a kernel
reads the series of a case without a copy. Readers in `tideline.readers` build panels from files.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tideline.errors import DataError
from tideline.wording import counted, shown

CaseId = str | int | float | bool
"""An id as JSON knows it; kept as it came."""

FloatArray = NDArray[np.float64]
NAMED = 10
"""How many cases an error message names."""


def case_key(case_id: CaseId) -> str:
    """Return the text under which an id is matched: `7`, `7.0` and `"7"` are one case.

    JSON turns the keys of an object into text, and pandas turns whole numbers into floats beside
    a missing value; neither makes another case of it.
    """
    if isinstance(case_id, bool):
        return "true" if case_id else "false"
    if isinstance(case_id, float) and case_id.is_integer():
        return str(int(case_id))
    return str(case_id)


def named(ids: Iterable[object], total: int | None = None) -> str:
    """Return the first ten of some ids, as a message shows them."""
    listed = list(ids)
    first = ", ".join(shown(i) for i in listed[:NAMED])
    more = (len(listed) if total is None else total) - min(len(listed), NAMED)
    return f"{first} and {more} more" if more > 0 else first


@dataclass(frozen=True, eq=False)
class Channel:
    """One measured variable of every case.

    Attributes
    ----------
    values : float64 array of shape (n_values,)
        All series, one after another. NaN marks a missing value.
    offsets : int64 array of shape (n_cases + 1,)
        `values[offsets[i]:offsets[i + 1]]` is the series of case `i`.
    index : array of shape (n_values,), float64 or datetime64[ns], or None
        The time of each value, rising within a case, where the data had one.
    """

    values: FloatArray
    offsets: NDArray[np.int64]
    index: NDArray[np.float64] | NDArray[np.datetime64] | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 1 or self.values.dtype != np.float64:
            raise ValueError(f"values: a float64 vector expected, {self.values.dtype} found")
        rising = self.offsets.size > 0 and bool((np.diff(self.offsets) >= 0).all())
        if not rising or self.offsets[0] != 0 or self.offsets[-1] != self.values.size:
            raise ValueError("offsets: expected to rise from 0 to the number of values")
        if self.index is not None and self.index.shape != self.values.shape:
            raise ValueError("index: as many times as values expected")

    @classmethod
    def from_series(cls, series: Sequence[Sequence[float] | FloatArray]) -> Channel:
        """Join the series of the cases, in order, into one buffer."""
        arrays = [np.asarray(s, dtype=np.float64) for s in series]
        offsets = np.zeros(len(arrays) + 1, dtype=np.int64)
        np.cumsum([a.size for a in arrays], out=offsets[1:])
        return cls(np.concatenate(arrays) if arrays else np.empty(0), offsets)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The number of values of each case, int64 array of shape (n_cases,)."""
        return np.diff(self.offsets)

    @property
    def differs(self) -> bool:
        """Whether two cases hold different values, or different numbers of them."""
        others = range(1, self.offsets.size - 1)
        first = self.series(0)
        return any(not np.array_equal(first, self.series(k), equal_nan=True) for k in others)

    def series(self, position: int) -> FloatArray:
        """Return the series of the case at a position: a view, not a copy."""
        return self.values[self.offsets[position] : self.offsets[position + 1]]

    def take(self, positions: NDArray[np.intp]) -> Channel:
        """Return the channel of some of the cases, in the order asked for."""
        lengths = self.lengths[positions]
        offsets = np.zeros(positions.size + 1, dtype=np.int64)
        np.cumsum(lengths, out=offsets[1:])
        # The place of each kept value: its case's old start, plus how far into the new case it is.
        kept = np.repeat(self.offsets[:-1][positions] - offsets[:-1], lengths)
        kept += np.arange(offsets[-1])
        index = None if self.index is None else self.index[kept]
        return Channel(self.values[kept], offsets, index)


@dataclass(frozen=True, eq=False)
class Panel:
    """A collection of cases; each has an id and one series per channel.

    Attributes
    ----------
    ids : tuple of str, int, float or bool
        One id a case, distinct as `case_key` sees them, in the order of first appearance.
    channels : mapping of channel name to Channel
        All with the same number of cases.

    Raises
    ------
    DataError
        When two ids are the same, or there is no channel.
    """

    ids: tuple[CaseId, ...]
    channels: Mapping[str, Channel]

    def __post_init__(self) -> None:
        if not self.channels:
            raise DataError(
                "the data has no channel: at least one column of values is needed.",
                mend="Add a column of numbers beside the id.",
                field="raw_data",
            )
        for name, channel in self.channels.items():
            if channel.offsets.size != len(self.ids) + 1:
                raise ValueError(f"channel {name!r}: {len(self.ids)} cases expected")
        repeated = [key for key, count in Counter(self.keys).items() if count > 1]
        if repeated:
            raise DataError(
                f"more than one case has the same id: {named(repeated)}; "
                "ids are compared as text, so that 7 and '7' are one.",
                mend="Give each case an id of its own.",
                field="raw_data",
            )

    @classmethod
    def from_arrays(
        cls,
        values: FloatArray,
        ids: Sequence[CaseId] | None = None,
        channel_names: Sequence[str] | None = None,
    ) -> Panel:
        """Build a panel from cases of one length.

        Parameters
        ----------
        values : array of shape (n_cases, n_channels, n_timepoints) or (n_cases, n_timepoints)
        ids
            One a case; 0, 1, 2, ... when left out.
        channel_names
            One a channel; `"0"`, `"1"`, ... when left out.

        Raises
        ------
        DataError
            When the array has another number of dimensions, or the names do not fit it.
        """
        array = np.asarray(values, dtype=np.float64)
        array = array[:, np.newaxis, :] if array.ndim == 2 else array
        if array.ndim != 3:
            raise DataError(
                f"an array of {array.ndim} dimensions was found; "
                "(n_cases, n_channels, n_timepoints) is expected.",
                mend="Reshape it to three dimensions.",
                field="raw_data",
            )
        n_cases, n_channels, n_timepoints = array.shape
        names = [str(c) for c in range(n_channels)] if channel_names is None else channel_names
        if isinstance(names, str):
            raise DataError(
                f"channel_names is the text {shown(names)}; a list of names is expected.",
                mend=f"Write [{names[:100]!r}] for one channel.",
                field="channel_names",
            )
        case_ids = tuple(range(n_cases)) if ids is None else tuple(ids)
        if len(set(names)) != n_channels or len(case_ids) != n_cases:
            raise DataError(
                f"{len(set(names))} channel names and {len(case_ids)} ids were found "
                f"for an array of {n_channels} channels and {n_cases} cases.",
                mend="Give one distinct name a channel and one id a case.",
                field="raw_data",
            )
        offsets = np.arange(n_cases + 1, dtype=np.int64) * n_timepoints
        return cls(
            case_ids,
            {
                name: Channel(np.ascontiguousarray(array[:, c, :]).reshape(-1), offsets)
                for c, name in enumerate(names)
            },
        )

    @property
    def n_cases(self) -> int:
        """The number of cases."""
        return len(self.ids)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The ids as text, which is how they are matched to labels."""
        return tuple(case_key(i) for i in self.ids)

    def take(self, positions: Sequence[int] | NDArray[np.intp]) -> Panel:
        """Return a panel of the cases at some positions, in the order asked for."""
        at = np.asarray(positions, dtype=np.intp)
        return Panel(
            tuple(self.ids[p] for p in at),
            {name: channel.take(at) for name, channel in self.channels.items()},
        )

    def fingerprint(self) -> str:
        """Return the SHA-256 of ids, names, offsets, values and times, as `sha256:<hex>`.

        Labels are no part of a panel, and not of this.
        """
        digest = hashlib.sha256()
        for text in (*self.keys, "", *self.channels):
            digest.update(text.encode() + b"\0")
        for channel in self.channels.values():
            digest.update(channel.offsets.astype("<i8").tobytes())
            digest.update(channel.values.astype("<f8").tobytes())
            if channel.index is not None:
                digest.update(channel.index.dtype.str.encode() + channel.index.tobytes())
        return f"sha256:{digest.hexdigest()}"

    def require_usable(self, minimum: int = 2) -> None:
        """Refuse what no pipeline can learn from or answer for.

        Parameters
        ----------
        minimum
            The least number of finite values in each series.

        Raises
        ------
        DataError
            When there is no case, a value is infinite, or a series has too few finite values;
            the channel is named, and the first ten cases where not all of them are empty.
        """
        if not self.ids:
            raise DataError(
                "the data holds no case.", mend="Send at least one series.", field="raw_data"
            )
        for name, channel in self.channels.items():
            self._require_finite(name, channel)
            self._require_values(name, channel, minimum)

    def require_differing(self) -> None:
        """Refuse several cases of which all hold the same: no label could be told from them.

        Raises
        ------
        DataError
            When every channel has one and the same series in all cases.
        """
        if self.n_cases < 2 or any(channel.differs for channel in self.channels.values()):
            return
        raise DataError(
            f"all {self.n_cases} cases hold the same values: nothing tells one from another.",
            mend="Send series that differ between cases; look at column_id, and at what is "
            "exported.",
            field="raw_data",
        )

    def _require_finite(self, name: str, channel: Channel) -> None:
        infinite = np.flatnonzero(np.isinf(channel.values))
        if infinite.size:
            at = np.unique(np.searchsorted(channel.offsets, infinite, side="right") - 1)
            raise DataError(
                f"channel {name!r} holds {counted(int(infinite.size), 'infinite value')}, in cases "
                f"{named((self.ids[i] for i in at), at.size)}; finite numbers are expected.",
                mend="Leave the value out, or send null where it is missing.",
                field="raw_data",
            )

    def _require_values(self, name: str, channel: Channel, minimum: int) -> None:
        present = np.concatenate([[0], np.cumsum(~np.isnan(channel.values))])
        counts = np.diff(present[channel.offsets])
        short = np.flatnonzero(counts < minimum)
        if short.size == self.n_cases > 1 and not counts.any():
            raise DataError(
                f"channel {name!r} holds no value in any of {self.n_cases} series; at least "
                f"{minimum} in each are expected.",
                mend="Send its values; training can do without the channel, if it is left out.",
                field="raw_data",
            )
        if short.size:
            raise DataError(
                f"channel {name!r}: {short.size} of {self.n_cases} series hold fewer than "
                f"{minimum} values: cases {named((self.ids[i] for i in short), short.size)}, "
                f"the first with {counts[short[0]]}.",
                mend="Leave these cases out. If all series are this short, the id column may "
                "number the rows: name the column that tells the cases apart.",
                field="raw_data",
            )


def require_case_id(value: object, column: str, row: object, *, field: str = "raw_data") -> CaseId:
    """Return an id, or refuse what cannot be one.

    Raises
    ------
    DataError
        When the value is missing, not a number or text, or not finite.
    """
    if isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    found = "nothing" if value is None else shown(value)
    raise DataError(
        f"column {column!r} has {found} at row {row}; an id (text, a number or a boolean) "
        "is expected in every row.",
        mend="Give every row the id of its case, or leave the row out.",
        field=field,
    )
