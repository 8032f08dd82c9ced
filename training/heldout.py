"""The honest score: answers for cases that no step of the search has seen, and the baselines'."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline as Steps

from tideline.blend import sharpened
from tideline.errors import DataError
from tideline.panel import Panel
from training.calibration import sharpness_of
from training.candidate import Candidate
from training.choice import Choice
from training.evaluation import Scores, assess, majority_of, measure
from training.evaluator import Part
from training.failures import could_not_be_fitted
from training.finder import Finder
from training.fold import Answered, Answers, Fold, Positions, as_array, as_prediction
from training.intervals import over_folds
from training.named_metric import NamedMetric
from training.neighbours import PUBLISHED_WINDOW, Neighbours, nearest_by_warping
from training.table import Table
from training.task import Target
from training.tools import Tools
from training.workers import Outcome, Workers

WARPING = "1-NN DTW"
CONVOLUTIONS = "random convolutions"


@dataclass(frozen=True, eq=False)
class Trust:
    """A choice, the cases that it was made on, and those that it is asked for.

    Attributes
    ----------
    choice
    fit_on, asked : intp array
        Positions of cases; `asked` were seen by no step that led to the choice.
    """

    choice: Choice
    fit_on: Positions
    asked: Positions


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Answers for cases that were held out.

    Attributes
    ----------
    by
        How they were: as one part, or in outer folds.
    folds : tuple of (intp array, intp array)
        Positions of the cases that were learned from, and of those that were asked for: one of
        each for a hold-out, else of each outer fold.
    answers : float32 array of shape (n_held_out, n_classes or 1)
        Of all that were asked for, one fold after the other.
    baselines : mapping of name to array of shape (n_held_out, n_classes or 1)
    fitted : mapping of key to sklearn.pipeline.Pipeline
        The members as they answered; of a hold-out only, for each outer fold has its own.
    """

    by: Literal["hold-out", "outer folds"]
    folds: tuple[tuple[Positions, Positions], ...]
    answers: Answers
    baselines: dict[str, NDArray[Any]] = field(default_factory=dict)
    fitted: dict[str, Steps] = field(default_factory=dict)

    @property
    def positions(self) -> Positions:
        """The cases that were asked for, in the order of the answers."""
        return np.concatenate([asked for _, asked in self.folds])

    @property
    def learned(self) -> Positions:
        """The cases that the majority, or the mean, is taken from."""
        return np.unique(np.concatenate([fit_on for fit_on, _ in self.folds]))

    def beside(self, name: str, answers: NDArray[Any]) -> HeldOut:
        """Return the same with one more baseline."""
        return replace(self, baselines={**self.baselines, name: answers})

    def scores(
        self,
        target: Target,
        random_state: int,
        *,
        metric: str | None = None,
        groups: NDArray[np.int64] | None = None,
        seconds: float = math.inf,
    ) -> Scores:
        """Return the scores, their intervals and the majority's.

        Parameters
        ----------
        metric
            One under scikit-learn's name that is to be told too, where it is not in any case.
        groups : int64 array of shape (n_cases,) or None
            Which of all cases belong together.
        seconds
            What the interval of `metric` may take.
        """
        y, learned = target.y[self.positions], target.y[self.learned]
        groups = None if groups is None else groups[self.positions]
        answers = as_prediction(self.answers, target)
        scores = assess(target, y, answers, learned, random_state, groups=groups)
        named = NamedMetric.of(metric, target)
        if named is not None:
            majority = as_array(majority_of(target, learned, y.size))
            scores = named.beside(
                scores,
                y,
                self.answers,
                majority,
                random_state=random_state,
                groups=groups,
                seconds=seconds,
            )
        n_folds = len(self.folds)
        if n_folds < 2:
            return scores
        wider = {
            name: over_folds(name, scores.metrics[name], interval, n_folds)
            for name, interval in scores.intervals.items()
        }
        return replace(scores, intervals=wider)

    def baseline_scores(
        self, target: Target, metric: str | None = None
    ) -> dict[str, dict[str, float]]:
        """Return the metrics of each baseline on the same cases; `metric` as for `scores`."""
        y, named = target.y[self.positions], NamedMetric.of(metric, target)
        found = {}
        for name, answers in self.baselines.items():
            told = measure(target, y, as_prediction(answers, target))
            # A neighbour has a class, and no probabilities to judge.
            is_class = name == WARPING and target.n_classes > 0
            if is_class:
                told = {"accuracy": told["accuracy"]}
            if named is not None and (named.is_of_classes or not is_class):
                told |= named.measure(y, answers)
            found[name] = told
        return found


