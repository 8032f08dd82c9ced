"""The rows of the page, made from a model's document and a job's record."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from service.jobs.record import JobRecord
from service.kept import report_path
from service.pages.view import HeldOutScore, JobRow, ModelRow
from tideline.model import ModelDocument, ScoreCard
from tideline.progress import Progress
from tideline.wording import metric_of

# The score that a reader knows best, where the spec names none; the others are in the JSON.
_METRICS = {"classification": "accuracy", "regression": "r2"}
# Scores that a model has under a name of their own.
_PUBLISHED = {"roc_auc_ovr": "roc_auc"}
_BASELINES = {"classification": "majority class", "regression": "mean"}


def model_row(document: ModelDocument, version: int) -> ModelRow:
    """Return the row of a model in one version."""
    key = _headline(document)
    crossed = (document.scores.cross_validation or {}).get(key)
    return ModelRow(
        name=document.name,
        version=str(version),
        published=document.created,
        estimator=document.model_type,
        about=_about(document),
        held_out=_held_out(document.scores, key, document.task),
        cross_validation="" if crossed is None else f"{metric_of(key)} {crossed:.3f}",
        note=document.scores.note or "",
        is_weak=document.scores.beats_baselines is False,
        report=_report(document.summary(version)),
    )


def job_row(record: JobRecord) -> JobRow:
    """Return the row of a job; a failed one says what was wrong and how to mend it."""
    progress = record.progress
    problem = record.problem
    reason = record.reason if record.state in ("failed", "cancelled") else ""
    if problem is not None:
        told = f"{problem.detail} {problem.mend or ''}".strip()
        reason = f"{problem.field}: {told}" if problem.field else told
    return JobRow(
        id=record.id,
        model=record.pipeline_id,
        state=record.state.value,
        submitted=record.created,
        ended=record.ended,
        share=progress.share if progress else 0.0,
        budget_share=progress.budget_share if progress else None,
        doing=": ".join(filter(None, (progress.stage, progress.message))) if progress else "",
        standing=_standing(progress) if progress else "",
        reason=reason,
        report=_report(record.summary or {}),
    )


def _report(summary: Mapping[str, JsonValue]) -> str:
    # From the page on, which may be served under a path of its own.
    return (report_path(summary) or "").removeprefix("/")


def _standing(progress: Progress) -> str:
    """Return what the search has found, and below it why pipelines failed."""
    failures = progress.pipelines.failures if progress.pipelines else ()
    reasons = (f"{failure.count} \N{MULTIPLICATION SIGN} {failure.reason}" for failure in failures)
    return "\n".join(filter(None, (progress.standing, *reasons)))


def _about(document: ModelDocument) -> str:
    kind = _count(len(document.classes), "class", "classes")
    return ", ".join(
        (
            "regression" if document.task == "regression" else kind,
            _count(document.train_shape[0], "case", "cases"),
            _count(len(document.channels), "channel", "channels"),
            _count(document.n_features, "feature", "features"),
        )
    )


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _headline(document: ModelDocument) -> str:
    """Return the metric to show: the spec's own, unless it is an error, or is not known."""
    scores = document.scores.held_out or document.scores.cross_validation or {}
    training = document.spec.get("model_training")
    named = training.get("metric") if isinstance(training, dict) else None
    wanted = _PUBLISHED.get(str(named), str(named))
    # The bar of a score goes from 0 to 1, where 1 is the best.
    is_shown = wanted in scores and not wanted.startswith("neg_")
    return wanted if is_shown else _METRICS[document.task]


def _held_out(scores: ScoreCard, key: str, task: str) -> HeldOutScore | None:
    value = (scores.held_out or {}).get(key)
    baseline = (scores.majority or {}).get(key)
    if value is None or baseline is None:
        return None
    low, high = (scores.held_out_interval or {}).get(key, (None, None))
    name = metric_of(key)
    return HeldOutScore(name, value, baseline, _BASELINES[task], low, high, scores.n_held_out)
