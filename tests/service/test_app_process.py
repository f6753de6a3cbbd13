"""The service as it runs: started by its command, killed without warning, started again, and nothing is lost."""

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
from tests.service.building import MODEL_ID, body, declared, outcome

STARTS_WITHIN = 60.0  # seconds; on two busy cores importing LightGBM alone has taken ten
REPOSITORY = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def serving(
    settings: Settings, log: Path, *, workers: int = 1, **environment: str
) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """`tamis serve` on a free port, once it says that it is ready; killed hard at the end."""
    port = free_port()
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


def test_an_acknowledged_decision_survives_kill_9(home: Settings, tmp_path: Path) -> None:
    log = tmp_path / "serve.log"
    with serving(home, log) as (process, client):
        assert client.get("/readyz").json()["model_id"] == MODEL_ID
        answered = client.post("/v1/consignments", json=body(declared(1)))
        assert answered.status_code == 200
        noted = client.post("/v1/outcomes", json={"outcomes": [outcome(1)]})
        assert noted.json() == {"recorded": 1, "repeated": 0, "unknown_consignments": 0}
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
    with serving(home, log) as (process, client):
        found = client.get("/v1/consignments/HAWB000000001")
        assert found.json()["decisions"] == answered.json()["decisions"]
        again = client.post("/v1/consignments", json=body(declared(1)))
        assert again.headers["Idempotent-Replay"] == "true"
        assert again.json() == answered.json()
        repeated = client.post("/v1/outcomes", json={"outcomes": [outcome(1)]})
        assert repeated.json() == {"recorded": 0, "repeated": 1, "unknown_consignments": 0}
        process.terminate()
        assert process.wait(20) in (0, -signal.SIGTERM)
    assert "Marie Durand" not in log.read_text(encoding="utf-8")


def test_without_a_bundle_the_command_names_the_fault_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipelines.cli", "serve", "--port", "1"]
    environment = {**os.environ, "TAMIS_HOME": str(tmp_path / "nothing")}
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode != 0
    assert "no bundle serves" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
