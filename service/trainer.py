"""The trainer: takes labelled series, starts jobs, and tells of them."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Header, Query
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from service.events import EventHearing, has_heard_the_end
from service.followers import HEADERS, Followers, LogHearing
from service.forms import form_of
from service.intake import job_request
from service.jobs.backend import JobBackend
from service.jobs.record import Job, JobRecord, JobState
from service.kept import report_path
from service.leaving import Leaving
from service.multipart import posted_parts
from service.problems import Problem
from service.settings import TrainerSettings
from tideline.errors import RequestError

CANCEL_MARGIN = 2.0
"""Seconds beyond the stopping time for which DELETE waits for the end of a job."""

Wait = Annotated[
    float,
    Query(ge=0, description="For how many seconds the answer waits for the end of the job."),
]
IdempotencyKey = Annotated[
    str | None, Header(description="A name for this call, so that it can be repeated.")
]

Follow = Annotated[
    bool, Query(description="Whether the answer goes on, as the log grows, until the job is over.")
]

FORM = form_of(
    raw_data="The series: column JSON, record JSON, long CSV, long Parquet, or `.ts`.",
    params="The parameter file: YAML or JSON.",
    labels="Optional. A table of ids and labels, or a mapping; left out where `.ts` holds them.",
)

THE_JOB = (
    "The job. The same body, or the same Idempotency-Key, is the same job. "
    "200 with the summary when it is over."
)


FOLLOWING = (
    "With `follow` the log so far comes at once, then each line as it is said, and the answer ends "
    "when the job is over. Where it ends earlier, because the service stops or calls are held no "
    "longer, its last line says so, in parentheses. Of a very long log only the end is kept."
)

EVENTS = (
    "Server-sent events. `state` says where the job stands, and comes when that changes: `id`, "
    "`state`, `reason`, `attempt`. `progress` is the job's `progress`, and comes when it has "
    "changed. `end` is the job when it is over, and the last. Where nothing happens a comment "
    "comes every 15 s; where the events end earlier, as the service stops or calls are held no "
    "longer, a comment says so, and a browser asks again by itself. Of what happens in quick "
    "succession only the last is told."
)
EVENTS_EXAMPLE = (
    'event: state\ndata: {"id": "job-1", "state": "running", "reason": "", "attempt": 1}\n\n'
    'event: progress\ndata: {"stage": "search", "share": 0.5, "budget_share": 0.4, '
    '"message": "...", "pipelines": {"tried": 34, "failed": 0, "failures": []}, "best": null}\n\n'
)
EVENTS_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The events, until the job is over.",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EVENTS_EXAMPLE}},
    },
    204: {"description": "The job is over, and the caller has heard its end (Last-Event-ID)."},
}


class JobAnswer(Job):
    """A job. When it has succeeded, the words of its summary stand beside these as well."""

    model_config = ConfigDict(extra="allow")

    links: dict[str, str] = Field(
        description="Where the job, its log, its model and the report on that are."
    )


ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": JobAnswer, "description": "The job that was waited for, when it is over."},
    202: {"model": JobAnswer, "description": THE_JOB},
}


def trainer_routes(jobs: JobBackend, settings: TrainerSettings, leaving: Leaving) -> APIRouter:
    """Return the trainer's routes."""
    routes = APIRouter(tags=["trainer"])
    attendant = _Attendant(jobs, settings.wait_poll_seconds, leaving)
    _add_training(routes, jobs, settings, attendant)
    _add_jobs(routes, jobs, settings, attendant)
    followers = Followers(settings, leaving)
    _add_logs(routes, jobs, followers)
    _add_events(routes, jobs, followers)
    return routes


