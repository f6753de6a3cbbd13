"""The door: every request is recognised, looked up in the matrix, limited and, where it reads personal data, logged."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any, Literal

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from service.access.access import Access
from service.access.permissions import PERMISSIONS, Row
from service.access.principal import OPEN, Principal
from service.api.faults import problem

COOKIE = "tamis_session"
CONSOLE = "/console"
SAFE = ("GET", "HEAD")
REMEMBERED_CALLERS = 10_000
LOG_INS_A_MINUTE = 120
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
)
REFUSED = "say who you are: `Authorization: Bearer KEY`; an administrator makes keys in the console or by `tamis keys`"


class Guard:
    """Lets through what the matrix allows; a call finds who it is for in `request.state.principal`."""

    def __init__(
        self,
        app: ASGIApp,
        routes: Callable[[], Sequence[BaseRoute]],
        access: Callable[[], Access | None],
        mode: Literal["keys", "open"],
        calls_a_minute: int,
    ) -> None:
        self.app, self.routes, self.access, self.open = app, routes, access, mode == "open"
        self.limit = Limit(calls_a_minute)
        self.doors = Limit(LOG_INS_A_MINUTE)  # of one address: a password is slow to check, and so dear to guess

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        console = scope["path"].startswith(CONSOLE) or scope["path"] == "/"
        guarded = _with_headers(send) if console else send
        answer = await self._look(Request(scope, receive), console=console)
        await (answer or self.app)(scope, receive, guarded)

    async def _look(self, request: Request, *, console: bool) -> Response | None:
        """What is answered instead; None where the call may go on."""
        route, subject = _matched(self.routes(), request.scope)
        if route is None:
            return None  # nothing is there: the application says so
        row, access = PERMISSIONS[route], self.access()
        principal = None
        if access is not None:
            principal = None if console else self._caller_known(access, request)
            if principal is None:
                principal = await to_thread.run_sync(functools.partial(self._who, access, request, console=console))
        request.state.principal = principal
        if row.public:
            return None if request.method in SAFE or self.doors.lets(_address(request)) else _too_often()
        if access is None:
            return problem(
                HTTPStatus.SERVICE_UNAVAILABLE, "the service is starting; come again", (), {"Retry-After": "5"}
            )
        if principal is None:
            return _unknown(request, console=console)
        if principal is not OPEN and principal.role not in row.roles:
            return problem(HTTPStatus.FORBIDDEN, f"not for the role {principal.role}")
        if not self.limit.lets(principal.name):
            return _too_often()
        if console and request.method not in SAFE and not _from_here(request):
            return problem(HTTPStatus.FORBIDDEN, "sent from another site")
        await self._log(access, principal, route, row, subject)
        return None

    def _who(self, access: Access, request: Request, *, console: bool) -> Principal | None:
        """Sessions count in the console alone, keys under /v1 alone: a page of another site can use neither."""
        now = datetime.now(UTC)
        if console:
            secret = _cookie(request)
            return access.person(secret, now) if secret else None
        key = _key(request)
        return access.machine(key, now) if key else None

    def _caller_known(self, access: Access, request: Request) -> Principal | None:
        """Who calls, where that needs no look into the store."""
        if self.open:
            return OPEN
        key = _key(request)
        return access.remembered(key) if key else None

    async def _log(self, access: Access, principal: Principal, route: str, row: Row, subject: str) -> None:
        if row.reads and principal is not OPEN:
            now = datetime.now(UTC)
            await to_thread.run_sync(access.note_read, principal, route, subject, now)


class Limit:
    """So many calls a minute for each caller and process, as a bucket that fills evenly."""

    def __init__(self, calls_a_minute: int) -> None:
        self.rate = calls_a_minute / 60
        self.most = max(1.0, self.rate * 10)
        self._left: dict[str, tuple[float, float]] = {}

    def lets(self, who: str) -> bool:
        """Whether one more call is let through now."""
        now = time.monotonic()
        left, at = self._left.pop(who, (self.most, now))
        left = min(self.most, left + (now - at) * self.rate)
        enough = left >= 1
        self._left[who] = (left - enough, now)
        if len(self._left) > REMEMBERED_CALLERS:
            self._left.pop(next(iter(self._left)))
        return enough


def principal_of(request: Request) -> Principal:
    """Who a call is for."""
    principal: Principal = request.state.principal
    return principal


def names_of(routes: Iterable[BaseRoute]) -> list[str]:
    """The names of all routes."""
    return [str(getattr(route, "name", "")) for route in routes]


def _matched(routes: Sequence[BaseRoute], scope: Scope) -> tuple[str | None, str]:
    """The name of the route that a request is for, and whom or what it asks about."""
    for route in routes:
        match, found = route.matches(scope)
        if match is Match.FULL:
            told = [str(value) for value in found.get("path_params", {}).values()]
            return str(getattr(route, "name", "")), "/".join(told)
    return None, ""


def _unknown(request: Request, *, console: bool) -> Response:
    if not console:
        return problem(HTTPStatus.UNAUTHORIZED, REFUSED, (), {"WWW-Authenticate": "Bearer"})
    if request.headers.get("hx-request"):
        return Response(status_code=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": f"{CONSOLE}/log-in"})
    return RedirectResponse(f"{CONSOLE}/log-in", HTTPStatus.SEE_OTHER)


def _too_often() -> Response:
    return problem(HTTPStatus.TOO_MANY_REQUESTS, "too many calls; come again", (), {"Retry-After": "10"})


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _from_here(request: Request) -> bool:
    """Whether a browser says that a form was sent from our own page; the token in the form is asked for as well."""
    return request.headers.get("sec-fetch-site", "same-origin") == "same-origin"


def _key(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _cookie(request: Request) -> str:
    try:
        found: Any = SimpleCookie(request.headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def _with_headers(send: Send) -> Send:
    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            there = {name.lower() for name, _ in message.get("headers", [])}
            message = {**message, "headers": [*message.get("headers", []), *(h for h in HEADERS if h[0] not in there)]}
        await send(message)

    return sending
