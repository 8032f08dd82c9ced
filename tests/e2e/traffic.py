"""Predictions asked without a pause, while something is done to the installation."""

from __future__ import annotations

import threading
import time
from collections import Counter
from types import TracebackType
from typing import Self

import httpx

from tests.e2e.installation import Answer, Installation, asked
from tests.e2e.story import tell

MOST = 20_000
"""Requests of one run of traffic, whatever happens."""


class Traffic:
    """Clients that ask the ingress for the same predictions, each as soon as it has an answer.

    Each request is sent once: what fails is counted, and never tried again.

    Attributes
    ----------
    failures
        What did not come back as an answer, in words.
    failed_at
        When, in seconds since the traffic began.
    answers
        Each different answer, and how often it came.
    """

    def __init__(
        self,
        installation: Installation,
        model: str,
        raw_data: str,
        *,
        clients: int = 2,
        pause: float = 0.05,
        keep_alive: bool = True,
    ) -> None:
        self.installation = installation
        self.parts = asked(model, raw_data)
        self.pause = pause
        self.keep_alive = keep_alive
        self.failures: list[str] = []
        self.failed_at: list[float] = []
        self.answers: list[Answer] = []
        self.counts: Counter[int] = Counter()
        self.slowest = 0.0
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._began = time.monotonic()
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(clients)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(90)
        tell(f"  meanwhile {self.summary}")

    @property
    def total(self) -> int:
        """How many requests have an end."""
        return sum(self.counts.values()) + len(self.failures)

    @property
    def seconds(self) -> float:
        """How long it has gone on."""
        return time.monotonic() - self._began

    @property
    def summary(self) -> str:
        """What came of it, in words."""
        different = f"{len(self.answers)} different answer{'s' if len(self.answers) != 1 else ''}"
        rate = self.total / self.seconds
        told = f"{self.total} predictions ({rate:.0f} a second, the slowest {self.slowest:.2f} s)"
        return f"{told}, {different}, {len(self.failures)} failed {self.failures[:3]}"

    def require_faultless(self, least: int = 20) -> None:
        """Fail unless every request was answered, and there were enough of them."""
        assert not self.failures, self.summary
        assert self.total >= least, self.summary

    def _ask(self) -> None:
        limits = httpx.Limits(max_keepalive_connections=4 if self.keep_alive else 0)
        with httpx.Client(
            base_url=self.installation.ingress,
            headers=self.installation.headers,
            timeout=60,
            trust_env=False,
            limits=limits,
        ) as client:
            while not self._ended.wait(self.pause) and self.total < MOST:
                began = time.monotonic()
                failure, answer = self._asked(client)
                with self._lock:
                    self._note(failure, answer, time.monotonic() - began)

    def _asked(self, client: httpx.Client) -> tuple[str, Answer]:
        try:
            answer = client.post("/serve_prediction", files=self.parts)
        except httpx.HTTPError as error:
            return f"{type(error).__name__}: {error}", {}
        if answer.status_code != 200:
            return f"HTTP {answer.status_code} {answer.text[:120]}", {}
        return "", answer.json()

    def _note(self, failure: str, answer: Answer, seconds: float) -> None:
        self.slowest = max(self.slowest, seconds)
        if failure:
            at = self.seconds
            self.failed_at.append(at)
            self.failures.append(f"at {at:.1f} s: {failure}")
            return
        if answer not in self.answers:
            self.answers.append(answer)
        self.counts[self.answers.index(answer)] += 1
