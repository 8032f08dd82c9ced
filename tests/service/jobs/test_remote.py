from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import yaml

from service.jobs.ledger import Ledger
from service.jobs.record import JobRecord, JobState, Progress
from service.jobs.remote import STAMP, Entry, RemoteJobs, document_of
from tests.service.jobs.conformance import request

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
    assert store.load_all() == [second]
    assert store.load("job-none") is None


def test_an_unreadable_record_is_left_alone(store):
    store.bucket.create("jobs/job-1/records/000001.json", b"{")
    assert store.load_all() == []
    assert store.ids() == {"job-1"}


def test_half_accepted_inputs_go_after_an_hour(store):
    before = f"{datetime.now(UTC) - timedelta(hours=2):{STAMP}}-0"
    for place in (f"jobs/job-1/inputs/{before}", f"jobs/job-2/inputs/{before}"):
        store.bucket.upload(f"{place}/raw_data", [b"x"])
    kept = entry(inputs=f"jobs/job-2/inputs/{before}")
    store.put(kept)
    fresh = store.put_inputs(request("publish"))
    store.load_all()
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
    store.remove(kept.record.id)
    assert store.ids() == set()


@pytest.mark.parametrize("content", ["", "{", "[1]", "1", b"\xff"])
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
        ledger.hear(first.record.id, Progress(stage="search", share=0.5))
    assert patient.record(first).progress.share == 0.5
    assert patient.record(first).reason == ""
    assert strict.record(first).reason.startswith("stalled: its pod has told nothing for ")
