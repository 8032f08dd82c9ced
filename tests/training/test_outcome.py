from __future__ import annotations

import io
import json

import pytest

from tideline.errors import DataError
from training.journal import Journal
from training.outcome import MAX_MESSAGE_BYTES, Outcome, brief

SUMMARY = {"modelId": "m", "version": 1, "trainShape": [6, 1], "classes": ["a", "b"]}


@pytest.fixture
def journal():
    return Journal(stream=io.StringIO())


def test_the_end_is_told_in_a_store_and_in_a_termination_message(tmp_path, journal):
    message = tmp_path / "termination-log"
    url = f"file://{tmp_path}/store/jobs/a/result.json"
    Outcome(url, message).published(SUMMARY, journal)
    for path in (message, tmp_path / "store" / "jobs" / "a" / "result.json"):
        assert json.loads(path.read_bytes()) == {"published": SUMMARY}


def test_a_store_that_is_away_takes_nothing_of_what_was_published(tmp_path):
    (tmp_path / "file").touch()
    log = io.StringIO()
    message = tmp_path / "termination-log"
    outcome = Outcome(f"file://{tmp_path}/file/result.json", message)
    outcome.published(SUMMARY, Journal(stream=log))
    assert json.loads(message.read_bytes()) == {"published": SUMMARY}
    assert "the result cannot be kept in the store" in log.getvalue()


@pytest.mark.parametrize(
    "extra",
    [
        {"notices": ["n" * 100] * 100},
        {"scores": {"s" * 5000: 1.0}},
        {"notices": ["n"] * 10, "classes": [f"class {n}" for n in range(1000)]},
        {"modelType": "é" * 3000},
    ],
)
def test_a_long_summary_is_told_without_what_can_be_missed(extra):
    content = brief({"published": {"modelId": "m", "version": 1} | extra})
    assert len(content) <= MAX_MESSAGE_BYTES
    told = json.loads(content)["published"]
    assert (told["modelId"], told["version"]) == ("m", 1)


def test_a_long_error_is_cut(tmp_path, journal):
    message = tmp_path / "termination-log"
    Outcome(message=message).failed(DataError("x" * 9000, mend="y" * 9000), journal)
    content = message.read_bytes()
    assert len(content) <= MAX_MESSAGE_BYTES
    error = json.loads(content)["error"]
    assert (error["code"], error["exit_code"]) == ("bad-data", 65)