def _add_training(
    routes: APIRouter, jobs: JobBackend, settings: TrainerSettings, attendant: _Attendant
) -> None:
    at_once = CapacityLimiter(settings.checks_at_once)

    @routes.post(
        "/train_model",
        status_code=202,
        summary="The same as /train_pipeline",
        response_description=THE_JOB,
        responses=ANSWERS,
        openapi_extra=FORM,
    )
    @routes.post(
        "/train_pipeline",
        status_code=202,
        summary="Train a pipeline",
        response_description=THE_JOB,
        responses=ANSWERS,
        openapi_extra=FORM,
    )
    async def train_pipeline(
        request: Request,
        wait: Wait = 0,
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        _require_wait(wait, settings.max_wait_seconds)
        async with posted_parts(request, ("raw_data", "params"), ("labels",)) as parts:
            asked = await to_thread.run_sync(
                job_request, parts, idempotency_key, settings, limiter=at_once
            )
            job = (await to_thread.run_sync(jobs.submit, asked)).job
        return _outcome(await attendant.wait(job, wait, request))


def _add_jobs(
    routes: APIRouter, jobs: JobBackend, settings: TrainerSettings, attendant: _Attendant
) -> None:
    @routes.get("/jobs", summary="All jobs, the newest first")
    def list_jobs() -> dict[str, list[dict[str, Any]]]:
        return {"jobs": [job_body(job) for job in jobs.records()]}

    @routes.get("/jobs/{job_id}", summary="One job", responses={200: {"model": JobAnswer}})
    def job(job_id: str) -> dict[str, Any]:
        return job_body(jobs.get(job_id))

    @routes.delete(
        "/jobs/{job_id}",
        summary="Cancel a job",
        response_description="The job; 202 where it has not yet stopped. A job that is over "
        "stays as it is.",
    )
    async def cancel(request: Request, job_id: str) -> Response:
        told = await to_thread.run_sync(jobs.cancel, job_id)
        job = await attendant.wait(told, settings.stop_seconds + CANCEL_MARGIN, request)
        return JSONResponse(job_body(job), status_code=200 if job.state.is_over else 202)


def _add_logs(routes: APIRouter, jobs: JobBackend, followers: Followers) -> None:
    @routes.get(
        "/jobs/{job_id}/logs",
        summary="What a job has said so far, or as it says it",
        description=FOLLOWING,
        response_class=PlainTextResponse,
    )
    async def logs(request: Request, job_id: str, follow: Follow = False) -> Response:
        if follow:
            return await followers.answer(LogHearing(jobs, job_id), request)
        return PlainTextResponse(await to_thread.run_sync(jobs.logs, job_id), headers=HEADERS)


def _add_events(routes: APIRouter, jobs: JobBackend, followers: Followers) -> None:
    @routes.get(
        "/jobs/{job_id}/events",
        summary="The state and the progress of a job as they change",
        description=EVENTS,
        response_class=StreamingResponse,
        responses=EVENTS_ANSWERS,
    )
    async def events(request: Request, job_id: str) -> Response:
        if has_heard_the_end(request):
            job = await to_thread.run_sync(jobs.get, job_id)
            if job.state.is_over:
                return Response(status_code=204)
        return await followers.answer(EventHearing(jobs, job_id), request)


def _require_wait(seconds: float, most: float) -> None:
    # Written so that not-a-number is refused as well.
    if not seconds <= most:
        raise RequestError(
            f"wait is {seconds:g} seconds; at most {most:g} are waited.",
            mend="Wait for less, and look at the job again.",
            field="wait",
        )


def job_body(job: JobRecord) -> dict[str, Any]:
    """Return a job as the answers tell it, with the summary's words among its own."""
    own = job.model_dump(mode="json", include=set(Job.model_fields))
    return {**(job.summary or {}), **own, "links": _links(job)}


def _links(job: JobRecord) -> dict[str, str]:
    logs = f"{job.path}/logs"
    links = {"self": job.path, "logs": logs}
    if not job.state.is_over:
        links["follow"] = f"{logs}?follow=true"
        links["events"] = f"{job.path}/events"
    if job.state is JobState.SUCCEEDED:
        links["model"] = f"/models/{job.pipeline_id}"
        report = report_path(job.summary or {})
        links |= {} if report is None else {"report": report}
    return links


def _outcome(job: JobRecord) -> Response:
    """Return the answer to a POST: the job, or what went wrong with it."""
    location = {"Location": job.path}
    if job.state is JobState.CANCELLED:
        mend = "Post it again to run it again."
        problem = Problem.of_code("cancelled", f"{job.reason}.", mend=mend, instance=job.path)
        return problem.response(location)
    if job.problem is not None:
        return job.problem.response(location)
    return JSONResponse(
        job_body(job), status_code=200 if job.state.is_over else 202, headers=location
    )


class _Attendant:
    """Waits for jobs on behalf of calls."""

    def __init__(self, jobs: JobBackend, poll_seconds: float, leaving: Leaving) -> None:
        self.jobs = jobs
        self.poll_seconds = poll_seconds
        self.leaving = leaving

    async def wait(self, job: JobRecord, seconds: float, request: Request) -> JobRecord:
        """Return the job at its end, or as it is when the time is over or nobody listens."""
        deadline = time.monotonic() + seconds
        while not job.state.is_over and time.monotonic() < deadline and not self.leaving.is_set:
            if await request.is_disconnected():
                break
            await asyncio.sleep(min(self.poll_seconds, max(0.0, deadline - time.monotonic())))
            job = await to_thread.run_sync(self.jobs.get, job.id)
        return job
