"""Calls that follow the log of a job while it grows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, contextmanager

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from service.jobs.backend import JobBackend
from service.jobs.listener import Listener
from service.leaving import Leaving
from service.settings import TrainerSettings
from tideline.errors import TidelineError, TooManyFollowers

HEADERS = {"X-Content-Type-Options": "nosniff"}
UNBUFFERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""What lets proxies pass on each line as it comes."""

READERS = 4
"""How many followers read at the same time; while logs come slowly, other calls need threads."""


class Followers:
    """Answers the calls that follow a log.

    Each looks for more again and again, at the cost of a reading of the log, so that only so many
    are let in, and none for ever.
    """

    def __init__(self, jobs: JobBackend, settings: TrainerSettings, leaving: Leaving) -> None:
        self.jobs = jobs
        self.at_once = settings.followers_at_once
        self.poll_seconds = settings.log_poll_seconds
        self.seconds = settings.max_wait_seconds
        self.leaving = leaving
        self._following = 0
        self._readers = CapacityLimiter(READERS)

    async def answer(self, job_id: str, request: Request) -> Response:
        """Return the answer to a call that follows the log of a job.

        Raises
        ------
        JobNotFound
        TooManyFollowers
            From the answer itself, before anything is sent.
        """
        # The first reading comes before the answer, whose status could not tell of an error later.
        listener = Listener()
        first = await self._heard(job_id, listener)
        return _PlacedStream(self._told(job_id, listener, first, request), self._place())

    async def _told(
        self, job_id: str, listener: Listener, first: tuple[str, bool], request: Request
    ) -> AsyncIterator[str]:
        deadline = time.monotonic() + self.seconds
        text, is_over = first
        while True:
            if text:
                yield text
            if is_over or await request.is_disconnected():
                return
            if ending := self._ending(deadline):
                yield ending
                return
            await asyncio.sleep(self.poll_seconds)
            try:
                text, is_over = await self._heard(job_id, listener)
            except TidelineError as error:
                # A store that is away may come back; a job that is gone does not.
                text, is_over = ("", False) if error.retryable else (f"({error})\n", True)

    async def _heard(self, job_id: str, listener: Listener) -> tuple[str, bool]:
        """Return what is new in a log, and whether the job is over."""

        def hear() -> tuple[str, bool]:
            # In this order: the log of a job that is over grows no more.
            is_over = self.jobs.get(job_id).state.is_over
            return listener.news(self.jobs.chapters(job_id), is_over=is_over), is_over

        return await to_thread.run_sync(hear, limiter=self._readers)

    def _ending(self, deadline: float) -> str:
        """Return why a log is followed no longer; empty where it is."""
        if self.leaving.is_set:
            return "(the service stops, and the job is not over: follow it again)\n"
        if time.monotonic() >= deadline:
            return f"(followed for {self.seconds} s, and the job is not over: follow it again)\n"
        return ""

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._following >= self.at_once:
            raise TooManyFollowers(
                f"{self._following} calls follow a log already.",
                mend="Try again later, or ask for the log without follow=true.",
                field="follow",
            )
        self._following += 1
        try:
            yield
        finally:
            self._following -= 1


class _PlacedStream(StreamingResponse):
    """A stream of text that takes its place when it begins, and gives it back however it ends."""

    def __init__(self, content: AsyncIterator[str], place: AbstractContextManager[None]) -> None:
        super().__init__(content, media_type="text/plain", headers=HEADERS | UNBUFFERED)
        self.place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        with self.place:
            await super().__call__(scope, receive, send)
