"""A service on a real socket, in this process."""

from __future__ import annotations

import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

with warnings.catch_warnings():
    # BentoML's own imports use what pathspec has deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    import bentoml.models  # noqa: F401

from service.app import laptop_app
from service.jobs.local import LocalJobs
from service.leaving import Leaving
from service.settings import LaptopSettings

PROGRAM = (sys.executable, str(Path(__file__).parent / "jobs" / "program.py"))
"""Stands in for the training program where only the service is looked at."""


class Served:
    """An application behind uvicorn on a free port of this machine."""

    def __init__(self, app: FastAPI, host: str = "127.0.0.1") -> None:
        config = uvicorn.Config(app, host=host, port=0, log_config=None, lifespan="on")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()
        deadline = time.monotonic() + 30
        while not self.server.started:
            assert self.thread.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.01)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join()


@contextmanager
def serving(folder: Path) -> Iterator[Callable[..., httpx.Client]]:
    """Yield a function that serves both services, with given settings, and returns a client."""
    with ExitStack() as opened:

        def start(leaving: Leaving | None = None, **options: object) -> httpx.Client:
            fields = {"home": folder / "home", "stop_seconds": 0.3}
            fields |= {"wait_poll_seconds": 0.02, "log_poll_seconds": 0.02}
            settings = LaptopSettings(**(fields | options))
            jobs = LocalJobs(
                settings.jobs_home,
                str(settings.store_home),
                command=PROGRAM,
                stop_seconds=settings.stop_seconds,
            )
            served = Served(laptop_app(settings, leaving, jobs))
            opened.callback(served.close)
            url = f"http://127.0.0.1:{served.port}"
            return opened.enter_context(httpx.Client(base_url=url, timeout=30, trust_env=False))

        yield start


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., httpx.Client]]:
    with serving(tmp_path) as start:
        yield start


@pytest.fixture
def client(serve: Callable[..., httpx.Client]) -> httpx.Client:
    return serve()
