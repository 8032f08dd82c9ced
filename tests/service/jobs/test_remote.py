from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from service.jobs import remote
from service.jobs.ending import document_of
from service.jobs.entry import Entry
from service.jobs.ledger import Ledger
from service.jobs.record import JobRecord, JobState
from service.jobs.remote import MAX_RECORD_BYTES, STAMP, RecordUnreadable, RemoteJobs
from tests.service.jobs.conformance import request
from tideline.errors import TidelineError
from tideline.progress import Progress

POD = "job-x-abcde"


@pytest.fixture
def store(tmp_path):
    jobs = RemoteJobs(f"file://{tmp_path}/store")
    jobs.make()
    return jobs


def entry(number: int = 1, state: JobState = JobState.QUEUED, **fields: object) -> Entry:
    asked = request("publish")
    record = JobRecord(
        id=asked.job_id,
        pipeline_id="m",
        state=state,
        digest=asked.digest,
        created=datetime.now(UTC),
    )
    return Entry(**({"number": number, "inputs": "jobs/x", "budget": 5, "record": record} | fields))


def test_what_was_posted_lies_beside_a_spec_that_names_it(store):
    place = store.put_inputs(request("publish"))
    spec = yaml.safe_load(store.bucket.read(f"{place}/spec.yaml", 1000))
    assert spec == {
        "pipeline_id": "m",
        "behaviour": "publish",
        "raw_data": "raw_data",
        "labels": "labels",
    }
    assert store.bucket.read(f"{place}/{spec['raw_data']}", 100) == b"series"


def test_two_posts_of_one_job_do_not_mix(store):
    assert store.put_inputs(request("publish")) != store.put_inputs(request("publish"))


def test_of_two_who_write_the_same_record_one_learns_it(store):
    first, second = entry(), entry()
    assert store.put(first)
    assert not store.put(second)
    assert store.put(first), "its own record is known again"
    assert store.load(first.record.id) == first


def test_the_newest_record_holds(store):
    first = entry()
    second = first.after(first.record.model_copy(update={"state": JobState.RUNNING}))
    assert store.put(first)
    assert store.put(second)
    assert store.load(first.record.id) == second
    assert store.survey().newest == {first.record.id: second.key}
    assert store.load("job-none") is None


DAMAGED = {
    "damaged": b"{",
    "of a form that is not known": b'{"number": "many"}',
    "too large": b"x" * (MAX_RECORD_BYTES + 1),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=list(DAMAGED))
def test_a_record_that_cannot_be_read_is_left_alone_and_logged_once(store, caplog, content):
    kept = entry()
    store.put(kept)
    old = "jobs/job-1/inputs/20200101T000000Z-0/raw_data"
    store.bucket.create("jobs/job-1/records/000001.json", content)
    store.bucket.upload(old, [b"x"])
    ledger = Ledger(store, 10.0)
    ledger.load()
    ledger.rescan()
    assert ledger.entries() == [kept]
    assert store.bucket.read(old, 10) == b"x"
    assert caplog.text.count("jobs/job-1/records/000001.json") == 1
    with pytest.raises(RecordUnreadable, match="cannot be read") as refusal:
        ledger.find("job-1")
    assert refusal.value.retryable


def test_what_a_later_version_has_added_to_a_record_is_left_out(store):
    first = entry(state=JobState.RUNNING)
    later = json.loads(first.model_dump_json()) | {"later": 1}
    later["record"] |= {"later": 2}
    store.bucket.create(first.key, json.dumps(later).encode())
    assert store.load(first.record.id) == first


def test_a_record_that_could_not_be_read_again_is_not_written(store):
    large = entry()
    record = large.record.model_copy(update={"reason": "x" * MAX_RECORD_BYTES})
    with pytest.raises(TidelineError, match="are read again"):
        store.put(large.model_copy(update={"record": record}))
    assert store.load(large.record.id) is None


def test_a_result_that_is_too_large_is_no_result(store, monkeypatch):
    monkeypatch.setattr(remote, "MAX_RESULT_BYTES", 10)
    first = entry()
    store.bucket.upload(first.result, [b'{"published": {"version": 1}}'])
    assert store.result(first) == {}


def test_half_accepted_inputs_go_after_an_hour(store):
    before = f"{datetime.now(UTC) - timedelta(hours=2):{STAMP}}-0"
    kept = entry(inputs=f"jobs/{entry().record.id}/inputs/{before}")
    for place in (kept.inputs, f"{kept.inputs}-of-an-earlier-round", f"jobs/job-1/inputs/{before}"):
        store.bucket.upload(f"{place}/raw_data", [b"x"])
    store.put(kept)
    fresh = store.put_inputs(request("publish"))
    Ledger(store, 10.0).rescan()
    left = {key.rpartition("/")[0] for key in store.bucket.keys("jobs") if "inputs" in key}
    assert left == {kept.inputs, fresh}


