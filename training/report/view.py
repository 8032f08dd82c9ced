"""The page as plain data, made of what a run has found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import yaml

from tideline.wording import counted
from training.findings import Findings, Importance
from training.report import class_pictures, search_pictures, value_pictures
from training.report.answered import Answered
from training.report.figure import Bar, Bars, Figure
from training.report.labels import labels_of
from training.report.scores import ThreeScores
from training.report.words import cut, metric_name, number, seconds
from training.report.wrong_cases import WrongCase, wrong_cases
from training.trial import Trial

BEST = 20
MOST_MEMBERS = 50
MOST_BARS = 20
MOST_CHANNELS = 40
MOST_NOTICES = 40
LONGEST_SPEC = 20_000


@dataclass(frozen=True)
class Page:
    """Everything on the page.

    Attributes
    ----------
    name, facts
        What was trained, and pairs that tell of it.
    published : tuple of (weight, name)
        The members of what was published.
    """

    name: str
    facts: tuple[tuple[str, str], ...]
    published: tuple[tuple[str, str], ...]
    scores: ThreeScores
    notices: tuple[str, ...]
    search: tuple[Figure, ...]
    failures: Bars | None
    answers: tuple[Figure, ...]
    answered_on: str
    importances: tuple[Bars, ...]
    importances_said: str
    wrong: tuple[WrongCase, ...]
    best: Figure
    spec: str
    versions: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, findings: Findings) -> Page:
        """Return the page on a run."""
        document, answered = findings.document, Answered.of(findings)
        return cls(
            cut(document.name, 80),
            _facts(findings),
            _published(findings),
            ThreeScores.of(document.scores, document.task, findings.metric),
            tuple(cut(notice, 500) for notice in document.notices[:MOST_NOTICES]),
            _search(findings.trials, findings.metric),
            search_pictures.failures(findings.trials),
            () if answered is None else _answers(answered, findings),
            "" if answered is None else answered.how,
            _importances(findings),
            _importances_said(findings),
            () if answered is None else wrong_cases(answered),
            _best(findings),
            _spec(document.spec),
            tuple((cut(k, 40), cut(v, 40)) for k, v in list(document.versions.items())[:40]),
        )


def _spec(spec: Mapping[str, object]) -> str:
    text = yaml.safe_dump(dict(spec), sort_keys=False, allow_unicode=True)[:LONGEST_SPEC]
    return "\n".join(cut(line, LONGEST_SPEC) for line in text.split("\n"))


def _facts(findings: Findings) -> tuple[tuple[str, str], ...]:
    document, panel = findings.document, findings.panel
    classes = [cut(label, 40) for label in document.classes[:10]]
    channels = [cut(name, 40) for name in document.channels[:10]]
    lengths = np.concatenate([channel.lengths for channel in panel.channels.values()])
    steps = f"{lengths.min()}" if np.ptp(lengths) == 0 else f"{lengths.min()} to {lengths.max()}"
    of_classes = (("classes", _listed(classes, len(document.classes))),) if classes else ()
    return (
        ("task", document.task),
        ("cases", str(panel.n_cases)),
        *of_classes,
        ("channels", _listed(channels, len(document.channels))),
        ("steps in a series", steps),
        ("features computed", str(document.train_shape[1])),
        ("features used", str(document.n_features)),
        ("trained", f"{document.created:%Y-%m-%d %H:%M} UTC, in {seconds(document.train_seconds)}"),
        ("run", cut(document.run_id, 80)),
    )


def _listed(names: Sequence[str], total: int) -> str:
    more = f" and {total - len(names)} more" if total > len(names) else ""
    return f"{total}: {', '.join(names)}{more}"


def _search(trials: Sequence[Trial], metric: str) -> tuple[Figure, ...]:
    timed = search_pictures.over_time(trials, metric)
    figures = search_pictures.by_model_type(trials, metric)
    return (*figures, *(() if timed is None else (timed,)))


def _answers(answered: Answered, findings: Findings) -> tuple[Figure, ...]:
    if not answered.n_classes:
        found: tuple[Figure | None, ...] = (
            value_pictures.predicted_against_true(answered),
            value_pictures.residuals(answered),
        )
    else:
        found = (
            class_pictures.confusion(answered),
            class_pictures.roc(answered),
            _told(class_pictures.calibration(answered), findings),
            class_pictures.by_class(answered),
        )
    return tuple(figure for figure in found if figure is not None)


def _told(figure: Figure | None, findings: Findings) -> Figure | None:
    """Return the calibration with the scores that tell of it."""
    scores = findings.document.scores.held_out or {}
    told = [f"{metric_name(m)} {number(scores[m])}" for m in ("log_loss", "brier") if m in scores]
    if figure is None or not told:
        return figure
    said = f"{figure.said} {', '.join(told)}; less is better for both."
    return Figure(figure.title, said, figure.picture, figure.heads, figure.rows)


def _importances(findings: Findings) -> tuple[Bars, ...]:
    found = findings.importances
    if found is None:
        return ()
    parts = (
        ("By feature", "feature", found.by_feature, MOST_BARS),
        ("By channel", "channel", found.by_channel, MOST_CHANNELS),
        ("By region of the series", "region", found.by_region, MOST_CHANNELS),
    )
    return tuple(
        _importance_bars(title, head, values, most) for title, head, values, most in parts if values
    )


def _importance_bars(title: str, head: str, values: Sequence[Importance], most: int) -> Bars:
    shown = values[:most]
    largest = max((abs(v.loss) + v.spread for v in shown), default=0.0) or 1.0
    bars = tuple(
        Bar(cut(v.what, 160), v.loss / largest, number(v.loss), v.spread / largest) for v in shown
    )
    left = len(values) - len(shown)
    said = f"The {len(shown)} with the most; {left} more are not shown." if left else ""
    return Bars(title, said, bars, head, "loss")


def _importances_said(findings: Findings) -> str:
    found = findings.importances
    if found is None:
        return "It could not be measured; the log of the run says why."
    if not (found.by_feature or found.by_channel or found.by_region):
        return "There was no time to measure it."
    score = metric_name(found.metric.removeprefix("neg_"))
    no_region = "" if found.by_region else " No feature that it takes is of a region alone."
    return (
        f"How much worse the {score} becomes when something is shuffled over the cases, "
        f"on {cut(found.on, 100)}; the thin line is the standard deviation over repetitions. "
        f"What two features tell alike is missed in neither.{no_region}"
    )


def _published(findings: Findings) -> tuple[tuple[str, str], ...]:
    """Return the weight and the label of each member."""
    shown = findings.chosen[:MOST_MEMBERS]
    keys = {member.key for member in shown}
    labels = labels_of([trial for trial in findings.trials if trial.key in keys])
    return tuple((f"{m.weight:.2f}", cut(labels.get(m.key, m.title), 200)) for m in shown)


def _best(findings: Findings) -> Figure:
    """Return the pipelines that did best, and those that were published, wherever they rank."""
    trials = findings.trials
    known = sorted((t for t in trials if t.failure is None), key=lambda t: -t.score)
    weights = {member.key: member.weight for member in findings.chosen[:MOST_MEMBERS]}
    shown = [
        (rank, trial) for rank, trial in enumerate(known, 1) if rank <= BEST or trial.key in weights
    ]
    labels = labels_of([trial for _, trial in shown])
    rows = tuple(_row(rank, t, labels[t.key], weights.get(t.key)) for rank, t in shown)
    heads = ("", "published", "pipeline", "from", metric_name(findings.metric), "± over folds")
    n_failed = sum(t.failure is not None for t in trials)
    said = f"{counted(len(trials), 'pipeline')} evaluated, of which {n_failed} failed. "
    said += "These scores, from before calibration, chose among them and so are optimistic; "
    said += "search.parquet has them all. What is published has its weight beside it."
    return Figure("The best pipelines", said, None, (*heads, "fit", "predict"), rows)


def _row(rank: int, trial: Trial, label: str, weight: float | None) -> tuple[str, ...]:
    spread = float(np.std(trial.fold_scores)) if trial.fold_scores else None
    return (
        str(rank),
        "" if weight is None else f"{weight:.2f}",
        cut(label, 200),
        cut(trial.origin, 40),
        number(trial.value),
        f"{number(spread)} ({trial.n_folds})",
        seconds(trial.fit_seconds),
        seconds(trial.predict_seconds),
    )
