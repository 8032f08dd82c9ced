"""A small real program in the place of the training program, in a pod: it does what its spec says.

It reads, reports and ends by the training room's own means; only the training is not there.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path

import yaml

from tideline.errors import DataError, InputNotFound, Interrupted
from training.inputs import read_input
from training.journal import Best, Journal
from training.outcome import Outcome
from training.reporter import Reporter


class Run:
    """What a behaviour is given."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.run_id = arguments.run_id
        self.folder = arguments.spec.rpartition("/")[0]
        self.spec = yaml.safe_load(read_input(arguments.spec, Path(), "SPEC"))
        self.reporter = None
        if arguments.report is not None:
            self.reporter = Reporter(arguments.report, os.environ["TIDELINE_JOB_TOKEN"])
            self.reporter.start()
        self.journal = Journal(listener=self.reporter.tell if self.reporter else None)
        self.outcome = Outcome(arguments.result, Path(arguments.termination_message))


def publish(run: Run) -> int:
    data = read_input(run.spec["raw_data"], run.folder, "raw_data")
    summary = {"modelId": run.spec["pipeline_id"], "version": 1, "trainShape": [len(data), 1]}
    print("published", run.run_id, flush=True)
    run.outcome.published(summary, run.journal)
    return 0


def refuse(run: Run) -> int:
    error = DataError("one class.", mend="Add one.", field="labels")
    run.outcome.failed(error, run.journal)
    return error.exit_code


def crash(_: Run) -> int:
    # The first process of a pod is deaf to its own signals.
    child = os.fork()
    if child == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return 128 + os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) * -1


def hang(run: Run) -> int:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("hangs", flush=True)
    run.journal._stage, run.journal._share = "search", 0.5
    best = Best("ExtraTreesClassifier", "neg_log_loss", -0.31)
    run.journal.tally(34, {"MemoryError": 2}, best)
    run.journal.say("hangs")
    time.sleep(600)
    return 0


def await_file(run: Run) -> int:
    """Publish as soon as a file is there, which the test makes."""
    print("waits", flush=True)
    while not is_there(run.spec["file"]):
        time.sleep(0.2)
    return publish(run)


def stop_once(run: Run) -> int:
    """Be interrupted the first time, and publish the second time."""
    mark = f"{run.spec['file']}-{run.run_id}"
    if is_there(mark):
        return publish(run)
    Outcome(result=mark).published({}, run.journal)
    error = Interrupted("told to stop.", mend="Start it again.")
    run.outcome.failed(error, run.journal)
    return error.exit_code


def devour(_: Run) -> int:
    """Use more memory than any limit allows."""
    held = [b"x" * (1 << 26) for _ in range(1000)]
    return len(held)


def is_there(url: str) -> bool:
    try:
        read_input(url, Path(), "file")
    except InputNotFound:
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("spec")
    for option in ("--result", "--termination-message", "--run-id"):
        parser.add_argument(option, required=True)
    parser.add_argument("--report")
    run = Run(parser.parse_args())
    return globals()[run.spec["behaviour"]](run)


if __name__ == "__main__":
    sys.exit(main())
