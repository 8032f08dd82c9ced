"""The limits on a request's body, kept while it streams in."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.problems import Problem
from tideline.errors import BodyStalled, PayloadTooLarge


class BodyLimit:
    """ASGI middleware that refuses a body over the limit.

    A body whose Content-Length already says so is refused before a byte of it is read; one
    that streams is refused when it crosses the limit. One that stops coming is refused after a
    while, so that nobody holds a place for ever.

    Parameters
    ----------
    app
        The application behind it.
    limit
        The most bytes.
    idle_seconds
        The longest pause before the next byte.
    """

    def __init__(self, app: ASGIApp, limit: int, idle_seconds: float) -> None:
        self.app = app
        self.limit = limit
        self.idle_seconds = idle_seconds

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
        received, is_whole = 0, False

        async def counted() -> Message:
            nonlocal received, is_whole
            try:
                # After the body, what is waited for is the client's leaving.
                async with asyncio.timeout(None if is_whole else self.idle_seconds):
                    message = await receive()
            except TimeoutError as error:
                raise self._stalled(received) from error
            is_whole = not message.get("more_body", False)
            received += len(message.get("body", b""))
            if received > self.limit:
                raise self._too_large(f"more than {self.limit}")
            return message

        await self.app(scope, counted, send)

    def _stalled(self, received: int) -> BodyStalled:
        return BodyStalled(
            f"the body stopped after {received} bytes; the next was waited for "
            f"{self.idle_seconds:g} seconds.",
            mend="Send the body again, whole.",
        )

    def _too_large(self, found: str) -> PayloadTooLarge:
        return PayloadTooLarge(
            f"the body has {found} bytes; at most {self.limit} are taken.",
            mend="Send less, for example as Parquet, or let the one who runs the service raise "
            "TIDELINE_MAX_BODY_BYTES.",
            field="raw_data",
        )
