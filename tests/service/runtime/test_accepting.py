"""Workers of one address share its connections, and what cannot be taken keeps nobody out for long."""

from __future__ import annotations

import asyncio
import errno
import multiprocessing
import os
import socket
import time
from collections import Counter
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import Any, TypeVar

import pytest

from service.runtime import accepting
from service.runtime.accepting import Sharing

CALLERS = 40
T = TypeVar("T")


class TellsItsProcess(asyncio.Protocol):
    """Answers a connection with the number of its process, and keeps it."""

    def connection_made(self, transport: Any) -> None:
        transport.write(b"%d\n" % os.getpid())


def serve(listening: socket.socket) -> None:
    async def served() -> None:
        server = await asyncio.get_running_loop().create_server(TellsItsProcess, sock=listening, backlog=128)
        assert server.sockets
        await asyncio.Event().wait()

    with asyncio.Runner(loop_factory=Sharing) as runner, suppress(KeyboardInterrupt):
        runner.run(served())


def on_its_loop(work: Coroutine[Any, Any, T]) -> T:
    """What some work gives on such a loop, in a thread: other tests may have left one running in this."""

    def run() -> T:
        with asyncio.Runner(loop_factory=Sharing) as runner:
            return runner.run(work)

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(run).result(60)


def bound() -> socket.socket:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    return listening


def connected(to: socket.socket, within: float = 20) -> socket.socket:
    until = time.monotonic() + within
    while True:
        try:
            return socket.create_connection(to.getsockname(), timeout=within)
        except ConnectionRefusedError:  # nobody listens yet
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def test_callers_that_come_together_are_shared_among_workers() -> None:
    with closing(bound()) as listening:
        workers = [multiprocessing.get_context("fork").Process(target=serve, args=(listening,)) for _ in range(2)]
        for worker in workers:
            worker.start()
        try:
            seen: Counter[bytes] = Counter()
            until = time.monotonic() + 20
            while len(seen) < 2 and time.monotonic() < until:  # until both answer
                with closing(connected(listening)) as one:
                    seen[one.recv(20)] += 1
            callers = [connected(listening) for _ in range(CALLERS)]
            taken = Counter(caller.recv(20) for caller in callers)
            for caller in callers:
                caller.close()
        finally:
            for worker in workers:
                worker.terminate()
                worker.join(20)
    assert sum(taken.values()) == CALLERS
    assert len(taken) == 2
    assert min(taken.values()) >= CALLERS // 4, taken


def test_where_no_more_files_may_be_open_it_goes_on_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accepting, "UNTIL_FILES_CLOSE", 0.01)
    faults = [OSError(errno.EMFILE, "too many open files")] * 3
    taken = Sharing.sock_accept

    async def failing(self: Sharing, sock: socket.socket) -> Any:
        if faults:
            raise faults.pop()
        return await taken(self, sock)

    monkeypatch.setattr(Sharing, "sock_accept", failing)

    async def served() -> bytes:
        listening = bound()
        listening.setblocking(False)
        server = await asyncio.get_running_loop().create_server(TellsItsProcess, sock=listening, backlog=8)
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        answer = await asyncio.wait_for(reader.readline(), 20)
        writer.close()
        server.close()
        await server.wait_closed()
        return answer

    assert on_its_loop(served()) == b"%d\n" % os.getpid()
    assert not faults


def test_a_connection_that_breaks_while_it_is_taken_keeps_no_other_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accepting, "UNTIL_FILES_CLOSE", 0.01)
    faults = [OSError(errno.ECONNRESET, "reset by peer")]
    connected_by = Sharing.connect_accepted_socket

    async def failing(self: Sharing, protocol_factory: Any, sock: socket.socket) -> Any:
        if faults:
            sock.close()
            raise faults.pop()
        return await connected_by(self, protocol_factory, sock)

    monkeypatch.setattr(Sharing, "connect_accepted_socket", failing)

    async def served() -> bytes:
        listening = bound()
        server = await asyncio.get_running_loop().create_server(TellsItsProcess, sock=listening, backlog=8)
        (_, broken), (reader, writer) = [await asyncio.open_connection(*listening.getsockname()) for _ in range(2)]
        answer = await asyncio.wait_for(reader.readline(), 20)
        broken.close()
        writer.close()
        server.close()
        return answer

    assert on_its_loop(served()) == b"%d\n" % os.getpid()
    assert not faults


def test_a_closed_address_is_listened_to_no_more() -> None:
    async def served() -> tuple[str, int]:
        listening = bound()
        server = await asyncio.get_running_loop().create_server(TellsItsProcess, sock=listening, backlog=8)
        address: tuple[str, int] = listening.getsockname()
        server.close()
        await asyncio.sleep(0.05)
        return address

    address = on_its_loop(served())
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address, timeout=5)


def test_without_a_socket_it_is_the_usual_loop() -> None:
    async def served() -> bytes:
        server = await asyncio.get_running_loop().create_server(TellsItsProcess, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            answer = await asyncio.wait_for(reader.readline(), 20)
            writer.close()
        return answer

    assert on_its_loop(served()) == b"%d\n" % os.getpid()
