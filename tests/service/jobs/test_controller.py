"""What a trainer makes of what it sees in a cluster in memory, over a real store."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest

from service.jobs import podlogs
from service.jobs.backend import JobStopping
from service.jobs.manifest import INSTANCE_LABEL
from service.jobs.record import JobState
from service.leaving import Leaving
from tests.service.jobs.conformance import request
from tests.service.jobs.conftest import TEMPLATE
from tideline.errors import JobNotFound, StoreUnavailable

PUBLISHED = {"published": {"modelId": "m", "version": 3}}


def accepted(trainer, asked=None) -> tuple[str, str]:
    """Let a trainer accept a job and make its Job; return its id and the Job's name."""
    job_id = trainer.submit(asked or request("publish")).job.id
    trainer.controller.look()
    return job_id, trainer.controller.name_of(trainer.ledger.find(job_id))


def test_a_job_is_queued_runs_and_succeeds(trainer, api):
    job_id, name = accepted(trainer)
    assert trainer.get(job_id).reason == "waits for its pod to be made"
    pod = api.begin(name)
    trainer.controller.look()
    assert trainer.get(job_id).state is JobState.RUNNING
    api.end(pod, 0, message=json.dumps(PUBLISHED))
    trainer.controller.look()
    assert (trainer.get(job_id).state, trainer.get(job_id).summary["version"]) == ("succeeded", 3)
    left = {key.rpartition("/")[2] for key in trainer.store.bucket.keys("jobs")}
    assert "raw_data" not in left


def test_no_job_is_made_once_the_trainer_leaves(new_trainer, api):
    leaving = Leaving()
    trainer = new_trainer(leaving=leaving)
    leaving.set()
    accepted(trainer)
    assert api.created == []


# What a pod says


def test_a_log_that_could_not_be_read_is_read_as_long_as_its_pod_is_there(
    trainer, api, monkeypatch
):
    monkeypatch.setattr(podlogs, "AGAIN_SECONDS", 0.0)
    job_id, name = accepted(trainer)
    pod = api.begin(name)
    api.say(pod, "the cause of it")
    api.log_refusal = (500, "the node cannot be reached")
    api.end(pod, 65)
    trainer.controller.look()
    assert trainer.get(job_id).state is JobState.FAILED
    api.log_refusal = None
    trainer.controller.look()
    del api.pods[pod], api.jobs[name]
    trainer.controller.look()
    assert "the cause of it" in trainer.logs(job_id)


def test_the_logs_of_jobs_that_are_over_are_not_read_again_by_the_next_trainer(
    new_trainer, api, monkeypatch
):
    first = new_trainer()
    job_id, name = accepted(first)
    pod = api.begin(name)
    api.say(pod, "said")
    api.end(pod, 65)
    first.controller.look()
    second = new_trainer()
    api.log_refusal = (500, "it is asked again")
    second.controller.look()
    assert second.logs(job_id) == first.logs(job_id)
    assert "said" in second.logs(job_id)


def test_nothing_is_remembered_of_pods_that_are_gone(trainer, api):
    _, name = accepted(trainer)
    api.end(api.begin(name), 65)
    trainer.controller.look()
    assert trainer.controller.logs._kept
    api.jobs.clear()
    api.pods.clear()
    trainer.controller.look()
    assert not trainer.controller.logs._kept


# Deadlines


def test_a_run_that_overran_its_deadline_is_told_and_not_repeated(new_trainer, api):
    template = json.loads(json.dumps(TEMPLATE))
    template["spec"]["backoffLimit"] = 3
    trainer = new_trainer(template=template)
    job_id, name = accepted(trainer, request("publish", budget=100))
    pod = api.begin(name)
    trainer.controller.look()
    api.overrun(pod)
    trainer.controller.look()
    assert api.jobs[name]["spec"]["backoffLimit"] == 0
    trainer.controller.look()
    job = trainer.get(job_id)
    assert job.state is JobState.FAILED
    assert job.reason.startswith("its run was stopped: it did not end by the deadline of 705 s")
    assert "not run again" in job.reason
    assert job.problem.type == "urn:tideline:problem:budget-exceeded"


