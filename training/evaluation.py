"""Scores of predictions, on the folds and on the held-out cases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.metrics import log_loss, r2_score, roc_auc_score

from tideline.pipeline import Prediction
from training.intervals import Interval, Known, bootstrap, joined, known_area, known_share
from training.jackknife import Jackknife, areas_without, means_without
from training.ranges import floor_of
from training.task import Target

FloatArray = NDArray[np.float64]

SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)
"""What a probability of 0 counts as where a logarithm is taken of it."""


@dataclass(frozen=True)
class Scores:
    """Scores on cases that took no part in the fit.

    Attributes
    ----------
    metrics : mapping of metric to score
    intervals : mapping of metric to its 95 % interval
        Without the metrics that did not vary over resampled cases.
    majority : mapping of metric to what needs no features scores on the same cases
        The largest class, or the mean; and for the log-loss the shares of the classes.
    groupless : tuple of metric
        Those whose interval takes the cases for independent, though they come in groups: too few
        of these can be left out.
    alike : tuple of metric
        The same, where the score is the same without each of the groups.
    slow : tuple of metric
        Those that there was no time to resample.
    """

    metrics: dict[str, float]
    intervals: dict[str, Interval]
    majority: dict[str, float]
    groupless: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()
    slow: tuple[str, ...] = ()

    @property
    def note(self) -> str | None:
        """Which metrics have no interval, or too sure a one, and why, if any."""
        told = []
        lacking = [name for name in self.metrics if name not in (*self.intervals, *self.slow)]
        if lacking:
            told.append(
                f"no interval for {' and '.join(lacking)}: it did not vary over resampled cases"
            )
        if self.slow:
            told.append(f"no interval for {' and '.join(self.slow)}: there was no time for it")
        for names, why in (
            (self.groupless, "fewer than 2 of their groups can be left out to see what it changes"),
            (self.alike, "it is the same without each of their groups"),
        ):
            alone = [name for name in names if name in self.intervals]
            if alone:
                told.append(
                    f"the interval of {' and '.join(alone)} takes the cases for independent, and "
                    f"may be too narrow: {why}"
                )
        return "; ".join(told) or None

    def over_groups(
        self, without: Mapping[str, FloatArray], known: Mapping[str, Known] = MappingProxyType({})
    ) -> Scores:
        """Return the same with intervals for cases that come in groups.

        Each holds the one for independent cases too.

        Parameters
        ----------
        without : mapping of metric to float64 array of shape (n_groups,)
            The score without each group; NaN where there is none.
        known : mapping of metric to Known
            Those whose interval is that of fewer cases; of the others it lies evenly about the
            score.
        """
        intervals, groupless, alike = dict(self.intervals), list(self.groupless), list(self.alike)
        for name in [name for name in self.metrics if name in without]:
            score = self.metrics[name]
            by_group = Jackknife.of(score, without[name], floor_of(name))
            if by_group is None:
                groupless.append(name)
            elif name in known:
                intervals[name] = known[name].among(by_group.cases_of(known[name]))
            elif not by_group.variance:
                alike.append(name)
            else:
                independent = intervals.get(name, (score, score))
                intervals[name] = joined(name, independent, by_group.interval)
        return replace(self, intervals=intervals, groupless=tuple(groupless), alike=tuple(alike))


def measure(target: Target, y: NDArray[Any], answers: Prediction) -> dict[str, float]:
    """Return every metric of the task.

    For classes `accuracy`, `roc_auc` (of the later class; over more than two, the mean of each
    class against the rest), `log_loss` and `brier`; for numbers `r2`, `mae` and `rmse`. A metric
    that is not defined on these cases is left out.
    """
    if answers.probabilities is None:
        error = _values(answers) - y
        metrics = {
            "mae": float(np.abs(error).mean()),
            "rmse": float(np.sqrt((error**2).mean())),
        }
        return {"r2": float(r2_score(y, _values(answers))), **metrics} if np.ptp(y) > 0 else metrics
    codes = np.arange(target.n_classes)
    metrics = {"accuracy": float((answers.probabilities.argmax(axis=1) == y).mean())}
    if np.unique(y).size == codes.size:
        metrics["roc_auc"] = _roc_auc(y, answers.probabilities)
    metrics["log_loss"] = float(log_loss(y, _proper(answers.probabilities), labels=codes))
    metrics["brier"] = float(_squares(y, answers.probabilities).mean())
    return metrics


def assess(
    target: Target,
    y: NDArray[Any],
    answers: Prediction,
    y_train: NDArray[Any],
    random_state: int = 0,
    *,
    groups: NDArray[np.int64] | None = None,
) -> Scores:
    """Return the scores on held-out cases, how sure they are, and what to compare them with.

    Parameters
    ----------
    y : array of shape (n_held_out,)
    y_train : array of shape (n_train,)
        What the majority class, or the mean, is taken from.
    groups : int64 array of shape (n_held_out,) or None
        Which of the held-out cases belong together; None where each stands for itself.
    """
    baseline = majority_of(target, y_train, y.size)
    metrics = measure(target, y, answers)
    known = _known(target, y, answers, metrics)
    intervals = {
        **{name: each.among(each.n_cases) for name, each in known.items()},
        **{
            name: bootstrap(score, strata_of(target, y), random_state, floor=floor_of(name))
            for name, score in _resampled(target, y, answers).items()
            if name in metrics
        },
    }
    varying = {name: interval for name, interval in intervals.items() if interval is not None}
    scores = Scores(metrics, varying, measure(target, y, baseline))
    if groups is None:
        return scores
    return scores.over_groups(_without(target, y, answers, groups), known)


def majority_of(target: Target, y_train: NDArray[Any], n_cases: int) -> Prediction:
    """Return what is answered without a look at the series: the share of each class, or the mean.

    As near as float32 has it, for so are the answers of models kept: one that answers the same is
    to have the same scores, and not to be a little better by rounding.

    Parameters
    ----------
    y_train : array of shape (n_train,)
        Where they are taken from.
    n_cases
        How many answers there are, all alike.
    """
    if not target.n_classes:
        return Prediction((), values=np.full(n_cases, _kept(y_train.mean())))
    shares = _kept(np.bincount(y_train, minlength=target.n_classes) / y_train.size)
    return Prediction((), target.classes, np.tile(shares / shares.sum(), (n_cases, 1)))


def _kept(answers: NDArray[Any] | float) -> FloatArray:
    return np.asarray(answers, dtype=np.float32).astype(np.float64)


def _known(
    target: Target, y: NDArray[Any], answers: Prediction, metrics: dict[str, float]
) -> dict[str, Known]:
    """Return what is known of the metrics whose interval needs no resampling."""
    if answers.probabilities is None:
        return {}
    right = int((answers.probabilities.argmax(axis=1) == y).sum())
    found = {"accuracy": known_share(right, y.size)}
    if target.n_classes == 2 and "roc_auc" in metrics:
        n_later = int(y.sum())
        found["roc_auc"] = known_area(metrics["roc_auc"], n_later, y.size - n_later)
    return found


def _roc_auc(y: NDArray[Any], probabilities: FloatArray) -> float:
    if probabilities.shape[1] == 2:
        return float(roc_auc_score(y, probabilities[:, 1]))
    # Class by class: sklearn's own way refuses rows that do not sum to one.
    return float(
        np.mean([roc_auc_score(y == c, probabilities[:, c]) for c in range(probabilities.shape[1])])
    )


def _values(answers: Prediction) -> FloatArray:
    if answers.values is None:
        raise ValueError("a prediction of numbers expected")
    return answers.values


def _proper(probabilities: FloatArray) -> FloatArray:
    clipped = np.clip(probabilities, SMALLEST_PROBABILITY, 1.0)
    proper: FloatArray = clipped / clipped.sum(axis=1, keepdims=True)
    return proper


def _squares(y: NDArray[Any], probabilities: FloatArray) -> FloatArray:
    """Return each case's part in the score of Brier (1950); of two classes, in the half of it."""
    missed = _proper(probabilities) - np.eye(probabilities.shape[1])[y]
    squares: FloatArray = (missed**2).sum(axis=1)
    return squares / 2 if probabilities.shape[1] == 2 else squares


