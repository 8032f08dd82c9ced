"""One run of the training program, in a process and a home of its own, on the wall's clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tideline.progress import Event, Pipelines
from tideline.store import Loaded, open_store

LATEST_END = 60.0
"""Seconds over twice the budget after which a run is ended: it is not coming back."""
FAREWELL = 30.0
"""Seconds between the request to end and the end by force; the program promises 20."""


@dataclass(frozen=True)
class TrainingRun:
    """What came of it.

    Attributes
    ----------
    name
        Of the model.
    home
        Its TIDELINE_HOME, which holds the store.
    began
        When the process was started, in UTC.
    seconds : float
        From then to the end of the process, imports and all.
    code : int
        The exit code.
    failure : str
        What the program says of a run that published nothing; else empty.
    events : tuple of Event
        Its progress.
    """

    name: str
    home: Path
    began: datetime
    seconds: float
    code: int
    failure: str
    events: tuple[Event, ...]

    @property
    def first_pipeline(self) -> float | None:
        """The seconds after which the first event told of a pipeline that could be published."""
        told = (e.time for e in self.events if e.best is not None and e.time is not None)
        first = next(told, None)
        return None if first is None else (first - self.began).total_seconds()

    @property
    def pipelines(self) -> Pipelines:
        """What came of the pipelines in the end."""
        told = (e.pipelines for e in reversed(self.events) if e.pipelines is not None)
        return next(told, Pipelines(tried=0))

    def load(self) -> Loaded:
        """Load what was published, from the store, as any user would."""
        store = open_store(self.home / "bentoml")
        return store.load(store.resolve(self.name))


def run_training(
    spec: Mapping[str, Any],
    folder: Path,
    *,
    log: Path | None = None,
    kernels: Path | None = None,
) -> TrainingRun:
    """Run `python -m training` on a spec, and wait for its end.

    Parameters
    ----------
    spec
        The keys of a training spec, `budget` among them.
    folder
        Gets the spec, the progress and the home; it is empty, and removed by the caller.
    log
        A file that gets what the program writes; nobody does when left out.
    kernels
        The folder of compiled kernels; the usual one when left out.
    """
    written, progress, result = (folder / f for f in ("spec.yaml", "progress.jsonl", "result.json"))
    written.write_text(json.dumps(spec))  # JSON is YAML too
    options = ["--progress", str(progress), "--result", str(result), "--progress-bar", "never"]
    command = [sys.executable, "-m", "training", str(written), *options]
    home = folder / "home"
    with Path(log or os.devnull).open("wb") as output:
        began, tick = datetime.now(UTC), time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - ours
            command, env=environment(home, kernels), stdout=output, stderr=subprocess.STDOUT
        )
        code = _ended(process, 2 * spec["budget"] + LATEST_END)
        seconds = time.perf_counter() - tick
    return TrainingRun(
        spec["pipeline_id"], home, began, seconds, code, _failure(result, code), _events(progress)
    )


def environment(home: Path, kernels: Path | None = None) -> dict[str, str]:
    """Return this process's environment, with a home and without any shared store.

    Parameters
    ----------
    home
        For TIDELINE_HOME.
    kernels
        Where compiled kernels are found and kept; then without what an image ships.
    """
    other = {"TIDELINE_STORE"} | ({"TIDELINE_COMPILED"} if kernels else set())
    kept = {key: value for key, value in os.environ.items() if key not in other}
    there = {"NUMBA_CACHE_DIR": str(kernels)} if kernels else {}
    return {**kept, **there, "TIDELINE_HOME": str(home)}


def _ended(process: subprocess.Popen[bytes], seconds: float) -> int:
    """Wait for the end of a process, and bring it about where it does not come."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return _stopped(process)
    except KeyboardInterrupt:
        _stopped(process)
        raise


def _stopped(process: subprocess.Popen[bytes]) -> int:
    process.terminate()
    try:
        return process.wait(FAREWELL)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _failure(result: Path, code: int) -> str:
    if code == 0:
        return ""
    if not result.exists():
        return f"it ended with {code}, and says nothing of why"
    error = json.loads(result.read_text())["error"]
    return f"{error['code']}: {error['message']}"


def _events(progress: Path) -> tuple[Event, ...]:
    if not progress.exists():
        return ()
    return tuple(map(Event.model_validate_json, progress.read_text().splitlines()))
