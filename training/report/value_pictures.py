"""What was answered for numbers, as pictures: predicted against true, and residuals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.report.answered import Answered
from training.report.axes import WIDTH, framed
from training.report.figure import Figure
from training.report.svg import Picture
from training.report.words import number

FloatArray = NDArray[np.float64]

MOST_DOTS = 2000


def predicted_against_true(answered: Answered) -> Figure | None:
    """Return the values answered over the true values."""
    if answered.values is None:
        return None
    truth, values = answered.truth.astype(np.float64), answered.values
    picture = Picture(
        "Predicted against true",
        f"True values from {number(truth.min())} to {number(truth.max())}, answers from "
        f"{number(values.min())} to {number(values.max())}.",
        WIDTH,
        330,
    )
    both = np.concatenate([truth, values])
    frame = framed(picture, both, both)
    frame.draw(picture, "true", "predicted")
    picture.line("ideal", frame.x.start, frame.y.start, frame.x.end, frame.y.end)
    shown = _some(values - truth)
    picture.dots("point", frame.x.places(truth[shown]), frame.y.places(values[shown]))
    said = f"On {answered.how}; on the dashed line the answer is true." + _left_out(values, shown)
    return Figure("Predicted against true", said, picture)


def residuals(answered: Answered) -> Figure | None:
    """Return the errors over the values answered, and their quantiles."""
    if answered.values is None:
        return None
    errors = answered.values - answered.truth.astype(np.float64)
    picture = Picture(
        "Residuals",
        f"Predicted less true, from {number(errors.min())} to {number(errors.max())}; half of "
        f"them are above {number(float(np.median(errors)))}.",
        WIDTH,
        330,
    )
    frame = framed(picture, answered.values, np.append(errors, 0.0))
    frame.draw(picture, "predicted", "predicted less true")
    zero = frame.y.place(0.0)
    picture.line("ideal", frame.x.start, zero, frame.x.end, zero)
    shown = _some(errors)
    picture.dots("point", frame.x.places(answered.values[shown]), frame.y.places(errors[shown]))
    shares = (0.05, 0.25, 0.5, 0.75, 0.95)
    rows = tuple(
        (f"{share:.0%}", number(float(value)))
        for share, value in zip(shares, np.quantile(errors, shares), strict=True)
    )
    said = f"On {answered.how}." + _left_out(errors, shown)
    return Figure("Residuals", said, picture, ("of the cases", "have a residual below"), rows)


def _some(errors: FloatArray) -> NDArray[np.intp]:
    """Return the positions of at most so many, evenly spread by error, the largest among them."""
    order = np.argsort(np.abs(errors), kind="stable")
    at = np.linspace(0, errors.size - 1, min(errors.size, MOST_DOTS)).round().astype(np.intp)
    return order[np.unique(at)]


def _left_out(values: FloatArray, shown: NDArray[np.intp]) -> str:
    return f" Drawn are {shown.size} of them." if shown.size < values.size else ""
