"""How several workers share the connections of one address: each takes one, then lets the others take the next.

Python's usual loop takes all that wait whenever it looks. Callers that keep their connections would then all stay with
the worker that looked first, while the others are idle.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import structlog

LETS_OTHERS = 0.001  # seconds, after each connection taken; a worker alone still takes hundreds a second
UNTIL_FILES_CLOSE = 1.0  # seconds, where a connection cannot be taken, as no more files may be open
LOG = structlog.get_logger("tamis.serving")


class Sharing(asyncio.SelectorEventLoop):
    """Python's usual loop, but of a socket that it is given to listen on it takes one connection at a time."""

    async def create_server(  # type: ignore[override]  # its forms pass through
        self, protocol_factory: Callable[[], asyncio.Protocol], *args: Any, **how: Any
    ) -> asyncio.Server:
        """Listen as the usual loop does; see the module for a socket that is given as `sock`."""
        sock: socket.socket | None = how.get("sock")
        if sock is None:
            return await super().create_server(protocol_factory, *args, **how)
        server = await super().create_server(protocol_factory, *args, **how, start_serving=False)
        sock.listen(how.get("backlog", socket.SOMAXCONN))
        taking = self.create_task(_take_each(self, sock, protocol_factory), name="taking connections")
        self._taking.add(taking)
        taking.add_done_callback(self._taking.discard)
        return server

    def __init__(self) -> None:
        super().__init__()
        self._taking: set[asyncio.Task[None]] = set()  # a loop itself holds its tasks but weakly


async def _take_each(
    loop: asyncio.AbstractEventLoop, sock: socket.socket, protocol_factory: Callable[[], asyncio.Protocol]
) -> None:
    """Take connections until the socket is closed."""
    while sock.fileno() >= 0:
        try:
            connection, _ = await loop.sock_accept(sock)
            await loop.connect_accepted_socket(protocol_factory, connection)
        except OSError as fault:
            if sock.fileno() >= 0:  # too many open files, or a caller that went away meanwhile
                LOG.warning("a connection was not taken", kind=type(fault).__name__)
                await asyncio.sleep(UNTIL_FILES_CLOSE)
            continue
        await asyncio.sleep(LETS_OTHERS)
