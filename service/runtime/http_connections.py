"""HTTP connections that end: without a proxy in front, whoever sends half a header must not keep others out."""

from __future__ import annotations

import asyncio
import resource
import socket
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_SECONDS = 10.0  # from the start of a connection, or the first byte of a further request, to a whole header
KEEP_ALIVE_SECONDS = 5
OPEN_FILES = 8_192  # asked for; the usual limit of a service is 1,024, and the system lets it be raised
RESERVED_FILES = 256  # of a process: the store, settled history, logs
FEWEST = 64
LONGEST_QUEUE = 1_024
LARGE_PIECE = 16_384  # bytes that are sent at once


def raise_file_limit() -> None:
    """Let this process, and those that it starts, open as many files as the system allows, up to OPEN_FILES."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, allowed), hard))


def accepted_at_once() -> int:
    """Return how many connections may wait to be accepted, and are then accepted in one go."""
    return min(LONGEST_QUEUE, _open_files() // 4)


def most_connections() -> int:
    """Return how many connections a process holds at once: what its limit of open files leaves."""
    return max(FEWEST, _open_files() - RESERVED_FILES - accepted_at_once())


def _open_files() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _send_at_once(transport: asyncio.Transport) -> None:
    """Let no answer wait for the acknowledgement of what was sent before it.

    asyncio does so for sockets that name TCP; the one that several workers share does not name it, and each answer on a
    connection that is kept then waited some 40 ms.
    """
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class SentTogether:
    """A transport that sends in one piece what is written in one turn of the loop: an answer's header and its body.

    Each piece would wake the caller, and the first one for nothing.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send this with all that is written before the loop goes on."""
        if not self._held:
            self._loop.call_soon(self._send)
        self._held.append(data)
        if len(data) > LARGE_PIECE:  # who writes it is to be told when the caller does not keep up
            self._send()

    def close(self) -> None:
        """Send what is written, then close."""
        self._send()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _send(self) -> None:
        held, self._held = self._held, []
        if held:
            self._transport.write(b"".join(held))


class BoundedHttp(H11Protocol):
    """uvicorn's HTTP/1.1 with an end to waiting for headers; one that waits longest makes room for a new one.

    uvicorn's own `limit_concurrency` counts connections that wait and answers everybody else 503: half headers would
    keep others out all the same.
    """

    header_seconds: ClassVar[float] = HEADER_SECONDS
    waiting: ClassVar[dict[BoundedHttp, asyncio.TimerHandle]] = {}  # without a whole header, the longest first

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, in the place of the one that waits longest where there is no other place."""
        super().connection_made(SentTogether(transport, self.loop))  # type: ignore[arg-type]  # all that uvicorn uses
        _send_at_once(transport)
        most = most_connections()
        while len(self.connections) > most:  # many may have been accepted in one go
            next(iter(self.waiting), self)._make_room()
        self._look()

    def data_received(self, data: bytes) -> None:
        """Read on, and see whether the header is whole now."""
        super().data_received(data)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for this one no more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _look(self) -> None:
        """Wait for a header where none is whole, and for no longer than allowed in all."""
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            self._stop_waiting()
        elif self not in self.waiting:
            self.waiting[self] = self.loop.call_later(self.header_seconds, self.transport.abort)

    def _make_room(self) -> None:
        """Count no more from now on; the connection itself ends in the next turn of the loop."""
        self._stop_waiting()
        self.connections.discard(self)
        self.transport.abort()

    def _stop_waiting(self) -> None:
        timer: Any = self.waiting.pop(self, None)
        if timer is not None:
            timer.cancel()
