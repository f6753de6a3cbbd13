"""How much of a body is taken: none beyond the limit, and what was refused unread is not read on."""

from __future__ import annotations

import asyncio
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.problems import catalogue, problem

OF_A_FORM = 256 * 1024  # bytes of a form of the console: the longest holds a policy, and it is read on the event loop
WITH_A_FILE = re.compile(r"/console/(lists|investigations/[^/]+/documents)")  # forms by which a file is sent
LINGER_SECONDS, LINGER_BYTES = 1.0, 4 * 1024**2  # so long is a refused body read, for its sender to read the refusal


class BodyLimit:
    """Refuses a body above the limit before anything reads it, whether its length is declared or not."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app, self.limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        of_form = scope["path"].startswith("/console") and not WITH_A_FILE.fullmatch(scope["path"])
        limit = min(self.limit, OF_A_FORM) if of_form else self.limit
        body = None if _declared(scope) > limit else await _whole(receive, limit)
        if body is None:
            too_large = problem(catalogue.TOO_LARGE, limit=limit)
            await too_large(scope, receive, send)
        elif isinstance(body, bytes):
            await self.app(scope, _replay(body, receive), send)


def _declared(scope: Scope) -> int:
    """The length that a request declares of its body; none where it does not."""
    written = dict(scope["headers"]).get(b"content-length", b"0")
    return int(written) if written.isdigit() else 0


async def _whole(receive: Receive, limit: int) -> bytes | bool | None:
    """The whole body; None where it is above the limit, False where its sender went away."""
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return False
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > limit:
            return None
        if not message.get("more_body"):
            return b"".join(pieces)


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body once more, then whatever the connection says next."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


class UnreadBody:
    """Closes the connection after an answer that was given before the body was read: nobody needs the rest of it.

    A server would read it to its end, however long it is, to find the next request behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(receive, send)
        await self.app(scope, exchange.receive, exchange.send)


def _has_body(scope: Scope) -> bool:
    names = {name for name, _ in scope["headers"]}
    return b"transfer-encoding" in names or _declared(scope) > 0


class _Exchange:
    """A request and its answer: whether the body was read to its end when the answer began."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._ended, self._closing = False, False

    async def receive(self) -> Message:
        message = await self._receive()
        self._ended = self._ended or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and not self._ended:
            self._closing = True
            headers = [header for header in message.get("headers", []) if header[0].lower() != b"connection"]
            message = {**message, "headers": [*headers, (b"connection", b"close")]}
        if message["type"] == "http.response.body" and self._closing and not message.get("more_body"):
            await self._send({**message, "more_body": True})
            await self._linger()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _linger(self) -> None:
        """Read on for a moment: a connection that is closed on a sender takes the refusal away before it is read."""
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                size = 0
                while not self._ended and size <= LINGER_BYTES:
                    size += len((await self.receive()).get("body", b""))
        except TimeoutError:
            return  # it goes on sending, or stays silent: the connection is closed
