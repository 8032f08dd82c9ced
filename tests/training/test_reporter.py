from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from training import reporter as module
from training.reporter import Reporter


class Trainer(HTTPServer):
    """Takes reports on a free port of this machine."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 204
        self.heard: list[tuple[str, str, dict[str, object]]] = []


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.heard.append((self.path, self.headers["Authorization"], body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def trainer() -> Iterator[Trainer]:
    with Trainer() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(module, "EVERY_SECONDS", 0.05)


def reporting(trainer: Trainer) -> Reporter:
    reporter = Reporter(f"http://127.0.0.1:{trainer.server_port}/jobs/a/progress", "token")
    reporter.start()
    return reporter


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_report_goes_out_with_the_token(trainer):
    reporter = reporting(trainer)
    reporter.tell({"stage": "read", "share": 0.1})
    until(lambda: trainer.heard)
    assert trainer.heard[0] == (
        "/jobs/a/progress",
        "Bearer token",
        {"stage": "read", "share": 0.1},
    )
    reporter.close()


def test_of_many_reports_the_last_one_counts(trainer):
    reporter = reporting(trainer)
    for share in range(1000):
        reporter.tell({"share": share})
    reporter.close()
    assert trainer.heard[-1][2] == {"share": 999}
    assert len(trainer.heard) < 20


def test_silence_is_filled_with_the_last_report(trainer, monkeypatch):
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.1)
    reporter = reporting(trainer)
    reporter.tell({"share": 1})
    until(lambda: len(trainer.heard) > 2)
    reporter.close()


def test_a_refusal_is_said_once_and_tried_again(trainer, capsys, monkeypatch):
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.05)
    trainer.status = 503
    reporter = reporting(trainer)
    reporter.tell({"share": 1})
    until(lambda: len(trainer.heard) > 2)
    trainer.status = 204
    reporter.close()
    assert capsys.readouterr().err.count("progress cannot be told") == 1


def test_a_trainer_that_is_away_is_no_failure(capsys):
    reporter = Reporter("http://127.0.0.1:1/progress", "t")
    reporter.start()
    reporter.tell({"share": 1})
    reporter.close()
    assert "progress cannot be told" in capsys.readouterr().err


def test_a_url_that_is_none_is_no_failure(capsys):
    reporter = Reporter("nonsense", "t")
    reporter.start()
    reporter.tell({"share": 1})
    reporter.close()
    assert "progress cannot be told" in capsys.readouterr().err
