"""The Bento services: `bentoml serve service.bento:Laptop`, `:Trainer`, `:Predictor`.

Every route is an ASGI application mounted on the service. BentoML's own `/livez`, `/readyz`,
`/healthz` and `/schema.json` come before it; everything else, `/docs` and `/` among it, is the
application's.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

import bentoml
from bentoml import Service
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from service.app import laptop_app, predictor_app, trainer_app
from service.auth import BearerAuth
from service.browsers import BrowserGuard
from service.leaving import Leaving
from service.lifeline import Lifeline
from service.metrics import Measured
from service.settings import LaptopSettings, PredictorSettings, ServiceSettings, TrainerSettings

PREDICTION_SECONDS = 300.0
WAIT_MARGIN = 60.0


class _Hooks:
    """Opens and closes an application with the worker that it runs in."""

    app: ClassVar[FastAPI]
    leaving: ClassVar[Leaving]
    settings: ClassVar[ServiceSettings]
    lifespan: AbstractAsyncContextManager[Any]
    lifeline: Lifeline | None = None

    @bentoml.on_startup  # type: ignore[untyped-decorator]  # BentoML leaves it so
    async def open(self) -> None:
        """Start what the application runs."""
        self.leaving.follow_signals()
        self.leaving.follow_supervisor()
        if self.settings.ends_with_worker:
            self.lifeline = Lifeline.of_this_worker()
        self.lifespan = self.app.router.lifespan_context(self.app)
        await self.lifespan.__aenter__()

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]  # BentoML leaves it so
    async def close(self) -> None:
        """Stop it."""
        await self.lifespan.__aexit__(None, None, None)
        if self.lifeline is not None:
            self.lifeline.release()

    def __is_ready__(self) -> bool:
        """Whether calls are taken; BentoML's /readyz asks."""
        return bool(self.app.state.is_ready())


def _service(
    name: str,
    build: Callable[[Leaving], FastAPI],
    settings: ServiceSettings,
    seconds: float,
) -> Service[Any]:
    leaving = Leaving()
    app = build(leaving)
    hooks = type(
        name,
        (_Hooks,),
        {"app": app, "leaving": leaving, "settings": settings, "__doc__": app.title},
    )

    # A plain function, for of a Starlette application BentoML asks which paths it has, and
    # answers the others itself, without a problem document.
    async def every_path(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    service: Service[Any] = bentoml.service(
        name=f"tideline-{name.lower()}",
        # One worker: jobs have one owner, and a worker that dies takes its pod along.
        workers=1,
        # BentoML keeps a timer of this length for each call, answered or not.
        traffic={"timeout": seconds},
        # Its metrics name the raw path, so that unknown paths grow them without bound; /metrics is
        # the application's.
        metrics={"enabled": False},
    )(hooks)
    # What is refused here is counted too.
    service.add_asgi_middleware(Measured, metrics=app.state.metrics)
    # BentoML's own routes are behind the token too.
    service.add_asgi_middleware(BearerAuth, token=settings.token)
    service.add_asgi_middleware(BrowserGuard, token=settings.token, hosts=settings.allowed_hosts)
    service.mount_asgi_app(every_path)
    return service


_trainer, _predictor, _laptop = TrainerSettings(), PredictorSettings(), LaptopSettings()

Predictor = _service(
    "Predictor", lambda sign: predictor_app(_predictor, sign), _predictor, PREDICTION_SECONDS
)
Trainer = _service(
    "Trainer",
    lambda sign: trainer_app(_trainer, sign),
    _trainer,
    _trainer.max_wait_seconds + WAIT_MARGIN,
)
Laptop = _service(
    "Laptop",
    lambda sign: laptop_app(_laptop, sign),
    _laptop,
    _laptop.max_wait_seconds + WAIT_MARGIN,
)
