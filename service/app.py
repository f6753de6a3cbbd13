"""Wiring only: the web application around the live desk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache

import structlog
from fastapi import FastAPI
from starlette.routing import BaseRoute
from starlette.staticfiles import StaticFiles

from service.access.access import Access
from service.access.guard import Guard, names_of
from service.access.oidc import Provider
from service.access.permissions import check_every_route_has_a_row
from service.api import faults, messages, routes
from service.api.admission import Admission
from service.api.metrics import Metrics
from service.bundles import Serving, open_serving
from service.checkpoints import checkpoint
from service.console import doors, four_eyes, oversight, work
from service.console.errors import ErrorPages
from service.desk import open_desk
from service.gathering import Gathering
from service.lean import settled_in
from service.reassessing import reassess
from service.settings import Settings
from service.settler import settling_now_and_then
from service.swapping import LOOK_SECONDS, Swapper, on_desk
from service.tending import now_and_then

LOG = structlog.get_logger("tamis.record")


def create(settings: Settings | None = None) -> FastAPI:
    """The application; it answers `/readyz` only once the desk has loaded and decided nothing yet."""
    settings = settings or Settings()

    def put(serving: Serving) -> None:
        app.state.desk = on_desk(app.state.desk, serving)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        serving = open_serving(settings)
        app.state.desk = open_desk(settings, serving, answers_calls=True)
        app.state.swapper = Swapper(settings, serving, put)
        store = app.state.desk.journal.store
        app.state.access, app.state.gathering = Access(store), Gathering()

        def sign() -> None:
            checkpoint(store, settings.checkpoints, settings.keys, datetime.now(UTC))

        def tend() -> None:
            app.state.desk.journal.catch_up()
            if amended := reassess(app.state.desk, datetime.now(UTC)):
                LOG.info("decided again, and stricter", decisions=amended)
            sign()

        with (
            settled_in(),
            settling_now_and_then(store, then=tend),
            now_and_then(app.state.swapper.look, LOOK_SECONDS, "looking for bundles"),
        ):
            yield
        app.state.gathering.close()
        sign()
        store.close()

    app = FastAPI(title="Tamis", version="1", lifespan=lifespan, docs_url=None, redoc_url=None)
    routers = (routes.router, messages.router, doors.router, work.router, oversight.router, four_eyes.router)

    @cache
    def every_route() -> list[BaseRoute]:
        """Those of the routers stand in them; the application keeps its own only. Asked for once all are there."""
        own = [route for route in app.routes if getattr(route, "name", None)]
        return [*own, *(route for router in routers for route in router.routes)]

    app.state.settings, app.state.metrics = settings, Metrics()
    faults.install(app, settings.body_limit)
    app.add_middleware(
        Guard, routes=every_route, access=lambda: getattr(app.state, "access", None), mode=settings.access,
        calls_a_minute=settings.calls_a_minute,
    )  # fmt: skip
    app.add_middleware(
        Admission, at_once=settings.calls_at_once, seconds=settings.answer_seconds, metrics=app.state.metrics
    )
    app.add_middleware(ErrorPages)
    app.state.provider = Provider(settings)
    app.state.dialects = messages.Dialects(settings)
    app.mount("/console/static", StaticFiles(packages=[("service.console", "static")]), name="static")
    for router in routers:
        app.include_router(router)
    check_every_route_has_a_row(names_of(every_route()))
    return app