def test_a_pod_that_waited_until_its_deadline_says_for_what(trainer, api):
    job_id, name = accepted(trainer)
    waits = {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}
    pod = api.begin(name, waits)
    api.pods[pod]["status"]["conditions"] = [{"type": "PodScheduled", "status": "True"}]
    trainer.controller.look()
    assert "its image cannot be pulled" in trainer.get(job_id).reason
    api.overrun(pod)
    for _ in range(2):
        trainer.controller.look()
    job = trainer.get(job_id)
    assert job.state is JobState.FAILED
    assert "did not begin by the deadline" in job.reason
    assert "before that: its image cannot be pulled: no such image" in job.reason
    assert job.problem.retryable


# What the cluster refuses


def test_a_cluster_that_refuses_is_told_by_the_jobs_that_wait(trainer, api):
    api.refusal = (403, "jobs.batch is forbidden")
    job_id = trainer.submit(request("publish")).job.id
    with pytest.raises(Exception, match="forbidden"):
        trainer.controller.look()
    told = trainer.get(job_id)
    assert told.state is JobState.QUEUED
    assert told.reason.startswith("the cluster's API refuses: jobs.batch is forbidden; before that")
    api.refusal = None
    trainer.controller.look()
    assert trainer.get(job_id).reason == "waits for its pod to be made"


def test_what_is_wrong_with_one_job_keeps_no_other_from_being_made(trainer, api, monkeypatch):
    first = trainer.submit(request("publish", "a")).job.id
    second = trainer.submit(request("publish", "b")).job.id
    read = trainer.store.result

    def result(entry):
        if entry.record.id == first:
            raise KeyError("odd")
        return read(entry)

    monkeypatch.setattr(trainer.store, "result", result)
    trainer.controller.look()
    assert [name.startswith(second) for name in api.created] == [True]


# A Job that is there already


def test_a_job_that_is_gone_when_its_name_is_asked_for_is_made_at_the_next_look(
    trainer, api, monkeypatch
):
    create = trainer.cluster.create
    monkeypatch.setattr(trainer.cluster, "create", lambda _: False)
    job_id, _ = accepted(trainer)
    assert "was there, and is gone" in trainer.get(job_id).reason
    monkeypatch.setattr(trainer.cluster, "create", create)
    trainer.controller.look()
    assert trainer.get(job_id).reason == "waits for its pod to be made"
    assert len(api.created) == 1


def test_a_job_made_by_a_trainer_that_was_killed_is_taken_for_ours(trainer, api):
    trainer.submit(request("publish"))
    (entry,) = trainer.ledger.entries()
    assert trainer.controller._create(entry)
    trainer.controller.look()
    assert trainer.ledger.entries()[0].is_made
    assert len(api.created) == 1


def test_a_forgotten_job_takes_its_job_along(new_trainer, api):
    trainer = new_trainer(kept=1)
    job_id, name = accepted(trainer)
    api.end(api.begin(name), 70)
    _, newer = accepted(trainer, request("publish", "newer"))
    api.end(api.begin(newer), 70)
    trainer.controller.look()
    with pytest.raises(JobNotFound):
        trainer.get(job_id)
    assert set(api.jobs) == {newer}


def test_a_forgotten_job_that_is_posted_again_does_not_end_as_it_did_before(new_trainer, api):
    trainer = new_trainer(kept=1)
    job_id, name = accepted(trainer)
    api.end(api.begin(name), 70)
    _, newer = accepted(trainer, request("publish", "newer"))
    api.keeps_leaving = True
    api.end(api.begin(newer), 70)
    trainer.controller.look()
    assert api.jobs[name]["metadata"]["deletionTimestamp"]
    for look in (lambda: accepted(trainer), trainer.controller.look, trainer.controller.look):
        look()
    assert trainer.get(job_id).state is JobState.QUEUED
    assert [made.startswith(job_id) for made in api.created] == [True, False, True]


