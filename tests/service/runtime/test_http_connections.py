"""Half headers end, the one that waits longest makes room, and a body that was answered is not read for ever."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import uvicorn

from service.runtime import http_connections
from service.runtime.http_connections import BoundedHttp, SentTogether
from tests.service.processes import free_port

MOST = 20
HALF = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
WHOLE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer at once, whatever is still to come of the body; /slow after three header times."""
    if scope["path"] == "/slow":
        await asyncio.sleep(3 * BoundedHttp.header_seconds)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(BoundedHttp, "header_seconds", 0.5)
    monkeypatch.setattr(http_connections, "most_connections", lambda: MOST)
    chosen = free_port()
    config = uvicorn.Config(application, port=chosen, http=BoundedHttp, lifespan="off", log_level="error")
    server = uvicorn.Server(config)
    shared = config.bind_socket()  # as several workers share it
    thread = threading.Thread(target=server.run, args=([shared],))
    thread.start()
    until = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < until
        time.sleep(0.01)
    yield chosen
    server.should_exit = True
    thread.join(20)
    assert BoundedHttp.waiting == {}


def opened(port: int, said: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(said)
    return connection


def answered(connection: socket.socket) -> bytes:
    """The whole answer, which may come in pieces."""
    answer = connection.recv(1000)
    while not answer.endswith(b"ok"):
        answer += connection.recv(1000)
    return answer


def is_over(connection: socket.socket) -> bool:
    try:
        while connection.recv(1000):
            pass
    except ConnectionResetError:
        return True
    return True


def test_half_a_header_is_not_waited_for_nor_one_that_dribbles(port: int) -> None:
    began = time.monotonic()
    with opened(port, HALF) as half, opened(port, HALF) as dribbling:
        for _ in range(3):
            time.sleep(0.1)
            dribbling.sendall(b"x")
        assert is_over(half)
        assert is_over(dribbling)
    assert time.monotonic() - began < 5


def test_half_a_header_after_a_whole_request_is_not_waited_for_either(port: int) -> None:
    with opened(port, WHOLE) as connection:
        answered(connection)
        connection.sendall(HALF)
        began = time.monotonic()
        assert is_over(connection)
        assert time.monotonic() - began < 4  # the time-out of idle connections would be longer


def test_an_answer_does_not_wait_for_what_was_sent_before_it(port: int) -> None:
    with opened(port, HALF):
        until = time.monotonic() + 5
        while not BoundedHttp.waiting:
            assert time.monotonic() < until
            time.sleep(0.01)
        (connection,) = BoundedHttp.waiting
        taken = connection.transport.get_extra_info("socket")
        assert taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_who_waits_for_an_answer_is_not_cut_off(port: int) -> None:
    with opened(port, WHOLE.replace(b"/ ", b"/slow ")) as connection:
        assert answered(connection).startswith(b"HTTP/1.1 200")


def test_the_one_that_waits_longest_makes_room(port: int) -> None:
    halves = [opened(port, HALF) for _ in range(60)]
    with opened(port, WHOLE) as other:
        assert answered(other).startswith(b"HTTP/1.1 200")
    assert is_over(halves[0])
    assert len(BoundedHttp.waiting) <= MOST, "however many were accepted in one go"
    for half in halves:
        half.close()


def test_header_and_body_go_in_one_piece(port: int) -> None:
    connection = opened(port, WHOLE)
    answer = connection.recv(1000)  # the first piece
    connection.close()
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\nok")


def test_what_is_written_is_sent_in_order_however_large_and_before_it_is_closed() -> None:
    sent: list[bytes] = []

    class Transport:
        def write(self, data: bytes) -> None:
            sent.append(data)

        def close(self) -> None:
            sent.append(b"closed")

        def is_closing(self) -> bool:
            return False

    async def writes() -> None:
        together = SentTogether(Transport(), asyncio.get_running_loop())  # type: ignore[arg-type]
        together.write(b"a")
        together.write(b"b")
        assert sent == []
        await asyncio.sleep(0)
        assert sent == [b"ab"]
        together.write(b"c")
        together.write(b"d" * 20_000)
        assert sent[1:] == [b"c" + b"d" * 20_000]
        assert together.is_closing() is False
        together.write(b"e")
        together.close()
        assert sent[2:] == [b"e", b"closed"]
        await asyncio.sleep(0)
        assert len(sent) == 4

    with ThreadPoolExecutor(1) as pool:  # another test may have left a loop in this thread
        pool.submit(asyncio.run, writes()).result(20)
