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
from service.app import ROUTERS
from tests.service.building import app_state

PASSWORD = "a password of some length"
OWN, OTHER = "FRCDG1", "FRLYS1"
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
