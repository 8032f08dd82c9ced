"""The trainer over HTTP; a small program stands in for the training program."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from service.intake import job_request
from service.leaving import Leaving
from tests.service.bad_inputs import SPEC, good

PATIENCE = 30.0


def train(client, does: str = "publish", query: str = "", **options):
    parts = good() | {"params": SPEC.replace(b"publish", does.encode())}
    files = {name: (name, content) for name, content in parts.items()}
    return client.post(f"/train_pipeline{query}", files=files, **options)


def until(client, job_id: str, *states: str) -> dict:
    deadline = time.monotonic() + PATIENCE
    while (job := client.get(f"/jobs/{job_id}").json())["state"] not in states:
        assert time.monotonic() < deadline, job
        time.sleep(0.02)
    return job


def test_training_is_accepted_and_its_job_is_found_at_the_location(client):
    answer = train(client)
    assert answer.status_code == 202
    assert answer.json()["state"] in ("queued", "running")
    job = until(client, answer.json()["id"], "succeeded")
    assert client.get(answer.headers["location"]).json() == job
    assert job["trainShape"]
    assert job["summary"]["modelId"] == job["pipeline_id"] == "publish"
    assert client.get("/jobs").json() == {"jobs": [job]}


def test_waiting_holds_the_answer_until_the_summary_is_there(client):
    answer = train(client, query="?wait=30")
    assert (answer.status_code, answer.json()["state"]) == (200, "succeeded")
    assert answer.json()["modelId"] == "publish"
    assert answer.headers["location"] == f"/jobs/{answer.json()['id']}"


def test_a_wait_that_is_too_short_gives_the_job_as_it_is(client):
    answer = train(client, "hang", "?wait=0.1")
    assert answer.status_code == 202
    assert client.delete(answer.headers["location"]).json()["state"] == "cancelled"


def test_waiting_for_a_job_that_fails_gives_its_problem(client):
    answer = train(client, "refuse", "?wait=30")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "one class."
    job = client.get(answer.json()["instance"]).json()
    assert (job["state"], job["problem"]) == ("failed", answer.json())


@pytest.mark.parametrize("wait", ["-1", "soon", "nan", "3601"])
def test_refuses_a_wait_that_cannot_be(client, wait):
    answer = train(client, query=f"?wait={wait}")
    assert (answer.status_code, answer.json()["field"]) == (400, "wait")
    assert client.get("/jobs").json() == {"jobs": []}


def test_the_founding_name_of_the_route_trains_as_well(client):
    files = {name: (name, content) for name, content in good().items()}
    assert client.post("/train_model", files=files).status_code == 202


def test_the_same_body_twice_is_one_job(client):
    first, second = train(client, query="?wait=30"), train(client)
    assert first.json()["id"] == second.json()["id"]
    assert second.status_code == 200
    assert len(client.get("/jobs").json()["jobs"]) == 1


def test_the_same_body_from_many_callers_at_once_is_one_job(client):
    answers = []
    callers = [threading.Thread(target=lambda: answers.append(train(client))) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(client.get("/jobs").json()["jobs"]) == 1


def test_a_key_used_with_another_body_is_refused(client):
    headers = {"Idempotency-Key": "k"}
    assert train(client, headers=headers).status_code == 202
    again = train(client, "hang", headers=headers)
    assert again.status_code == 422
    assert again.json()["type"] == "urn:tideline:problem:idempotency-conflict"
    assert again.json()["field"] == "Idempotency-Key"


def test_two_jobs_run_at_once(client):
    ids = [
        train(client, "hang", headers={"Idempotency-Key": key}).json()["id"] for key in ("a", "b")
    ]
    for job_id in ids:
        until(client, job_id, "running")
    for job_id in ids:
        assert client.delete(f"/jobs/{job_id}").json()["state"] == "cancelled"


def test_a_running_job_shows_its_progress(client):
    job_id = train(client, "hang").json()["id"]
    deadline = time.monotonic() + PATIENCE
    while not (job := client.get(f"/jobs/{job_id}").json())["progress"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert job["progress"] == {
        "stage": "search",
        "share": 0.5,
        "budget_share": None,
        "message": "hangs",
        "pipelines": {
            "tried": 34,
            "failed": 2,
            "failures": [{"reason": "MemoryError", "count": 2}],
        },
        "best": {"name": "ExtraTreesClassifier", "metric": "neg_log_loss", "value": -0.31},
    }


def test_a_cancelled_job_stops_and_stays_cancelled(client):
    answer = train(client, "hang")
    until(client, answer.json()["id"], "running")
    cancelled = client.delete(answer.headers["location"])
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert client.delete(answer.headers["location"]).json() == cancelled.json()


def test_logs_are_text(client):
    answer = train(client, query="?wait=30")
    logs = client.get(answer.headers["location"] + "/logs")
    assert logs.headers["content-type"] == "text/plain; charset=utf-8"
    assert f"published {answer.json()['id']}" in logs.text


@contextmanager
def following(client, job_id: str) -> Iterator[tuple[httpx.Response, Iterator[str]]]:
    with client.stream("GET", f"/jobs/{job_id}/logs?follow=true") as answer:
        yield answer, answer.iter_lines()


def test_a_followed_log_comes_line_by_line_and_ends_with_the_job(client, tmp_path):
    job = train(client, "await_file").json()
    assert job["links"]["follow"] == f"/jobs/{job['id']}/logs?follow=true"
    with following(client, job["id"]) as (answer, lines):
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        told = [next(lines), next(lines)]
        assert told[0].startswith("--- attempt 1, ")
        assert told[1] == "waits"
        assert client.get(f"/jobs/{job['id']}").json()["state"] == "running"
        (tmp_path / "home" / "jobs" / job["id"] / "go").touch()
        told += lines
    assert told[-1] == f"published {job['id']}"
    assert "".join(f"{line}\n" for line in told) == client.get(f"/jobs/{job['id']}/logs").text
    over = client.get(f"/jobs/{job['id']}").json()
    assert (over["state"], "follow" in over["links"]) == ("succeeded", False)


def test_a_log_that_is_followed_when_the_job_is_over_is_the_whole_log(client):
    job_id = train(client, query="?wait=30").json()["id"]
    logs = client.get(f"/jobs/{job_id}/logs")
    assert client.get(f"/jobs/{job_id}/logs?follow=true").text == logs.text


def test_a_followed_log_ends_when_the_job_is_cancelled(client):
    job_id = train(client, "hang").json()["id"]
    with following(client, job_id) as (_, lines):
        next(lines)
        assert client.delete(f"/jobs/{job_id}").json()["state"] == "cancelled"
        assert not any(line.startswith("(") for line in lines)


def test_a_followed_log_says_that_the_service_stops(serve):
    leaving = Leaving()
    client = serve(leaving)
    with following(client, train(client, "hang").json()["id"]) as (_, lines):
        next(lines)
        leaving.set()
        assert list(lines)[-1].startswith("(the service stops")


def test_a_log_is_followed_for_as_long_as_calls_are_held(serve):
    client = serve(max_wait_seconds=1)
    with following(client, train(client, "hang").json()["id"]) as (_, lines):
        assert list(lines)[-1].startswith("(followed for 1 s")


def test_too_many_followers_are_refused_until_one_has_left(serve):
    client = serve(followers_at_once=1)
    job_id = train(client, "hang").json()["id"]
    path = f"/jobs/{job_id}/logs?follow=true"
    with following(client, job_id) as (_, lines):
        next(lines)
        refused = client.get(path)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert refused.headers["content-type"] == "application/problem+json"
        problem = refused.json()
        assert problem["type"] == "urn:tideline:problem:too-many-followers"
        assert (problem["field"], problem["retryable"]) == ("follow", True)
        assert "1 calls" in problem["detail"]
        assert client.get(f"/jobs/{job_id}/logs").status_code == 200
    # The one who went away in the middle of a silent log gives the place back.
    deadline = time.monotonic() + PATIENCE
    while True:
        with client.stream("GET", path) as answer:
            if answer.status_code == 200:
                break
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_follow_that_is_neither_yes_nor_no_is_refused(client):
    answer = client.get("/jobs/none/logs?follow=perhaps")
    assert (answer.status_code, answer.json()["field"]) == (400, "follow")


UNKNOWN = ("/jobs/none", "/jobs/none/logs", "/jobs/none/logs?follow=true", "/jobs/..%2f..%2fetc")


@pytest.mark.parametrize("path", UNKNOWN)
def test_an_unknown_job_is_not_found(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_service_that_is_about_to_stop_lets_nobody_wait_and_is_not_ready(serve):
    leaving = Leaving()
    client = serve(leaving)
    threading.Timer(0.3, leaving.set).start()
    answer = train(client, "hang", "?wait=60")
    assert answer.status_code == 202
    assert client.get("/readyz").status_code == 503
    assert client.get("/livez").status_code == 200


def test_bodies_are_checked_a_few_at_a_time(serve, monkeypatch):
    inside, most, is_crowded = [], [], threading.Event()

    def slow(*arguments):
        inside.append(None)
        most.append(len(inside))
        if len(inside) > 1:
            is_crowded.set()
        is_crowded.wait(0.2)
        inside.pop()
        return job_request(*arguments)

    monkeypatch.setattr("service.trainer.job_request", slow)
    client = serve(checks_at_once=1)
    callers = [
        threading.Thread(target=train, args=(client,), kwargs={"headers": {"Idempotency-Key": key}})
        for key in "abc"
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert most == [1, 1, 1]
