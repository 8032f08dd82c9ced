"""Finding the model: the one that the spec names, or the best of portfolio and TPOT's search."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline as Steps

from tideline.errors import DataError, SearchFailed, SpecError, TidelineError
from tideline.pipeline import Prediction
from tideline.spec import ModelTrainingSpec, build_estimator
from tideline.spec.search_arguments import SearchArguments
from training.candidates import Candidate, describe, portfolio
from training.clock import Clock
from training.folds import (
    Fold,
    Step,
    cross_validate,
    default_metric,
    fit_steps,
    predict,
    preparation,
    prepare_folds,
)
from training.journal import Journal
from training.search import Search
from training.search_task import SearchTask
from training.task import Target

FINAL_FITS = 3.0
"""Two fits on more cases than a fold has, in fits of a fold."""
MARGIN = 0.02
"""The share of the budget that the search leaves unused, at least one second."""
LEAST_SEARCH = 3.0
"""Seconds below which a search is not begun."""
EARLY_STOP = 10
"""Generations without a better pipeline that end a search which the spec does not bound."""
EVOLUTION = (
    "crossover_probability",
    "mutate_probability",
    "mutate_then_crossover_probability",
    "crossover_then_mutate_probability",
    "survival_percentage",
)
FIT_ERRORS = (
    ValueError,
    ArithmeticError,
    RuntimeError,
    TypeError,
    AttributeError,
    LookupError,
    MemoryError,
    DataError,
)
"""What estimators raise for data that they cannot take, and a pipeline for answers of no use."""
BINARY_ONLY = frozenset({"average_precision", "f1", "precision", "recall"})


@dataclass(frozen=True, eq=False)
class Problem:
    """What every candidate is compared on.

    Attributes
    ----------
    X : float64 array of shape (n_train, n_features)
    target : Target
        Of the same cases.
    fold_of : int64 array of shape (n_train,)
    spec : ModelTrainingSpec
    """

    X: NDArray[np.float64]
    target: Target
    fold_of: NDArray[np.int64]
    spec: ModelTrainingSpec

    @property
    def metric(self) -> str:
        """What is raised, under scikit-learn's name."""
        return self.spec.metric or default_metric(self.target)

    def folds(self) -> tuple[Fold, ...]:
        """Return the folds, imputed and selected."""
        steps = preparation(self.target.task, self.spec.select_features)
        return prepare_folds(self.X, self.target.y, self.fold_of, steps)


def available_cores() -> int:
    """Return how many cores this process may use."""
    affinity: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def require_metric(target: Target, spec: ModelTrainingSpec) -> None:
    """Refuse a metric of two classes where there are more.

    Raises
    ------
    SpecError
        With the metrics that would do.
    """
    if target.n_classes > 2 and spec.metric in BINARY_ONLY:
        raise SpecError(
            f"metric is {spec.metric!r}, which is for two classes; there are {target.n_classes}.",
            mend="Choose accuracy, balanced_accuracy, f1_macro, neg_log_loss or roc_auc.",
            field="model_training.metric",
        )


def named_model(problem: Problem, clock: Clock, journal: Journal) -> Candidate:
    """Return the model that the spec names, cross-validated as far as the time allows.

    Raises
    ------
    SearchFailed
        When it cannot be fitted to these features.
    """
    spec = problem.spec
    estimator = build_estimator(str(spec.model), spec.model_args, spec.random_state)
    candidate = _compared(
        "spec", [("model", estimator)], problem, problem.folds(), 0.6 * clock.remaining
    )
    if candidate.result.n_folds <= problem.fold_of.max():
        journal.notice(
            f"time allowed {candidate.result.n_folds} folds of {problem.fold_of.max() + 1}."
        )
    return candidate


def searched_models(
    problem: Problem, search: Search, clock: Clock, journal: Journal
) -> list[Candidate]:
    """Return the portfolio's models and those that TPOT found, best first.

    Raises
    ------
    SearchFailed
        When none of them could be fitted.
    """
    began = time.monotonic()
    folds = problem.folds()
    prepared = (time.monotonic() - began) / len(folds)
    candidates = _portfolio(problem, folds, clock, journal)
    slowest = max((_seconds_to_fit(candidate) for candidate in candidates), default=0.0)
    # A margin, so that a default which was the best when the search began still is affordable.
    reserve = clock.publishing + slowest + FINAL_FITS * prepared + max(1.0, MARGIN * clock.budget)
    arguments = SearchArguments.model_validate(problem.spec.model_args)
    seconds = clock.remaining - reserve
    if seconds < LEAST_SEARCH:
        journal.notice("no time was left for a search: the best default is published.")
    else:
        task = _task(problem, arguments, seconds, search.folder)
        journal.say(f"TPOT searches for at most {task.seconds:.0f} s, raising {task.metric}")
        deadline = time.monotonic() + seconds
        candidates += search.run(task, problem.X, problem.target.y, problem.fold_of, deadline)
    if not candidates:
        raise SearchFailed(
            f"no model could be fitted to the features: {'; '.join(journal.notices)}",
            mend="Name a model in model_training.model, or other features.",
        )
    return sorted(candidates, key=lambda c: c.result.score, reverse=True)