# Forgetting, and being asked again meanwhile


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_job_that_is_posted_while_it_is_forgotten_is_not_lost(new_trainer, monkeypatch, moment):
    trainer, other = new_trainer(kept=1), new_trainer()
    job_id = trainer.submit(request("publish")).job.id
    trainer.cancel(job_id)
    trainer.cancel(trainer.submit(request("publish", "newer")).job.id)
    listed, got = trainer.store.bucket.keys, []

    def keys(prefix):
        if moment == "before" and not got:
            got.append(other.submit(request("publish")))
        found = list(listed(prefix))
        if moment == "after" and not got:
            got.append(other.submit(request("publish")))
        return iter(found)

    monkeypatch.setattr(trainer.store.bucket, "keys", keys)
    trainer.controller._tidy()
    monkeypatch.undo()
    assert got[0].is_new
    for one in (trainer, other):
        one.ledger.rescan()
        assert one.get(job_id).state is JobState.QUEUED
    entry = other.ledger.find(job_id)
    assert trainer.store.bucket.read(f"{entry.inputs}/raw_data", 100) == b"series"


def test_a_job_that_is_still_being_stopped_cannot_be_asked_for_again(trainer, api):
    job_id, name = accepted(trainer)
    api.begin(name)
    trainer.controller.look()
    api.keeps_leaving = True
    trainer.cancel(job_id)
    trainer.controller.look()
    with pytest.raises(JobStopping, match="told to stop") as refusal:
        trainer.submit(request("publish"))
    assert refusal.value.retryable
    api.let_go()
    trainer.controller.look()
    assert trainer.get(job_id).state is JobState.CANCELLED
    assert trainer.submit(request("publish")).is_new


# Two releases in one namespace


def test_two_releases_in_one_namespace_do_not_take_each_others_jobs(new_trainer, api):
    labelled = json.loads(json.dumps(TEMPLATE))
    labelled["metadata"]["labels"][INSTANCE_LABEL] = "another"
    trainers = [new_trainer(), new_trainer("elsewhere"), new_trainer(template=labelled)]
    made = [accepted(one) for one in trainers[:2]]
    assert len({name for _, name in made}) == len(api.created) == 2
    api.end(api.begin(made[0][1]), 65)
    for one in trainers:
        one.controller.look()
    assert trainers[0].get(made[0][0]).state is JobState.FAILED
    assert trainers[1].get(made[1][0]).state is JobState.QUEUED
    assert len({one.controller.release for one in trainers}) == 3
    assert trainers[2].controller._seen == {}


# What a refused request leaves


def posted(trainer) -> list[str]:
    return [key for key in trainer.store.bucket.keys("jobs") if "/inputs/" in key]


def test_nothing_is_left_of_a_request_that_is_refused_after_its_inputs_were_written(
    new_trainer, monkeypatch
):
    trainer = new_trainer(queued=1)
    put_inputs = trainer.store.put_inputs

    def overtaken(asked):
        place = put_inputs(asked)
        monkeypatch.setattr(trainer.store, "put_inputs", put_inputs)
        trainer.submit(request("publish", "quicker"))
        return place

    monkeypatch.setattr(trainer.store, "put_inputs", overtaken)
    with pytest.raises(Exception, match="jobs wait already"):
        trainer.submit(request("publish", "slow"))
    assert {key.split("/")[1] for key in posted(trainer)} == {trainer.records()[0].id}


def test_nothing_is_left_of_inputs_that_could_not_all_be_written(trainer):
    class Broken:
        def save(self, _):
            raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        trainer.submit(replace(request("publish"), labels=Broken()))
    assert posted(trainer) == []


def test_inputs_stay_where_the_record_was_written_though_the_answer_was_lost(trainer, monkeypatch):
    put = trainer.store.put

    def lost(entry):
        put(entry)
        raise StoreUnavailable("the answer was lost.")

    monkeypatch.setattr(trainer.store, "put", lost)
    with pytest.raises(StoreUnavailable, match="lost"):
        trainer.submit(request("publish"))
    assert len(posted(trainer)) == 3


def test_a_request_that_is_always_overtaken_ends(trainer, monkeypatch):
    monkeypatch.setattr(trainer.store, "put", lambda _: False)
    refusals = []

    def submit():
        try:
            trainer.submit(request("publish"))
        except StoreUnavailable as error:
            refusals.append(error)

    thread = threading.Thread(target=submit, daemon=True)
    thread.start()
    thread.join(20)
    assert "written by others" in str(refusals[0])
    assert posted(trainer) == []
