"""Every route, and invitations and accounts where access is closed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from service.access import Access
from service.access.guard import COOKIE
from service.access.principal import Principal
from service.api import message_routes as messages
from service.api import reference_pages, routes, search_routes
from service.console import analyst_pages as work
from service.console import bulk_pages as bulk
from service.console import capacity_page as capacity
from service.console import day_page as day
from service.console import four_eyes_pages as four_eyes
from service.console import login_pages as doors
from service.console import model_page as modelling
from service.console import officer_acts as acts
from service.console import oversight_pages as oversight
from service.console import queue_page as listing
from service.console import search_pages as searching
from tests.service.building import app_state

PASSWORD = "a password of some length"
OWN, OTHER = "FRCDG1", "FRLYS1"
ROUTERS = (
    *(
        routes.router,
        search_routes.router,
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
        day.router,
        capacity.router,
        modelling.router,
        oversight.router,
        four_eyes.router,
    ),
)
EVERY_ROUTE = [(route.name, method, route.path) for router in ROUTERS
               for route in cast("list[APIRoute]", router.routes) for method in
               cast("set[str]", route.methods) if method != "HEAD"] + [("openapi", "GET", "/openapi.json")]  # fmt: skip
PersonOf = Callable[[str, str], tuple[str, Principal]]  # the session of a role and an office
KeyOf = Callable[[str, str], str]


def access(client: TestClient) -> Access:
    told: Access = app_state(client).access
    return told


def now() -> datetime:
    return datetime.now(UTC)


def bearing(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def accept(known: Access, name: str, role: str = "analyst", office: str = "*", at: datetime | None = None) -> None:
    at = at or now()
    known.accept(known.invite(name, role, [office], "tests", at), "", PASSWORD, "en", at)


def as_person(secret: str, principal: Principal, method: str) -> dict[str, Any]:
    told: dict[str, Any] = {"headers": {"Cookie": f"{COOKIE}={secret}"}}
    return told | ({"data": {"csrf": principal.csrf}} if method == "POST" else {})
