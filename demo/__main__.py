"""Train two models on real series over HTTP, and ask them for series that were held back."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from demo.datasets import DataSet, load
from demo.files import write_files
from demo.interruptions import Interruptions
from demo.progress import ProgressLine
from demo.services import Services
from tideline.client import Client, Job
from tideline.errors import TidelineError

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration, and return the exit code of the program."""
    options = _options(arguments)
    if options.files is not None:
        for path in write_files(load()[0], options.files):
            _say(str(path))
        return 0
    interruptions = Interruptions()
    interruptions.watch()
    try:
        run(interruptions, keep=options.keep)
    except KeyboardInterrupt:
        print("\nStopped. Nothing is left running, and nothing is left on the disk.")
        return INTERRUPTED
    except TidelineError as error:
        print(f"\n{error}", file=sys.stderr)
        return error.exit_code
    return 0


def run(interruptions: Interruptions, *, keep: bool) -> None:
    """Do it all, from the start of the services to their end.

    Raises
    ------
    KeyboardInterrupt
        When it is interrupted. The services are stopped by then, and their folder is removed.
    """
    with interruptions:
        data_sets = load()
        started = time.monotonic()
        _say("Starting the trainer and the predictor.")
    # The services start and stop uninterrupted: neither takes long.
    with Services() as services, interruptions, Client(services.url) as client:
        services.await_ready()
        _say(f"Ready after {time.monotonic() - started:.0f} s. The page: {services.url}/\n")
        jobs = [_post(client, data_set) for data_set in data_sets]
        _wait(client, jobs)
        for data_set, job in zip(data_sets, jobs, strict=True):
            _ask(client, data_set, client.job(job.id))
        _say(f"\n{time.monotonic() - started:.0f} s in all.")
        _linger(services.url, keep=keep)


def _post(client: Client, data_set: DataSet) -> Job:
    channels = data_set.training.shape[1] - 2
    plural = "channel" if channels == 1 else "channels"
    _say(f"{data_set.name}: {data_set.about}.")
    _say(f"  {len(data_set.labels)} labelled series of {channels} {plural} are posted.")
    return client.train(data_set.training, data_set.labels, data_set.spec)


def _wait(client: Client, jobs: Sequence[Job]) -> None:
    _say("\nTraining, both at once:")
    line = ProgressLine()
    try:
        for job in jobs:
            client.wait(job, lambda _: line.show([client.job(other.id) for other in jobs]))
    finally:
        line.end()


def _ask(client: Client, data_set: DataSet, job: Job) -> None:
    answers = client.probabilities(data_set.name, data_set.held_back)
    accuracy = data_set.accuracy(answers)
    summary = job.summary or {}
    _say(f"\n{summary['modelId']} version {summary['version']}, {summary['modelType']}:")
    _say(f"  accuracy on {len(data_set.truth)} held-back series  {accuracy:.3f}")
    _say(f"  majority class on the same        {data_set.majority_accuracy:.3f}")


def _linger(url: str, *, keep: bool) -> None:
    """Leave the page up for as long as somebody looks at it."""
    with suppress(KeyboardInterrupt):  # at this point it is a wish to leave, and no accident
        if keep:
            _say(f"The page: {url}/ stays until Ctrl-C.")
            signal.pause()
        elif sys.stdin.isatty() and sys.stdout.isatty():
            _say(f"The page: {url}/ stays until you press Enter.")
            sys.stdin.readline()
        else:
            _say(f"The page was {url}/; on a terminal, or with --keep, it stays up for a look.")


def _say(text: str) -> None:
    print(text, flush=True)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument(
        "--keep", action="store_true", help="leave the services up until Ctrl-C, for a look"
    )
    parser.add_argument(
        "--files",
        type=Path,
        metavar="FOLDER",
        help="only write GunPoint as files, for requests by hand",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
