"""The page at `/`: gathered from the store and the jobs, drawn, and sent."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from starlette.requests import Request

from service.jobs.backend import JobBackend
from service.pages.drawing import CONTENT_SECURITY_POLICY, draw
from service.pages.rows import job_row, model_row
from service.pages.view import HomePage, ModelRow
from tideline.errors import ModelNotFound, TidelineError
from tideline.store import ModelStore

JOBS_SHOWN = 20

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def router(store: ModelStore, jobs: JobBackend | None) -> APIRouter:
    """Return the route of the page.

    Parameters
    ----------
    store
        Whose models are shown.
    jobs
        Whose jobs are shown; None for a predictor, which has none.
    """
    routes = APIRouter()

    # Not a coroutine: reading the store and the jobs blocks, so it runs in a worker thread.
    @routes.get("/", include_in_schema=False, response_class=HTMLResponse)
    def home(request: Request) -> HTMLResponse:
        address = str(request.base_url).rstrip("/")
        page = gather(store, jobs, now=datetime.now(UTC), address=address)
        return HTMLResponse(draw(page), headers=HEADERS)

    return routes


def gather(store: ModelStore, jobs: JobBackend | None, *, now: datetime, address: str) -> HomePage:
    """Return what the page shows now.

    A store that cannot be reached, or a damaged model, is told on the page, which shows the rest.
    """
    models, troubles = _models(store)
    records = [] if jobs is None else jobs.records()
    return HomePage(
        now=now,
        address=address,
        models=models,
        jobs=tuple(job_row(record) for record in records[:JOBS_SHOWN]),
        n_jobs=len(records),
        has_jobs=jobs is not None,
        troubles=troubles,
    )


def _models(store: ModelStore) -> tuple[tuple[ModelRow, ...], tuple[str, ...]]:
    rows: list[ModelRow] = []
    troubles: list[str] = []
    try:
        newest = store.newest()
    except TidelineError as error:
        return (), (str(error),)
    for version in newest.values():
        try:
            rows.append(model_row(store.describe(version), version.number))
        except ModelNotFound:
            continue  # deleted since it was listed
        except TidelineError as error:
            troubles.append(f"{version}: {error}")
    return tuple(rows), tuple(troubles)
