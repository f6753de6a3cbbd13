"""A line in the log for each request, and the number by which its answer and all lines within it are found again."""

from __future__ import annotations

import re
import time
import uuid
from typing import Any

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

LOG = structlog.get_logger("tamis.requests")
HEADER = b"x-request-id"
WELL_FORMED = re.compile(rb"(?=.*[0-9])[A-Za-z0-9_-]{8,64}")
UNANSWERED = 500  # what a caller gets where nothing caught a fault


class RequestLines:
    """Middleware around all others: takes the number that a caller gives a request, or makes one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        number, began, status = _number_of(scope), time.perf_counter(), UNANSWERED
        structlog.contextvars.bind_contextvars(request_id=number)  # of this request's task alone
        state = scope.setdefault("state", {})

        async def sending(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                kept = [header for header in message.get("headers", []) if header[0].lower() != HEADER]
                message = {**message, "headers": [*kept, (HEADER, number.encode())]}
            await send(message)

        try:
            await self.app(scope, receive, sending)
        finally:
            LOG.info(
                "request", method=scope["method"], route=state.get("route", "unknown"), status=status,
                ms=round((time.perf_counter() - began) * 1_000, 1), principal=state.get("caller", ""),
            )  # fmt: skip


def _number_of(scope: Scope) -> str:
    """Return the number that the caller sent, where it is well formed, or a new one."""
    sent = [value for name, value in scope["headers"] if name == HEADER]
    if len(sent) == 1 and WELL_FORMED.fullmatch(sent[0]):
        return str(sent[0], "ascii")
    return uuid.uuid4().hex
