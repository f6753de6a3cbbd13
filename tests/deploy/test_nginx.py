"""The shipped configuration of nginx, started for real: names, TLS, limits; and half headers lock nobody out."""

from __future__ import annotations

import resource
import shutil
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path

import pytest

from service.access import open_access
from service.access.log_in_backoff import caller_of
from service.settings import Settings
from service.store.access_tables import LOG_INS_FAILED
from tests.deploy.fronting import HEADER_SECONDS, NAME, NGINX, Front, fronting
from tests.service.processes import serving

HALF_HEADERS = 1_100
FILES_OF_A_SERVICE = 1_024  # the usual soft limit
HALF = b"GET /healthz HTTP/1.1\r\nHost: tamis.example\r\nX-Slow: "
pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(NGINX is None, reason="no nginx is installed (Debian: apt-get install nginx-light)"),
]


@dataclass
class Running:
    """nginx before the service, the port of the service itself, its settings, and how to stop it."""

    front: Front
    port: int
    settings: Settings
    stop: Callable[[], None]


@pytest.fixture(scope="module")
def running(quick_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("nginx")
    shutil.copytree(quick_home, folder / "home")
    settings = Settings(home=folder / "home")
    with ExitStack() as stack:
        with open_files(FILES_OF_A_SERVICE):
            process, client = stack.enter_context(
                serving(settings, folder / "log", TAMIS_PUBLIC_URL=f"https://{NAME}", TAMIS_ACCESS="keys")
            )
        port = client.base_url.port
        assert port is not None
        yield Running(stack.enter_context(fronting(folder, port)), port, settings, process.kill)


@contextmanager
def open_files(soft: int) -> Iterator[None]:
    """Set how many files this process, and what it starts meanwhile, may open."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def ask(
    front: Front, path: str, *, host: str = NAME, method: str = "GET", body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Ask by TLS on a connection of its own; status, headers, body."""
    with front.connect() as opened:
        told = {"Host": host, "Connection": "close", "Content-Length": str(len(body)), **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        opened.sendall(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        answer = HTTPResponse(opened, method=method)
        answer.begin()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


def test_its_own_name_is_served_by_tls_and_no_other_is(running: Running) -> None:
    front = running.front
    status, headers, _ = ask(front, "/healthz")
    assert (status, headers["strict-transport-security"]) == (200, "max-age=31536000")
    assert ask(front, "/healthz", host="evil.example")[0] == 421
    with pytest.raises(ssl.SSLError):
        front.connect("evil.example")
    assert ask(front, "/metrics")[0] == 404
    with socket.create_connection(("127.0.0.1", front.plain), timeout=10) as plain:
        plain.sendall(b"GET /console/log-in HTTP/1.1\r\nHost: tamis.example\r\nConnection: close\r\n\r\n")
        assert b"308" in plain.recv(1000).split(b"\r\n")[0]


def test_a_caller_does_not_choose_his_address(running: Running) -> None:
    form = b"name=nobody&password=x&purpose=audit"
    kind = {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": "203.0.113.9"}
    assert ask(running.front, "/console/log-in", method="POST", body=form, **kind)[0] == 401
    access = open_access(running.settings)
    with access.store.reading() as connection:
        callers = connection.execute(LOG_INS_FAILED.select()).scalars().all()
    access.store.close()
    assert callers == [caller_of("127.0.0.1", "nobody")]


def test_a_body_beyond_the_limit_does_not_reach_the_service(running: Running) -> None:
    with running.front.connect() as opened:
        length = 9 * 1024**2
        opened.sendall(f"POST /v1/consignments HTTP/1.1\r\nHost: {NAME}\r\nContent-Length: {length}\r\n\r\n".encode())
        answer = HTTPResponse(opened)
        answer.begin()
        assert (answer.status, answer.headers["content-type"]) == (413, "application/problem+json")


def test_half_headers_lock_nobody_out_behind_nginx(running: Running) -> None:
    with ExitStack() as stack, open_files(resource.getrlimit(resource.RLIMIT_NOFILE)[1]):
        opened = []
        for _ in range(HALF_HEADERS):
            opened.append(stack.enter_context(running.front.connect()))
            opened[-1].sendall(HALF)
        slowest = 0.0
        for _ in range(3):
            began = time.monotonic()
            assert ask(running.front, "/healthz")[0] == 200
            slowest = max(slowest, time.monotonic() - began)
        print(f"{HALF_HEADERS} half headers by TLS; the slowest of three others {slowest:.2f} s")
        opened[-1].settimeout(HEADER_SECONDS + 20)
        ended = opened[-1].recv(1000)
        assert ended == b"" or b" 408 " in ended, "a header that never ends is not waited for"


def test_half_headers_lock_nobody_out_without_nginx_either(running: Running) -> None:
    """Started with the usual limit of 1,024 files, which the service raises as far as the system lets it."""
    with ExitStack() as stack, open_files(resource.getrlimit(resource.RLIMIT_NOFILE)[1]):
        for _ in range(HALF_HEADERS):
            half = stack.enter_context(socket.create_connection(("127.0.0.1", running.port), timeout=10))
            half.sendall(HALF)
        slowest = 0.0
        for _ in range(3):
            began = time.monotonic()
            with socket.create_connection(("127.0.0.1", running.port), timeout=10) as other:
                other.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                assert other.recv(100).startswith(b"HTTP/1.1 200")
            slowest = max(slowest, time.monotonic() - began)
        print(f"{HALF_HEADERS} half headers; the slowest of three others {slowest:.2f} s")


def test_an_address_that_asks_too_often_is_told_to_wait(running: Running) -> None:
    told = [ask(running.front, "/console/log-in")[:2] for _ in range(40)]
    refused = [headers for status, headers in told if status == 429]
    assert refused
    assert {headers["retry-after"] for headers in refused} == {"10"}
    assert {status for status, _ in told} == {200, 429}


def test_the_log_names_no_path(running: Running) -> None:
    assert ask(running.front, "/v1/consignments/KANARIENVOGEL")[0] == 401
    log = log_with(running.front, " GET 401 ")
    assert "KANARIENVOGEL" not in log


def log_with(front: Front, text: str) -> str:
    """Read the log until it holds `text`: nginx writes a line after its answer has gone out."""
    until = time.monotonic() + 20
    while text not in (log := (front.folder / "tamis.log").read_text(encoding="utf-8")):
        assert time.monotonic() < until, log
        time.sleep(0.05)
    return log


def test_a_service_that_is_gone_is_503_with_the_time_to_come_again(running: Running) -> None:
    running.stop()
    time.sleep(0.2)
    status, headers, body = ask(running.front, "/healthz")
    assert (status, headers["retry-after"], headers["content-type"]) == (503, "5", "application/problem+json")
    assert b"retry after 5 s" in body
