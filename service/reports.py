"""The route by which the pods of jobs tell of their progress."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from anyio import to_thread
from fastapi import APIRouter
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from tideline.errors import PayloadTooLarge, RequestError, Unauthorized
from tideline.progress import Event, Progress

MAX_REPORT_BYTES = 16 * 1024


@runtime_checkable
class ReportedJobs(Protocol):
    """Jobs that run elsewhere, and tell of themselves over HTTP."""

    def is_token_of(self, given: str, job_id: str) -> bool:
        """Whether a token is the job's own."""

    def tell(self, job_id: str, progress: Progress) -> None:
        """Take what a job tells."""


def report_routes(jobs: ReportedJobs) -> APIRouter:
    """Return the route that takes reports; it needs the job's own token, and no other."""
    routes = APIRouter(tags=["trainer"])

    @routes.post(
        "/jobs/{job_id}/progress",
        status_code=204,
        summary="Tell the progress of a job",
        description="For the job's own pod, which carries the token of its job.",
    )
    async def progress(request: Request, job_id: str) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not jobs.is_token_of(token.strip(), job_id):
            raise Unauthorized(
                "the report carries no token, or not this job's.",
                mend="Send the header `Authorization: Bearer <token of the job>`.",
                field="Authorization",
            )
        told = _progress(await _body(request))
        await to_thread.run_sync(jobs.tell, job_id, told)
        return Response(status_code=204)

    return routes


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for block in request.stream():
        body += block
        if len(body) > MAX_REPORT_BYTES:
            raise PayloadTooLarge(
                f"a report has at most {MAX_REPORT_BYTES} bytes.", mend="Send less."
            )
    return bytes(body)


def _progress(body: bytes) -> Progress:
    try:
        return Event.model_validate_json(body).progress
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RequestError(
            f"the report is not one: {f'{place}: ' if place else ''}{first['msg']}.",
            mend='Send JSON such as {"stage": "search", "share": 0.5, "message": "..."}.',
        ) from error