@dataclass(frozen=True, eq=False)
class Asking:
    """What questions are answered with.

    Attributes
    ----------
    table, target
        Of all cases.
    workers
        Who fit and answer.
    """

    table: Table
    target: Target
    workers: Workers

    def all(
        self,
        questions: Sequence[tuple[Trust, Candidate]],
        deadline: float,
        *,
        returns_fit: bool = False,
    ) -> Iterator[Answered | str] | None:
        """Return the answers in the order of the questions; None when the time was over first.

        A text in place of an answer says why the candidate could not be fitted, or not answer.
        """
        outcomes: dict[int, Outcome] = {}
        tickets = []
        for number, (trust, candidate) in enumerate(questions):
            job = Fold(
                self.table,
                self.target,
                candidate,
                trust.fit_on,
                trust.asked,
                returns_fit=returns_fit,
            )
            told = partial(outcomes.__setitem__, number)
            tickets.append(self.workers.submit(job, told))
        while len(outcomes) < len(questions):
            if time.monotonic() >= deadline:
                self.workers.drop(tickets)
                return None
            self.workers.wait()
        ended = [outcomes[number] for number in range(len(questions))]
        return (outcome.failure or outcome.result for outcome in ended)


def held_out_by(
    trusts: Sequence[Trust], beside: Candidate | None, asking: Asking, deadline: float
) -> HeldOut | None:
    """Fit the members of each choice, and ask them for the cases that were kept from it.

    Parameters
    ----------
    beside
        A baseline that is fitted and asked as well, where it can be.
    deadline
        On `time.monotonic`.

    Returns
    -------
    HeldOut or None
        In the order of the trusts, without the neighbours; None when the time was over first.

    Raises
    ------
    SearchFailed
        When a member cannot be fitted, or cannot answer.
    """
    found = [{c.key: c for _, c in trust.choice.members} for trust in trusts]
    answered = asking.all(
        [(trust, c) for trust, each in zip(trusts, found, strict=True) for c in each.values()],
        deadline,
        returns_fit=len(trusts) == 1,
    )
    if answered is None:
        return None
    told = [{key: next(answered) for key in each} for each in found]
    for trust, by in zip(trusts, told, strict=True):
        _require_members(trust.choice, by, asking.workers.told_memory)
    by_trust = [{k: one for k, one in by.items() if isinstance(one, Answered)} for by in told]
    blended = [_blended(t.choice, by) for t, by in zip(trusts, by_trust, strict=True)]
    baselines = _beside(beside, trusts, by_trust, asking, deadline)
    return HeldOut(
        "hold-out" if len(trusts) == 1 else "outer folds",
        tuple((trust.fit_on, trust.asked) for trust in trusts),
        np.concatenate(blended),
        baselines,
        {key: one.fitted for key, one in by_trust[0].items() if one.fitted is not None},
    )


def _require_members(choice: Choice, by: Mapping[str, Answered | str], memory: str) -> None:
    for _, candidate in choice.members:
        failure = by[candidate.key]
        if isinstance(failure, str):
            raise could_not_be_fitted(
                f"{candidate.name} could not answer for the held-out cases",
                failure,
                memory,
                mend="Name another model or other arguments, or leave the model out for a search.",
                field="model_training.model",
            )


def _blended(choice: Choice, by: Mapping[str, Answered]) -> Answers:
    mean = np.zeros(by[choice.members[0][1].key].answers.shape)
    for weight, candidate in choice.members:
        mean += weight * by[candidate.key].answers
    return sharpened(mean, choice.sharpness).astype(np.float32)


