"""What the search has tried, as pictures: by type of model, over time, and what failed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from training.ranges import range_of
from training.report.axes import WIDTH, Axis, Frame
from training.report.figure import Bar, Bars, Figure
from training.report.svg import Picture
from training.report.words import cut, metric_name, number, tick
from training.trial import Trial

FloatArray = NDArray[np.float64]

MOST_TYPES = 20
MOST_DOTS = 300
"""Dots of one type of model; where there are more, some are left out and the box tells of all."""
MOST_TIMES = 1500
MOST_REASONS = 15
ROW = 36


def by_model_type(trials: Sequence[Trial], metric: str) -> list[Figure]:
    """Return the scores of all pipelines by type of model; for classes by their AUC as well."""
    figures = [_strip(trials, metric, lambda trial: trial.value)]
    if metric not in {"roc_auc", "roc_auc_ovr"} and any("roc_auc" in t.metrics for t in trials):
        figures.append(_strip(trials, "roc_auc", lambda t: t.metrics.get("roc_auc", np.nan)))
    return [figure for figure in figures if figure is not None]


def over_time(trials: Sequence[Trial], metric: str) -> Figure | None:
    """Return the score of each pipeline when it was known, and the best so far."""
    known = sorted((t for t in trials if np.isfinite(t.value)), key=lambda t: t.at)
    if not known:
        return None
    name = metric_name(metric)
    at = np.array([t.at for t in known])
    values = np.array([t.value for t in known])
    best = np.maximum.accumulate(values)
    picture = Picture(
        f"{name} over time",
        f"After {tick(at[0])} s the best {name} was {number(best[0])}; after {tick(at[-1])} s it "
        f"was {number(best[-1])}.",
        WIDTH,
        260,
    )
    low, below = _floor(values)
    y = Axis.around([low, values.max()], picture.height - 36, 22, within=range_of(metric))
    frame = Frame(Axis.around([0.0, at.max()], 54, WIDTH - 10, 0.0), y)
    frame.draw(picture, "seconds since the start", name)
    shown = _some(len(known), MOST_TIMES)
    picture.dots("other", frame.x.places(at[shown]), y.places(values[shown]))
    steps = np.flatnonzero(np.diff(best, prepend=-np.inf) > 0)
    xs = [*np.repeat(frame.x.places(at[steps]), 2)[1:], frame.x.end]
    picture.curve("best", xs, list(np.repeat(y.places(best[steps]), 2)))
    rows = tuple(
        (f"{at[i]:.1f} s", number(best[i]), cut(known[i].model_type, 60)) for i in steps[-12:]
    )
    said = "Each dot is a pipeline, the line the best so far." + _below(below)
    return Figure(
        "Score over time", said, picture, ("after", name, "by"), rows, "When the best became better"
    )


def failures(trials: Sequence[Trial]) -> Bars | None:
    """Return how many pipelines failed, by reason, the most frequent first."""
    reasons = Counter(cut(t.failure, 200) for t in trials if t.failure is not None)
    if not reasons:
        return None
    common = reasons.most_common(MOST_REASONS)
    rest = len(reasons) - len(common)
    n_failed = sum(reasons.values())
    said = f"{n_failed} of {len(trials)} pipelines have no score."
    if rest:
        left = n_failed - sum(count for _, count in common)
        said += f" Not shown: {rest} more reasons, with {left} failures."
    most = common[0][1]
    bars = tuple(Bar(reason, count / most, str(count)) for reason, count in common)
    return Bars("Failures by reason", said, bars, "reason", "failures")


def _strip(
    trials: Sequence[Trial], metric: str, value_of: Callable[[Trial], float]
) -> Figure | None:
    groups: dict[str, list[float]] = defaultdict(list)
    for trial in trials:
        if trial.failure is None and np.isfinite(value_of(trial)):
            groups[trial.model_type].append(value_of(trial))
    if not groups:
        return None
    ranked = sorted(groups.items(), key=lambda group: -max(group[1]))
    shown = [(name, np.array(values)) for name, values in ranked[:MOST_TYPES]]
    name = metric_name(metric)
    everything = np.concatenate([values for _, values in shown])
    low, below = _floor(everything)
    height = 16 + ROW * len(shown) + 36
    picture = Picture(
        f"{name} by type of model",
        f"The best is {cut(shown[0][0], 60)} with {number(everything.max())}; the table beside "
        "tells the best and the median of each.",
        WIDTH,
        height,
    )
    axis = Axis.around([low, everything.max()], 14, WIDTH - 14, within=range_of(metric))
    for value in axis.ticks():
        x = axis.place(value)
        picture.line("grid", x, 8, x, height - 36)
        picture.text("tick middle", x, height - 22, tick(value))
    picture.text("name middle", WIDTH / 2, height - 6, f"{name}, of all folds together")
    for row, (kind, values) in enumerate(shown):
        _draw_row(picture, axis, 16 + ROW * row, kind, values, is_best=row == 0)
    said = "Every pipeline that the search has scored; the box holds the middle half, the line "
    said += "in it is the median, and the best of all is marked." + _below(below)
    if len(groups) > len(shown):
        said += f" Not shown: {len(groups) - len(shown)} more types, which did worse."
    rows = tuple(
        (cut(kind, 60), str(v.size), number(v.max()), number(float(np.median(v))))
        for kind, v in shown
    )
    heads = ("type of model", "pipelines", f"best {name}", "median")
    return Figure(f"{name} by type of model", said, picture, heads, rows)


def _draw_row(
    picture: Picture, axis: Axis, top: float, kind: str, values: FloatArray, *, is_best: bool
) -> None:
    picture.text("label", 14, top + 8, cut(kind, 38))
    picture.text("tick end", WIDTH - 14, top + 8, number(float(values.max())))
    middle = top + 21
    quarter, half, three = axis.places(np.quantile(values, [0.25, 0.5, 0.75]))
    picture.line(
        "whisker", axis.place(float(values.min())), middle, axis.place(values.max()), middle
    )
    picture.box("box", quarter, middle - 7, three - quarter, 14)
    picture.line("median", half, middle - 7, half, middle + 7)
    ordered = np.sort(values)[_some(values.size, MOST_DOTS)]
    # Dots that would lie on each other stand at several heights, the same in every drawing.
    heights = middle + (np.arange(ordered.size) * 5 % 9 - 4.0) * (ordered.size > 3)
    picture.dots("other", axis.places(ordered), heights)
    if is_best:
        x = axis.place(float(values.max()))
        picture.add("path", "star", d=f"M{x:.1f} {middle - 7:.1f}l5 7l-5 7l-5-7z")


def _floor(values: FloatArray) -> tuple[float, int]:
    """Return where an axis begins so that a few failures do not press all else together.

    And how many values are below that; they are drawn at its end.
    """
    high = float(values.max())
    quarter, half = np.quantile(values, [0.25, 0.5])
    spread = max(high - float(half), (high - float(quarter)) / 2, 1e-12)
    low = max(float(values.min()), high - 6 * spread)
    return low, int((values < low).sum())


def _below(n: int) -> str:
    return f" {n} worse than the axis shows stand at its end." if n else ""


def _some(n: int, most: int) -> NDArray[np.intp]:
    """Return the positions of at most so many of n, evenly spread, with first and last."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.intp))
