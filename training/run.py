"""One run, from top to bottom: read, split, extract, search, evaluate, fit, publish, report."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from tideline.errors import LabelError
from tideline.features.plan import FeaturePlan
from tideline.home import store_folder
from tideline.labels import Labels, Task
from tideline.memory import largest_model
from tideline.model import ModelDocument, ScoreCard
from tideline.panel import FloatArray, Panel
from tideline.pipeline import Pipeline
from tideline.readers import read_labels, read_panel
from tideline.spec import TrainingSpec
from tideline.store import ModelStore, ModelVersion, is_shared, open_outbox, write_model
from tideline.store.manifest import read_manifest
from tideline.wording import counted
from training.clock import Clock
from training.evaluation import Scores, assess
from training.inputs import bare, read_input
from training.journal import Journal
from training.model_choice import (
    Chosen,
    Problem,
    answers_of,
    available_cores,
    fit_whole,
    named_model,
    require_metric,
    searched_models,
    settle,
)
from training.planning import compute_features
from training.search import Search
from training.split import Split, split_cases
from training.task import Target, decide_task


@dataclass(frozen=True, eq=False)
class Run:
    """What a run is given.

    Attributes
    ----------
    spec
        What to train.
    folder
        Where the relative paths of the spec begin: a path, or a URL.
    run_id
        Under which the model is published, once.
    scratch
        An empty folder, removed by the caller.
    clock, journal
        What is left, and whom to tell.
    commit
        Called when the run begins to publish: from then on it may have published.
    """

    spec: TrainingSpec
    folder: Path | str
    run_id: str
    scratch: Path
    clock: Clock
    journal: Journal
    commit: Callable[[], None] = lambda: None

    @property
    def home(self) -> Path:
        """The folder of the model store of this machine."""
        return store_folder()

    @property
    def store(self) -> str:
        """The address of the model store: the spec's, the installation's, or this machine's."""
        named = self.spec.store
        if named is not None and "://" not in named:
            return str(Path(self.folder) / Path(named).expanduser())
        return named or os.environ.get("TIDELINE_STORE") or str(self.home)


@dataclass(frozen=True, eq=False)
class Cases:
    """The training data.

    Attributes
    ----------
    panel : Panel
    target : Target
        The labels of its cases, in its order.
    """

    panel: Panel
    target: Target


def train(run: Run) -> dict[str, Any]:
    """Train and publish, and return the summary of what was published.

    Raises
    ------
    TidelineError
        One of its kinds, when the spec, the data, the time or the store do not allow it.
    """
    store = open_outbox(run.store, run.home)
    published = store.version_of_run(run.spec.pipeline_id, run.run_id)
    if published is not None:
        run.journal.say(f"run {run.run_id} has published {published} before")
        return report(run, store, published)
    with ExitStack() as stack:
        cases = read(run)
        search = (
            stack.enter_context(Search(run.scratch / "search", run.journal))
            if run.spec.model_training.is_search
            else None
        )
        split = split_off(run, cases.target)
        plan, X = extract_features(run, cases.panel)
        chosen = find_model(run, cases.target, split, X, search)
    scores = evaluate(run, cases.target, split, X, chosen)
    pipeline = fit(run, cases, plan, X, chosen)
    document = describe_model(run, cases, pipeline, X.shape, scores)
    version = publish(run, pipeline, document)
    return report(run, store, version)


def read(run: Run) -> Cases:
    """Read the series and the labels, and refuse what nothing can be learned from."""
    spec, journal = run.spec, run.journal
    for notice in spec.notices:
        journal.say(f"notice: {notice}")
    spec.require_local()
    journal.enter("read", f"reading {PurePosixPath(bare(str(spec.raw_data))).name}")
    content = read_input(str(spec.raw_data), run.folder, "raw_data")
    reading = read_panel(content, spec.extract_features.roles)
    labels = _labels(run, reading.labels)
    panel = reading.panel
    panel.require_usable()
    values = labels.aligned_to(panel)
    task, reason = decide_task(spec, reading.task if spec.labels is None else None, values)
    labels.require_classes(task)
    target = Target.from_labels(values, task)
    require_metric(target, spec.model_training)
    classes = f" of {target.n_classes} classes" if target.n_classes else ""
    channels = counted(len(panel.channels), "channel")
    journal.say(f"{panel.n_cases} cases{classes}, {channels}; {task}: {reason}", 1.0)
    return Cases(panel, target)


def split_off(run: Run, target: Target) -> Split:
    """Hold a part out, and cut the rest into folds."""
    wanted = run.spec.model_training
    run.journal.enter("split", "splitting")
    split = split_cases(target, wanted.test_fraction, wanted.cv, wanted.random_state)
    run.journal.say(
        f"{split.train.size} cases to learn from in {split.n_folds} folds, "
        f"{split.held_out.size} held out"
    )
    if split.note:
        run.journal.notice(split.note + ".")
    return split


def extract_features(run: Run, panel: Panel) -> tuple[FeaturePlan, FloatArray]:
    """Compute the features of all cases: no label is looked at."""
    journal, wanted = run.journal, run.spec.extract_features
    journal.enter("extract", "planning the features")
    plan, X = compute_features(panel, wanted, run.clock, available_cores(), journal)
    journal.say(f"{X.shape[1]} features of {X.shape[0]} cases computed", 1.0)
    return plan, X


