"""Whether a model beats what is simpler, and how that is told."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tideline.labels import Task
from tideline.model import Metrics
from tideline.wording import metric_of
from training.heldout import WARPING
from training.ranges import FALLING, floor_of, is_best
from training.scoring import OWN_METRICS

MAJORITY = "majority"
_NOT_OURS = (MAJORITY, WARPING)
"""The baselines that are no models of ours: to be as good as one of them is no gain.

As good as another of our own portfolio is good enough."""
_TIE = 1e-6
"""Of their size, by which two scores may differ and be a tie: answers are kept as float32."""
_USUAL: Mapping[Task, str] = {"classification": "accuracy", "regression": "rmse"}


@dataclass(frozen=True)
class Unbeaten:
    """A baseline that a model does not beat.

    Attributes
    ----------
    baseline
        Its name.
    metric
        By which it is compared, as the scores of a model have it.
    ours, theirs : float
        The model's score, and the baseline's.
    """

    baseline: str
    metric: str
    ours: float
    theirs: float


def unbeaten(
    ours: Metrics, baselines: Mapping[str, Metrics], raised: str, task: Task
) -> tuple[Unbeaten, ...]:
    """Return the baselines that a model does not beat.

    By the metric that was raised, where both have it; else by accuracy, or by the error. A tie, but
    for rounding, with the majority or with 1-NN DTW is not enough, unless nothing can be better.

    Parameters
    ----------
    ours
        The model's scores.
    baselines : mapping of name to scores
        On the same cases.
    raised
        The metric, under scikit-learn's name.
    """
    wanted, _ = OWN_METRICS.get(raised, (raised, 1))
    found = []
    for name, theirs in baselines.items():
        metric = next((m for m in (wanted, _USUAL[task]) if m in ours and m in theirs), None)
        if metric is not None and not _beats(name, metric, ours[metric], theirs[metric]):
            found.append(Unbeaten(name, metric, ours[metric], theirs[metric]))
    return tuple(found)


def _beats(baseline: str, metric: str, ours: float, theirs: float) -> bool:
    if math.isclose(ours, theirs, rel_tol=_TIE, abs_tol=_TIE * floor_of(metric)):
        return baseline not in _NOT_OURS or is_best(metric, ours)
    return (ours < theirs) == (metric in FALLING)


def warning_of(found: Sequence[Unbeaten], task: Task) -> str:
    """Return what is said, loudly, of a model that does not beat its baselines.

    Parameters
    ----------
    found
        The baselines that it does not beat, at least one.
    """
    metrics = dict.fromkeys(each.metric for each in found)
    told = ", nor ".join(_clause([e for e in found if e.metric == m], task) for m in metrics)
    return (
        f"WARNING: on cases that it has not seen, the model does not beat {told}. It is published "
        "all the same; look at the data before you use it."
    )


def _clause(found: Sequence[Unbeaten], task: Task) -> str:
    """Return baselines of one metric as a sentence has them.

    `the majority class (0.5000) or 1-NN DTW (0.7000) by its balanced accuracy of 0.5000`.
    """
    metric, ours = found[0].metric, found[0].ours
    named = [f"{_name_of(e.baseline, task)} ({_shown(metric, e.theirs)})" for e in found]
    listed = " or ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
    return f"{listed} by its {metric_of(metric)} of {_shown(metric, ours)}"


def _shown(metric: str, value: float) -> str:
    return f"{0.0 - value if metric.startswith('neg_') else value:.4f}"


def _name_of(baseline: str, task: Task) -> str:
    if baseline != MAJORITY:
        return baseline
    return "the mean" if task == "regression" else "the majority class"
