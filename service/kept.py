"""What a run has left beside its pipeline: the report of a version, as a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from pydantic import JsonValue

from service.names import model_name
from service.problems import MEDIA_TYPE
from tideline.store import LATEST, ModelStore
from tideline.store.folder import REPORT

HEADERS = {
    # The page comes out of the store: whatever it holds, it runs nothing and asks for nothing.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The report: one page, without scripts and with nothing from outside."},
    404: {
        "description": "There is no such model or version, or it was published without a report.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    },
}


def kept_routes(store: ModelStore) -> APIRouter:
    """Return the routes of what is kept beside a pipeline."""
    routes = APIRouter(tags=["predictor"], default_response_class=HTMLResponse)

    # No coroutines: the store blocks, so they run in a worker thread.
    @routes.get(
        "/models/{name}/report", summary="The report on a model's newest version", responses=ANSWERS
    )
    def newest_report(name: str) -> HTMLResponse:
        return _report(store, name, LATEST)

    @routes.get(
        "/models/{name}/versions/{version}/report",
        summary="The report on a version of a model",
        description="The version is named by its number, or by an alias.",
        responses=ANSWERS,
    )
    def report(name: str, version: str) -> HTMLResponse:
        return _report(store, name, version)

    return routes


def report_path(summary: Mapping[str, JsonValue]) -> str | None:
    """Return where the report on a version is, if it has one.

    Parameters
    ----------
    summary
        Of the version; see `ModelDocument.summary`.
    """
    extras = summary.get("extras")
    if not isinstance(extras, list) or REPORT not in extras:
        return None
    name, version = (quote(str(summary[key]), safe="") for key in ("modelId", "version"))
    return f"/models/{name}/versions/{version}/report"


def _report(store: ModelStore, name: str, version: str) -> HTMLResponse:
    content = store.read(store.resolve(model_name(name), version), REPORT)
    return HTMLResponse(content, headers=HEADERS)
