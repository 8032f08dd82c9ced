"""What the client makes of answers that are no success, and of no answer."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tideline.client import Client, Job, JobFailed, ServiceProblem, ServiceUnreachable

JOB = {"id": "job-1", "pipeline_id": "1", "state": "running"}


def answer(
    status: int, document: object, kind: str = "application/problem+json"
) -> tuple[int, str, bytes]:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return status, kind, body


@contextmanager
def ingress(*answers: tuple[int, str, bytes]) -> Iterator[str]:
    """Serve some answers over HTTP, in order, the last one again and again."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, body = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


PROBLEM = {
    "type": "urn:tideline:problem:bad-labels",
    "title": "The labels do not fit the data",
    "status": 422,
    "detail": "3 labelled ids are not in the data: 1, 2, 3.",
    "mend": "Leave them out.",
    "field": "labels",
    "retryable": False,
}


def test_a_problem_document_is_raised_with_all_that_it_says() -> None:
    with ingress(answer(422, PROBLEM, "application/problem+json")) as url, Client(url) as client:
        with pytest.raises(ServiceProblem, match="3 labelled ids") as caught:
            client.models()
        assert str(caught.value).endswith("Leave them out.")
        assert caught.value.field == "labels"
        assert caught.value.problem.type == "urn:tideline:problem:bad-labels"
        assert not caught.value.problem.retryable


def test_an_answer_that_is_no_problem_document_is_told_as_it_is() -> None:
    page = answer(502, b"<html>no upstream</html>", "text/html")
    with ingress(page) as url, Client(url) as client:
        with pytest.raises(ServiceProblem, match="502 Bad Gateway: <html>no upstream") as caught:
            client.models()
        assert caught.value.problem.retryable


def test_a_gateways_own_json_is_told_as_it_is() -> None:
    starting = answer(503, {"message": "no healthy upstream"}, "application/json")
    with ingress(starting) as url, Client(url) as client:
        with pytest.raises(ServiceProblem, match=r"503 Service Unavailable: .*upstream") as caught:
            client.models()
        assert caught.value.problem.status == 503
        assert caught.value.problem.retryable


@pytest.mark.parametrize("kind", ["text/plain", "application/problem+json; charset=utf-8"])
def test_a_status_that_no_standard_knows_is_told_as_it_is(kind: str) -> None:
    with ingress(answer(520, b"unknown error", kind)) as url, Client(url) as client:
        with pytest.raises(ServiceProblem, match="answered 520: unknown error") as caught:
            client.models()
        assert caught.value.problem.retryable


def test_an_address_where_nobody_answers_is_named() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with Client(url) as client:
        assert not client.is_ready()
        with pytest.raises(ServiceUnreachable, match=url) as caught:
            client.models()
        assert caught.value.retryable


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    with ingress(answer(200, {"1": {}})) as url, Client(url) as client:
        assert client.models() == {"1": {}}


def test_waiting_outlasts_a_trainer_that_is_away_for_a_moment() -> None:
    away = answer(503, {"detail": "starting", "status": 503, "retryable": True})
    done = answer(200, JOB | {"state": "succeeded", "summary": {"modelId": "1"}})
    with ingress(away, answer(200, JOB), done) as url, Client(url) as client:
        seen: list[str] = []
        job = client.wait(Job.model_validate(JOB), lambda job: seen.append(job.state))
    assert seen == ["running", "succeeded"]
    assert job.summary == {"modelId": "1"}


def test_waiting_outlasts_an_ingress_that_knows_no_trainer_for_a_moment() -> None:
    away = answer(404, b"404 page not found", "text/plain")
    done = answer(200, JOB | {"state": "succeeded", "summary": {"modelId": "1"}})
    with ingress(away, done) as url, Client(url) as client:
        assert client.wait(Job.model_validate(JOB)).state == "succeeded"


def test_waiting_ends_when_the_trainer_stays_away() -> None:
    away = answer(503, {"detail": "starting", "status": 503, "retryable": True})
    with (
        ingress(away) as url,
        Client(url) as client,
        pytest.raises(ServiceProblem, match="starting"),
    ):
        client.wait(Job.model_validate(JOB), patience=0)


def test_waiting_ends_at_once_when_the_job_is_not_known() -> None:
    unknown = answer(404, {"detail": "there is no job 'job-1'.", "status": 404})
    with (
        ingress(unknown) as url,
        Client(url) as client,
        pytest.raises(ServiceProblem, match="no job"),
    ):
        client.wait(Job.model_validate(JOB))


def test_waiting_ends_when_its_time_is_over() -> None:
    with (
        ingress(answer(200, JOB)) as url,
        Client(url) as client,
        pytest.raises(TimeoutError, match="job-1 is running after 0 seconds"),
    ):
        client.wait(Job.model_validate(JOB), timeout=0)


def test_a_job_that_failed_is_raised_with_its_problem() -> None:
    failed = answer(200, JOB | {"state": "failed", "problem": PROBLEM})
    with ingress(failed) as url, Client(url) as client:
        with pytest.raises(JobFailed, match="3 labelled ids") as caught:
            client.wait(Job.model_validate(JOB))
        assert caught.value.field == "labels"


def test_a_job_that_was_cancelled_is_raised_with_its_reason() -> None:
    cancelled = answer(200, JOB | {"state": "cancelled", "reason": "Cancelled by a request."})
    with (
        ingress(cancelled) as url,
        Client(url) as client,
        pytest.raises(JobFailed, match="Cancelled by a request"),
    ):
        client.wait(Job.model_validate(JOB))
