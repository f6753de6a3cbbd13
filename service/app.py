"""Wiring only: the web application around the live desk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from functools import cache, partial

import structlog
from fastapi import FastAPI
from starlette.routing import BaseRoute
from starlette.staticfiles import StaticFiles

from service.access.directory import Access
from service.access.guard import Guard, names_of
from service.access.hosts import Hosts
from service.access.oidc import Provider
from service.access.permissions import check_every_route_has_a_row
from service.access.read_log import OUT_OF_REACH, ReadLog
from service.api import error_responses as faults
from service.api import investigation_routes, operator_routes, purchase_routes, reference_pages, routes, search_routes
from service.api import message_routes as messages
from service.api.admission import Admission
from service.api.api_description import describe, operation_id
from service.api.body_limit import UnreadBody
from service.api.body_reading import OneAtATime
from service.api.metrics import Metrics
from service.api.request_lines import RequestLines
from service.calls.call_queue import CallQueue
from service.calls.reassessment import reassess
from service.console import analyst_pages as work
from service.console import bulk_pages as bulk
from service.console import burden_page as burden
from service.console import capacity_page as capacity
from service.console import case_pages as cases
from service.console import day_page as day
from service.console import four_eyes_pages as four_eyes
from service.console import investigation_files as attached
from service.console import investigation_pages as investigating
from service.console import list_pages as listed
from service.console import login_pages as doors
from service.console import model_page as modelling
from service.console import officer_acts as acts
from service.console import operators_page as operators
from service.console import oversight_pages as oversight
from service.console import purchase_pages as buying
from service.console import queue_page as listing
from service.console import report_pages as reported
from service.console import search_pages as searching
from service.console.error_pages import ErrorPages
from service.desk import on_desk, open_desk
from service.history.compaction_schedule import EVERY_SECONDS, compacting_regularly
from service.record.blanking import blank_erased
from service.record.checkpoint_copies import send_checkpoints
from service.record.checkpoints import checkpoint
from service.record.search_index import catch_up_beside_calls
from service.runtime.periodic import run_every
from service.runtime.private_files import private_files
from service.runtime.process_tuning import frozen_gc, quick_switches
from service.runtime.service_manager import tell_ready
from service.serving.bundle_swap import LOOK_SECONDS, Swapper
from service.serving.serving_bundle import Serving, open_serving
from service.settings import Settings
from service.webhooks.delivery import Sender

LOG = structlog.get_logger("tamis.record")
ROUTERS = (
    *(
        routes.router,
        search_routes.router,
        purchase_routes.router,
        investigation_routes.router,
        attached.called,
        attached.noted,
        operator_routes.router,
        messages.router,
        reference_pages.router,
        doors.router,
        work.router,
        searching.router,
    ),
    *(
        listing.router,
        acts.router,
        bulk.router,
        cases.router,
        investigating.router,
        attached.router,
        buying.router,
        listed.router,
        reported.router,
        day.router,
        burden.router,
        operators.router,
        capacity.router,
        modelling.router,
        oversight.router,
        four_eyes.router,
    ),
)
SENT_EVERY = 5.0  # seconds, after which webhooks tell what came to count
INDEXED_EVERY = 2.0  # seconds, after which search finds what was decided


def create(settings: Settings | None = None, once_ready: Callable[[], object] = tell_ready) -> FastAPI:
    """Create the application; it answers `/readyz` only once the desk has loaded and decided nothing yet.

    once_ready: called when calls are about to be answered.
    """
    settings = settings or Settings()
    app = FastAPI(title="Tamis", version="1", lifespan=_private, docs_url=None, redoc_url=None,
                  generate_unique_id_function=operation_id)  # fmt: skip
    app.state.settings, app.state.metrics, app.state.one_at_a_time = settings, Metrics(), OneAtATime()
    app.state.once_ready = once_ready
    app.state.provider, app.state.dialects = Provider(settings), messages.Dialects(settings)
    named_routes = cache(partial(_named_routes, app))  # called once all of them exist
    faults.install(app, settings.body_limit)
    app.add_middleware(
        Guard, routes=named_routes, access=lambda: getattr(app.state, "access", None),
        read_log=lambda: getattr(app.state, "read_log", None), mode=settings.access,
        calls_a_minute=settings.calls_a_minute,
    )  # fmt: skip
    app.add_middleware(
        Admission, at_once=settings.calls_at_once, seconds=settings.answer_seconds, metrics=app.state.metrics
    )
    app.add_middleware(Hosts, settings=settings)
    app.add_middleware(ErrorPages)
    app.add_middleware(UnreadBody)
    app.add_middleware(RequestLines)
    app.mount("/console/static", StaticFiles(packages=[("service.console", "static")]), name="static")
    app.mount(reference_pages.STATIC, reference_pages.static_files(), name="docs_static")
    for router in ROUTERS:
        app.include_router(router)
    describe(app)
    check_every_route_has_a_row(names_of(named_routes()))
    return app


def _named_routes(app: FastAPI) -> list[BaseRoute]:
    """List the application's routes that have a name, and those of the routers."""
    app_routes = [route for route in app.routes if getattr(route, "name", None)]
    return [*app_routes, *(route for router in ROUTERS for route in router.routes)]


