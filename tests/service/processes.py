"""The service as a process of its own, on a free port, killed hard at the end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from service.settings import Settings

STARTS_WITHIN = 60.0  # seconds; on two busy cores importing LightGBM alone has taken ten
REPOSITORY = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def serving(
    settings: Settings, log: Path, *, workers: int = 1, port: int = 0, **environment: str
) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """`tamis serve` on a free port, once it says that it is ready; killed hard at the end."""
    port = port or free_port()
    command = [sys.executable, "-m", "pipelines.cli", "serve", "--port", str(port), "--workers", str(workers)]
    environment = {**os.environ, "TAMIS_HOME": str(settings.home), **environment}
    with log.open("ab") as told:
        started = subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdout=told, stderr=told, start_new_session=True
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            until = time.monotonic() + STARTS_WITHIN
            while not _ready(client):
                assert started.poll() is None, log.read_text(encoding="utf-8")
                assert time.monotonic() < until, "not ready in time"
                time.sleep(0.05)
            yield started, client
    finally:
        with suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)  # its workers too
        started.wait()


def _ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False
