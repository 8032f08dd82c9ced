"""Tells a trainer, over HTTP, how far the run has come."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping

import httpx

EVERY_SECONDS = 2.0
"""At most one report in this time."""
HEARTBEAT_SECONDS = 20.0
"""Without news the last report is sent again, so that silence means something."""
PATIENCE_SECONDS = 5.0
LAST_SECONDS = 2.0
MAX_PAUSE_SECONDS = 60.0


class Reporter:
    """A thread that sends what the journal tells; the run never waits for it, or fails by it.

    Parameters
    ----------
    url
        Where each report is posted, as JSON.
    token
        The bearer token that goes with it.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.token = token
        self._latest: Mapping[str, object] | None = None
        self._news = threading.Event()
        self._closing = threading.Event()
        self._failures = 0
        self._thread = threading.Thread(target=self._work, name="reporter", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def tell(self, entry: Mapping[str, object]) -> None:
        """Take the newest entry of the journal; one that was not yet sent is dropped for it."""
        self._latest = entry
        self._news.set()

    def close(self) -> None:
        """Send what is left, and wait a moment for it."""
        self._closing.set()
        self._news.set()
        self._thread.join(LAST_SECONDS)

    def _work(self) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        # The trainer is a neighbour: no proxy of the environment is asked.
        with httpx.Client(headers=headers, timeout=PATIENCE_SECONDS, trust_env=False) as client:
            while not self._closing.is_set():
                self._news.wait(HEARTBEAT_SECONDS)
                self._news.clear()
                self._send(client)
                self._closing.wait(min(EVERY_SECONDS * 2**self._failures, MAX_PAUSE_SECONDS))
            self._send(client)

    def _send(self, client: httpx.Client) -> None:
        if self._latest is None:
            return
        try:
            client.post(self.url, json=dict(self._latest)).raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if self._failures == 0:
                sys.stderr.write(f"progress cannot be told to {self.url}: {error}\n")
            self._failures = min(self._failures + 1, 5)
        else:
            self._failures = 0
