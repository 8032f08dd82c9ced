"""The record of a run: what is kept beside its model, for people."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from tideline.model import ModelDocument
from tideline.pipeline import Pipeline
from training.assembly import assemble
from training.cases import Cases
from training.export import script
from training.failures import reason_of
from training.features import Features
from training.findings import Findings, Importances
from training.fold import as_prediction
from training.importance import importances
from training.journal import Journal
from training.report import report, search_parquet
from training.schedule import Schedule
from training.search import Found
from training.trial import Trial

if TYPE_CHECKING:
    from training.run import Run


def measured(
    run: Run, cases: Cases, features: Features, found: Found, published: Pipeline
) -> Importances:
    """Measure what the model makes of channels, regions and features, as far as the time goes.

    On held-out cases, by the members as they were before they had seen these, where a part was
    held out; else by the published pipeline, on the cases that it was fitted to.
    """
    held_out, pipeline = found.held_out, published
    positions = np.arange(cases.panel.n_cases, dtype=np.intp)
    on = f"{positions.size} cases that it was fitted to"
    if held_out is not None and held_out.fitted:
        by_key, positions = held_out.fitted, held_out.positions
        on = f"{positions.size} held-out cases"
        pipeline = assemble(cases, features, found.choice, lambda c: by_key[c.key])
    run.journal.say(f"measuring importances on {on}")
    X = np.hstack([features.table.rows(f, positions) for f in features.families_of(pipeline.plan)])
    return importances(
        pipeline,
        X,
        cases.target.take(positions),
        metric=found.metric,
        deadline=Schedule(run.clock).reported_at,
        random_state=run.spec.model_training.random_state,
        on=on,
    )


def gather(
    cases: Cases,
    found: Found,
    document: ModelDocument,
    trials: tuple[Trial, ...],
    importances: Importances,
) -> Findings:
    """Return everything that the report tells."""
    held_out = found.held_out
    nobody = np.empty(0, dtype=np.intp)
    return Findings(
        document=document,
        panel=cases.panel,
        target=cases.target,
        metric=found.metric,
        trials=trials,
        chosen=tuple((weight, candidate.title) for weight, candidate in found.choice.members),
        positions=nobody if held_out is None else held_out.positions,
        answers=None if held_out is None else as_prediction(held_out.answers, cases.target),
        importances=importances,
    )


def files_of(
    run: Run, cases: Cases, features: Features, found: Found, findings: Findings
) -> dict[str, bytes]:
    """Return what is kept beside the model, by name.

    What cannot be made is left out, and told: the model is worth more than its picture.
    """
    makers: dict[str, Callable[[], bytes]] = {
        "search.parquet": lambda: search_parquet(findings.trials),
        "report.html": lambda: report(findings).encode(),
        "pipeline.py": lambda: script(
            run.spec, cases.panel, cases.target, features.plans, found.choice.members
        ).encode(),
    }
    found_files = {name: _made(name, make, run.journal) for name, make in makers.items()}
    return {name: content for name, content in found_files.items() if content is not None}


def _made(name: str, make: Callable[[], bytes], journal: Journal) -> bytes | None:
    try:
        return make()
    except Exception as error:  # noqa: BLE001 - told, and not worth the model
        traceback.print_exc()
        journal.notice(f"{name} could not be made, and is left out: {reason_of(error)}.")
        return None
