"""What the training program makes of one data set, and how good that is on the set's test part."""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Self

import numpy as np

from benchmarks.published import Kind
from benchmarks.training_run import TrainingRun, run_training
from tideline.blend import Blend
from tideline.pipeline import Pipeline
from tideline.readers import ColumnRoles, Reading, read_panel

WARPING_OF_RUN = "1-NN DTW"
"""The baseline's name in a model's scores."""
ROUNDING = 1e-9
"""Not what decides whether an interval holds a score."""


class RunFailed(Exception):
    """A run that published nothing."""


@dataclass(frozen=True)
class Measured:
    """One data set.

    Attributes
    ----------
    name, kind
    budget : float
        What the run was given, in seconds.
    seconds : float
        What its process took.
    load : float
        How many processes wanted a core when it began, over the last minute.
    score : float
        On the test part: the accuracy, or the root of the mean squared error.
    seconds_a_case : float
        Of prediction on the test part, from series to answers.
    held_out : float or None
        The score that the run told, on cases of the training part that no step had seen.
    interval : (float, float) or None
        Its 95 % interval.
    held_out_by : str or None
    warping : float or None
        What 1-NN DTW reached on the same cases, as the run measured it.
    chosen : str
        The published model.
    tried, failed : int
        Pipelines.
    first_pipeline : float or None
        The seconds from the start of the process to the event of the first pipeline.
    notices : list of str
        Of the published model.
    """

    name: str
    kind: Kind
    budget: float
    seconds: float
    load: float
    score: float
    seconds_a_case: float
    held_out: float | None
    interval: tuple[float, float] | None
    held_out_by: str | None
    warping: float | None
    chosen: str
    tried: int
    failed: int
    first_pipeline: float | None
    notices: list[str]

    @property
    def overshoot(self) -> float:
        """By which share of the budget it was late; below zero where it was early."""
        return self.seconds / self.budget - 1

    @property
    def covers(self) -> bool:
        """Whether the interval, if there is one, holds the score on the test part."""
        if self.interval is None:
            return False
        low, high = self.interval
        return low - ROUNDING <= self.score <= high + ROUNDING

    def write(self, path: Path) -> None:
        """Write it as JSON, whole or not at all."""
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(asdict(self), indent=1, allow_nan=False) + "\n")
        partial.replace(path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what was written."""
        found = json.loads(path.read_text())
        if found.keys() != {field.name for field in fields(cls)}:
            raise SystemExit(f"{path} is of another version of this program; use --again")
        if found["interval"] is not None:
            found["interval"] = tuple(found["interval"])
        return cls(**found)


def measure(folder: Path, name: str, kind: Kind, budget: float, log: Path) -> Measured:
    """Train on the training part of a data set, and ask for its test part.

    Parameters
    ----------
    folder
        Of the set: it holds `<name>_TRAIN.ts` and `<name>_TEST.ts`.
    log
        Gets what the training program writes.

    Raises
    ------
    RunFailed
        When nothing was published.
    """
    spec = {
        "pipeline_id": name.lower(),
        "raw_data": str((folder / f"{name}_TRAIN.ts").resolve()),
        "budget": budget,
    }
    about: dict[str, Any] = {
        "name": name,
        "kind": kind,
        "budget": budget,
        "load": os.getloadavg()[0],
    }
    with tempfile.TemporaryDirectory(prefix="tideline-accuracy-") as scratch:
        run = run_training(spec, Path(scratch), log=log)
        if run.code:
            raise RunFailed(run.failure)
        test = read_panel(folder / f"{name}_TEST.ts", ColumnRoles(column_id=None))
        return Measured(**about, **_told(run, test, "rmse" if kind == "rmse" else "accuracy"))


def _told(run: TrainingRun, test: Reading, metric: str) -> dict[str, Any]:
    """Return the fields that a run and its model tell."""
    pipeline, document = run.load()
    score, seconds_a_case = _asked(pipeline, test, metric)
    scores = document.scores
    return {
        "seconds": run.seconds,
        "score": score,
        "seconds_a_case": seconds_a_case,
        "held_out": (scores.held_out or {}).get(metric),
        "interval": (scores.held_out_interval or {}).get(metric),
        "held_out_by": scores.held_out_by,
        "warping": (scores.baselines or {}).get(WARPING_OF_RUN, {}).get(metric),
        "chosen": _chosen(pipeline),
        "tried": run.pipelines.tried,
        "failed": run.pipelines.failed,
        "first_pipeline": run.first_pipeline,
        "notices": list(document.notices),
    }


def _asked(pipeline: Pipeline, test: Reading, metric: str) -> tuple[float, float]:
    """Return the score on labelled series, and the seconds of prediction a case."""
    if test.labels is None:
        raise SystemExit("the test part holds no labels")
    truth = np.array(test.labels.aligned_to(test.panel))
    pipeline.predict(test.panel.take(np.arange(1)))  # what is loaded once, does not count
    began = time.perf_counter()
    answers = np.array(pipeline.predict(test.panel).labels)
    seconds = time.perf_counter() - began
    if metric == "rmse":
        score = float(np.sqrt(np.mean((answers - truth) ** 2)))
    else:
        score = float(np.mean(answers == truth))
    return score, seconds / len(truth)


def _chosen(pipeline: Pipeline) -> str:
    model = pipeline.estimator.steps[-1][1]
    if not isinstance(model, Blend):
        return type(model).__name__
    shares = np.array(model.weights) / np.sum(model.weights)
    members = zip(shares, model.models, strict=True)
    return " + ".join(f"{share:.2g} {type(member).__name__}" for share, member in members)
