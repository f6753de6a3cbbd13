"""The guard: every request is authenticated, authorised by the matrix, rate-limited and, for personal data, logged."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any, Literal

import structlog
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from service.access.directory import Access
from service.access.log_in_backoff import network_of
from service.access.permissions import PERMISSIONS, Row
from service.access.polls import Polls, is_poll
from service.access.principal import OPEN, Principal
from service.access.rate_limit import Limit, Quota
from service.access.read_log import OUT_OF_REACH, ReadLog, Unnoted
from service.problems import catalogue, problem

LOG = structlog.get_logger("tamis.access")
COOKIE = "tamis_session"
KEY = "key"  # the parameter of a search
DRY_RUN = "dry_run"  # the parameter of a call that leaves nothing on record
CONSOLE = "/console"
DOCS = "/docs"
SAFE = ("GET", "HEAD")
NO_PAGE = ("static",)  # public, and no page that would greet somebody by name
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
API_HEADERS = (HEADERS[0], HEADERS[2])  # what a machine reads: no copy is kept on the way, and none is guessed at


class Guard:
    """Middleware that allows what the matrix allows; a call finds its caller in `request.state.principal`."""

    def __init__(
        self,
        app: ASGIApp,
        routes: Callable[[], Sequence[BaseRoute]],
        access: Callable[[], Access | None],
        read_log: Callable[[], ReadLog | None],
        mode: Literal["keys", "open"],
        calls_a_minute: int,
    ) -> None:
        self.app, self.routes, self.access, self.read_log = app, routes, access, read_log
        self.open, self.polls = mode == "open", Polls()
        self.limit = Limit(calls_a_minute)
        self.doors = Limit(LOG_INS_A_MINUTE)  # per address: a password is slow to check, and so costly to guess

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        console = scope["path"].startswith(CONSOLE) or scope["path"] == "/"
        request = Request(scope, receive)
        try:
            answer = await self._look(request, console=console)
        except (*OUT_OF_REACH, Unnoted) as fault:  # no handler of the application stands around the guard
            LOG.error(
                "store_unavailable", route=request.scope["state"].get("route", "unknown"), kind=type(fault).__name__
            )
            answer = problem(catalogue.NOT_REACHED)
        headers = HEADERS if console or scope["path"].startswith(DOCS) else API_HEADERS
        quota: Quota | None = getattr(request.state, "quota", None)
        if quota is not None and not console:
            headers = (*headers, *quota.headers())
        await (answer or self.app)(scope, receive, _with_headers(send, headers))

    async def _look(self, request: Request, *, console: bool) -> Response | None:
        """Return an answer in place of the application's; None where the call may go on."""
        route, subject = _matched(self.routes(), request.scope)
        if route is None:
            return None  # unknown path: the application answers 404
        request.state.route = route
        row, access = PERMISSIONS[route], self.access()
        principal = None
        if access is not None and (console or not row.public) and route not in NO_PAGE:
            principal = None if console else self._caller_known(access, request)
            if principal is None:
                principal = await to_thread.run_sync(functools.partial(self._who, access, request, console=console))
        request.state.principal, request.state.caller = principal, self._logged(principal)
        if row.public:
            return (
                None
                if request.method in SAFE or self.doors.lets(network_of(address_of_caller(request)))
                else problem(catalogue.TOO_OFTEN)
            )
        if access is None:
            return problem(catalogue.STARTING)
        if principal is None:
            return _unknown(request, console=console)
        if principal is not OPEN and principal.role not in row.roles:
            return problem(catalogue.ROLE, role=principal.role)
        request.state.quota = quota = self.limit.take(principal.name)
        if not quota.allowed:
            return problem(catalogue.TOO_OFTEN, retry_after=quota.wait)
        if console and request.method not in SAFE and not _from_here(request):
            return problem(catalogue.CROSS_SITE)
        self._note(principal, request, route, row, subject)
        return None

    def _who(self, access: Access, request: Request, *, console: bool) -> Principal | None:
        """Authenticate by session in the console only, by key under /v1 only: another site's page can use neither."""
        now = datetime.now(UTC)
        if console:
            secret = _cookie(request)
            return access.person(secret, now) if secret else None
        key = _key(request)
        return access.machine(key, now) if key else None

    def _caller_known(self, access: Access, request: Request) -> Principal | None:
        """Return the caller, where that needs no look into the store."""
        if self.open:
            return OPEN
        key = _key(request)
        return access.remembered(key) if key else None

    def _logged(self, principal: Principal | None) -> str:
        """Return a caller as the log names him: a machine by its key's name, a person by a pseudonym."""
        read_log = self.read_log()
        if principal is None or not principal.session:
            return "" if principal is None else principal.name
        return "" if read_log is None else read_log.traced(principal.name)

    def _note(self, principal: Principal, request: Request, route: str, row: Row, subject: str) -> None:
        """Note a use of the session, and what of personal data is about to be shown; a page that polls is neither."""
        read_log = self.read_log()
        if principal is OPEN or read_log is None:
            return
        now, poll = datetime.now(UTC), is_poll(request, route)
        if principal.session and principal.idle and not poll:
            read_log.use(principal.session, now)
        if row.rehearses and DRY_RUN in request.query_params:  # whatever it says: who asks what would be leaves a trace
            read_log.note(principal, route, DRY_RUN, now)
        if row.reads and not self.polls.repeats(principal, request, poll=poll):
            shown = read_log.traced(subject or request.query_params.get(KEY, "")) if row.traced else subject
            read_log.note(principal, route, shown, now)


def principal_of(request: Request) -> Principal:
    """Return the caller of a request."""
    principal: Principal = request.state.principal
    return principal


def names_of(routes: Iterable[BaseRoute]) -> list[str]:
    """Return the names of all routes."""
    return [str(getattr(route, "name", "")) for route in routes]


def _matched(routes: Sequence[BaseRoute], scope: Scope) -> tuple[str | None, str]:
    """Return the name of the route of a request, and the subject that it asks about."""
    for route in routes:
        match, match_scope = route.matches(scope)
        if match is Match.FULL:
            subject = [str(value) for value in match_scope.get("path_params", {}).values()]
            return str(getattr(route, "name", "")), "/".join(subject)
    return None, ""


def _unknown(request: Request, *, console: bool) -> Response:
    if not console:
        return problem(catalogue.NO_KEY, (), {"WWW-Authenticate": "Bearer"})
    if request.headers.get("hx-request"):
        return Response(status_code=HTTPStatus.NO_CONTENT, headers={"HX-Redirect": f"{CONSOLE}/log-in"})
    return RedirectResponse(f"{CONSOLE}/log-in", HTTPStatus.SEE_OTHER)


def address_of_caller(request: Request) -> str:
    """Return the address that a request came from; of a proxy on this machine, the one that it names."""
    return request.client.host if request.client else ""


def _from_here(request: Request) -> bool:
    """Return true if the browser says that a form was sent from our own page; its token is checked as well."""
    return request.headers.get("sec-fetch-site", "same-origin") == "same-origin"


def _key(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _cookie(request: Request) -> str:
    try:
        morsel: Any = SimpleCookie(request.headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _with_headers(send: Send, headers: Sequence[tuple[bytes, bytes]]) -> Send:
    async def sending(message: Any) -> None:
        if message["type"] == "http.response.start":
            present = {name.lower() for name, _ in message.get("headers", [])}
            added = [header for header in headers if header[0] not in present]
            message = {**message, "headers": [*message.get("headers", []), *added]}
        await send(message)

    return sending
