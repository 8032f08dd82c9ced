"""The cases that were answered most wrongly, drawn as series."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from training.report.answered import Answered
from training.report.axes import WIDTH
from training.report.svg import Picture
from training.report.words import cut, number

FloatArray = NDArray[np.float64]

MOST_CASES = 12
MANY_CHANNELS = 24
"""From so many channels on fewer cases are drawn, and the channels have no names beside them."""
POINTS = 24_000
"""Of all lines of all cases."""
LEFT, RIGHT = 8.0, WIDTH - 8.0


@dataclass(frozen=True)
class WrongCase:
    """A case and what was answered, as the page tells it.

    Attributes
    ----------
    told
        Pairs of what is told and what it is.
    """

    told: tuple[tuple[str, str], ...]
    picture: Picture


@dataclass(frozen=True)
class _Line:
    """Where a series is drawn: its top and height, its range of values, the steps to the right."""

    top: float
    height: float
    extent: tuple[float, float]
    steps: int


def wrong_cases(answered: Answered) -> tuple[WrongCase, ...]:
    """Return the cases with the worst answers, the worst first; none that was answered rightly."""
    channels = answered.panel.channels
    most = MOST_CASES if len(channels) <= MANY_CHANNELS else MOST_CASES // 3
    rows = _worst(answered)[:most]
    points = max(POINTS // max(len(rows) * len(channels), 1), 16)
    return tuple(WrongCase(_told(answered, row), _series(answered, row, points)) for row in rows)


def _worst(answered: Answered) -> list[int]:
    """Return the rows by how far the answer is from the truth; of classes, only the wrong."""
    if answered.values is not None:
        errors = np.abs(answered.values - answered.truth)
        order = np.argsort(-errors, kind="stable")
        return [int(row) for row in order if errors[row] > 0]
    truth = answered.truth.astype(np.int64)
    order = np.argsort(answered.chances[np.arange(truth.size), truth], kind="stable")
    return [int(row) for row in order if answered.codes[row] != truth[row]]


def _told(answered: Answered, row: int) -> tuple[tuple[str, str], ...]:
    told = (
        ("case", cut(answered.panel.ids[answered.positions[row]], 60)),
        ("is", answered.told_truth(row)),
        ("answered", answered.told_answer(row)),
    )
    if answered.values is not None:
        return (*told, ("error", number(float(answered.values[row] - answered.truth[row]))))
    chances = answered.chances[row]
    of_truth = number(float(chances[int(answered.truth[row])]))
    said = f"{number(float(chances.max()))}, of the truth {of_truth}"
    return (*told, ("probability", said))


def _extent(values: FloatArray) -> tuple[float, float] | None:
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else None


def _series(answered: Answered, row: int, points: int) -> Picture:
    at = int(answered.positions[row])
    channels = answered.panel.channels
    is_named = len(channels) <= MANY_CHANNELS
    room = 13.0 if is_named else 1.0
    height = min(max(300.0 / len(channels), 20.0 if is_named else 5.0), 90.0)
    longest = max(int(channel.lengths[at]) for channel in channels.values())
    picture = Picture(
        f"Series of case {cut(answered.panel.ids[at], 60)}",
        f"{len(channels)} channels under each other, {longest} steps from left to right; "
        f"is {answered.told_truth(row)}, answered {answered.told_answer(row)}.",
        WIDTH,
        (height + room) * len(channels) + 18,
    )
    for position, (name, channel) in enumerate(channels.items()):
        top = 2 + (height + room) * position
        values = channel.series(at)
        extent = _extent(values)
        if is_named:
            told = "no value" if extent is None else " to ".join(map(number, extent))
            picture.text("label", LEFT, top + 9, cut(name, 28))
            picture.text("tick end", RIGHT, top + 9, told)
        line = _Line(top + room, height, extent or (0.0, 1.0), longest)
        _draw_series(picture, line, values, points)
    bottom = picture.height - 4
    picture.text("tick", LEFT, bottom, "0")
    picture.text("tick end", RIGHT, bottom, f"{longest} steps")
    return picture


def _draw_series(picture: Picture, line: _Line, values: FloatArray, points: int) -> None:
    top, height = line.top, line.height
    picture.line("grid", LEFT, top + height, RIGHT, top + height)
    steps, kept = _thinned(values, points)
    low, high = line.extent
    # Halved before they are subtracted: the largest floats differ by more than a float holds.
    span = high / 2 - low / 2
    share = (kept / 2 - low / 2) / span if span > 0 else np.where(np.isfinite(kept), 0.5, np.nan)
    xs = LEFT + (RIGHT - LEFT) * steps / max(line.steps - 1, 1)
    ys = top + height - 1 - (height - 2) * share
    picture.curve("series", list(xs), list(ys))
    lonely = np.isfinite(ys) & ~_beside(np.isfinite(ys))
    picture.dots("small-mark", xs[lonely], ys[lonely])


def _beside(there: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell of each value whether one beside it is there too."""
    padded = np.concatenate([[False], there, [False]])
    beside: NDArray[np.bool_] = padded[:-2] | padded[2:]
    return beside


def _thinned(values: FloatArray, points: int) -> tuple[FloatArray, FloatArray]:
    """Return steps and values of about so many points that look as all of them do.

    Of each stretch of the series the least and the largest value are kept, in their order; a
    stretch without any value is a gap.
    """
    if values.size <= points:
        return np.arange(values.size, dtype=np.float64), np.where(
            np.isfinite(values), values, np.nan
        )
    edges = np.linspace(0, values.size, points // 2 + 1).astype(int)
    steps: list[int] = []
    for start, stop in pairwise(edges.tolist()):
        finite = start + np.flatnonzero(np.isfinite(values[start:stop]))
        if not finite.size:
            steps.append(int(start))
            continue
        ends = {int(finite[values[finite].argmin()]), int(finite[values[finite].argmax()])}
        steps.extend(sorted(ends))
    kept = values[steps]
    return np.array(steps, dtype=np.float64), np.where(np.isfinite(kept), kept, np.nan)