def test_logs_come_in_the_order_of_their_pods(store):
    kept = entry()
    now = datetime.now(UTC)
    store.keep_log(kept, "job-b", now, "second")
    store.keep_log(kept, "job-c", now - timedelta(minutes=1), "first")
    store.keep_log(kept, "job-b", now, "second, all of it")
    assert store.logs(kept) == {"job-c": "first", "job-b": "second, all of it"}
    assert store.logs(entry(round=2)) == {}


def test_a_result_is_of_its_round(store):
    first = entry()
    store.bucket.upload(first.result, [b'{"published": {"version": 1}}'])
    assert store.result(first) == {"published": {"version": 1}}
    assert store.result(entry(round=2)) == {}


def test_nothing_is_left_of_a_removed_job(store):
    place = store.put_inputs(request("publish"))
    kept = entry(inputs=place)
    store.put(kept)
    store.remove_inputs(place)
    assert not any("raw_data" in key for key in store.bucket.keys("jobs"))
    assert store.remove(kept)
    assert list(store.bucket.keys("jobs")) == []
    assert store.bucket.names("jobs") == ()


def test_a_job_that_has_gone_on_is_not_removed(store):
    first = entry(inputs=store.put_inputs(request("publish")))
    store.put(first)
    store.put(first.after(first.record))
    before = sorted(store.bucket.keys("jobs"))
    assert not store.remove(first)
    assert sorted(store.bucket.keys("jobs")) == before


def test_what_was_just_posted_for_the_next_round_is_not_removed(store):
    first = entry(inputs=store.put_inputs(request("publish")))
    store.put(first)
    fresh = store.put_inputs(request("publish"))
    assert store.remove(first)
    assert {key.rpartition("/")[0] for key in store.bucket.keys("jobs")} == {fresh}


@pytest.mark.parametrize("content", ["", "{", "[1]", "1", b"\xff", "[" * 100_000])
def test_only_an_object_is_a_document(content):
    assert document_of(content) == {}


def test_a_pod_that_the_cluster_forgets_still_counts_as_an_attempt():
    seen = entry().seeing(["a"]).seeing(["b"]).seeing(["b"])
    assert (seen.pods, seen.record.attempt) == (("a", "b"), 2)


# Two trainers, as there are for a moment in a rolling update.


@pytest.fixture
def ledgers(store):
    return Ledger(store, 10.0), Ledger(store, 10.0)


def test_a_change_is_made_of_what_the_other_trainer_has_written(ledgers):
    one, other = ledgers
    first = entry()
    one.add(first)
    other.load()
    one.replace(first, first.record.model_copy(update={"is_cancelled": True}))
    assert other.find(first.record.id) == first, "not seen yet"
    seen = []

    def change(known: Entry) -> Entry | None:
        seen.append(known.number)
        return known.after(known.record.model_copy(update={"attempt": 1}))

    final = other.change(first.record.id, change)
    assert seen == [1, 2]
    assert (final.number, final.record.is_cancelled, final.record.attempt) == (3, True, 1)


def test_a_record_replaces_only_what_it_was_made_of(ledgers):
    one, other = ledgers
    first = entry()
    one.add(first)
    other.load()
    over = first.record.model_copy(update={"state": JobState.CANCELLED})
    one.replace(first, over)
    late = other.replace(first, first.record.model_copy(update={"state": JobState.RUNNING}))
    assert late.record.state is JobState.CANCELLED


def test_what_is_shown_never_hides_what_is_written(ledgers):
    one, other = ledgers
    first = entry(state=JobState.RUNNING)
    one.add(first)
    other.load()
    one.replace(first, first.record.model_copy(update={"state": JobState.CANCELLED}))
    other.show(first, first.record.model_copy(update={"attempt": 2}))
    assert other.record(other.find(first.record.id)).state is JobState.CANCELLED


def test_a_job_of_the_other_trainer_is_found(ledgers):
    one, other = ledgers
    first = entry()
    one.add(first)
    assert other.entries() == []
    assert other.find(first.record.id) == first
    assert other.entries() == [first]


def test_words_alone_are_shown_and_not_written(ledgers, store):
    one, _ = ledgers
    first = entry()
    one.add(first)
    one.show(first, first.record.model_copy(update={"reason": "its image is being pulled"}))
    assert one.record(first).reason == "its image is being pulled"
    assert store.load(first.record.id).number == 1


def test_progress_is_told_while_it_runs_and_a_silent_run_is_stalled(store):
    patient, strict = Ledger(store, 100.0), Ledger(store, -1.0)
    first = entry(state=JobState.RUNNING)
    for ledger in (patient, strict):
        ledger.add(first)
        ledger.load()
        ledger.hear(first, Progress(stage="search", share=0.5))
    assert patient.record(first).progress.share == 0.5
    assert patient.record(first).reason == ""
    assert strict.record(first).reason.startswith("stalled: its pod has told nothing for ")
