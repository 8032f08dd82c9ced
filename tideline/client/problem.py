"""What a service answers when it cannot do as asked, as exceptions."""

from __future__ import annotations

from contextlib import suppress

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from tideline.errors import TidelineError

KIND = "application/problem+json"
"""The content type of a problem document."""

SHOWN = 200
"""How many characters of an answer that is no problem document are shown."""


class Problem(BaseModel):
    """A problem document (RFC 9457), as the services write it.

    Attributes
    ----------
    type
        What kind of problem it is; stable, so that a program can act on it.
    title, detail
        The kind and the case at hand, in words.
    status
        The HTTP status.
    mend
        What to do about it.
    field
        The part of the request at fault: `labels`, `extract_features.column_id`.
    retryable
        Whether the same call can succeed later.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: str = "about:blank"
    title: str = ""
    status: int = 500
    detail: str = ""
    mend: str | None = None
    field: str | None = None
    retryable: bool = False

    @classmethod
    def of_response(cls, response: httpx.Response) -> Problem:
        """Return the document that an answer holds, or one made from an answer without."""
        if response.headers.get("Content-Type", "").partition(";")[0].strip().lower() == KIND:
            with suppress(ValidationError):
                return cls.model_validate_json(response.content)
        told = f"{response.status_code} {response.reason_phrase}".strip()
        return cls(
            title=response.reason_phrase,
            status=response.status_code,
            detail=f"{response.url} answered {told}: {response.text.strip()[:SHOWN]}",
            # The services write a problem document of every failure, so this is a gateway's; some
            # answer 404 for a service whose only pod is just starting.
            retryable=response.is_server_error or response.status_code == httpx.codes.NOT_FOUND,
        )


class ServiceProblem(TidelineError):
    """A service refused a call, or failed at it.

    Attributes
    ----------
    problem
        The problem document of the answer.
    """

    code = "service-problem"

    def __init__(self, problem: Problem) -> None:
        super().__init__(
            problem.detail or problem.title, mend=problem.mend or "", field=problem.field
        )
        self.problem = problem


class JobFailed(ServiceProblem):
    """A job ended without a model: it failed, or was cancelled."""

    code = "job-failed"


class ServiceUnreachable(TidelineError):
    """No service answers at the address; nothing is known of the call's effect."""

    code = "service-unreachable"
    retryable = True
    exit_code = 75
