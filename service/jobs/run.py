"""One run of a job: its processes, started and ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # its stubs are not among the pins

import service
from service.jobs.launcher import GRACE_VARIABLE, SIGNALLED

MARK = "TIDELINE_JOB_FOLDER"
"""The environment variable by which every process of a run is known to belong to its job."""

NOT_INHERITED = (
    "TIDELINE_TOKEN",
    "PROMETHEUS_MULTIPROC_DIR",
    "BENTOML_RUNNER_MAP",
    "BENTOML_CONFIG_OPTIONS",
)
"""What is the service's own business: its secret, and what BentoML tells its workers."""


class Run:
    """The processes of one attempt at a job.

    Parameters
    ----------
    folder
        The job's folder, where the command works.
    command
        The program and its arguments.
    stop_seconds
        How long the command may take to end after SIGTERM.
    """

    def __init__(self, folder: Path, command: Sequence[str], stop_seconds: float) -> None:
        self.folder = folder
        self.stop_seconds = stop_seconds
        with (folder / "log.txt").open("ab") as log:
            self._launcher = subprocess.Popen(  # noqa: S603 - the command is the trainer's own
                [sys.executable, "-m", "service.jobs.launcher", *command],
                cwd=folder,
                env=_environment(folder, stop_seconds),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self) -> None:
        """Tell the run to stop; `wait` returns when it has."""
        self._launcher.terminate()

    def wait(self) -> int:
        """Wait until no process of the run is left, and return the exit code of its command.

        A command that died of a signal gives 128 and the signal's number.
        """
        code = self._launcher.wait()
        if self._launcher.stdin is not None:
            self._launcher.stdin.close()
        end_leftovers(self.folder)
        return code if code >= 0 else SIGNALLED - code


def _environment(folder: Path, stop_seconds: float) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if k not in NOT_INHERITED}
    # A bento is not installed: its rooms are found beside this one.
    rooms = str(Path(service.__file__).resolve().parent.parent)
    path = os.pathsep.join(p for p in (rooms, inherited.get("PYTHONPATH")) if p)
    return inherited | {
        MARK: str(folder),
        GRACE_VARIABLE: str(stop_seconds),
        "PYTHONPATH": path,
        "PYTHONUNBUFFERED": "1",
        # The job's folder holds what a client sent; nothing is to be imported from it.
        "PYTHONSAFEPATH": "1",
    }


def end_leftovers(folder: Path) -> int:
    """Kill the processes of earlier runs of a job, and return how many there were.

    They are known by the mark in their environment, which a reused process number does not
    have. There are some only where a launcher was itself killed.
    """
    mine = os.getuid()
    ended = []
    for process in psutil.process_iter(["uids"]):
        try:
            is_mine = process.info["uids"] and process.info["uids"].real == mine
            if is_mine and process.environ().get(MARK) == str(folder):
                process.send_signal(signal.SIGKILL)
                ended.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    psutil.wait_procs(ended, timeout=5)
    return len(ended)
