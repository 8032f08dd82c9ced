"""What Prometheus reads at `/metrics`: requests by route, the models of a predictor, the jobs."""

from __future__ import annotations

import os
import time
from collections import Counter as Count
from collections.abc import Iterable

from fastapi import APIRouter
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.cache import ModelCache
from service.jobs.backend import JobBackend
from service.jobs.record import JobState
from tideline.store import ModelStore
from tideline.store.replica import Replica

# One process counts for its pod. BentoML asks by this variable for files that several would share;
# they would outlast a restart, and it is looked at when the library is imported.
os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNKNOWN = "unknown"
"""Stands for every path and every method that is none of ours, whatever a caller makes up."""

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds. A call that waits for a job, or follows it, is beyond the last."""

MEASURED = "tideline.measured"


class Metrics:
    """What an application counts, in a registry of its own."""

    def __init__(self) -> None:
        # They are one series more for each other, of no use.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # theirs
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "tideline_http_requests",
            "Requests that have ended, by route template, method and class of status.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "tideline_http_request_seconds",
            "How long requests took, until the end of the answer.",
            ("route", "method"),
            buckets=BUCKETS,
            registry=self.registry,
        )

    def watch(self, collector: Collector) -> None:
        """Ask a collector, too, at each reading."""
        self.registry.register(collector)

    def count(self, scope: Scope, status: str, seconds: float) -> None:
        """Count a request that has ended."""
        route, method = _route(scope), scope["method"]
        method = method if method in METHODS else UNKNOWN
        self._requests.labels(route, method, status).inc()
        self._seconds.labels(route, method).observe(seconds)

    def page(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self.registry)


class Measured:
    """ASGI middleware that counts and times requests.

    It may stand both around an application and around the server that holds it: the outermost
    counts. So it sees, too, what is refused before the application.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and count it when it has ended."""
        if scope["type"] != "http" or MEASURED in scope:
            await self.app(scope, receive, send)
            return
        scope[MEASURED] = True
        began, status = time.perf_counter(), "none"

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = f"{message['status'] // 100}xx"
            await send(message)

        try:
            await self.app(scope, receive, noted)
        except Exception:
            status = "5xx"
            raise
        finally:
            self.metrics.count(scope, status, time.perf_counter() - began)


class PredictorCollector(Collector):
    """Tells of the models that a predictor holds, and how old its view of a shared store is."""

    def __init__(self, models: ModelCache, store: ModelStore) -> None:
        self.models = models
        self.store = store

    def collect(self) -> Iterable[Metric]:
        """Yield what is so now."""
        held = "Model versions that are held in memory, loaded."
        yield GaugeMetricFamily("tideline_models_loaded", held, value=len(self.models))
        if not isinstance(self.store, Replica):
            return
        age = GaugeMetricFamily(
            "tideline_store_age_seconds",
            "Seconds since the shared store was last seen; missing until it first is.",
        )
        seconds = self.store.freshness.seconds
        if seconds is not None:
            age.add_metric([], seconds)
        yield age


class JobsCollector(Collector):
    """Tells how many jobs there are of each state."""

    def __init__(self, jobs: JobBackend) -> None:
        self.jobs = jobs

    def collect(self) -> Iterable[Metric]:
        """Yield what is so now; a state without jobs is 0."""
        told = "Jobs that are remembered, by state."
        family = GaugeMetricFamily("tideline_jobs", told, labels=("state",))
        counts = Count(job.state for job in self.jobs.records())
        for state in JobState:
            family.add_metric([state.value], counts[state])
        yield family


def metrics_routes(metrics: Metrics) -> APIRouter:
    """Return the route that Prometheus reads."""
    routes = APIRouter(tags=["health"])

    @routes.get(
        "/metrics",
        summary="What the service has counted, for Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}}},
    )
    def page() -> Response:
        return Response(metrics.page(), media_type=CONTENT_TYPE_LATEST)

    return routes


def _route(scope: Scope) -> str:
    # What the router found stays in the scope; a path that it found nothing for does not.
    route = scope.get("route")
    return route.path if isinstance(route, Route) else UNKNOWN
