"""The applications: the trainer, the predictor, and both in one for a laptop."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from anyio import to_thread
from fastapi import APIRouter, FastAPI
from fastapi.responses import PlainTextResponse
from fastapi_offline import FastAPIOffline

from service.aliases import alias_routes
from service.auth import BearerAuth
from service.browsers import BrowserGuard
from service.jobs.backend import JobBackend
from service.jobs.local import LocalJobs
from service.kept import kept_routes
from service.leaving import Leaving
from service.limits import BodyLimit
from service.metrics import (
    JobsCollector,
    Measured,
    Metrics,
    PredictorCollector,
    metrics_routes,
)
from service.pages import home
from service.predictor import Predictor, predictor_routes
from service.problems import Problem, answer_problems
from service.reports import ReportedJobs, report_routes
from service.settings import LaptopSettings, PredictorSettings, ServiceSettings, TrainerSettings
from service.trainer import trainer_routes
from tideline.store import is_shared, open_replica, open_store
from tideline.store.replica import Replica

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
Ready = Callable[[], bool]

DESCRIPTION = """AutoML for time series.
Raw labelled series go in, a fitted pipeline is published, and predictions on raw series come out.
Errors are problem documents (RFC 9457) that name the field and the mend."""


def predictor_app(settings: PredictorSettings, leaving: Leaving | None = None) -> FastAPI:
    """Return the application that answers predictions."""
    predictor = _predictor(settings, settings.store_home)
    leaving = leaving or Leaving()
    app = _application(
        "predictor", settings, leaving, _warmed(predictor), is_ready=_has_seen_its_store(predictor)
    )
    _include_predictor(app, predictor, settings)
    app.include_router(home.router(predictor.store, None))
    return app


def trainer_app(
    settings: TrainerSettings, leaving: Leaving | None = None, jobs: JobBackend | None = None
) -> FastAPI:
    """Return the application that trains; it starts and closes its jobs with itself."""
    leaving = leaving or Leaving()
    jobs = jobs or job_backend(settings, leaving)
    app = _application("trainer", settings, leaving, _running(jobs))
    _include_trainer(app, jobs, settings, leaving)
    store = open_store(settings.store or settings.store_home)
    app.include_router(alias_routes(store))
    app.include_router(home.router(store, jobs))
    return app


def laptop_app(
    settings: LaptopSettings, leaving: Leaving | None = None, jobs: JobBackend | None = None
) -> FastAPI:
    """Return the application that is both."""
    leaving = leaving or Leaving()
    jobs = jobs or job_backend(settings, leaving)
    predictor = _predictor(settings, settings.replica_home)
    app = _application(
        "laptop",
        settings,
        leaving,
        _warmed(predictor),
        _running(jobs),
        is_ready=_has_seen_its_store(predictor),
    )
    _include_trainer(app, jobs, settings, leaving)
    _include_predictor(app, predictor, settings)
    app.include_router(alias_routes(predictor.store))
    app.include_router(home.router(predictor.store, jobs))
    return app


def job_backend(settings: TrainerSettings, leaving: Leaving) -> JobBackend:
    """Return the backend that the settings name."""
    if settings.jobs == "local":
        return local_jobs(settings, leaving)
    from service.jobs.backing import kubernetes_jobs  # noqa: PLC0415 - its client is slow to load

    return kubernetes_jobs(settings, leaving)


def local_jobs(settings: TrainerSettings, leaving: Leaving) -> LocalJobs:
    """Return the backend that runs jobs as child processes."""
    return LocalJobs(
        settings.jobs_home,
        settings.store or str(settings.store_home),
        at_once=settings.jobs_at_once or 2,
        queued=settings.jobs_queued,
        kept=settings.jobs_kept,
        stop_seconds=settings.stop_seconds,
        leaving=leaving,
    )


def _include_trainer(
    app: FastAPI, jobs: JobBackend, settings: TrainerSettings, leaving: Leaving
) -> None:
    app.include_router(trainer_routes(jobs, settings, leaving))
    if isinstance(jobs, ReportedJobs):
        app.include_router(report_routes(jobs))
    app.state.metrics.watch(JobsCollector(jobs))


def _include_predictor(app: FastAPI, predictor: Predictor, settings: PredictorSettings) -> None:
    app.include_router(predictor_routes(predictor, settings))
    app.include_router(kept_routes(predictor.store))
    app.state.metrics.watch(PredictorCollector(predictor.models, predictor.store))


def _running(jobs: JobBackend) -> Lifespan:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await to_thread.run_sync(jobs.start)
        try:
            yield
        finally:
            await to_thread.run_sync(jobs.close)

    return lifespan


def _predictor(settings: PredictorSettings, replica_home: Path) -> Predictor:
    """Return what answers from the store of this machine, or from a replica of a shared one."""
    address = settings.store or settings.store_home
    if settings.store is None or not is_shared(address):
        return Predictor(open_store(address), settings.models_held)
    replica = open_replica(
        settings.store,
        replica_home,
        poll_seconds=settings.poll_seconds,
        max_bytes=settings.max_model_bytes,
        room=settings.replica_bytes,
    )
    return Predictor(replica, settings.models_held)


def _has_seen_its_store(predictor: Predictor) -> Ready:
    store = predictor.store

    def is_ready() -> bool:
        return not isinstance(store, Replica) or store.freshness.seconds is not None

    return is_ready


def _warmed(predictor: Predictor) -> Lifespan:
    store = predictor.store

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if isinstance(store, Replica):
            # A new version is loaded before an alias stands for it.
            with store.following(predictor.models.get):
                yield
            return
        # Beside the first calls, which wait only for the model that they ask for.
        threading.Thread(target=predictor.warm, name="warm", daemon=True).start()
        yield

    return lifespan


def _application(
    name: str,
    settings: ServiceSettings,
    leaving: Leaving,
    *lifespans: Lifespan,
    is_ready: Ready = lambda: True,
) -> FastAPI:
    app = FastAPIOffline(
        docs_url="/docs",
        redoc_url=None,
        title=f"Tideline {name}",
        version=version("tideline"),
        description=DESCRIPTION,
        lifespan=_one_after_the_other(lifespans),
        responses={"default": {"model": Problem, "description": "A problem document."}},
    )
    app.state.is_ready = lambda: not leaving.is_set and is_ready()
    app.state.metrics = Metrics()
    answer_problems(app)
    _add_middleware(app, settings)
    app.include_router(_health_routes(app, leaving))
    app.include_router(metrics_routes(app.state.metrics))
    return app


def _one_after_the_other(lifespans: Sequence[Lifespan]) -> Lifespan:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for part in lifespans:
                await stack.enter_async_context(part(app))
            yield

    return lifespan


def _add_middleware(app: FastAPI, settings: ServiceSettings) -> None:
    # The one added last is the outermost: who may not call is told so before a body is read.
    app.add_middleware(
        BodyLimit, limit=settings.max_body_bytes, idle_seconds=settings.body_idle_seconds
    )
    app.add_middleware(BearerAuth, token=settings.token)
    app.add_middleware(BrowserGuard, token=settings.token, hosts=settings.allowed_hosts)
    app.add_middleware(Measured, metrics=app.state.metrics)


def _health_routes(app: FastAPI, leaving: Leaving) -> APIRouter:
    routes = APIRouter(tags=["health"])

    @routes.get("/livez", summary="Whether the process is alive")
    async def livez() -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    @routes.get("/readyz", summary="Whether calls are taken")
    async def readyz() -> PlainTextResponse:
        if app.state.is_ready():
            return PlainTextResponse("ok\n")
        said = "stopping" if leaving.is_set else "the store has not been seen yet"
        return PlainTextResponse(f"{said}\n", status_code=503)

    return routes
