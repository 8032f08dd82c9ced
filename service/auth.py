"""The bearer token."""

from __future__ import annotations

import base64
import binascii
import hmac
import re

from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from service.problems import Problem
from tideline.errors import Unauthorized

OPEN_PATHS = frozenset({"/livez", "/readyz", "/healthz"})
"""What a cluster's probes ask, which carry no token."""

PROGRESS_PATH = re.compile(r"/jobs/[^/]+/progress")
"""Where a job's pod tells its progress, with the token of its job, which the route checks."""


class BearerAuth:
    """ASGI middleware that lets nothing pass without the token.

    A browser cannot send a bearer token, so a GET may carry it as the password of HTTP Basic
    (any user name). What changes something takes the bearer token alone: browsers send Basic
    credentials along with forms of other sites.
    """

    def __init__(self, app: ASGIApp, token: SecretStr | None) -> None:
        self.app = app
        self.token = None if token is None else token.get_secret_value().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if it carries the token."""
        if self.token is None or is_open(scope) or self._is_allowed(scope):
            await self.app(scope, receive, send)
            return
        refusal = Unauthorized(
            "the request carries no token, or not this service's.",
            mend="Send the header `Authorization: Bearer <token>`.",
            field="Authorization",
        )
        asked = 'Bearer realm="tideline", Basic realm="tideline"'
        answer = Problem.of_error(refusal).response({"WWW-Authenticate": asked})
        await answer(scope, receive, send)

    def _is_allowed(self, scope: Scope) -> bool:
        header = Headers(scope=scope).get("authorization", "")
        scheme, _, credentials = header.partition(" ")
        given = credentials.strip().encode()
        if scheme.lower() == "basic" and scope["method"] in ("GET", "HEAD"):
            given = _password(given)
        elif scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(given, self.token or b"\0")


def is_open(scope: Scope) -> bool:
    """Whether a request needs no token: a probe's, and what a job's pod tells with its own."""
    if scope["type"] != "http" or scope["path"] in OPEN_PATHS:
        return True
    return scope["method"] == "POST" and bool(PROGRESS_PATH.fullmatch(scope["path"]))


def _password(credentials: bytes) -> bytes:
    try:
        return base64.b64decode(credentials, validate=True).partition(b":")[2]
    except binascii.Error:
        return b""
