"""Axes: where a number stands in a picture, and the frame that says so."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.report.svg import Picture
from training.report.words import tick

FloatArray = NDArray[np.float64]

WIDTH = 360
"""Of a picture: a phone's, so that its letters can be read there; larger screens draw it larger."""
EVERYWHERE = (-math.inf, math.inf)
LEAST_SPAN = 1e-5
"""Of their size, by which values have to differ to be drawn apart: numbers of an axis have six
digits."""


@dataclass(frozen=True)
class Axis:
    """A straight scale.

    Attributes
    ----------
    low, high : float
        The numbers at its ends.
    start, end : float
        Where these stand in the picture.
    """

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def around(
        cls,
        values: ArrayLike,
        start: float,
        end: float,
        pad: float = 0.04,
        *,
        within: tuple[float, float] = EVERYWHERE,
    ) -> Axis:
        """Return an axis that shows all finite values, with a little room at its ends.

        Parameters
        ----------
        within
            What values can be at all: the axis ends there.
        """
        given = np.asarray(values, dtype=np.float64).reshape(-1)
        given = given[np.isfinite(given)]
        low, high = (float(given.min()), float(given.max())) if given.size else (0.0, 1.0)
        # Halved before they are subtracted: the largest floats differ by more than a float holds.
        span = 2.0 * min(high / 2 - low / 2, 1e307)
        size = max(abs(low), abs(high))
        room = span * pad if span > LEAST_SPAN * size else max(size * 0.1, 1e-9)
        least, most = within
        return cls(max(_bounded(low - room), least), min(_bounded(high + room), most), start, end)

    def places(self, values: ArrayLike) -> FloatArray:
        """Return where values stand; those beyond an end stand at it, and NaN stays NaN."""
        given = np.clip(np.asarray(values, dtype=np.float64), self.low, self.high)
        share = (given / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        places: FloatArray = self.start + share * (self.end - self.start)
        return places

    def place(self, value: float) -> float:
        """Return where one value stands."""
        return float(self.places(value))

    def ticks(self, most: int = 5) -> list[float]:
        """Return round numbers between the ends, at most so many and one."""
        span = self.high / 2 - self.low / 2
        step = 10.0 ** math.floor(math.log10(span * 2 / most)) if span > 0 else 1.0
        while span * 2 / step > most:
            step *= 2.5 if f"{step:e}".startswith("2") else 2.0
        first = math.ceil(self.low / step)
        last = math.floor(self.high / step)
        return [round(n * step, 12) if step > 1e-9 else n * step for n in range(first, last + 1)]


def _bounded(value: float) -> float:
    return min(max(value, -1.7e308), 1.7e308)


@dataclass(frozen=True)
class Frame:
    """Two axes at right angles in a picture, drawn by `draw`.

    Attributes
    ----------
    x, y
        The axes; that of `y` starts below.
    """

    x: Axis
    y: Axis

    def draw(self, picture: Picture, x_name: str, y_name: str, *, n_x: int = 5) -> None:
        """Draw grid, numbers and names."""
        left, right = self.x.start, self.x.end
        bottom, top = self.y.start, self.y.end
        for value in self.y.ticks():
            y = self.y.place(value)
            picture.line("grid", left, y, right, y)
            picture.text("tick end", left - 5, y + 3.5, tick(value))
        for value in self.x.ticks(n_x):
            x = self.x.place(value)
            picture.line("grid", x, bottom, x, top)
            picture.text("tick middle", x, bottom + 14, tick(value))
        picture.text("name middle", (left + right) / 2, bottom + 29, x_name)
        picture.text("name", 4, top - 8, y_name)


def framed(picture: Picture, xs: ArrayLike, ys: ArrayLike, pad: float = 0.04) -> Frame:
    """Return the frame for some values, which fills a picture but for names and numbers."""
    x = Axis.around(xs, 54, picture.width - 10, pad)
    return Frame(x, Axis.around(ys, picture.height - 36, 22, pad))


def unit_frame(picture: Picture) -> Frame:
    """Return the frame of two shares, each from 0 to 1."""
    x = Axis(0.0, 1.0, 54, picture.width - 10)
    return Frame(x, Axis(0.0, 1.0, picture.height - 36, 22))
