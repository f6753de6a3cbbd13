"""A running service and bodies that are made to exhaust it: refused in little memory, while others are answered.

The heartbeat is `/healthz`, asked without pause. Of each answer counts how long it took or, where that is less, how
much processor time the service used meanwhile: a busy machine makes every call late, and only work of the service's
own, on its event loop or holding Python's lock, is what is looked for here.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from service.settings import Settings
from tests.service.api.hostile import CANARY, CONSIGNMENTS, HOSTILE, Sent, own_extras, with_lines
from tests.service.processes import serving

PEAK_MB = 1_500  # of the worker, whatever it is sent
LATE = 0.5  # seconds of work before an answer that needs none: twice what is promised, for a machine of two cores
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Worker:
    """The process of the service, watched from outside."""

    pid: int
    client: httpx.Client
    log: Path
    first: int = 0  # megabytes before the first hostile body
    table: list[str] = field(default_factory=list)

    def megabytes(self, what: str) -> int:
        """VmRSS, what it takes now, or VmHWM, the most that it has taken."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(status.split(f"{what}:")[1].split()[0]) // 1024

    def forget_peak(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")

    def seconds(self) -> float:
        """Processor time of all threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @property
    def address(self) -> tuple[str, int]:
        return self.client.base_url.host, self.client.base_url.port or 0


@dataclass(slots=True)
class Beats:
    """How late the answers to `/healthz` were: by the clock, and by the work of the service."""

    walls: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)


@contextmanager
def beating(worker: Worker) -> Iterator[Beats]:
    """Ask `/healthz` over and over until the block ends."""
    beats, over = Beats(), threading.Event()

    def ask() -> None:
        connection = http.client.HTTPConnection(*worker.address, timeout=60)
        while not beats.walls or not over.wait(0.005):
            began, used = time.perf_counter(), worker.seconds()
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            wall = time.perf_counter() - began
            beats.walls.append(wall)
            beats.late.append(min(wall, worker.seconds() - used))
        connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield beats
    finally:
        over.set()
        thread.join()


@pytest.fixture(scope="module")
def worker(quick_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    folder = tmp_path_factory.mktemp("hostile")
    shutil.copytree(quick_home, folder / "home")
    log = folder / "serve.log"
    with serving(Settings(home=folder / "home"), log, TAMIS_ANSWER_SECONDS="60") as (process, client):
        watched = Worker(process.pid, client, log)
        assert post(watched, Sent(CONSIGNMENTS, with_lines(5, 5), (200,))).status_code == 200  # all is loaded
        watched.first = watched.megabytes("VmRSS")
        yield watched
        print("\nbody | kB | status | s | worker s | peak MB | later MB | beat ms, by the clock | by its work")
        print("\n".join(watched.table))


def post(worker: Worker, sent: Sent) -> httpx.Response:
    return worker.client.post(sent.route, content=sent.content, headers=sent.headers, timeout=60)


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_body_is_refused_in_little_memory_while_others_are_answered(worker: Worker, kind: str) -> None:
    sent = HOSTILE[kind]()
    worker.forget_peak()
    began, used = time.perf_counter(), worker.seconds()
    with beating(worker) as beats:
        answer = post(worker, sent)
        took = time.perf_counter() - began
    peak = worker.megabytes("VmHWM")
    worker.table.append(
        f"{kind} | {len(sent.content) // 1000:,} | {answer.status_code} | {took:.1f} | {worker.seconds() - used:.1f} | "
        f"{peak} | {worker.megabytes('VmRSS')} | {1000 * max(beats.walls):.0f} | {1000 * max(beats.late):.0f}"
    )
    assert answer.status_code in sent.allowed, answer.text[:500]
    if answer.status_code >= 400:
        assert answer.headers["content-type"].startswith(("application/problem+json", "text/html"))
        assert CANARY not in answer.text
    assert peak < PEAK_MB
    assert max(beats.late) < LATE


def test_many_large_bodies_at_once_take_hardly_more_memory_than_one(worker: Worker) -> None:
    """One of them is read at a time; the others wait as the bytes that they are."""
    kinds = [HOSTILE[kind]() for kind in AT_ONCE]
    worker.forget_peak()
    with beating(worker) as beats, ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda sent: post(worker, sent), kinds * 4))
    peak = worker.megabytes("VmHWM")
    worker.table.append(
        f"{len(answers)} of them at once | {sum(len(sent.content) for sent in kinds) * 4 // 1000:,} | | | | {peak} | "
        f"{worker.megabytes('VmRSS')} | {1000 * max(beats.walls):.0f} | {1000 * max(beats.late):.0f}"
    )
    assert {answer.status_code for answer in answers} <= {200, 409, 422}
    assert peak < PEAK_MB
    assert max(beats.late) < LATE


AT_ONCE = ("XML, 480,000 elements of a postal message", "300 consignments of 1,000 lines", "a text of 7 MB")


@pytest.mark.parametrize(("path", "chunks", "status"), [(CONSIGNMENTS, 140, b"413"), ("/console/log-out", 20, b"303")])
def test_a_body_that_was_refused_is_not_read_on(worker: Worker, path: str, chunks: int, status: bytes) -> None:
    """Of an endless body the service takes what its limit and a moment allow, answers, and closes the connection."""
    names = ("Host: localhost", "Content-Type: application/json", "Transfer-Encoding: chunked")
    head = "\r\n".join((f"POST {path} HTTP/1.1", *names, "", ""))
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    taken = 0
    with socket.create_connection(worker.address, timeout=20) as connection:
        connection.sendall(head.encode())
        try:
            while taken < 100_000_000:
                connection.sendall(chunk)
                taken += len(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass
        else:
            pytest.fail("100 MB were taken of a body that was refused")
    assert taken < 40_000_000
    with socket.create_connection(worker.address, timeout=20) as connection:  # who stops for a moment hears why
        connection.sendall(head.encode() + chunk * chunks)
        answer = connection.recv(65_536)
    assert answer.split(b" ", 2)[1] == status
    assert b"connection: close" in answer.lower()


def test_memory_comes_back_and_nothing_was_logged(worker: Worker) -> None:
    post(worker, Sent(CONSIGNMENTS, own_extras(100, 100)))
    now = worker.megabytes("VmRSS")
    worker.table.append(f"at the end | | | | | | {now} | |")
    assert now < worker.first + 300
    log = worker.log.read_text(encoding="utf-8")
    assert CANARY not in log
    assert "Traceback" not in log
