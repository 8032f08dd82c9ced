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
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

# httpx imports httpcore with its first client: here, before a signal can come in the middle of it.
import httpcore  # noqa: F401
import psutil  # type: ignore[import-untyped]  # its stubs are not among the pins

from tideline.client import Client
from tideline.errors import TidelineError

READY_SECONDS = 120.0
STOP_SECONDS = 20.0
LOG_LINES = 15


class Services:
    """Trainer and predictor on a free port of this machine, their state in a temporary folder.

    A context manager: on the way in the services are started, on the way out they are stopped and
    the folder is removed.

    Attributes
    ----------
    url
        Where they answer, once they are ready.
    """

    def __init__(self) -> None:
        self.url = f"http://127.0.0.1:{_free_port()}"

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="tideline-demo-"))
        self._log = self._folder / "services.log"
        try:
            self._process = self._start()
        except BaseException:
            shutil.rmtree(self._folder)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            _end(self._process)
        finally:
            shutil.rmtree(self._folder)

    def await_ready(self) -> None:
        """Wait until they answer.

        Raises
        ------
        TidelineError
            When they have ended instead, or are not ready in time; with the end of their log.
        """
        deadline = time.monotonic() + READY_SECONDS
        with Client(self.url, timeout=5) as client:
            while not client.is_ready():
                if self._process.poll() is not None:
                    raise self._failure(f"ended with exit code {self._process.returncode}")
                if time.monotonic() > deadline:
                    raise self._failure(f"were not ready after {READY_SECONDS:g} seconds")
                time.sleep(0.2)

    def _start(self) -> subprocess.Popen[bytes]:
        port = self.url.rpartition(":")[2]
        with self._log.open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "service", "laptop", "--port", port],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(self._folder),
                # Ctrl-C is for the demonstration, which then stops the services in order.
                start_new_session=True,
            )

    def _failure(self, what: str) -> TidelineError:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        end = "\n".join(f"  {line}" for line in lines[-LOG_LINES:])
        return TidelineError(f"the services {what}. The end of their log:\n{end}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the services, and see to it that nothing which they have started goes on."""
    started = [] if process.poll() is not None else _below(process)
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        # The session's process group is the child's own, so nothing else is hit.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    _, alive = psutil.wait_procs(started, timeout=STOP_SECONDS)
    for other in alive:
        with suppress(psutil.NoSuchProcess):  # it has just ended by itself
            other.kill()
    psutil.wait_procs(alive)


def _below(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    below: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):  # it has just ended
        below += psutil.Process(process.pid).children(recursive=True)
    return below


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
