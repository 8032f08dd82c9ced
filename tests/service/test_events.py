"""The events of a job over HTTP; a small program stands in for the training program."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest

from service.events import HEARTBEAT_SECONDS, EventHearing
from service.jobs.record import JobRecord, JobState
from service.leaving import Leaving
from tests.service.test_trainer import train
from tideline.progress import Best, Pipelines, Progress

SEARCH = Progress(
    stage="search",
    share=0.5,
    message="tries",
    pipelines=Pipelines(tried=3),
    best=Best(name="Ridge", metric="r2", value=0.5),
)


@contextmanager
def listening(client, job_id: str, **headers: str) -> Iterator[tuple[httpx.Response, Iterator]]:
    with client.stream("GET", f"/jobs/{job_id}/events", headers=headers) as answer:
        yield answer, events_of(answer.iter_lines())


def events_of(lines: Iterator[str]) -> Iterator[tuple[str, object]]:
    """Yield the name and the data of each event; of a comment, its text."""
    name, data = "", ""
    for line in lines:
        key, _, value = line.partition(": ")
        if key == "event":
            name = value
        elif key == "data":
            data += value
        elif line.startswith(": "):
            yield "comment", value
        elif not line and name:
            yield name, json.loads(data)
            name, data = "", ""


def test_the_events_are_the_state_the_progress_and_the_end(client):
    job = train(client, "hang").json()
    assert job["links"]["events"] == f"/jobs/{job['id']}/events"
    with listening(client, job["id"]) as (answer, events):
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        told = [next(events)]
        while told[-1][0] != "progress":
            told.append(next(events))
        assert told[-2][0] == "state"
        assert told[-2][1]["state"] == "running"
        assert told[-2][1].keys() == {"id", "state", "reason", "attempt"}
        assert told[-1][1] == client.get(f"/jobs/{job['id']}").json()["progress"]
        cancelled = client.delete(f"/jobs/{job['id']}").json()
        told += events
    name, over = told[-1]
    assert [n for n, _ in told].count("end") == 1
    assert (name, over["state"]) == ("end", "cancelled")
    assert over == {k: v for k, v in cancelled.items() if k != "links"}


def test_of_a_job_that_is_over_there_is_the_end_alone(client):
    job_id = train(client, query="?wait=30").json()["id"]
    with listening(client, job_id) as (_, events):
        ((name, job),) = list(events)
    assert (name, job["state"], job["summary"]["modelId"]) == ("end", "succeeded", "publish")
    # A browser asks again when an answer ends, with the last id, and stops when there is none.
    with listening(client, job_id, **{"Last-Event-ID": "over"}) as (answer, _):
        assert answer.status_code == 204


def test_one_who_has_heard_the_end_hears_of_the_next_round(client):
    job_id = train(client, "hang").json()["id"]
    with listening(client, job_id, **{"Last-Event-ID": "over"}) as (answer, events):
        assert answer.status_code == 200
        assert next(events)[0] == "state"


def test_a_service_that_stops_says_so_in_a_comment(serve):
    leaving = Leaving()
    client = serve(leaving)
    with listening(client, train(client, "hang").json()["id"]) as (_, events):
        next(events)
        leaving.set()
        *_, (kind, text) = events
    assert kind == "comment"
    assert text.startswith("the service stops")


def test_events_take_the_places_of_those_who_follow_logs(serve):
    client = serve(followers_at_once=1)
    job_id = train(client, "hang").json()["id"]
    with listening(client, job_id) as (_, events):
        next(events)
        for path in ("events", "logs?follow=true"):
            refused = client.get(f"/jobs/{job_id}/{path}")
            assert refused.status_code == 503
            assert refused.json()["type"] == "urn:tideline:problem:too-many-followers"


def test_events_need_the_token_and_a_job(serve):
    client = serve(token="secret")
    assert client.get("/jobs/none/events").status_code == 401
    client.headers["Authorization"] = "Bearer secret"
    assert client.get("/jobs/none/events").status_code == 404
    answer = train(client, query="?wait=30")
    assert client.get(f"/jobs/{answer.json()['id']}/events").status_code == 200


class OneJob:
    """A job that is as the test says."""

    def __init__(self, **changes: object) -> None:
        self.job = JobRecord(
            id="job-1",
            pipeline_id="a",
            digest="",
            created=datetime.now(UTC),
            **({"state": JobState.RUNNING} | changes),
        )

    def get(self, job_id: str) -> JobRecord:
        assert job_id == "job-1"
        return self.job

    def change(self, **changes: object) -> None:
        self.job = self.job.model_copy(update=changes)


def heard(hearing: EventHearing) -> list[tuple[str, object]]:
    return list(events_of(iter(hearing.hear()[0].split("\n"))))


def test_only_what_is_new_is_told():
    jobs = OneJob()
    hearing = EventHearing(jobs, "job-1")
    assert [name for name, _ in heard(hearing)] == ["state"]
    assert heard(hearing) == []
    jobs.change(progress=SEARCH)
    assert heard(hearing) == [("progress", SEARCH.model_dump(mode="json"))]
    jobs.change(progress=SEARCH.model_copy())
    assert heard(hearing) == []
    jobs.change(attempt=2)
    assert [name for name, _ in heard(hearing)] == ["state"]
    jobs.change(state=JobState.SUCCEEDED, progress=None)
    assert [name for name, _ in heard(hearing)] == ["end"]


@pytest.mark.parametrize(("reason", "expected"), [("", "comment"), ("stalled", "state")])
def test_silence_is_broken_by_a_heartbeat(reason, expected):
    jobs = OneJob()
    hearing = EventHearing(jobs, "job-1")
    heard(hearing)
    jobs.change(reason=reason)
    assert heard(hearing) == []
    hearing._spoke = time.monotonic() - HEARTBEAT_SECONDS
    assert [name for name, _ in heard(hearing)] == [expected]
    assert heard(hearing) == []


def test_each_event_is_one_line_of_data_whatever_it_holds():
    jobs = OneJob(progress=Progress(stage="search", message="a\n\ndata: b\r\nevent: end"))
    text, _ = EventHearing(jobs, "job-1").hear()
    assert text.count("\nevent: ") + text.startswith("event: ") == 2
    assert "event: end" not in text.splitlines()
