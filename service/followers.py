"""Calls that follow a job: its log, or the events of its progress, while they come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

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


class Hearing(Protocol):
    """What one call follows, and the form in which it is told."""

    media_type: str
    field: str
    instead: str
    """What a call that is not let in can do meanwhile."""

    def hear(self) -> tuple[str, bool]:
        """Return what is new, and whether the job is over; may block."""

    def parting(self, reason: str) -> str:
        """Return the last words to a call that ends before its job does."""


class LogHearing:
    """The log of a job, as text.

    Parameters
    ----------
    jobs
        Whose logs are read.
    job_id
        Whose log it is.
    """

    media_type = "text/plain"
    field = "follow"
    instead = "ask for the log without follow=true"

    def __init__(self, jobs: JobBackend, job_id: str) -> None:
        self.jobs = jobs
        self.job_id = job_id
        self._listener = Listener()

    def hear(self) -> tuple[str, bool]:
        """Return the new lines, and whether the job is over."""
        # In this order: the log of a job that is over grows no more.
        is_over = self.jobs.get(self.job_id).state.is_over
        return self._listener.news(self.jobs.chapters(self.job_id), is_over=is_over), is_over

    def parting(self, reason: str) -> str:
        """Return a line in parentheses."""
        return f"({reason})\n"


class Followers:
    """Answers the calls that follow a job.

    Each looks for more again and again, at the cost of a reading of the job, so that only so many
    are let in, and none for ever.
    """

    def __init__(self, settings: TrainerSettings, leaving: Leaving) -> None:
        self.at_once = settings.followers_at_once
        self.poll_seconds = settings.log_poll_seconds
        self.seconds = settings.max_wait_seconds
        self.leaving = leaving
        self._following = 0
        self._readers = CapacityLimiter(READERS)

    async def answer(self, hearing: Hearing, request: Request) -> Response:
        """Return the answer to a call that follows a job.

        Raises
        ------
        JobNotFound
        TooManyFollowers
            From the answer itself, before anything is sent.
        """
        # The first reading comes before the answer, whose status could not tell of an error later.
        first = await self._heard(hearing)
        told = self._told(hearing, first, request)
        return _PlacedStream(told, hearing.media_type, self._place(hearing))

    async def _told(
        self, hearing: Hearing, first: tuple[str, bool], request: Request
    ) -> AsyncIterator[str]:
        deadline = time.monotonic() + self.seconds
        text, is_over = first
        while True:
            if text:
                yield text
            if is_over or await request.is_disconnected():
                return
            if reason := self._ending(deadline):
                yield hearing.parting(reason)
                return
            await asyncio.sleep(self.poll_seconds)
            try:
                text, is_over = await self._heard(hearing)
            except TidelineError as error:
                # A store that is away may come back; a job that is gone does not.
                gone = not error.retryable
                text, is_over = (hearing.parting(str(error)) if gone else ""), gone

    async def _heard(self, hearing: Hearing) -> tuple[str, bool]:
        return await to_thread.run_sync(hearing.hear, limiter=self._readers)

    def _ending(self, deadline: float) -> str:
        """Return why a job is followed no longer; empty where it is."""
        if self.leaving.is_set:
            return "the service stops, and the job is not over: follow it again"
        if time.monotonic() >= deadline:
            return f"followed for {self.seconds} s, and the job is not over: follow it again"
        return ""

    @contextmanager
    def _place(self, hearing: Hearing) -> Iterator[None]:
        if self._following >= self.at_once:
            raise TooManyFollowers(
                f"{self._following} calls follow a job already.",
                mend=f"Try again later, or {hearing.instead}.",
                field=hearing.field,
            )
        self._following += 1
        try:
            yield
        finally:
            self._following -= 1


class _PlacedStream(StreamingResponse):
    """A stream of text that takes its place when it begins, and gives it back however it ends."""

    def __init__(
        self, content: AsyncIterator[str], media_type: str, place: AbstractContextManager[None]
    ) -> None:
        super().__init__(content, media_type=media_type, headers=HEADERS | UNBUFFERED)
        self.place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        with self.place:
            await super().__call__(scope, receive, send)
