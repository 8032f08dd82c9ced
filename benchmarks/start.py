"""How long it takes to begin: `python -m benchmarks.start`.

Two things, each in processes of their own: to compile every kernel where none is compiled yet, in
seconds of the processor; and, where all are, from the start of a process to the first answer of a
model that it loads from a store, in seconds on the wall. Between the two a model is trained, for
which nothing should be left to compile.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from benchmarks.figures import Figures
from benchmarks.made_up import write_waves
from benchmarks.training_run import TrainingRun, environment, run_training

COMPILING = 60.0
ANSWERING = 3.0
CASES, LENGTH = 60, 128
BUDGET = 30.0
"""Seconds for the model that is asked."""


def main() -> int:
    """Print the figures; return 1 where one falls short of what is promised."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="first answers")
    parser.add_argument("--compilations", type=int, default=1)
    asked = parser.parse_args()
    figures = Figures()
    print(f"{os.getloadavg()[0]:.1f} processes want a core, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory(prefix="tideline-start-") as scratch:
        folder = Path(scratch)
        homes = [folder / f"kernels-{number}" for number in range(asked.compilations)]
        _judge(figures, "all kernels compiled, of the processor", map(compiled, homes), COMPILING)
        before = _kept(homes[-1])
        run = _model(folder, homes[-1])
        left = sorted(path.name.split("-")[0] for path in _kept(homes[-1]) - before)
        what, count = "kernels left to be compiled in a training", str(len(left))
        figures.add(what, count, "none", met=not left)
        if left:
            print(f"  {', '.join(left)}")
        one = write_waves(folder / "one.ts", 1, LENGTH)
        answered(run.home, one, homes[-1])  # reads the files into memory
        times = (answered(run.home, one, homes[-1]) for _ in range(asked.rounds))
        _judge(figures, "first answer of a process", times, ANSWERING)
    return figures.code()


def _judge(figures: Figures, what: str, times: Iterable[float], bound: float) -> None:
    """Judge the median of some seconds."""
    median = statistics.median(times)
    figures.add(what, f"{median:.2f} s", f"under {bound:g} s", met=median < bound)


def compiled(kernels: Path) -> float:
    """Compile every kernel into a folder that is not there yet, and return the CPU's seconds."""
    kernels.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "tideline.features.compilation"],
        env=environment(kernels, kernels),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the compilation ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def answered(home: Path, series: Path, kernels: Path) -> float:
    """Return the seconds in which a process loads the model and answers for the series."""
    command = [sys.executable, "-m", "benchmarks.first_answer", str(home), "waves", str(series)]
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - ours
        command, env=environment(home, kernels), stdout=subprocess.PIPE
    )
    with process:
        answer = process.stdout.readline() if process.stdout else b""
        seconds = time.perf_counter() - began
    if process.returncode or not answer:
        raise SystemExit(f"the process that was asked ended with {process.returncode}")
    return seconds


def _model(folder: Path, kernels: Path) -> TrainingRun:
    series = write_waves(folder / "waves.ts", CASES, LENGTH)
    spec = {"pipeline_id": "waves", "raw_data": str(series), "budget": BUDGET}
    run = run_training(spec, folder, kernels=kernels)
    if run.code:
        raise SystemExit(f"there is no model to ask: {run.failure}")
    return run


def _kept(kernels: Path) -> set[Path]:
    """Return the files of compiled code: one for each kernel and each kind of arguments."""
    return set(kernels.rglob("*.nbc"))


if __name__ == "__main__":
    sys.exit(main())