def find_model(
    run: Run, target: Target, split: Split, X: FloatArray, search: Search | None
) -> Chosen:
    """Return the model to publish, chosen by cross-validation on the training part."""
    journal = run.journal
    problem = Problem(
        X[split.train], target.take(split.train), split.fold_of, run.spec.model_training
    )
    journal.enter("search", f"comparing models by {problem.metric}")
    if search is None:
        candidates = [named_model(problem, run.clock, journal)]
    else:
        candidates = searched_models(problem, search, run.clock, journal)
    chosen = settle(candidates, problem, run.clock, journal)
    journal.say(f"chosen: {chosen.candidate.name}, from the {chosen.candidate.origin}", 1.0)
    return chosen


def evaluate(run: Run, target: Target, split: Split, X: FloatArray, chosen: Chosen) -> ScoreCard:
    """Score the chosen model on the held-out cases, which nothing has seen so far."""
    journal = run.journal
    journal.enter("evaluate", f"scoring on {split.held_out.size} held-out cases")
    cross_validation = chosen.candidate.result.metrics
    if not split.held_out.size:
        return ScoreCard(cross_validation=cross_validation, note=split.note)
    held_out, learned = target.take(split.held_out), target.take(split.train)
    answers = answers_of(chosen, X[split.held_out], target)
    seed = run.spec.model_training.random_state
    scores = assess(target, held_out.y, answers, learned.y, seed)
    _tell_scores(journal, scores, target.task)
    return ScoreCard(
        cross_validation=cross_validation,
        held_out=scores.metrics,
        held_out_interval=scores.intervals,
        n_held_out=int(split.held_out.size),
        majority=scores.majority,
        note=scores.note,
    )


def fit(run: Run, cases: Cases, plan: FeaturePlan, X: FloatArray, chosen: Chosen) -> Pipeline:
    """Fit on all cases, and keep only the features that are used."""
    candidate, target = chosen.candidate, cases.target
    run.journal.enter("fit", f"fitting {candidate.name} to all {len(X)} cases")
    fitted = fit_whole(candidate, run.spec.model_training, target, X)
    if candidate.origin != "spec" and "n_jobs" in fitted.steps[-1][1].get_params():
        # One case is answered faster by one thread than by many that have to be started.
        fitted.steps[-1][1].set_params(n_jobs=1)
    whole = Pipeline(plan, fitted, target.task, target.classes, tuple(cases.panel.channels))
    narrow = whole.narrowed()
    run.journal.say(f"{len(narrow.plan.features)} of {len(plan.features)} features are used", 1.0)
    return narrow


def describe_model(
    run: Run, cases: Cases, pipeline: Pipeline, shape: tuple[int, ...], scores: ScoreCard
) -> ModelDocument:
    """Return what is written down of the model."""
    # Where the data lay is no property of the model, and a URL may hold a password.
    spec = {
        key: value
        for key, value in run.spec.to_mapping().items()
        if key not in {"raw_data", "labels", "store"}
    }
    return ModelDocument.describing(
        pipeline,
        name=run.spec.pipeline_id,
        run_id=run.run_id,
        train_shape=(shape[0], shape[1]),
        train_seconds=round(run.clock.elapsed, 3),
        scores=scores,
        roles=run.spec.extract_features.roles,
        fingerprint=cases.panel.fingerprint(),
        spec=spec,
        notices=(*run.spec.notices, *run.journal.notices),
    )


def publish(run: Run, pipeline: Pipeline, document: ModelDocument) -> ModelVersion:
    """Make the pipeline the next version of its model."""
    run.commit()
    run.journal.enter("publish", f"publishing {document.name}")
    folder = run.scratch / "model"
    write_model(folder, pipeline, document)
    patience = run.clock.patience
    if is_shared(run.store):
        _tell_size(run.journal, read_manifest(folder).size)
        run.journal.say(f"a store that is away is waited for, {patience:.0f} s at most")
    store = open_outbox(run.store, run.home, patience=patience)
    return store.publish(folder, document.name, run_id=run.run_id)


def report(run: Run, store: ModelStore, version: ModelVersion) -> dict[str, Any]:
    """Return the summary of what the store holds, in the founding service's words and more."""
    document = store.describe(version)
    run.journal.enter("report", f"published {version} after {run.clock.elapsed:.1f} s")
    return document.summary(version.number)


def _labels(run: Run, held: Labels | None) -> Labels:
    spec = run.spec
    if spec.labels is not None:
        content = read_input(spec.labels, run.folder, "labels")
        return read_labels(content, spec.extract_features.column_id, spec.column_label)
    if held is None:
        raise LabelError(
            "the spec names no labels, and the data holds none.",
            mend="Set labels to a file or a URL; only .ts files hold their own.",
            field="labels",
        )
    return held


def _tell_size(journal: Journal, size: int) -> None:
    """Warn of a model that predictors may refuse; their own limit is not known here."""
    told = os.environ.get("TIDELINE_MAX_MODEL_BYTES", "")
    limit = int(told) if told.isdigit() else largest_model()
    if size > limit:
        whose = "TIDELINE_MAX_MODEL_BYTES" if told.isdigit() else "a 64th of this run's memory"
        journal.say(
            f"warning: the model has {size} bytes, and a predictor that takes {limit} ({whose}) "
            "will refuse it; train a smaller one, or give the predictors more memory"
        )


def _tell_scores(journal: Journal, scores: Scores, task: Task) -> None:
    baseline = "mean" if task == "regression" else "majority"
    for name, value in scores.metrics.items():
        beside = []
        if name in scores.intervals:
            beside.append("95 %: {:.4f} to {:.4f}".format(*scores.intervals[name]))
        if name in scores.majority:
            beside.append(f"{baseline} {scores.majority[name]:.4f}")
        journal.say(f"held-out {name} {value:.4f}" + (f" ({'; '.join(beside)})" if beside else ""))
