"""The `.ts` format of sktime and aeon: a header of `@` directives, then one case a line.

A line holds one series a dimension, separated by colons, and the label last, where the header
announces one: `0.1,0.2,?:3.0,4.0:walking`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tideline.errors import DataError
from tideline.labels import Label, Labels, Task
from tideline.panel import Channel, Panel
from tideline.readers.arrow_column import numbers_of_text
from tideline.readers.reading import Reading
from tideline.wording import shown

MISSING = "?"


@dataclass(frozen=True)
class _Header:
    """What the directives say that decides how a line is read.

    Attributes
    ----------
    dimensions
        How many series a case has, where the header says.
    target : bool
        Whether the label is a number to predict (`@targetLabel`).
    labelled : bool
        Whether each line ends in a label (`@targetLabel` or `@classLabel`).
    classes : frozenset of str
        The labels that are announced; empty where any is welcome.
    """

    dimensions: int | None
    labelled: bool
    target: bool
    classes: frozenset[str]

    @property
    def task(self) -> Task:
        """What its labels are."""
        return "regression" if self.target else "classification"


def read_ts(text: str, field: str) -> Reading:
    """Return the panel and the labels of a `.ts` file.

    Cases are numbered 0, 1, 2, ... and channels are named "0", "1", ..., as `Panel.from_arrays`
    names them. Class labels are text; targets are floats.

    Raises
    ------
    DataError
        When the header is unsound, or a line does not fit it; the line's number is told.
    """
    lines = _lines(text)
    header = _header(lines, field)
    cases = [(number, [part.strip() for part in line.split(":")]) for number, line in lines]
    n_parts = _n_parts(header, cases, field)
    n_channels = n_parts - header.labelled
    channels = {
        str(c): _channel([(number, parts[c]) for number, parts in cases], str(c), field)
        for c in range(n_channels)
    }
    ids = tuple(range(len(cases)))
    panel = Panel(ids, channels)
    if not header.labelled:
        return Reading(panel)
    labels = tuple(_label(number, parts[-1], header, field) for number, parts in cases)
    return Reading(panel, Labels(ids, labels), header.task)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that say something, with their numbers."""
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        if stripped and stripped[0] not in "#%":
            yield number, stripped


def _header(lines: Iterator[tuple[int, str]], field: str) -> _Header:
    """Consume the directives, up to `@data`."""
    said: dict[str, list[str]] = {}
    for number, line in lines:
        word, *rest = line.split()
        if not word.startswith("@"):
            raise _refusal(f"line {number} holds {shown(line)} before @data", field)
        if word.lower() == "@data":
            return _read_header(said, field)
        said[word.lower()[1:]] = rest
    raise _refusal("it has no @data line", field)


def _read_header(said: dict[str, list[str]], field: str) -> _Header:
    if _flag(said, "timestamps", field):
        raise _refusal("it has time stamps (@timeStamps true), which are not read", field)
    target, labelled = (_flag(said, word, field) for word in ("targetlabel", "classlabel"))
    classes = frozenset(said.get("classlabel", [])[1:]) if labelled else frozenset()
    dimensions = said.get("dimensions", said.get("dimension", []))
    if dimensions and not dimensions[0].isdecimal():
        raise _refusal(f"@dimensions is {shown(dimensions[0])}; a whole number is expected", field)
    expected = int(dimensions[0]) if dimensions else None
    if expected is None and _flag(said, "univariate", field):
        expected = 1
    return _Header(expected, target or labelled, target, classes)


def _flag(said: dict[str, list[str]], name: str, field: str) -> bool:
    value = said.get(name, ["false"])
    if not value or value[0].lower() not in ("true", "false"):
        raise _refusal(f"@{name} is {shown(' '.join(value))}; true or false is expected", field)
    return value[0].lower() == "true"


def _n_parts(header: _Header, cases: Sequence[tuple[int, list[str]]], field: str) -> int:
    """Return into how many parts colons cut every line."""
    if not cases:
        raise _refusal("no case follows its @data line", field)
    n_parts = len(cases[0][1])
    if header.dimensions is not None:
        n_parts = header.dimensions + header.labelled
    for number, parts in cases:
        if len(parts) != n_parts:
            raise _refusal(
                f"line {number} has {len(parts)} parts between colons, and {n_parts} are expected "
                f"({n_parts - header.labelled} series{' and a label' * header.labelled})",
                field,
            )
    if n_parts == header.labelled:
        raise _refusal("its lines hold a label and no series", field)
    return n_parts


def _channel(series: Sequence[tuple[int, str]], name: str, field: str) -> Channel:
    """Return a channel from the text of its series, each with its line's number."""
    cut = [text.split(",") if text else [] for _, text in series]
    offsets = np.zeros(len(cut) + 1, dtype=np.int64)
    np.cumsum([len(values) for values in cut], out=offsets[1:])
    texts = ["" if text.strip() == MISSING else text for values in cut for text in values]
    values, unfit = numbers_of_text(pa.array(texts, pa.large_string()))
    if unfit is not None:
        case = int(np.searchsorted(offsets, unfit, side="right")) - 1
        raise DataError(
            f"line {series[case][0]}, channel {name!r}, case {case} holds {shown(texts[unfit])}; "
            "a number is expected, or ? where it is missing.",
            mend="Write the value as a number.",
            field=field,
        )
    return Channel(values, offsets)


def _label(number: int, text: str, header: _Header, field: str) -> Label:
    if header.target:
        value, unfit = numbers_of_text(pa.array([text]))
        if unfit is None and math.isfinite(value[0]):
            return float(value[0])
        raise _refusal(f"line {number} ends in {shown(text)}; a number is expected", field)
    if not text or text == MISSING or (header.classes and text not in header.classes):
        announced = f": one of {shown(sorted(header.classes))}" if header.classes else ""
        raise _refusal(
            f"line {number} ends in {shown(text)}; a class{announced} is expected", field
        )
    return text


def _refusal(reason: str, field: str) -> DataError:
    return DataError(
        f"{field} is not a sound .ts file: {reason}.",
        mend="Write the directives, @data, then one case a line: series and label between colons.",
        field=field,
    )
