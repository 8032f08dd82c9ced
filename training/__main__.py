"""`python -m training SPEC`: train and publish, and say with the exit code how it went.

0 published; 64 bad spec; 65 bad data; 66 input not found; 75 try again; 70 anything else.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import sys
import tempfile
import time
import traceback
import uuid
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import psutil  # type: ignore[import-untyped]  # it ships no types

from tideline.errors import InputNotFound, SpecError, TidelineError
from tideline.home import require_home, runs_folder
from training.guard import Guard, end_descendants
from training.journal import Journal
from training.outcome import Outcome
from training.sockets import server_folder

if TYPE_CHECKING:
    from tideline.spec import TrainingSpec
    from training.checkpoint import Checkpoint
    from training.mirror import Mirror
    from training.reporter import Reporter
    from training.run import Run

INTERNAL = TidelineError.exit_code
LEAST_TO_END = 30.0
"""Seconds that a run which is started again has, at least: imports, the last fits, publishing."""


class _Arguments(argparse.ArgumentParser):
    """A parser that exits as a bad spec does, and not with 2."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(SpecError.exit_code, f"{self.prog}: {message}\n")


def main(arguments: list[str] | None = None) -> int:
    """Run once and return the exit code."""
    started = _process_began()
    asked = _parser().parse_args(arguments)
    reporter = _reporter(asked.report)
    tell = reporter.tell if reporter else None
    journal = Journal(asked.progress, listener=tell, began=started)
    if _has_bar(asked.progress_bar):
        journal.draw_bar()
    outcome = Outcome(asked.result, asked.termination_message)
    guard = Guard(lambda error: outcome.failed(error, journal))
    guard.start()
    try:
        summary = _trained(asked, journal, guard, started)
    except TidelineError as error:
        guard.release()
        outcome.failed(error, journal)
        return error.exit_code
    except Exception as error:  # noqa: BLE001  the last resort: told, and turned into code 70
        guard.release()
        journal.end_bar()
        traceback.print_exc()
        outcome.failed(_unexpected(error), journal)
        return INTERNAL
    finally:
        end_descendants()
        journal.end_bar()
        if reporter is not None:
            reporter.close()
    guard.release()
    outcome.published(summary, journal)
    return 0


