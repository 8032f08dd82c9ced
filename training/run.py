"""One run, from top to bottom: read, split, extract, search, evaluate, fit, publish, report."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tideline.cores import available_cores
from tideline.home import store_folder
from tideline.labels import Task
from tideline.memory import largest_model, usable_memory
from tideline.model import ModelDocument, ScoreCard
from tideline.pipeline import Pipeline
from tideline.spec import TrainingSpec
from tideline.store import ModelStore, ModelVersion, is_shared, open_outbox, write_model
from tideline.store.manifest import read_manifest
from training.assembly import assemble, compact
from training.cases import Cases, read, split_off
from training.clock import Clock
from training.evaluation import Scores
from training.features import Features, extract_features
from training.finder import Until
from training.journal import Journal
from training.ledger import Ledger
from training.record import files_of, gather, measured
from training.schedule import Schedule
from training.scoring import OWN_METRICS
from training.search import Data, Found, Search
from training.tools import Tools
from training.verdict import MAJORITY, unbeaten, warning_of
from training.workers import LEAST_MEMORY, Workers, end_server

MEMORY_SHARE = 0.75
"""Of the memory, what the workers may fill; the rest is for the run and the files it maps."""


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
    kept
        A folder that is there again when the same run is started again.
    clock, journal
        What is left, and whom to tell.
    commit
        Called when the run begins to publish: from then on it may have published.
    """

    spec: TrainingSpec
    folder: Path | str
    run_id: str
    scratch: Path
    kept: Path
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
        # Started before they are needed: their imports take as long as reading does.
        workers = stack.enter_context(_workers())
        cases = read(run)
        split = split_off(run, cases)
        features = extract_features(run, cases)
        data = Data(cases.panel, cases.target, split, features.table)
        tools = Tools(run.clock, run.journal, workers, Ledger(run.kept / "trials"), run.scratch)
        search = Search(run.spec.model_training, _until(run.spec), data, tools)
        found = search.find()
    _give_back_memory(run.journal)
    scores = tell_scores(run, cases, found, split.note)
    pipeline = assemble(cases, features, found.choice, found.fits.fitted)
    compacted = compact(pipeline, found.choice)
    document = describe_model(run, cases, features, compacted, scores)
    importances = measured(run, cases, features, found, pipeline)
    findings = gather(cases, found, document, tools.ledger.trials, importances)
    files = files_of(run, cases, features, found, findings)
    version = publish(run, compacted, document, files)
    return report(run, store, version)


def tell_scores(run: Run, cases: Cases, found: Found, note: str | None) -> ScoreCard:
    """Score what was answered for held-out cases, and tell it beside what is simpler."""
    cross_validation = dict(found.choice.score.metrics)
    if found.metric not in OWN_METRICS:
        cross_validation[found.metric] = found.choice.score.value
    held_out, target = found.held_out, cases.target
    if held_out is None:
        return ScoreCard(cross_validation=cross_validation, note=note)
    seed = run.spec.model_training.random_state
    seconds = Schedule(run.clock).report_seconds / 2
    scores = held_out.scores(
        target, seed, metric=found.metric, groups=cases.groups, seconds=seconds
    )
    baselines = held_out.baseline_scores(target, found.metric)
    _tell_scores(run.journal, scores, baselines, target.task)
    beside = {MAJORITY: scores.majority, **baselines}
    lost = unbeaten(scores.metrics, beside, found.metric, target.task)
    if lost:
        run.journal.notice(warning_of(lost, target.task))
    return ScoreCard(
        cross_validation=cross_validation,
        held_out=scores.metrics,
        held_out_interval=scores.intervals,
        held_out_by=held_out.by,
        n_held_out=int(held_out.positions.size),
        majority=scores.majority,
        baselines=baselines,
        beats_baselines=not lost,
        note=scores.note,
    )


def describe_model(
    run: Run, cases: Cases, features: Features, pipeline: Pipeline, scores: ScoreCard
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
        train_shape=(cases.panel.n_cases, len(features.plan.features)),
        train_seconds=round(run.clock.elapsed, 3),
        scores=scores,
        roles=run.spec.roles,
        fingerprint=cases.panel.fingerprint(),
        spec=spec,
        notices=(*run.spec.notices, *run.journal.notices),
    )


def publish(
    run: Run, pipeline: Pipeline, document: ModelDocument, files: Mapping[str, bytes]
) -> ModelVersion:
    """Make the pipeline the next version of its model, with some files for people beside it."""
    run.commit()
    run.journal.enter("publish", f"publishing {document.name}")
    folder = run.scratch / "model"
    write_model(folder, pipeline, document, files)
    patience = run.clock.patience
    if is_shared(run.store):
        _tell_size(run.journal, read_manifest(folder).size)
        run.journal.say(f"if the store is away, it is waited for {patience:.0f} s at most")
    store = open_outbox(run.store, run.home, patience=patience)
    return store.publish(folder, document.name, run_id=run.run_id)


def report(run: Run, store: ModelStore, version: ModelVersion) -> dict[str, Any]:
    """Return the summary of what the store holds, in the founding service's words and more."""
    document = store.describe(version)
    run.journal.enter("report", f"published {version} after {run.clock.elapsed:.1f} s")
    return document.summary(version.number)


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


def _tell_scores(
    journal: Journal, scores: Scores, baselines: Mapping[str, Mapping[str, float]], task: Task
) -> None:
    majority = "mean" if task == "regression" else "majority"
    for name, value in scores.metrics.items():
        beside = []
        if name in scores.intervals:
            beside.append("95 %: {:.4f} to {:.4f}".format(*scores.intervals[name]))
        for baseline, theirs in {majority: scores.majority, **baselines}.items():
            if name in theirs:
                beside.append(f"{baseline} {theirs[name]:.4f}")
        journal.say(f"held-out {name} {value:.4f}" + (f" ({'; '.join(beside)})" if beside else ""))


def _give_back_memory(journal: Journal) -> None:
    """End what the workers are forked from; a model that is found is worth more than its memory."""
    try:
        end_server()
    except (AttributeError, OSError) as error:
        journal.say(f"the server of the workers could not be ended: {error}")


def _workers() -> Workers:
    """Return as many workers as the cores and the memory allow."""
    memory = usable_memory()
    count = max(1, min(available_cores(), memory // (2 * LEAST_MEMORY) - 1))
    return Workers(count, max(LEAST_MEMORY, int(memory * MEMORY_SHARE) // count))


def _until(spec: TrainingSpec) -> Until:
    return Until(spec.until.score, spec.until.pipelines, spec.until.seconds_without_gain)
