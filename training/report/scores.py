"""The three scores of a model, each named for what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tideline.labels import Task
from tideline.model import Metrics, ScoreCard
from tideline.wording import counted
from training.ranges import FALLING, range_of
from training.report.axes import WIDTH, Axis
from training.report.svg import Picture
from training.report.words import cut, metric_name, number, tick
from training.scoring import OWN_METRICS
from training.verdict import MAJORITY, unbeaten

_KNOWN: Mapping[Task, tuple[str, ...]] = {
    "classification": ("accuracy", "roc_auc", "log_loss", "brier"),
    "regression": ("r2", "mae", "rmse"),
}
_MAJORITY: Mapping[Task, str] = {"classification": "majority class", "regression": "mean"}


@dataclass(frozen=True)
class ThreeScores:
    """The scores as the page tells them.

    Attributes
    ----------
    metric
        Of the three large figures.
    held_out, interval, held_out_name
        The score to trust, its interval, and how the cases were spared; a dash where none were.
    cross_validation
        The score of the search.
    baselines : tuple of (name, score)
    picture
        The three on one axis; None where there is nothing to compare.
    heads, rows
        Every metric, as a table.
    is_weak
        Whether the baselines do as well.
    unbeaten
        Each of these with its score and the model's, in words.
    note
        Why a score is missing, or weak; or "".
    """

    metric: str
    held_out: str
    interval: str
    held_out_name: str
    cross_validation: str
    baselines: tuple[tuple[str, str], ...]
    picture: Picture | None
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    is_weak: bool
    unbeaten: tuple[str, ...]
    note: str

    @classmethod
    def of(cls, card: ScoreCard, task: Task, raised: str) -> ThreeScores:
        """Return the scores of a model.

        Parameters
        ----------
        raised
            What the search raised, under scikit-learn's name.
        """
        metric = _main_metric(card, task, raised)
        simple = _simple(card, task)
        low_high = (card.held_out_interval or {}).get(metric)
        return cls(
            metric_name(metric),
            _of(card.held_out, metric),
            "" if low_high is None else f"{number(low_high[0])} to {number(low_high[1])}",
            _spared(card),
            _of(card.cross_validation, metric),
            tuple((name, _of(scores, metric)) for name, scores in simple.items()),
            _picture(card, metric, simple),
            ("", "this model", "95 % interval", *simple, "search, optimistic"),
            _rows(card, task, simple),
            card.beats_baselines is False,
            _unbeaten(card, task, raised),
            cut(card.note or "", 1000),
        )


def _main_metric(card: ScoreCard, task: Task, raised: str) -> str:
    wanted, _ = OWN_METRICS.get(raised, (raised, 1))
    told = card.held_out or card.cross_validation or {}
    return wanted if wanted in told else next((m for m in _KNOWN[task] if m in told), wanted)


def _simple(card: ScoreCard, task: Task) -> dict[str, Metrics]:
    majority = {} if card.majority is None else {_MAJORITY[task]: card.majority}
    return {**majority, **{cut(name, 40): m for name, m in (card.baselines or {}).items()}}


def _unbeaten(card: ScoreCard, task: Task, raised: str) -> tuple[str, ...]:
    majority = {} if card.majority is None else {MAJORITY: card.majority}
    found = unbeaten(card.held_out or {}, {**majority, **(card.baselines or {})}, raised, task)
    return tuple(
        f"{_MAJORITY[task] if lost.baseline == MAJORITY else cut(lost.baseline, 40)} has "
        f"{metric_name(lost.metric)} {number(lost.theirs)}, this model {number(lost.ours)}"
        for lost in found
    )


def _spared(card: ScoreCard) -> str:
    if not card.n_held_out:
        return "no cases were spared for it"
    cases = counted(card.n_held_out, "case")
    if card.held_out_by == "outer folds":
        return f"{cases} in outer folds, each answered by a search that had not seen it"
    return f"{cases} held out, which neither search nor fit had seen"


def _rows(
    card: ScoreCard, task: Task, simple: Mapping[str, Metrics]
) -> tuple[tuple[str, ...], ...]:
    told = {m for scores in (card.held_out, card.cross_validation) for m in scores or {}}
    # The metric that the spec names comes first, where it is none of those that are always told.
    ordered = sorted(told - set(_KNOWN[task])) + [m for m in _KNOWN[task] if m in told]
    rows = []
    for metric in ordered:
        low_high = (card.held_out_interval or {}).get(metric)
        interval = "" if low_high is None else " to ".join(map(number, low_high))
        beside = [_of(scores, metric) for scores in simple.values()]
        name = metric_name(metric) + ("\N{NO-BREAK SPACE}↓" if metric in FALLING else "")
        crossed = _of(card.cross_validation, metric)
        rows.append((name, _of(card.held_out, metric), interval, *beside, crossed))
    return tuple(rows)


def _picture(card: ScoreCard, metric: str, simple: Mapping[str, Metrics]) -> Picture | None:
    value = (card.held_out or {}).get(metric)
    low_high = (card.held_out_interval or {}).get(metric)
    marks = [
        ("search, optimistic", (card.cross_validation or {}).get(metric), "crossed"),
        *((name, scores.get(metric), "simple") for name, scores in simple.items()),
    ]
    shown = [(name, score, css) for name, score, css in marks if score is not None]
    if value is None or not shown:
        return None
    rows = [("this model", value, "own"), *shown]
    picture = Picture(
        f"{metric_name(metric)} of the model, the search and the baselines",
        "; ".join(f"{name} {number(score)}" for name, score, _ in rows),
        WIDTH,
        26 * len(rows) + 30,
    )
    extent = [score for _, score, _ in rows] + list(low_high or ())
    axis = Axis.around(extent, 128, WIDTH - 14, 0.06, within=range_of(metric))
    bottom = picture.height - 22
    for at in axis.ticks():
        picture.line("grid", axis.place(at), 4, axis.place(at), bottom)
        picture.text("tick middle", axis.place(at), bottom + 14, tick(at))
    for row, (name, score, css) in enumerate(rows):
        y = 18 + 26 * row
        picture.text("label end", 120, y + 4, cut(name, 20))
        if css == "own" and low_high is not None:
            picture.line("interval", axis.place(low_high[0]), y, axis.place(low_high[1]), y)
        picture.dots(css, [axis.place(score)], [y])
    return picture


def _of(scores: Metrics | None, metric: str) -> str:
    return number((scores or {}).get(metric))
