from __future__ import annotations

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from service.auth import BearerAuth
from service.jobs.tokens import is_token_of, job_token
from service.problems import answer_problems
from service.reports import MAX_REPORT_BYTES, report_routes
from tideline.errors import JobNotFound
from tideline.progress import Progress

REPORT = {"stage": "search", "share": 0.5, "message": "tries", "time": "2026-01-01T00:00:00Z"}


class Heard:
    """Takes reports, as jobs that run elsewhere do."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Progress]] = []

    def is_token_of(self, given: str, job_id: str) -> bool:
        return is_token_of(given, "key", job_id)

    def tell(self, job_id: str, progress: Progress) -> None:
        if job_id != "job-1":
            raise JobNotFound("there is none.")
        self.told.append((job_id, progress))


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def post(heard):
    app = FastAPI()
    answer_problems(app)
    app.include_router(report_routes(heard))
    app.add_middleware(BearerAuth, token=SecretStr("the API's own"))

    async def post(token: str, job_id: str = "job-1", **options: object) -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
            return await client.post(
                f"/jobs/{job_id}/progress",
                headers={"Authorization": f"Bearer {token}"},
                **({"json": REPORT} | options if "content" not in options else options),
            )

    def wait(*arguments: object, **options: object) -> httpx.Response:
        return asyncio.run(post(*arguments, **options))

    return wait


def test_a_report_with_the_jobs_own_token_is_taken(post, heard):
    assert post(job_token("key", "job-1")).status_code == 204
    assert heard.told == [("job-1", Progress(stage="search", share=0.5, message="tries"))]


@pytest.mark.parametrize(
    "token",
    ["", "no", "the API's own", job_token("key", "job-2"), job_token("other", "job-1")],
)
def test_any_other_token_is_refused(post, heard, token):
    answer = post(token)
    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:tideline:problem:unauthorized"
    assert heard.told == []


def test_a_job_that_is_not_there_is_told_only_to_its_own_token(post):
    assert post(job_token("key", "job-9"), "job-9").status_code == 404
    assert post(job_token("key", "job-1"), "job-9").status_code == 401


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"{", 400), (b"[]", 400), (b'{"share": 1}', 400), (b"x" * (MAX_REPORT_BYTES + 1), 413)],
)
def test_what_is_no_report_is_refused(post, content, status):
    assert post(job_token("key", "job-1"), content=content).status_code == status


def test_a_token_tells_nothing_of_the_key():
    assert job_token("key", "job-1") != job_token("key", "job-2")
    assert "key" not in job_token("key", "job-1")


def test_a_report_tells_what_the_search_has_found(post, heard):
    found = {
        "schema_version": 1,
        "budget_share": 0.4,
        "pipelines": {"tried": 2, "failed": 1, "failures": [{"reason": "MemoryError", "count": 1}]},
        "best": {"name": "Ridge", "metric": "r2", "value": 0.5},
    }
    assert post(job_token("key", "job-1"), json=REPORT | found).status_code == 204
    ((_, progress),) = heard.told
    assert progress.standing == "2 pipelines tried, 1 failed; best Ridge, R² 0.5"
    assert progress.budget_share == 0.4


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"pipelines": {"tried": "many"}}, "pipelines.tried"),
        ({"best": {"name": "Ridge", "metric": "r2"}}, "best.value"),
        ({"schema_version": 2}, "schema_version"),
    ],
)
def test_a_report_that_is_wrong_inside_is_refused_by_the_place(post, heard, wrong, place):
    answer = post(job_token("key", "job-1"), json=REPORT | wrong)
    assert answer.status_code == 400
    assert f"{place}: " in answer.json()["detail"]
    assert heard.told == []
