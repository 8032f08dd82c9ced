"""The limit on a request's body, kept while it streams in."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.problems import Problem
from tideline.errors import PayloadTooLarge


class BodyLimit:
    """ASGI middleware that refuses a body over the limit.

    A body whose Content-Length already says so is refused before a byte of it is read; one
    that streams is refused when it crosses the limit.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, counting."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdigit() or int(announced) > self.limit:
            answer = Problem.of_error(self._too_large(announced)).response()
            await answer(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self.limit:
                raise self._too_large(f"more than {self.limit}")
            return message

        await self.app(scope, counted, send)

    def _too_large(self, found: str) -> PayloadTooLarge:
        return PayloadTooLarge(
            f"the body has {found} bytes; at most {self.limit} are taken.",
            mend="Send less, for example as Parquet, or let the one who runs the service raise "
            "TIDELINE_MAX_BODY_BYTES.",
            field="raw_data",
        )