@asynccontextmanager
async def _private(app: FastAPI) -> AsyncIterator[None]:
    """Let all that the service writes be its owner's alone."""
    with private_files():
        async with _with_desk(app):
            yield


@asynccontextmanager
async def _with_desk(app: FastAPI) -> AsyncIterator[None]:
    """Open the desk, and look for bundles and tend the record as long as calls are answered."""
    settings: Settings = app.state.settings
    serving = open_serving(settings)
    app.state.desk = open_desk(settings, serving, answers_calls=True)
    app.state.swapper = Swapper(settings, serving, partial(_put, app))
    store = app.state.desk.journal.store
    app.state.access, app.state.calls = Access(store), CallQueue()
    app.state.read_log = ReadLog(store, settings.read_log)
    sender = Sender(app.state.access, credentials=settings.amqp_credentials)
    with (
        closing(sender),
        frozen_gc(),
        quick_switches(),
        compacting_regularly(store, then=partial(_tend, app)),
        run_every(EVERY_SECONDS, partial(_send, app), "sending checkpoints"),
        run_every(SENT_EVERY, sender.send_due, "sending changes"),
        run_every(INDEXED_EVERY, partial(catch_up_beside_calls, store), "indexing"),
        run_every(LOOK_SECONDS, app.state.swapper.look, "looking for bundles"),
    ):
        app.state.once_ready()
        yield
    app.state.calls.close()
    app.state.read_log.close()
    try:
        _sign(app)
    except OUT_OF_REACH as fault:  # the next service signs how far the log reaches
        LOG.error("no checkpoint at the end", kind=type(fault).__name__)
    _send(app)
    store.close()


def _put(app: FastAPI, serving: Serving) -> None:
    app.state.desk = on_desk(app.state.desk, serving)


def _tend(app: FastAPI) -> None:
    app.state.desk.journal.catch_up()
    blank_erased(app.state.desk.journal.store)
    if amended := reassess(app.state.desk, datetime.now(UTC)):
        LOG.info("decided again, and stricter", decisions=amended)
    _sign(app)


def _sign(app: FastAPI) -> None:
    settings: Settings = app.state.settings
    checkpoint(app.state.desk.journal.store, settings.checkpoints, settings.keys, datetime.now(UTC))


def _send(app: FastAPI) -> None:
    """Send checkpoints to the second place; what waits is seen in the figures."""
    copies = send_checkpoints(app.state.settings, datetime.now(UTC))
    if copies is None:
        return
    app.state.metrics.unsent.set(copies.waiting)
    if copies.fault:
        LOG.warning("checkpoints are not sent", waiting=copies.waiting, since=copies.failing_since)
