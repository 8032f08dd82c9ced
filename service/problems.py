"""Errors as RFC 9457 problem documents."""

from __future__ import annotations

import http
import logging
import uuid
from collections.abc import Mapping

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tideline.errors import TidelineError
from tideline.wording import shown

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"

STATUSES: Mapping[str, tuple[int, str]] = {
    "bad-spec": (422, "The parameters cannot be used"),
    "bad-data": (422, "The data cannot be used"),
    "bad-labels": (422, "The labels do not fit the data"),
    "input-mismatch": (422, "The data is not of the kind that the pipeline was trained on"),
    "input-not-found": (404, "An input is not there"),
    "model-not-found": (404, "There is no such model"),
    "model-file-not-found": (404, "The version was published without this file"),
    "model-refused": (500, "The model is damaged or not allowed"),
    "version-conflict": (409, "Somebody else was first"),
    "store-unavailable": (503, "The model store cannot be reached"),
    "interrupted": (503, "The run was stopped"),
    "run-busy": (409, "The run is at work already"),
    "budget-exceeded": (422, "The budget was too small"),
    "search-failed": (422, "No pipeline could be fitted"),
    "bad-request": (400, "The request is not of the form that the route takes"),
    "body-stalled": (408, "The body stopped coming"),
    "payload-too-large": (413, "The body is over the limit"),
    "unauthorized": (401, "A token is needed"),
    "foreign-request": (403, "Pages of other sites may not call the service"),
    "idempotency-conflict": (422, "The idempotency key was used with another body"),
    "job-not-found": (404, "There is no such job"),
    "queue-full": (503, "Too many jobs wait"),
    "too-many-followers": (503, "Too many calls follow a job"),
    "out-of-memory": (422, "The run needed more memory than it may use"),
    "cancelled": (409, "The job was cancelled"),
    "internal-error": (500, "Something is wrong inside the service"),
}
"""The HTTP status and the title of each code of `tideline.errors`, and of what ends a job."""


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(description="`urn:tideline:problem:<code>`; stable.")
    title: str = Field(description="What kind of problem it is.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What was found and what was expected.")
    mend: str | None = Field(default=None, description="What to do about it.")
    field: str | None = Field(default=None, description="The part of the input at fault.")
    retryable: bool = Field(default=False, description="Whether the same call can succeed later.")
    instance: str | None = Field(default=None, description="The job concerned, as a path.")

    @classmethod
    def of_code(
        cls,
        code: str,
        detail: str,
        *,
        mend: str | None = None,
        field: str | None = None,
        retryable: bool = False,
        instance: str | None = None,
    ) -> Problem:
        """Return the document of an error's code; an unknown code is an internal error's."""
        known = code if code in STATUSES else TidelineError.code
        status, title = STATUSES[known]
        return cls(
            type=f"urn:tideline:problem:{known}",
            title=title,
            status=status,
            detail=detail,
            mend=mend or None,
            field=field,
            retryable=retryable,
            instance=instance,
        )

    @classmethod
    def of_error(cls, error: TidelineError) -> Problem:
        """Return the document of an error."""
        return cls.of_code(
            error.code,
            error.message,
            mend=error.mend,
            field=error.field,
            retryable=error.retryable,
        )

    def response(self, headers: Mapping[str, str] | None = None) -> Response:
        """Return the answer that carries this document."""
        extra = dict(headers or {})
        if self.status == http.HTTPStatus.SERVICE_UNAVAILABLE:
            extra.setdefault("Retry-After", "5")
        body = self.model_dump_json(exclude_none=True)
        return Response(body, status_code=self.status, headers=extra, media_type=MEDIA_TYPE)


async def _on_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, TidelineError):
        raise error
    if error.code == TidelineError.code:
        logger.error("an internal error is answered: %s", error)
    return Problem.of_error(error).response()


async def _on_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if isinstance(error.__cause__, (UnicodeDecodeError, RecursionError)):
        return _of_body(f"the body cannot be read: {error.__cause__}").response()
    phrase = http.HTTPStatus(error.status_code).phrase
    asked = f"{request.method} {request.url.path}"
    problem = Problem(
        type=f"urn:tideline:problem:http-{error.status_code}",
        title=phrase,
        status=error.status_code,
        detail=f"{asked}: {error.detail}.",
        mend="See /docs for the routes and their methods.",
    )
    return problem.response(error.headers)


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    place, *path = first["loc"]
    if place == "body" and first["type"] == "json_invalid":
        found = (
            f"{shown(error.body)} is not JSON: {first['ctx']['error']} after {path[0]} characters"
        )
        return _of_body(found).response()
    if place == "body" and not path:
        return _of_whole(error.body, request.headers.get("content-type")).response()
    field = ".".join(str(part) for part in path)
    problem = Problem.of_code(
        "bad-request",
        f"{field}: {first['msg']}; {shown(first.get('input'))} was found.",
        mend="See /docs for what the route takes.",
        field=field,
    )
    return problem.response()


def _of_whole(body: object, kind: str | None) -> Problem:
    """Return the document of a body that is no JSON object, and of its Content-Type."""
    if isinstance(body, bytes):  # What is not said to be JSON is not read as JSON.
        found = f"is {shown(kind)}" if kind else "is missing"
        return _of_body(f"the Content-Type {found}", "Content-Type")
    return _of_body("the body is empty" if body is None else f"the body is {shown(body)}")


def _of_body(found: str, field: str = "body") -> Problem:
    return Problem.of_code(
        "bad-request",
        f"{found}; a JSON object is expected.",
        mend="Send one with the header `Content-Type: application/json`; /docs tells its fields.",
        field=field,
    )


async def _on_unknown(request: Request, error: Exception) -> Response:
    # The error itself stays inside: it may hold paths or data. The number finds it in the log.
    number = uuid.uuid4().hex[:12]
    logger.error("error %s in %s %s", number, request.method, request.url.path, exc_info=error)
    problem = Problem.of_code(
        TidelineError.code,
        f"the service failed; its log tells why under the number {number}.",
        mend="Tell the people who run the service this number.",
    )
    return problem.response()


def answer_problems(app: FastAPI) -> None:
    """Let an application answer every error with a problem document."""
    app.add_exception_handler(TidelineError, _on_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(Exception, _on_unknown)
