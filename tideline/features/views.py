"""Views: the series that features are computed from, where it is not the channel itself.

A view is the first difference or the amplitude spectrum of a series, or a part of one of them.
Intervals of a dyadic split, of the series and of its derived forms, are what QUANT takes its
quantiles of (Dempster, Schmidt and Webb 2024); features of tsfresh gain as much by them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from tideline.features.batch import Batch

Form = Literal["series", "difference", "spectrum"]
FORMS: tuple[Form, ...] = get_args(Form)
FINEST = 1024
"""The most parts that a series is split into."""


@dataclass(frozen=True)
class View:
    """What is done to a series before a calculator sees it.

    Attributes
    ----------
    form
        `series` as it is, its first `difference`, or its amplitude `spectrum`: the absolute
        values of the discrete Fourier transform, as many as half the length.
    start, stop, parts
        The interval: from `start / parts` up to `stop / parts` of that. Of n values these are
        those from `n * start // parts` up to, and without, `n * stop // parts`.
    """

    form: Form = "series"
    start: int = 0
    stop: int = 1
    parts: int = 1

    def __post_init__(self) -> None:
        numbers = (self.start, self.stop, self.parts)
        whole = all(type(number) is int for number in numbers)
        if self.form not in FORMS or not whole or not 0 <= self.start < self.stop <= self.parts:
            raise ValueError(f"{self!r} is no view")
        if self.parts > FINEST:
            raise ValueError(f"{self.parts} parts; at most {FINEST} are taken")

    @property
    def is_plain(self) -> bool:
        """Whether the view is the series itself."""
        return self == PLAIN

    @property
    def suffix(self) -> str:
        """What the name of the channel is followed by, as in `x|difference|1:3/8`."""
        form = "" if self.form == "series" else f"|{self.form}"
        whole = self.start == 0 and self.stop == self.parts
        return form if whole else f"{form}|{self.start}:{self.stop}/{self.parts}"

    def of(self, batch: Batch) -> Batch:
        """Return the batch of what the view leaves of each series; it may leave nothing."""
        if self.is_plain:
            return batch
        whole = batch
        if self.form == "difference":
            whole = batch.difference
        elif self.form == "spectrum":
            whole = batch.amplitudes
        if self.start == 0 and self.stop == self.parts:
            return whole
        starts = whole.offsets[:-1] + whole.lengths * self.start // self.parts
        stops = whole.offsets[:-1] + whole.lengths * self.stop // self.parts
        return whole.between(starts, stops)

    def to_json(self) -> list[Any]:
        """Return the view as JSON knows it."""
        return [self.form, self.start, self.stop, self.parts]


PLAIN = View()
"""The series as it is."""


def dyadic(forms: tuple[Form, ...] = FORMS, depth: int = 3) -> Iterator[View]:
    """Yield the views of a dyadic split of each form: halves, quarters, and so on.

    Parameters
    ----------
    forms
        What is split.
    depth
        How often: at depth d there are 2^d parts, and the 2^d - 1 parts that lie half a part
        further on. Depth 0 is the whole.
    """
    for form in forms:
        for level in range(depth + 1):
            parts = 2**level
            yield from (View(form, part, part + 1, parts) for part in range(parts))
            yield from (View(form, 2 * p + 1, 2 * p + 3, 2 * parts) for p in range(parts - 1))
