"""Pictures as inline SVG: shapes with classes, whose colours are the style sheet's.

Nothing but numbers and escaped text gets into a picture. Many points or cells of one kind are one
path, so that a picture stays small whatever is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Attribute = str | float


class Picture:
    """A picture that grows by shapes.

    Parameters
    ----------
    title, description
        What is seen, in words: for those who do not see it.
    width, height
        In units that are pixels where the picture has its own width.
    """

    def __init__(self, title: str, description: str, width: float, height: float) -> None:
        self.title = title
        self.description = description
        self.width = width
        self.height = height
        self._shapes: list[Markup] = []

    def add(self, tag: str, css_class: str, text: str | None = None, **at: Attribute) -> None:
        """Add an element; `x_1` stands for the attribute `x-1`."""
        attributes = Markup("").join(
            Markup(' {}="{}"').format(name.replace("_", "-"), _told(value))
            for name, value in {"class": css_class, **at}.items()
        )
        # The names of elements and attributes are the program's own.
        end = Markup("/>") if text is None else Markup(">{}</{}>").format(text, tag)
        self._shapes.append(Markup("<{}{}{}").format(tag, attributes, end))

    def text(self, css_class: str, x: float, y: float, text: str) -> None:
        """Write a text; `end`, `middle` and `start` among the classes say where it stands."""
        self.add("text", css_class, text, x=x, y=y)

    def line(self, css_class: str, x1: float, y1: float, x2: float, y2: float) -> None:
        """Draw a straight line."""
        self.add("path", css_class, d=f"M{_told(x1)} {_told(y1)}L{_told(x2)} {_told(y2)}")

    def box(self, css_class: str, x: float, y: float, width: float, height: float) -> None:
        """Draw a rectangle."""
        self.add("rect", css_class, x=x, y=y, width=max(width, 0.0), height=max(height, 0.0))

    def dots(self, css_class: str, xs: Iterable[float], ys: Iterable[float]) -> None:
        """Draw points as one path: lines of no length with round ends."""
        path = "".join(f"M{_told(x)} {_told(y)}h0" for x, y in zip(xs, ys, strict=True))
        if path:
            self.add("path", f"dots {css_class}", d=path)

    def curve(self, css_class: str, xs: Sequence[float], ys: Sequence[float]) -> None:
        """Draw a line through points; it is broken where one is not finite."""
        path, pen = [], "M"
        for x, y in zip(xs, ys, strict=True):
            if not (np.isfinite(x) and np.isfinite(y)):
                pen = "M"
                continue
            path.append(f"{pen}{_told(x)} {_told(y)}")
            pen = "L"
        if path:
            self.add("path", f"curve {css_class}", d="".join(path))

    def cells(self, css_class: str, corners: Iterable[tuple[float, float]], size: float) -> None:
        """Draw squares of one size as one path."""
        side = _told(size)
        path = "".join(f"M{_told(x)} {_told(y)}h{side}v{side}h-{side}z" for x, y in corners)
        if path:
            self.add("path", css_class, d=path)

    def markup(self, name: str) -> Markup:
        """Return the element; its name is its own on the page."""
        opening = Markup(
            '<svg viewBox="0 0 {0} {1}" role="img" aria-labelledby="{2}t {2}d">'
            '<title id="{2}t">{3}</title><desc id="{2}d">{4}</desc>'
        ).format(_told(self.width), _told(self.height), name, self.title, self.description)
        return opening + Markup("").join(self._shapes) + Markup("</svg>")


def _told(value: Attribute) -> str:
    if isinstance(value, str):
        return value
    if not np.isfinite(value):
        raise ValueError(f"a place in a picture is {value}; a finite number expected")
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
