from __future__ import annotations

import asyncio
import json

import httpx
import pytest
from fastapi import FastAPI

from service.problems import MEDIA_TYPE, STATUSES, Problem, answer_problems
from tideline.errors import DataError, StoreUnavailable, TidelineError


def classes(root: type[TidelineError]) -> list[type[TidelineError]]:
    return [root, *(c for child in root.__subclasses__() for c in classes(child))]


# The client's own errors are never answered by a service.
ANSWERED = [kind for kind in classes(TidelineError) if kind.__module__ == "tideline.errors"]


@pytest.mark.parametrize("kind", ANSWERED, ids=lambda kind: kind.code)
def test_every_error_has_a_status_and_a_title(kind):
    problem = Problem.of_error(kind("found this.", mend="Do that.", field="here"))
    assert problem.type == f"urn:tideline:problem:{kind.code}"
    assert (problem.status, problem.title) == STATUSES[kind.code]
    assert (problem.detail, problem.mend, problem.field) == ("found this.", "Do that.", "here")
    assert problem.retryable == kind.retryable


def test_an_unknown_code_is_an_internal_error():
    assert Problem.of_code("from-the-future", "x").status == 500


def test_what_is_empty_is_left_out():
    document = json.loads(Problem.of_error(DataError("x")).response().body)
    assert set(document) == {"type", "title", "status", "detail", "retryable"}


def test_a_service_that_is_away_says_when_to_come_back():
    answer = Problem.of_error(StoreUnavailable("x")).response()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert answer.headers["content-type"] == MEDIA_TYPE


def test_an_unforeseen_error_tells_a_number_and_nothing_of_itself(caplog):
    app = FastAPI()
    answer_problems(app)

    @app.get("/")
    async def fail() -> None:
        raise RuntimeError("the path is /secret")

    async def get() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            return await client.get("/")

    answer = asyncio.run(get())
    assert answer.status_code == 500
    assert "secret" not in answer.text
    number = answer.json()["detail"].split()[-1].rstrip(".")
    assert any(number in record.getMessage() for record in caplog.records)
