"""Tests that what a run tells fits the schema by which it is read, and the room that there is."""

from __future__ import annotations

import io
import json
import tempfile
import time
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from service.jobs.folder import PROGRESS_TAIL, JobFolder
from service.reports import MAX_REPORT_BYTES
from tideline.progress import Event
from training.journal import STAGES, Best, Journal

TEXTS = st.text(st.characters(), max_size=300) | st.text(
    st.characters(), min_size=1, max_size=3
).map(lambda text: text * 1000)
COUNTS = st.integers(0, 10**9)
BESTS = st.none() | st.builds(Best, TEXTS, TEXTS, st.floats())


def told(journal: Journal, path: Path, message: str = "m") -> Event:
    """Return the event of a message, read again, after a look at what was written."""
    journal.say(message)
    line = path.read_text(encoding="utf-8").splitlines()[-1]
    event = Event.model_validate_json(line)
    assert set(json.loads(line)) == set(Event.model_fields)
    return event


@given(
    stage=st.sampled_from(list(STAGES)),
    message=TEXTS,
    tally=st.tuples(COUNTS, st.dictionaries(TEXTS, COUNTS, max_size=8), BESTS),
    budget=st.none() | st.floats(1e-3, 1e6),
)
def test_every_event_is_read_as_it_was_written(stage, message, tally, budget):
    with tempfile.TemporaryDirectory() as made:
        path = Path(made) / "progress.jsonl"
        heard = []
        journal = Journal(path, io.StringIO(), heard.append, budget)
        journal.tally(*tally)
        journal.enter(stage, message)
        # The reader cuts what is too long: nothing is, of what was written.
        written = path.read_bytes()
        assert Event.model_validate_json(written).model_dump(mode="json") == json.loads(written)
        assert heard == [json.loads(written)]
        sent = json.dumps(heard[0], ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        assert len(sent.encode()) <= MAX_REPORT_BYTES
        assert len(written) <= PROGRESS_TAIL // 2
        path.write_bytes(written + b"x" * (PROGRESS_TAIL // 2))
        assert JobFolder(Path(made)).progress() == Event.model_validate_json(written).progress


def test_later_events_carry_the_tally(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    journal = Journal(path, io.StringIO())
    first = told(journal, path)
    assert (first.pipelines, first.best) == (None, None)
    failures = {"A": 1, "B": 3, "C": 3, "D": 1, "E": 1, "F": 1}
    journal.tally(34, failures, Best("Ridge", "r2", np.float32(0.5)))
    for _ in range(2):
        event = told(journal, path)
        assert event.pipelines is not None
        assert (event.pipelines.tried, event.pipelines.failed) == (34, 10)
        # The commonest first; of those as common, the one that came first.
        assert [f.reason for f in event.pipelines.failures] == list("BCADE")
        assert event.best is not None
        assert event.best.value == 0.5
    assert journal.standing == "34 pipelines tried, 10 failed; best Ridge, R² 0.5"


def test_a_best_that_is_no_number_is_none(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    journal = Journal(path, io.StringIO())
    journal.tally(1, {}, Best("Ridge", "r2", float("-inf")))
    assert told(journal, path).best is None


def test_the_share_of_the_budget_is_that_of_the_time(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    journal = Journal(path, io.StringIO(), began=time.monotonic() - 30)
    assert told(journal, path).budget_share is None
    journal.budget = 20.0
    share = told(journal, path).budget_share
    assert share is not None
    assert 1.5 <= share < 1.6
