"""The record of a run: what is kept beside its model, for people."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from tideline.model import ModelDocument
from tideline.pipeline import Pipeline
from training.alarm import OverdueError, ended_at
from training.assembly import assemble
from training.cases import Cases
from training.export import script
from training.failures import reason_of
from training.features import Features
from training.findings import Findings, Importances, Member
from training.fold import as_prediction
from training.importance import importances, sample
from training.journal import Journal
from training.report import report, search_parquet
from training.schedule import Schedule
from training.search import Found
from training.trial import Trial

if TYPE_CHECKING:
    from training.run import Run


def measured(
    run: Run, cases: Cases, features: Features, found: Found, published: Pipeline
) -> Importances | None:
    """Measure what the model makes of channels, regions and features, as far as the time goes.

    On held-out cases, by the members as they were before they had seen these, where a part was
    held out; else by the published pipeline, on the cases that it was fitted to. None, and a
    notice, where that fails.
    """
    try:
        with ended_at(Schedule(run.clock).published_at):
            return _measured(run, cases, features, found, published)
    except OverdueError:
        run.journal.notice("importances are left out: there was no time to measure them.")
        return None
    except Exception as error:  # noqa: BLE001 - told, and not worth the model
        traceback.print_exc()
        run.journal.notice(f"importances could not be measured: {reason_of(error)}.")
        return None


def _measured(
    run: Run, cases: Cases, features: Features, found: Found, published: Pipeline
) -> Importances:
    held_out, pipeline = found.held_out, published
    positions = np.arange(cases.panel.n_cases, dtype=np.intp)
    on = f"{positions.size} cases that it was fitted to"
    if held_out is not None and held_out.fitted:
        by_key, positions = held_out.fitted, held_out.positions
        on = f"{positions.size} held-out cases"
        pipeline = assemble(cases, features, found.choice, lambda c: by_key[c.key])
    run.journal.say(f"measuring importances on {on}")
    random_state = run.spec.model_training.random_state
    sampled = sample(cases.target.take(positions), np.random.default_rng(random_state))
    if sampled.size < positions.size:
        positions, on = positions[sampled], f"{sampled.size} of {on}"
    X = np.hstack([features.table.rows(f, positions) for f in features.families_of(pipeline.plan)])
    return importances(
        pipeline,
        X,
        cases.target.take(positions),
        metric=found.metric,
        deadline=Schedule(run.clock).reported_at,
        random_state=random_state,
        on=on,
    )


def gather(
    cases: Cases,
    found: Found,
    document: ModelDocument,
    trials: tuple[Trial, ...],
    importances: Importances | None,
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
        chosen=tuple(Member(weight, c.key, c.title) for weight, c in found.choice.members),
        positions=nobody if held_out is None else held_out.positions,
        answers=None if held_out is None else as_prediction(held_out.answers, cases.target),
        importances=importances,
    )


def files_of(
    run: Run, cases: Cases, features: Features, found: Found, findings: Findings
) -> dict[str, bytes]:
    """Return what is kept beside the model, by name.

    What cannot be made, or not before publishing has to begin, is left out, and told: the model is
    worth more than its picture.
    """
    makers: dict[str, Callable[[], bytes]] = {
        "report.html": lambda: report(findings).encode(),
        "search.parquet": lambda: search_parquet(findings.trials),
        "pipeline.py": lambda: script(
            run.spec,
            cases.panel,
            cases.target,
            features.plans,
            found.choice.members,
            sharpness=found.choice.sharpness,
        ).encode(),
    }
    until = Schedule(run.clock).published_at
    found_files = {name: _made(name, make, until, run.journal) for name, make in makers.items()}
    return {name: content for name, content in found_files.items() if content is not None}


def _made(name: str, make: Callable[[], bytes], until: float, journal: Journal) -> bytes | None:
    try:
        with ended_at(until):
            return make()
    except OverdueError:
        journal.notice(f"{name} is left out: there was no time to make it.")
        return None
    except Exception as error:  # noqa: BLE001 - told, and not worth the model
        traceback.print_exc()
        journal.notice(f"{name} could not be made, and is left out: {reason_of(error)}.")
        return None