def _beside(
    beside: Candidate | None,
    trusts: Sequence[Trust],
    by_trust: Sequence[Mapping[str, Answered]],
    asking: Asking,
    deadline: float,
) -> dict[str, NDArray[Any]]:
    """Return the answers of the baseline that is fitted too, where it has them in time."""
    if beside is None:
        return {}
    if all(beside.key in by for by in by_trust):
        return {CONVOLUTIONS: np.concatenate([by[beside.key].answers for by in by_trust])}
    half = time.monotonic() + (deadline - time.monotonic()) / 2
    asked = list(asking.all([(trust, beside) for trust in trusts], half) or ())
    answers = [one.answers for one in asked if isinstance(one, Answered)]
    return {CONVOLUTIONS: np.concatenate(answers)} if len(answers) == len(trusts) else {}


def out_of_fold(finder: Finder, choice: Choice, beside: Candidate | None) -> HeldOut:
    """Return the out-of-fold answers of a choice that was none: fixed before anything was known.

    Nothing that led to it has seen any case, but for the fold's own fit, which had not seen those
    that it answered for.
    """
    part = finder.part
    asked = np.concatenate([asked for _, asked in part.folds])
    order = np.searchsorted(part.tested, asked)
    baselines = {}
    for found in finder.found:
        if beside is not None and found.candidate.key == beside.key and found.answers is not None:
            baselines[CONVOLUTIONS] = found.answers[order]
    answers = _calibrated_without(part, choice)[order]
    return HeldOut("outer folds", part.folds, answers, baselines)


def _calibrated_without(part: Part, choice: Choice) -> Answers:
    """Return the out-of-fold answers, those of each fold sharpened by what the others tell."""
    if choice.sharpness == 1.0:
        return choice.mean.astype(np.float32)
    answers, groups = np.empty_like(choice.mean), part.tested_groups
    for _, asked in part.folds:
        here = np.isin(part.tested, asked)
        others, mean = part.target.y[part.tested[~here]], choice.mean[~here]
        theirs = None if groups is None else groups[~here]
        sharpness = sharpness_of(part.target, others, mean, theirs) if others.size else 1.0
        answers[here] = sharpened(choice.mean[here], sharpness)
    return answers.astype(np.float32)


def neighbours(
    folds: Sequence[tuple[Positions, Positions]],
    panel: Panel,
    target: Target,
    seconds: float,
    workers: int,
) -> Neighbours:
    """Return what the nearest neighbour by time warping answers, or how long that would take.

    Parameters
    ----------
    folds
        As of `HeldOut`.

    Returns
    -------
    Neighbours
        Its answers a float64 array of shape (n_held_out, n_classes), one of a row being 1; or
        (n_held_out, 1).
    """
    began = time.monotonic()
    n_asked = sum(asked.size for _, asked in folds)
    n_answered = 0
    found = []
    for fit_on, asked in folds:
        before = time.monotonic() - began
        nearest = nearest_by_warping(
            panel.take(fit_on),
            target.y[fit_on],
            panel.take(asked),
            window=PUBLISHED_WINDOW[target.task],
            deadline=began + seconds,
            workers=workers,
        )
        if nearest.answers is None:
            # What is not answered yet takes as long a case as these do.
            rate = nearest.seconds / asked.size
            return Neighbours(None, before + rate * (n_asked - n_answered))
        found.append(nearest.answers)
        n_answered += asked.size
    answers = np.concatenate(found)
    if target.n_classes:
        wide = np.eye(target.n_classes)[answers.astype(np.intp)]
    else:
        wide = answers.astype(np.float64)[:, np.newaxis]
    return Neighbours(wide, time.monotonic() - began)


def beside_neighbours(
    held_out: HeldOut,
    panel: Panel,
    target: Target,
    *,
    tools: Tools,
    seconds: float,
) -> HeldOut:
    """Return the answers with those of 1-NN DTW beside, where the time and the series allow it."""
    tools.journal.say(f"asking {WARPING} for the same cases, for at most {seconds:.0f} s")
    try:
        nearest = neighbours(held_out.folds, panel, target, seconds, tools.workers.count)
    except DataError as error:
        tools.journal.notice(f"no {WARPING} baseline: {error.message}")
        return held_out
    if nearest.answers is None:
        tools.journal.notice(
            f"no {WARPING} baseline: it takes about {nearest.seconds:.0f} s, and "
            f"{max(seconds, 0.0):.0f} s were left for it once the model was fitted."
        )
        return held_out
    return held_out.beside(WARPING, nearest.answers)
