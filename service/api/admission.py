"""How many calls are worked on at once and how long each may take; beyond it the caller is told to come again."""

from __future__ import annotations

import asyncio

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.metrics import Metrics
from service.problems import catalogue, problem
from service.problems.catalogue import Kind

LOG = structlog.get_logger("tamis.api")
COUNTED_AS = {catalogue.BUSY: "busy", catalogue.LATE: "late"}  # in the metrics


class Admission:
    """Lets so many calls in. One that takes too long is answered, and holds its place until its work has ended."""

    def __init__(self, app: ASGIApp, at_once: int, seconds: float, metrics: Metrics) -> None:
        self.app, self.at_once, self.seconds, self.metrics = app, at_once, seconds, metrics
        self._under_way: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        counts = scope["path"].startswith("/v1/")  # who asks how the service is gets an answer however busy it is
        if counts and len(self._under_way) >= self.at_once:
            await self._refuse(catalogue.BUSY, scope, receive, send)
            return
        answer = _Answer(send)
        task = asyncio.ensure_future(self.app(scope, receive, answer.send))
        if counts:
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        done, _ = await asyncio.wait({task}, timeout=self.seconds)
        if done:
            task.result()
        elif answer.close():
            task.add_done_callback(_heard)
            await self._refuse(catalogue.LATE, scope, receive, send)
        else:
            await task  # it has begun to answer

    async def _refuse(self, kind: Kind, scope: Scope, receive: Receive, send: Send) -> None:
        why = COUNTED_AS[kind]
        self.metrics.refused.labels(why).inc()
        LOG.warning("call refused", why=why, under_way=len(self._under_way))
        await problem(kind)(scope, receive, send)


class _Answer:
    """An answer that is either begun by the call or closed, never both."""

    def __init__(self, send: Send) -> None:
        self._send, self._begun, self._closed = send, False, False

    async def send(self, message: Message) -> None:
        if not self._closed:
            self._begun = True
            await self._send(message)

    def close(self) -> bool:
        """Whether nothing was answered yet; from then on nothing will be."""
        self._closed = not self._begun
        return self._closed


def _heard(task: asyncio.Task[None]) -> None:
    """A fault of a call that was answered already is logged, not lost."""
    fault = None if task.cancelled() else task.exception()
    if fault is not None:
        LOG.error("unexpected", kind=type(fault).__name__)
