"""The parts of the page: a picture with the same in figures, and bars beside their names."""

from __future__ import annotations

from dataclasses import dataclass

from training.report.svg import Picture


@dataclass(frozen=True)
class Figure:
    """A picture, what it shows, and a table of the same.

    Attributes
    ----------
    title, said
        The heading, and what is to be seen.
    picture
        None where there is only a table.
    heads, rows
        The table; empty for none.
    table_title
        What the table tells; or "".
    is_wide
        Whether the picture takes the whole width of the page.
    """

    title: str
    said: str
    picture: Picture | None
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    table_title: str = ""
    is_wide: bool = False


@dataclass(frozen=True)
class Bar:
    """A row of bars.

    Attributes
    ----------
    share : float
        The length, 0 to 1; below zero the bar is drawn as one of the other kind.
    shown
        The number beside it.
    spread : float
        Of the same unit as the share: how far the number varied to either side.
    """

    label: str
    share: float
    shown: str
    spread: float = 0.0


@dataclass(frozen=True)
class Bars:
    """Bars under each other: a table and a picture at once."""

    title: str
    said: str
    bars: tuple[Bar, ...]
    label_head: str
    value_head: str
