"""Permutation importance: how much worse a fitted pipeline is without a group of its features.

The features of a group are shuffled over the cases, all by the same permutation, so that they tell
nothing of the case any more and stay as likely as they were. What other features tell as well is
not missed: a group without importance may still hold what another group holds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tideline.answers import last_of, probabilities_of, transformed, values_of
from tideline.features.plan import FeaturePlan
from tideline.features.views import View
from tideline.pipeline import Pipeline
from training.findings import Importance, Importances
from training.promise import members_of, promise
from training.scoring import ranked
from training.task import Target

MOST_CASES = 200
"""Cases that are answered for, about; of more a sample is to be taken."""
SPARED = 2
"""Members of each class that are in the sample, however rare it is."""
MOST_FEATURES = 50
"""Single features that are shuffled: those that the models make most of."""
MOST_CHANNELS = 50
"""The same of channels."""
MOST_REGIONS = 8
ROUNDS = 10
"""How often each group is shuffled, at most."""
FINE = {"classification": "neg_log_loss", "regression": "neg_root_mean_squared_error"}
"""Metrics that are always defined, and that the least change of an answer changes."""

Columns = NDArray[np.intp]
Answers = NDArray[np.float64]


def importances(
    pipeline: Pipeline,
    X: NDArray[Any],
    target: Target,
    *,
    metric: str,
    deadline: float,
    random_state: int,
    on: str,
) -> Importances:
    """Measure what a pipeline makes of its channels, of regions of the series, and of features.

    All groups are shuffled once before any is shuffled again. Of very many channels or features
    those are shuffled that the models make most of. A region is an interval of time:
    its features are those of intervals of the series and of its differences that reach into it
    and are at most twice as long. Intervals of a spectrum are none of time, and random
    convolutions and whole series have no place in it; none of these belongs to a region.

    Parameters
    ----------
    pipeline
        Fitted.
    X : array of shape (n_cases, n_features)
        The columns of its plan, in that order; of many cases, a sample.
    target
        The labels of these cases.
    metric
        Under scikit-learn's name. Where it is not defined on these cases, the losses are those of
        the log-loss, or of the squared error. So are those of classes where no feature or region
        makes as much difference to the metric as one case could: where a model is right by far, it
        can lose much of what it knows without a mistake.
    deadline
        On `time.monotonic`; nothing is begun that would, by how long it took before, end later.
    on
        The cases, in words.

    Returns
    -------
    Importances
        Those that there was time for.

    Raises
    ------
    ValueError
        When X has other columns than the plan, or other rows than the target.
    """
    if X.shape != (target.y.size, len(pipeline.plan.features)):
        expected = (target.y.size, len(pipeline.plan.features))
        raise ValueError(f"X has shape {X.shape}; {expected} is expected")
    rng = np.random.default_rng(random_state)
    measured = _Measurement(pipeline, X, target, metric, deadline)
    if time.monotonic() < deadline:
        measured.repeat(rng)
    told_by = measured.metric
    found = {kind: measured.importances(kind, told_by) for kind in ("channel", "region", "feature")}
    return Importances(told_by, on, found["feature"], found["channel"], found["region"])


def sample(target: Target, rng: np.random.Generator, most: int = MOST_CASES) -> Columns:
    """Return the positions of about so many cases, spread over the classes, or the values.

    Returns
    -------
    intp array of shape (n_sampled,), rising
    """
    n = target.y.size
    if n <= most:
        return np.arange(n)
    order = np.lexsort((rng.random(n), target.y))
    chosen = set(order[np.linspace(0, n - 1, most).astype(np.intp)].tolist())
    for code in range(target.n_classes):
        chosen.update(order[target.y[order] == code][:SPARED].tolist())
    return np.array(sorted(chosen), dtype=np.intp)


def regions(plan: FeaturePlan) -> dict[str, Columns]:
    """Return the columns of each region of the series; none where no feature is of an interval.

    As many regions as the shortest interval fits in, and at most `MOST_REGIONS`.
    """
    reaches = {view: reach for view in {f.view for f in plan.features} if (reach := _reach(view))}
    if not reaches:
        return {}
    shortest = min(stop - start for start, stop in reaches.values())
    n = min(MOST_REGIONS, int(1 / shortest))
    found = {}
    for part in range(n):
        within = {
            view
            for view, (start, stop) in reaches.items()
            if stop - start <= Fraction(2, n)
            and start < Fraction(part + 1, n)
            and stop > Fraction(part, n)
        }
        columns = [column for column, f in enumerate(plan.features) if f.view in within]
        if columns:
            found[f"{100 * part / n:.3g} % to {100 * (part + 1) / n:.3g} %"] = np.array(columns)
    return found


def _reach(view: View) -> tuple[Fraction, Fraction] | None:
    """Return where an interval of time begins and ends; None for what is none."""
    start, stop = Fraction(view.start, view.parts), Fraction(view.stop, view.parts)
    if view.form == "spectrum" or stop - start == 1:
        return None
    return start, stop


@dataclass(eq=False)
class _Group:
    """Columns that are shuffled together, and what it cost each time.

    Attributes
    ----------
    places
        For each member that has any of them, its number and their positions among its own columns.
    losses
        What each shuffle cost, by metric.
    """

    kind: str
    what: str
    places: list[tuple[int, Columns]]
    losses: list[dict[str, float]] = field(default_factory=list)

    def importance(self, metric: str) -> Importance:
        """Return the mean loss and its deviation."""
        losses = [by[metric] for by in self.losses]
        return Importance(self.what, float(np.mean(losses)), float(np.std(losses)))


class _Measurement:
    """The answers of each member, kept: what a shuffle does not touch is not asked again."""

    def __init__(
        self, pipeline: Pipeline, X: NDArray[Any], target: Target, metric: str, deadline: float
    ) -> None:
        self._plan, self._X = pipeline.plan, X
        self._target, self._deadline = target, deadline
        self._members = members_of(pipeline)
        self._groups: list[_Group] = []
        self._metrics = list(dict.fromkeys([metric, FINE[target.task]]))

    @property
    def metric(self) -> str:
        """The metric that was asked for, or the finer one, where it tells too little apart."""
        first, finer = self._metrics[0], self._metrics[-1]
        small = (*self.importances("feature", first), *self.importances("region", first))
        if not self._target.n_classes or any(i.loss > 1 / self._target.y.size for i in small):
            return first
        return finer if small else first

    def repeat(self, rng: np.random.Generator) -> None:
        """Shuffle each group, again and again, until the time is over."""
        # Of its own, for they are written to.
        self._tables = [self._X[:, member.columns] for member in self._members]
        self._seconds = [0.0] * len(self._members)
        self._whole = [self._asked(number) for number in range(len(self._members))]
        self._best = self._scores_where_defined()
        self._groups = list(self._planned())
        for _ in range(ROUNDS):
            order = rng.permutation(self._target.y.size)
            for group in self._groups:
                seconds = sum(self._seconds[number] for number, _ in group.places)
                if time.monotonic() + seconds > self._deadline:
                    return
                scores = self._scores(self._shuffled(group, order))
                group.losses.append({name: self._best[name] - scores[name] for name in scores})

    def importances(self, kind: str, metric: str) -> tuple[Importance, ...]:
        """Return what was found of the groups of a kind, the largest loss first."""
        found = [g.importance(metric) for g in self._groups if g.kind == kind and g.losses]
        return tuple(sorted(found, key=lambda importance: -importance.loss))

    def _planned(self) -> Iterator[_Group]:
        features = self._plan.features
        promised = promise(self._members, self._X, self._target)
        code = {channel: n for n, channel in enumerate(self._plan.channels)}
        of_channel = np.array([code[f.channel] for f in features])
        of_channels = np.bincount(of_channel, promised)
        for n in np.sort(np.argsort(-of_channels, kind="stable")[:MOST_CHANNELS]):
            channel = self._plan.channels[n]
            yield self._group("channel", channel, np.flatnonzero(of_channel == n))
        for region, columns in regions(self._plan).items():
            yield self._group("region", region, columns)
        for column in np.argsort(-promised, kind="stable")[:MOST_FEATURES]:
            if promised[column] > 0:
                yield self._group("feature", features[column].name, np.array([column]))

    def _group(self, kind: str, what: str, columns: Columns) -> _Group:
        places = [np.flatnonzero(np.isin(member.columns, columns)) for member in self._members]
        return _Group(kind, what, [(n, place) for n, place in enumerate(places) if place.size])

    def _shuffled(self, group: _Group, order: Columns) -> list[Answers]:
        """Return the answers of the members when the columns of a group are shuffled."""
        answers = list(self._whole)
        for number, place in group.places:
            table = self._tables[number]
            kept = table[:, place]
            table[:, place] = kept[order]
            answers[number] = self._asked(number)
            table[:, place] = kept
        return answers

    def _asked(self, number: int) -> Answers:
        """Return what a member answers for its table, and note how long it took."""
        began = time.monotonic()
        steps = self._members[number].steps
        features = transformed(steps, self._tables[number])
        if self._target.n_classes:
            answers = probabilities_of(last_of(steps), features, self._target.n_classes)
        else:
            answers = values_of(last_of(steps), features)[:, np.newaxis]
        self._seconds[number] = time.monotonic() - began
        return answers

    def _scores(self, answers: list[Answers]) -> dict[str, float]:
        """Return the score of the blended answers, by metric."""
        blended = np.zeros_like(answers[0])
        for member, own in zip(self._members, answers, strict=True):
            blended += member.share * own
        y = self._target.y
        return {name: ranked(name, self._target, y, blended)[0] for name in self._metrics}

    def _scores_where_defined(self) -> dict[str, float]:
        """Return the scores of the pipeline as it is; a metric that has none is left out."""
        try:
            return self._scores(self._whole)
        except ValueError:
            self._metrics = self._metrics[-1:]
            return self._scores(self._whole)
