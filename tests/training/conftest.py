"""Small panels, as files, and the program that trains on them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.training.small import tools_of
from training.tools import Tools
from training.workers import Workers


@dataclass(frozen=True)
class Ended:
    """How a run of the program ended."""

    code: int
    log: str
    result: dict[str, Any]
    progress: list[dict[str, Any]]


class Program:
    """`python -m training` in a folder of its own, with its own home and temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir()

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def spec(self, **fields: Any) -> Path:
        return self.write("spec.yaml", yaml.safe_dump({"pipeline_id": "waves", **fields}))

    def spec_of(self, series: str, labels: str, **fields: Any) -> Path:
        """Write the data too; its column of cases is `case`, and few features are computed."""
        self.write("series.json", series)
        self.write("labels.json", labels)
        features = {"column_id": "case", "default_fc_parameters": "minimal"}
        data = {"raw_data": "series.json", "labels": "labels.json"}
        return self.spec(**data, **{"extract_features": features, **fields})

    def start(self, spec: Path | str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "training",
                str(spec),
                "--result",
                str(self.folder / "result.json"),
                "--progress",
                str(self.folder / "progress.jsonl"),
                *arguments,
            ],
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder.parent,
            env={
                **os.environ,
                "TIDELINE_HOME": str(self.folder / "home"),
                "TMPDIR": str(self.temporary),
                **environment,
            },
        )

    def run(self, spec: Path | str, *arguments: str, **environment: str) -> Ended:
        return self.ended(self.start(spec, *arguments, **environment))

    def ended(self, process: subprocess.Popen[str]) -> Ended:
        _, log = process.communicate(timeout=240)
        result = self.folder / "result.json"
        document = json.loads(result.read_text()) if result.exists() else {}
        return Ended(process.returncode, log, document, self.progress())

    def progress(self) -> list[dict[str, Any]]:
        path = self.folder / "progress.jsonl"
        text = path.read_text() if path.exists() else ""
        return [json.loads(line) for line in text.split("\n")[:-1]]


def wait_for(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    """Poll until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    """Yield two processes, the same for all tests of a module: they begin with imports."""
    with Workers(2) as started:
        yield started


@pytest.fixture
def tools(tmp_path: Path, workers: Workers) -> Tools:
    return tools_of(tmp_path, workers)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


@pytest.fixture
def waves() -> Callable[..., tuple[str, str]]:
    """Return a maker of series and labels in column JSON: noise of different strength by class."""

    def make(members: dict[Any, int], length: int = 20, values: bool = False) -> tuple[str, str]:
        rng = np.random.default_rng(7)
        rows: dict[str, list[Any]] = {"case": [], "x": []}
        labels: dict[str, Any] = {}
        for position, label in enumerate(np.repeat(list(members), list(members.values())).tolist()):
            strength = 1.0 + 2.0 * list(members).index(label)
            rows["case"] += [position] * length
            rows["x"] += rng.normal(0.0, strength, length).tolist()
            labels[str(position)] = strength + rng.normal(0, 0.1) if values else label
        columns = {
            name: {str(i): value for i, value in enumerate(column)} for name, column in rows.items()
        }
        return json.dumps(columns), json.dumps(labels)

    return make


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path.startswith("/status/"):
            self.send_error(int(self.path.rpartition("/")[2]))
        else:
            super().do_GET()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Serve the temporary folder, and `/status/<n>` with that status."""
    (tmp_path / "series.csv").write_bytes(b"id,x\n1,2\n")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()