def _process_began() -> float:
    """Return when this process was started, on `time.monotonic`: its imports are in the budget.

    As proc(5) has it where there is one: what psutil tells begins with the whole second that the
    machine was started in, and may be a second too old.
    """
    told = Path("/proc/self/stat")
    if told.exists():
        ticks = int(told.read_text(encoding="utf-8").rpartition(")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    else:
        age = time.time() - psutil.Process().create_time()
    return time.monotonic() - max(age, 0.0)


def _parser() -> _Arguments:
    parser = _Arguments(prog="python -m training", description=__doc__)
    parser.add_argument(
        "spec", metavar="SPEC", help="the training spec: a YAML file, or its URL in a store"
    )
    parser.add_argument("--result", help="a JSON file, or a URL, that says how the run ended")
    parser.add_argument(
        "--termination-message",
        type=Path,
        metavar="FILE",
        help="a file that gets the result in at most 4096 bytes, as Kubernetes reads it",
    )
    parser.add_argument("--progress", type=Path, help="a file that gets a line of JSON a step")
    parser.add_argument(
        "--progress-bar",
        choices=("auto", "always", "never"),
        default="auto",
        help="whether a bar is drawn below the log; auto: on a terminal",
    )
    parser.add_argument(
        "--report",
        metavar="URL",
        help="where the progress is posted, with the token in TIDELINE_JOB_TOKEN",
    )
    parser.add_argument("--run-id", help="the run's name; a run publishes once")
    return parser


def _trained(
    asked: argparse.Namespace, journal: Journal, guard: Guard, started: float
) -> dict[str, Any]:
    # Imported piece by piece: a signal and a bad spec are answered before the rest is there.
    spec = _spec(asked.spec)
    from training.checkpoint import Checkpoint, remove_old  # noqa: PLC0415 - as above
    from training.clock import Clock  # noqa: PLC0415 - as above
    from training.features import seconds_to_repeat  # noqa: PLC0415 - as above
    from training.run import Run  # noqa: PLC0415 - as above

    run_id = asked.run_id or uuid.uuid4().hex
    with tempfile.TemporaryDirectory(prefix="tideline-") as scratch:
        guard.sweep(Path(scratch))
        # Of the workers' server: a run that is ended by the guard does not remove it by itself.
        guard.sweep(server_folder())
        # A run that has no name cannot be started again, and leaves nothing behind.
        kept = Path(scratch) / "kept"
        if asked.run_id:
            require_home(runs_folder())
            kept = runs_folder() / _digest(run_id)
        identity = {"run_id": run_id, "spec": spec.to_mapping(), "version": version("tideline")}
        checkpoint = Checkpoint(kept, identity, _mirror(asked, run_id, kept), journal.say)
        if asked.run_id:
            remove_old(runs_folder())  # not this run's, whose lock is taken
        checkpoint.count_from(started)
        with checkpoint:
            guard.sweep(kept, unless_retried=True)
            guard.save_by(checkpoint.save)
            guard.drop_by(checkpoint.remove)
            spent = _counted(checkpoint.spent_before, spec.budget, seconds_to_repeat(kept))
            began = started - spent
            clock = Clock(spec.budget, began, time.monotonic() - started)
            guard.limit(clock.hard_deadline, clock.budget)
            journal.resume(clock.budget, began)
            run = Run(
                spec=spec,
                folder=_folder(asked.spec),
                run_id=run_id,
                scratch=Path(scratch),
                kept=kept,
                clock=clock,
                journal=journal,
                commit=guard.commit,
            )
            return _kept_for_another(run, checkpoint)


def _mirror(asked: argparse.Namespace, run_id: str, kept: Path) -> Mirror | None:
    """Return the copy beside a spec that lies in a store: in a cluster, no disk outlives a pod."""
    from tideline.store.bucket import SCHEMES  # noqa: PLC0415 - as in `_trained`
    from training.mirror import Mirror  # noqa: PLC0415 - as above

    if not asked.run_id or urlsplit(asked.spec).scheme not in SCHEMES:
        return None
    return Mirror(f"{_folder(asked.spec)}/checkpoint-{_digest(run_id)}.zip", kept)


def _counted(spent: float, budget: float, repeated: float) -> float:
    """Return what earlier starts count for: some time is left to publish what they have found.

    Parameters
    ----------
    repeated
        The seconds of what they did and was lost with their disk; these are given once more.
    """
    return max(min(spent, max(budget - LEAST_TO_END, budget / 2) - repeated), 0.0)


def _digest(run_id: str) -> str:
    """Return the name of a run's folder, whatever characters the run's own name has."""
    return hashlib.sha256(run_id.encode()).hexdigest()[:32]


def _kept_for_another(run: Run, checkpoint: Checkpoint) -> dict[str, Any]:
    """Train; what it knows stays only where another start of the same run can help."""
    from training.run import train  # noqa: PLC0415 - as in `_trained`

    try:
        summary = train(run)
    except TidelineError as error:
        if not error.retryable:
            checkpoint.remove()
        raise
    checkpoint.remove()
    return summary


def _reporter(url: str | None) -> Reporter | None:
    if url is None:
        return None
    from training.reporter import Reporter  # noqa: PLC0415 - its client is for runs that report

    reporter = Reporter(url, os.environ.get("TIDELINE_JOB_TOKEN", ""))
    reporter.start()
    return reporter


def _has_bar(when: str) -> bool:
    if when != "auto":
        return when == "always"
    # NO_COLOR changes nothing: the bar has none.
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _folder(spec: str) -> Path | str:
    return spec.rpartition("/")[0] if "://" in spec else Path(spec).resolve().parent


def _spec(location: str) -> TrainingSpec:
    from tideline.spec import TrainingSpec  # noqa: PLC0415 - imports for a second

    if "://" in location:
        from training.inputs import read_input  # noqa: PLC0415 - as above

        return TrainingSpec.from_yaml(read_input(location, Path(), "SPEC"))
    try:
        content = Path(location).read_bytes()
    except OSError as error:
        raise InputNotFound(
            f"the spec {location!r} cannot be read: {error.strerror}.",
            mend="Name a YAML file.",
        ) from error
    return TrainingSpec.from_yaml(content)


def _unexpected(error: Exception) -> TidelineError:
    return TidelineError(
        # Its text may hold anything, and the result is shown to whoever posted the job.
        f"something went wrong that should not have: {type(error).__name__}.",
        mend="The log holds the whole story; please report it.",
    )


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Not by the interpreter's own way, which takes seconds to take down what was imported; it
    # would also have removed the folder of the workers' server.
    shutil.rmtree(server_folder(), ignore_errors=True)
    os._exit(code)