def strata_of(target: Target, y: NDArray[Any]) -> NDArray[np.int64]:
    """Return within what cases are resampled: their classes, so that no resample lacks one."""
    return y.astype(np.int64) if target.n_classes else np.zeros(y.size, dtype=np.int64)


def _resampled(
    target: Target, y: NDArray[Any], answers: Prediction
) -> dict[str, Callable[[NDArray[np.intp]], FloatArray]]:
    """Return each metric as a function of resampled positions, all resamples at once."""
    probabilities = answers.probabilities
    if probabilities is None:
        return _resampled_errors(y, _values(answers))
    losses = -np.log(_proper(probabilities)[np.arange(y.size), y])
    squares = _squares(y, probabilities)
    found = {
        "log_loss": lambda drawn: losses[drawn].mean(axis=1),
        "brier": lambda drawn: squares[drawn].mean(axis=1),
    }
    if target.n_classes > 2:
        classes = range(target.n_classes)
        found["roc_auc"] = lambda drawn: np.mean(
            [_areas(y[drawn] == c, probabilities[:, c][drawn]) for c in classes], axis=0
        )
    return found


def _resampled_errors(
    y: FloatArray, values: FloatArray
) -> dict[str, Callable[[NDArray[np.intp]], FloatArray]]:
    error = values - y

    def r2(drawn: NDArray[np.intp]) -> FloatArray:
        spread = y[drawn].var(axis=1)
        left = (error**2)[drawn].mean(axis=1)
        # A resample of one value only has no spread to explain.
        share: FloatArray = 1.0 - left[spread > 0] / spread[spread > 0]
        return share

    return {
        "r2": r2,
        "mae": lambda drawn: np.abs(error)[drawn].mean(axis=1),
        "rmse": lambda drawn: np.sqrt((error**2)[drawn].mean(axis=1)),
    }


