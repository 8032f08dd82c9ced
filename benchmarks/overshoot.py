"""Whether training ends when it should: `python -m benchmarks.overshoot [FOLDER]`.

Runs the training program on three sets and two budgets, with `--long` on three, and compares what
its whole process took, interpreter and all, with the budget. Also how soon a first pipeline is
ready, on 1,000 series of 128 steps. What else the machine does weighs on both: how busy it is, is
told. FOLDER holds the two sets that are real; by default it is the folder `data` in
`TIDELINE_SHARED`. Takes as long as the budgets: four minutes, with `--long` 19.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.figures import Figures
from benchmarks.made_up import write_waves
from benchmarks.training_run import TrainingRun, run_training

SMALL, MIDDLE, LARGE = "Coffee", "PLAID", "made up"
"""28 series of 286 steps; 537 of 100 to 1,344; 1,000 of 128."""
BUDGETS = (20.0, 60.0)
LONG = 300.0
LATE = 0.1
GRACE = 5.0
"""Seconds by which the shortest budget may be overrun: a tenth of it is less than a start takes."""
FIRST = 20.0
"""Seconds after which a first pipeline is ready on the large set."""


def main() -> int:
    """Print the table; return 1 where a run was late."""
    asked = _asked()
    figures = Figures()
    print(f"{os.getloadavg()[0]:.1f} processes want a core, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory(prefix="tideline-overshoot-") as scratch:
        sets = {name: asked.folder / name / f"{name}_TRAIN.ts" for name in (SMALL, MIDDLE)}
        sets[LARGE] = write_waves(Path(scratch) / "waves.ts", 1000, 128)
        for budget in (*BUDGETS, LONG) if asked.long else BUDGETS:
            for name, series in sets.items():
                folder = Path(scratch) / f"{name}-{budget:g}"
                folder.mkdir()
                spec = {"pipeline_id": "set", "raw_data": str(series.resolve()), "budget": budget}
                run = run_training(spec, folder)
                _judge(figures, name, budget, run)
    return figures.code()


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    shared = Path(os.environ.get("TIDELINE_SHARED", "../shared"))
    parser.add_argument("folder", type=Path, nargs="?", default=shared / "data")
    parser.add_argument("--long", action="store_true", help=f"also a budget of {LONG:g} s")
    return parser.parse_args()


def _judge(figures: Figures, name: str, budget: float, run: TrainingRun) -> None:
    what = f"{name}, {budget:g} s"
    late, grace = run.seconds - budget, GRACE if budget == min(BUDGETS) else 0.0
    allowed = f"under {LATE:.0%}" + (f", or {grace:g} s" if grace else "")
    told = f"{run.seconds:.1f} s, {late / budget:+.1%}"
    figures.add(f"{what}: taken", told, allowed, met=late < max(LATE * budget, grace))
    if run.code:
        print(f"  {run.failure}")
        figures.add(f"{what}: published", "nothing", "a model", met=False)
    if name == LARGE:
        first = run.first_pipeline
        found = "none was told" if first is None else f"{first:.1f} s"
        met = first is not None and first < FIRST
        figures.add(f"{what}: first pipeline", found, f"under {FIRST:g} s", met=met)


if __name__ == "__main__":
    sys.exit(main())
