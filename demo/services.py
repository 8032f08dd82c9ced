"""The services, running for as long as the demonstration does, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tideline.client import Client
from tideline.errors import TidelineError

READY_SECONDS = 120.0
STOP_SECONDS = 20.0
LOG_LINES = 15


class Services:
    """Trainer and predictor on a free port of this machine, their state in a temporary folder.

    A context manager: on the way out the services are stopped and the folder is removed.

    Attributes
    ----------
    url
        Where they answer.
    """

    def __init__(self) -> None:
        self.url = f"http://127.0.0.1:{_free_port()}"
        self._folder = Path(tempfile.mkdtemp(prefix="tideline-demo-"))
        self._log = self._folder / "services.log"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def _start(self) -> None:
        port = self.url.rpartition(":")[2]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "service", "laptop", "--port", port],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(self._folder),
                # Ctrl-C is for the demonstration, which then stops the services in order.
                start_new_session=True,
            )
        self._await_ready(self._process)

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        with Client(self.url, timeout=5) as client:
            while not client.is_ready():
                if process.poll() is not None:
                    raise self._failure(f"ended with exit code {process.returncode}")
                if time.monotonic() > deadline:
                    raise self._failure(f"were not ready after {READY_SECONDS:g} seconds")
                time.sleep(0.2)

    def _failure(self, what: str) -> TidelineError:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        end = "\n".join(f"  {line}" for line in lines[-LOG_LINES:])
        return TidelineError(f"the services {what}. The end of their log:\n{end}")

    def _stop(self) -> None:
        if self._process is not None:
            _end(self._process)
        shutil.rmtree(self._folder)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        # The session's process group is the child's own, so nothing else is hit.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _environment(folder: Path) -> dict[str, str]:
    """Return the environment of the services: this one, with no setting of another Tideline."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TIDELINE_")}
    scratch = folder / "tmp"
    scratch.mkdir()
    # TPOT imports matplotlib, which writes a list of fonts.
    places = {"TIDELINE_HOME": folder / "home", "TMPDIR": scratch, "MPLCONFIGDIR": scratch}
    return kept | {key: str(place) for key, place in places.items()}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
