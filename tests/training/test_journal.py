"""Tests of what a run tells."""

from __future__ import annotations

import io
import json
import os
import threading
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from tideline.errors import LabelError
from training.journal import STAGES, Journal
from training.outcome import Outcome


def test_each_stage_tells_people_and_programs(tmp_path: Path) -> None:
    stream = io.StringIO()
    journal = Journal(tmp_path / "progress.jsonl", stream)
    for stage in STAGES:
        journal.enter(stage, f"now {stage}")
        journal.say("half", 0.5)
    lines = (tmp_path / "progress.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    assert [e["stage"] for e in entries[::2]] == list(STAGES)
    shares = [e["share"] for e in entries]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert all(datetime.fromisoformat(e["time"]).tzinfo for e in entries)
    assert "now extract" in stream.getvalue()


def test_the_share_never_falls() -> None:
    journal = Journal(stream=io.StringIO())
    journal.enter("search", "")
    journal.say("", 0.9)
    before = journal._share
    journal.say("", 0.1)
    assert journal._share == before


def test_notices_are_kept_for_the_record() -> None:
    journal = Journal(stream=io.StringIO())
    journal.notice("the minimal set is computed.")
    assert journal.notices == ["the minimal set is computed."]


def test_a_result_replaces_what_was_there_whole(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    for version in (1, 2):
        Outcome(str(path)).published({"version": version}, Journal())
    assert json.loads(path.read_text()) == {"published": {"version": 2}}
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_tells_the_field_and_the_mend(tmp_path: Path) -> None:
    stream = io.StringIO()
    error = LabelError("one class only.", mend="Add another.", field="labels")
    Outcome(str(tmp_path / "result.json")).failed(error, Journal(stream=stream))
    document = json.loads((tmp_path / "result.json").read_text())["error"]
    assert document == {
        "code": "bad-labels",
        "message": "one class only.",
        "mend": "Add another.",
        "field": "labels",
        "retryable": False,
        "exit_code": 65,
    }
    assert "labels: one class only. Add another." in stream.getvalue()


def test_a_result_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    stream = io.StringIO()
    Outcome(str(tmp_path / "no" / "result.json")).published({}, Journal(stream=stream))
    assert "the result cannot be written to" in stream.getvalue()


def test_a_failure_is_written_while_nobody_reads_the_log(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    os.set_blocking(writer, True)
    with os.fdopen(writer, "w") as stream, os.fdopen(reader, "rb") as log:
        journal = Journal(stream=stream)
        stuck = threading.Thread(target=journal.say, args=("stuck",), daemon=True)
        stuck.start()
        began = time.monotonic()
        Outcome(str(tmp_path / "result.json")).failed(LabelError("one class only."), journal)
        assert time.monotonic() - began < 5
        assert json.loads((tmp_path / "result.json").read_text())["error"]["code"] == "bad-labels"
        told = b""
        while b"one class only" not in told:
            told = told[-100:] + log.read1()
        stuck.join()
