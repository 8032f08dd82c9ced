"""Two trainers on one store: in a rolling update, or as replicas for good."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from service.jobs import ledger
from service.jobs.record import Heard, JobState
from tests.service.jobs.conformance import HALF, request
from tests.service.jobs.test_controller import accepted


@pytest.fixture
def two(new_trainer):
    return new_trainer(), new_trainer()


def look(*trainers) -> None:
    for trainer in trainers:
        trainer.ledger.rescan()
        trainer.controller.look()


def test_both_tell_the_same_of_a_job_that_was_asked_for_again(two, api):
    one, other = two
    job_id, name = accepted(one)
    api.end(api.begin(name), 65)
    look(one, other)
    assert one.get(job_id).state is other.get(job_id).state is JobState.FAILED
    _, again = accepted(one)
    api.begin(again)
    look(one, other)
    assert one.get(job_id).state is other.get(job_id).state is JobState.RUNNING
    assert len(api.created) == 2


def test_a_job_that_the_other_cancelled_is_not_made(two, api):
    one, other = two
    job_id = one.submit(request("publish")).job.id
    other.ledger.rescan()
    one.cancel(job_id)
    other.controller.look()
    assert api.created == []
    assert other.get(job_id).state is JobState.CANCELLED


def test_both_together_make_no_more_jobs_than_may_run_at_once(new_trainer, api):
    one, other = new_trainer(at_once=1), new_trainer(at_once=1)
    accepted(one)
    waiting = other.submit(request("publish", "b")).job.id
    other.controller.look()
    assert len(api.created) == 1
    assert other.get(waiting).reason.startswith("waits for its turn")
    api.end(api.begin(api.created[0]), 65)
    other.controller.look()
    assert len(api.created) == 2


def test_a_job_that_the_other_accepted_anew_is_cancelled(two, api):
    one, other = two
    job_id, name = accepted(one)
    api.end(api.begin(name), 65)
    look(one, other)
    accepted(one)
    assert other.cancel(job_id).is_cancelled


def test_a_job_that_the_other_has_forgotten_is_forgotten(two):
    one, other = two
    job_id = one.submit(request("publish")).job.id
    one.cancel(job_id)
    other.ledger.rescan()
    one.ledger.forget(one.ledger.find(job_id))
    other.ledger.rescan()
    assert other.records() == ()
    assert one.submit(request("publish")).is_new
    other.ledger.rescan()
    assert other.get(job_id).state is JobState.QUEUED


def test_a_job_that_was_forgotten_and_accepted_between_two_rescans_is_taken_up(two):
    one, other = two
    job_id = one.submit(request("publish")).job.id
    one.cancel(job_id)
    other.ledger.rescan()
    one.ledger.forget(one.ledger.find(job_id))
    one.submit(request("publish"))
    other.ledger.rescan()
    assert other.get(job_id).state is JobState.QUEUED


def test_what_one_hears_of_a_run_the_other_tells_too(two, api):
    one, other = two
    job_id, name = accepted(one)
    api.begin(name)
    look(one, other)
    one.tell(job_id, HALF)
    other.ledger._looked.clear()  # as some seconds later
    look(other)
    assert one.get(job_id).progress == other.get(job_id).progress == HALF


def test_progress_is_written_at_a_bounded_rate(trainer, api, monkeypatch):
    job_id, name = accepted(trainer)
    api.begin(name)
    trainer.controller.look()
    written = []
    monkeypatch.setattr(trainer.store, "keep_progress", lambda *told: written.append(told))
    for _ in range(50):
        trainer.tell(job_id, HALF)
    assert len(written) == 1


def test_a_pod_that_hangs_is_called_stalled_by_the_next_trainer(new_trainer, api, monkeypatch):
    first = new_trainer(stall_seconds=100)
    job_id, name = accepted(first)
    pod = api.begin(name)
    first.controller.look()
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    began = {"running": {"startedAt": f"{long_ago:%Y-%m-%dT%H:%M:%SZ}"}}
    api._put(pod, began)
    entry = first.ledger.find(job_id)
    started = entry.record.model_copy(update={"started": long_ago, "created": long_ago})
    first.ledger.replace(entry, started)
    spoke = long_ago + timedelta(minutes=20)
    first.store.keep_progress(entry, Heard(time=spoke, progress=HALF))
    second = new_trainer(stall_seconds=100)
    second.controller.look()
    assert second.get(job_id).progress == HALF
    assert "stalled" not in second.get(job_id).reason, "it was not there to hear"
    later = time.monotonic() + 101
    monkeypatch.setattr(ledger.time, "monotonic", lambda: later)
    assert second.get(job_id).reason.startswith("stalled: its pod has told nothing for 24")


def test_a_pod_that_never_told_anything_is_called_stalled_where_it_should(new_trainer, api):
    told, untold = new_trainer(stall_seconds=-1), new_trainer("other", stall_seconds=-1, secret="")
    for trainer, stalls in ((told, True), (untold, False)):
        job_id, name = accepted(trainer)
        api.begin(name)
        trainer.controller.look()
        assert trainer.get(job_id).reason.startswith("stalled") == stalls