def _without(
    target: Target, y: NDArray[Any], answers: Prediction, groups: NDArray[np.int64]
) -> dict[str, FloatArray]:
    """Return each metric without each group of cases, NaN where it is not defined."""
    group_of = np.unique(groups, return_inverse=True)[1].astype(np.int64)
    probabilities = answers.probabilities
    if probabilities is None:
        return _errors_without(y, _values(answers), group_of)
    # An area of two classes is that of the later one.
    classes = range(1, 2) if target.n_classes == 2 else range(target.n_classes)
    areas = [areas_without(y == c, probabilities[:, c], group_of) for c in classes]
    by_case = {
        "accuracy": (probabilities.argmax(axis=1) == y).astype(np.float64),
        "log_loss": -np.log(_proper(probabilities)[np.arange(y.size), y]),
        "brier": _squares(y, probabilities),
    }
    means = {name: means_without(each, group_of) for name, each in by_case.items()}
    return {**means, "roc_auc": np.mean(areas, axis=0)}


def _errors_without(
    y: FloatArray, values: FloatArray, group_of: NDArray[np.int64]
) -> dict[str, FloatArray]:
    error, centred = values - y, y - y.mean()
    squares = means_without(error**2, group_of)
    spread = means_without(centred**2, group_of) - means_without(centred, group_of) ** 2
    # What rounding leaves of no spread at all is none.
    has_spread = spread > np.finfo(np.float64).eps * np.square(centred).mean()
    unexplained = np.divide(squares, spread, out=np.full(spread.size, np.nan), where=has_spread)
    return {
        "r2": 1.0 - unexplained,
        "mae": means_without(np.abs(error), group_of),
        "rmse": np.sqrt(squares),
    }


def _areas(positive: NDArray[np.bool_], scores: FloatArray) -> FloatArray:
    """Return the area under the ROC curve of each row, after Mann and Whitney (1947)."""
    ranks = rankdata(scores, axis=1)
    n_positive = positive.sum(axis=1)
    n_negative = positive.shape[1] - n_positive
    above = np.where(positive, ranks, 0.0).sum(axis=1) - n_positive * (n_positive + 1) / 2
    areas: FloatArray = above / (n_positive * n_negative)
    return areas