@dataclass(frozen=True, eq=False)
class Chosen:
    """The model that is published.

    Attributes
    ----------
    candidate
        With its cross-validation.
    fitted : sklearn.pipeline.Pipeline
        Preparation and model, fitted to the training part.
    """

    candidate: Candidate
    fitted: Steps


def settle(candidates: list[Candidate], problem: Problem, clock: Clock, journal: Journal) -> Chosen:
    """Fit the best candidate that the time left allows, or the next when that fails.

    Raises
    ------
    SearchFailed
        When none can be fitted.
    """
    seconds = clock.remaining - clock.publishing
    in_time = [c for c in candidates if _seconds_to_fit(c) <= seconds]
    cheapest = min(candidates, key=lambda c: c.result.fit_seconds)
    if candidates[0] not in in_time:
        journal.notice(f"{candidates[0].name} would take too long to fit in the time left.")
    for candidate in in_time or [cheapest]:
        try:
            fitted = fit_whole(candidate, problem.spec, problem.target, problem.X)
        except SearchFailed as error:
            journal.notice(error.message)
            continue
        return Chosen(candidate, fitted)
    raise SearchFailed(
        f"none of the {len(candidates)} models found could be fitted to all training cases.",
        mend="Name a model in model_training.model.",
    )


def fit_whole(
    candidate: Candidate, spec: ModelTrainingSpec, target: Target, X: NDArray[np.float64]
) -> Steps:
    """Return preparation and model, fitted to all cases given.

    Raises
    ------
    SearchFailed
        When the model does not take them.
    """
    before = preparation(target.task, spec.select_features)
    try:
        return fit_steps([*before, *candidate.steps], X, target.y)
    except FIT_ERRORS as error:
        raise _unfit(candidate.steps, error) from error


def answers_of(chosen: Chosen, X: NDArray[np.float64], target: Target) -> Prediction:
    """Return what the chosen model says of cases that it was not fitted to.

    Raises
    ------
    SearchFailed
        When it cannot answer, or with what is no number.
    """
    try:
        return predict(chosen.fitted, X, target)
    except FIT_ERRORS as error:
        what = "could not answer for the held-out cases"
        raise _unfit(chosen.candidate.steps, error, what) from error


def _seconds_to_fit(candidate: Candidate) -> float:
    return FINAL_FITS * candidate.result.fit_seconds


def _unfit(
    steps: list[Step], error: Exception, what: str = "could not be fitted to the features"
) -> SearchFailed:
    reason = error.message if isinstance(error, TidelineError) else error
    return SearchFailed(
        f"{describe(steps)} {what}: {reason}",
        mend="Name another model or other arguments, or leave the model out for a search.",
        field="model_training.model",
    )


def _portfolio(
    problem: Problem, folds: tuple[Fold, ...], clock: Clock, journal: Journal
) -> list[Candidate]:
    candidates: list[Candidate] = []
    task, seed = problem.target.task, problem.spec.random_state
    for steps in portfolio(task, seed, available_cores(), clock.budget):
        began = time.monotonic()
        # The first is the safety net and gets what it needs; the others must leave time to search.
        seconds = (0.2 if candidates else 0.4) * clock.remaining
        try:
            candidate = _compared("portfolio", steps, problem, folds, seconds)
        except SearchFailed as error:
            journal.notice(error.message)
            continue
        if candidate.result.n_folds < len(folds) and candidates:
            continue
        candidates.append(candidate)
        journal.say(f"{candidate.name}: {_shown(candidate)} ({time.monotonic() - began:.1f} s)")
    return candidates


def _compared(
    origin: str, steps: list[Step], problem: Problem, folds: tuple[Fold, ...], seconds: float
) -> Candidate:
    deadline = time.monotonic() + seconds
    try:
        result = cross_validate(steps, folds, problem.target, problem.metric, deadline)
    except FIT_ERRORS as error:
        raise _unfit(steps, error) from error
    return Candidate(origin, steps, result)


def _shown(candidate: Candidate) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in candidate.result.metrics.items())


def _task(problem: Problem, arguments: SearchArguments, seconds: float, folder: Path) -> SearchTask:
    asked: Any = arguments.max_time_mins
    seconds = min(seconds, asked * 60) if asked else seconds
    bounded = asked or arguments.generations or arguments.early_stop
    cores = available_cores()
    workers = arguments.n_jobs if "n_jobs" in arguments.model_fields_set else cores
    return SearchTask(
        folder=str(folder),
        task=problem.target.task,
        classes=problem.target.classes,
        metric=problem.metric,
        select_features=problem.spec.select_features,
        random_state=problem.spec.random_state,
        population=arguments.population_size,
        first_population=arguments.initial_population_size or arguments.population_size,
        generations=arguments.generations,
        early_stop=arguments.early_stop if bounded else EARLY_STOP,
        seconds=seconds,
        # One pipeline may not use up the search; TPOT's own bound is ten minutes.
        seconds_each=min(arguments.max_eval_time_mins * 60, max(seconds / 5, 1.0)),
        workers=cores if workers < 0 else min(workers, cores),
        light=arguments.search_space == "linear-light",
        evolution={name: float(getattr(arguments, name)) for name in EVOLUTION},
    )
