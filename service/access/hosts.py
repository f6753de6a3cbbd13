"""By which names the service may be called: a forged `Host` makes no link, no redirect and no cookie."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from service.problems import catalogue, problem
from service.settings import Settings

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Hosts:
    """Middleware that refuses a request for a host that is not this one.

    Known are the loopback names, the address that the connection came in at, and those that the settings name.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        named = (urlsplit(settings.public_url).hostname or "", *settings.host_names)
        self.known = {name.lower() for name in (*LOOPBACK, *named) if name}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._knows(scope):
            await problem(catalogue.UNKNOWN_HOST)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name == b"host"]
        if not given:
            return True  # HTTP/1.0 has none, and so forges none
        host = _name_of(given[0].decode("latin-1"))
        here = (scope.get("server") or ("",))[0].lower()
        return len(given) == 1 and bool(host) and (host in self.known or host == here)


def address_of_service(request: Request) -> str:
    """Return where people reach the service, without a slash at the end: for links and redirects."""
    settings: Settings = request.app.state.settings
    return settings.public_url.rstrip("/") or str(request.base_url).rstrip("/")


def is_encrypted(request: Request) -> bool:
    """Return true where browsers reach the service by TLS only, and cookies must not go any other way."""
    return address_of_service(request).startswith("https://")


def _name_of(host: str) -> str:
    """Return the name without the port; empty for what cannot be a host."""
    try:
        parts = urlsplit(f"//{host}")
        return (parts.hostname or "") if parts.netloc == host and "@" not in host and parts.port != 0 else ""
    except ValueError:
        return ""
