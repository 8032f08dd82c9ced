"""The features of a run: two families, their plans and their files."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tideline.cores import available_cores
from tideline.errors import DataError
from tideline.features.plan import FeaturePlan
from tideline.panel import Panel
from tideline.spec import TrainingSpec
from training.cases import Cases
from training.outcome import write_whole
from training.planning import Means, compute_again, compute_convolutions, compute_features
from training.table import Table

if TYPE_CHECKING:
    from training.run import Run

PLANS = "plans.json"
"""Written once the features are computed."""


@dataclass(frozen=True, eq=False)
class Features:
    """What was computed of all cases; no label was looked at.

    Attributes
    ----------
    plans : mapping of family to FeaturePlan
        In the order of their columns.
    table
        Where they are.
    """

    plans: dict[str, FeaturePlan]
    table: Table

    @property
    def plan(self) -> FeaturePlan:
        """All families, one after the other."""
        return FeaturePlan(tuple(f for plan in self.plans.values() for f in plan.features))

    def families_of(self, plan: FeaturePlan) -> list[str]:
        """Return the families that a plan, of one of them or of all, is made of."""
        own = [name for name, each in self.plans.items() if each == plan]
        return own or list(self.plans)

    def columns(self, family: str) -> slice:
        """Return where a family's columns are in `plan`."""
        start = 0
        for name, plan in self.plans.items():
            if name == family:
                break
            start += len(plan.features)
        return slice(start, start + len(self.plans[family].features))


def extract_features(run: Run, cases: Cases) -> Features:
    """Compute the features that the spec asks for.

    Raises
    ------
    TidelineError
        When they cannot be computed, or not in the time that is left.
    """
    wanted, panel = run.spec.extract_features, cases.panel
    run.journal.enter("extract", "planning the features")

    def means(family: str) -> Means:
        return Means(run.clock, run.journal, available_cores(), _file(run.kept, family))

    plans = _kept(run, cases)
    for family, plan in plans.items():
        _complete(panel, plan, means(family))
    if not plans:
        began = time.monotonic()
        plans = {"features": compute_features(panel, wanted, means("features"))}
        seconds = {"features": time.monotonic() - began}
        if _has_convolutions(run.spec):
            convolutions = compute_convolutions(panel, means("convolutions"))
            if convolutions is not None:
                plans["convolutions"] = convolutions
                seconds["convolutions"] = time.monotonic() - began - seconds["features"]
        _keep(run, cases, plans, seconds)
    told = ", ".join(f"{len(plan.features)} {name}" for name, plan in plans.items())
    run.journal.say(f"{told} of {panel.n_cases} cases computed", 1.0)
    return Features(plans, Table({name: str(_file(run.kept, name)) for name in plans}))


def seconds_to_repeat(kept: Path) -> float:
    """Return what the features took that an earlier start has computed and that are not there.

    Parameters
    ----------
    kept
        The folder of the run.
    """
    place = kept / PLANS
    if not place.exists():
        return 0.0
    took: dict[str, float] = json.loads(place.read_bytes())["seconds"]
    return sum(seconds for name, seconds in took.items() if not _file(kept, name).exists())


def _has_convolutions(spec: TrainingSpec) -> bool:
    # A model that the spec names is fitted to the calculators' features alone.
    if not spec.model_training.is_search:
        return False
    wanted = spec.extract_features
    is_open = wanted.default_fc_parameters is None and not wanted.kind_to_fc_parameters
    return is_open if wanted.convolutions is None else wanted.convolutions


def _complete(panel: Panel, plan: FeaturePlan, means: Means) -> None:
    """Compute the features of an earlier start where their file is not there.

    It is too large for the copy in the store that the rest of the folder has come from.
    """
    if not means.path.exists():
        # A start that ends here is followed by another: the file appears as a whole.
        draft = means.path.with_name(f".{means.path.name}")
        compute_again(panel, plan, replace(means, path=draft))
        draft.replace(means.path)


def _file(kept: Path, family: str) -> Path:
    return kept / f"{family}.npy"


def _fingerprint(cases: Cases) -> str:
    labels = hashlib.sha256(np.ascontiguousarray(cases.target.y).tobytes())
    return f"{cases.panel.fingerprint()}-{labels.hexdigest()}"


def _keep(run: Run, cases: Cases, plans: dict[str, FeaturePlan], seconds: dict[str, float]) -> None:
    """Write down that the files are whole, and what they took.

    And of which series they are; with which labels, for trials.
    """
    told = {
        "fingerprint": _fingerprint(cases),
        "plans": {name: plan.to_json() for name, plan in plans.items()},
        "seconds": {name: round(took, 3) for name, took in seconds.items()},
    }
    write_whole(run.kept / PLANS, json.dumps(told).encode())


def _kept(run: Run, cases: Cases) -> dict[str, FeaturePlan]:
    """Return the plans of an earlier start of the same run on the same series, if there are any."""
    place = run.kept / PLANS
    if not place.exists():
        return {}
    told = json.loads(place.read_bytes())
    if told["fingerprint"] != _fingerprint(cases):
        raise DataError(
            "the series or the labels are not those that this run was started with.",
            mend="Start another run: leave --run-id out, or give a new one.",
            field="raw_data",
        )
    run.journal.say("the features are those of an earlier start")
    return {name: FeaturePlan.from_json(plan) for name, plan in told["plans"].items()}
