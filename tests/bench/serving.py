"""What a call costs, beside servers of the same trees, and how long it takes at half of what two workers can do.

python -m tests.bench.serving [calls] [load] [--home var/demo] [--peers .peers] [--calls 300] [--callers 32]

calls: CPU and wall of a call, one after the other. Ours takes a consignment as declared, links it, reads its past,
scores, explains, orients and records it durably; the peers take floats that are ready and keep nothing. load: two
workers, as many callers as they can serve, then half of that rate. The peers stand in an environment of their own,
made here where it is not there: BentoML (score and shap), MLServer and MLflow (score alone).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx
import lightgbm as lgb
import numpy as np
import polars as pl

from features.assemble import Rows
from service.scoring.model import matrix_of
from service.serving.serving_bundle import open_serving
from service.settings import Settings
from tests.bench.history import _table
from tests.service.building import declared

PARTS = ("calls", "load")
PACKAGES = {  # of each peer that is not among our own; one knows a newer pydantic than the other
    "bentoml": ("bentoml", "lightgbm", "shap"),
    "mlserver": ("mlserver", "mlserver-lightgbm", "pydantic<2.12"),
}
TICKS = os.sysconf("SC_CLK_TCK")
WARM, STARTS_WITHIN = 30, 120  # calls before any is measured; seconds that a server has to start
ONE_THREAD = {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
Ask = Callable[[httpx.Client, int], httpx.Response]


def cpu_of(pid: int) -> float:
    """CPU seconds that a process and all that it has started have spent."""
    parents: dict[int, list[int]] = {}
    spent: dict[int, float] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            told = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        own = int(stat.parent.name)
        parents.setdefault(int(told[1]), []).append(own)
        spent[own] = (int(told[11]) + int(told[12])) / TICKS
    waiting, total = [pid], 0.0
    while waiting:
        one = waiting.pop()
        total += spent.get(one, 0.0)
        waiting += parents.get(one, [])
    return total


@contextmanager
def running(command: list[str], port: int, ready: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server of its own process group, once it answers; ended with all that it has started."""
    own = {**os.environ, **ONE_THREAD, **environment}
    with subprocess.Popen(
        command, env=own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as server:
        try:
            until = time.monotonic() + STARTS_WITHIN
            while time.monotonic() < until:
                try:
                    if httpx.get(f"http://127.0.0.1:{port}{ready}", timeout=2).status_code == 200:
                        break
                except httpx.HTTPError:
                    time.sleep(0.2)
                if server.poll() is not None:
                    raise RuntimeError(f"{command[0]} ended with {server.returncode}")
            else:
                raise RuntimeError(f"{command[0]} does not answer")
            yield server
        finally:
            with suppress(ProcessLookupError):  # it may have ended by itself, and that is told then
                os.killpg(server.pid, signal.SIGTERM)
                try:
                    server.wait(20)
                except subprocess.TimeoutExpired:
                    os.killpg(server.pid, signal.SIGKILL)


def measured(name: str, server: subprocess.Popen[bytes], port: int, ask: Ask, calls: int) -> dict[str, Any]:
    """CPU and wall of calls one after the other."""
    took = []
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        for number in range(WARM):
            ask(client, number).raise_for_status()
        before = cpu_of(server.pid)
        for number in range(WARM, WARM + calls):
            began = time.perf_counter()
            ask(client, number).raise_for_status()
            took.append((time.perf_counter() - began) * 1000)
        spent = (cpu_of(server.pid) - before) / calls * 1000
    p50, p99 = np.quantile(took, [0.5, 0.99])
    return {"server": name, "cpu_ms": spent, "p50_ms": float(p50), "p99_ms": float(p99)}


def consignment(number: int) -> dict[str, Any]:
    """A message of one consignment, from one of so many senders."""
    sender = {"name": f"Sender {number % 97}", "address": f"{number % 97} Harbour Road", "country": "CN",
              "email": f"seller{number % 97}@shop.example"}  # fmt: skip
    at = datetime.now(UTC) - timedelta(seconds=1)
    return {"message_id": f"BENCH-{number}", "consignments": [declared(number, lodged_at=at, consignor=sender)]}


def post_consignment(client: httpx.Client, number: int) -> httpx.Response:
    """Ours: a consignment as it is declared."""
    return client.post("/v1/consignments", json=consignment(number))


@contextmanager
def ours(home: Path, workers: int = 1) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Our service over a copy of a home."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as folder:
        copy = Path(folder) / "home"
        shutil.copytree(home, copy)
        command = [str(Path(sys.executable).parent / "tamis"), "serve", "--port", str(port), "--workers", str(workers)]
        own = {"TAMIS_HOME": str(copy), "TAMIS_ACCESS": "open", "TAMIS_CALLS_A_MINUTE": "1000000",
               "TAMIS_CALLS_AT_ONCE": "64"}  # fmt: skip
        with running(command, port, "/readyz", **own) as server:
            yield server, port


def calls(home: Path, peers: Path, count: int) -> list[dict[str, Any]]:
    """Ours and every peer that can be installed, on the rows by which the bundle is proved."""
    settings = Settings(home=home)
    serving = open_serving(settings)
    bundle = settings.bundles / serving.name
    rows = matrix_of(
        Rows.of_frame(pl.read_parquet(bundle / "golden.parquet")), serving.model.inputs, serving.model.levels
    )
    told = []
    with ours(home) as (server, port):
        told.append(measured("tamis, the whole decision on record", server, port, post_consignment, count))
    with tempfile.TemporaryDirectory(prefix="tamis-peers-") as folder:
        trees = Path(folder) / "model.bst"
        shutil.copy(bundle / "model.txt", trees)
        for peer in (_bento, _mlserver, _mlflow):
            told += peer(Path(folder), trees, peers, rows, count)
    for one in told:
        one["ours_to_it"] = told[0]["cpu_ms"] / one["cpu_ms"]
    return told


def _bento(_: Path, trees: Path, peers: Path, rows: Any, count: int) -> list[dict[str, Any]]:
    port, ready = free_port(), [[None if math.isnan(v) else v for v in row] for row in rows.tolist()]
    place = Path(__file__).parent / "peers"
    command = [
        str(peers / "bentoml" / "bin" / "bentoml"),
        "serve",
        "bento:Scoring",
        "--working-dir",
        str(place),
        "-p",
        str(port),
    ]

    def ask(client: httpx.Client, number: int) -> httpx.Response:
        return client.post("/score", json={"row": ready[number % len(ready)]})

    with running(command, port, "/readyz", TAMIS_TREES=str(trees), BENTOML_DO_NOT_TRACK="True") as server:
        return [measured("BentoML, score and shap", server, port, ask, count)]


def _mlserver(folder: Path, trees: Path, peers: Path, rows: Any, count: int) -> list[dict[str, Any]]:
    port, ready = free_port(), np.nan_to_num(rows).tolist()
    place = folder / "mlserver"
    place.mkdir()
    implementation = {"implementation": "mlserver_lightgbm.LightGBMModel", "name": "tamis"}
    (place / "model-settings.json").write_text(json.dumps(implementation | {"parameters": {"uri": str(trees)}}))
    own = {"http_port": port, "grpc_port": free_port(), "metrics_port": free_port(), "parallel_workers": 0}
    (place / "settings.json").write_text(json.dumps(own))

    def ask(client: httpx.Client, number: int) -> httpx.Response:
        row = ready[number % len(ready)]
        told = {"name": "row", "shape": [1, len(row)], "datatype": "FP64", "data": row}
        return client.post("/v2/models/tamis/infer", json={"inputs": [told]})

    with running(
        [str(peers / "mlserver" / "bin" / "mlserver"), "start", str(place)], port, "/v2/health/ready"
    ) as server:
        return [measured("MLServer, score", server, port, ask, count)]


def _mlflow(folder: Path, trees: Path, _: Path, rows: Any, count: int) -> list[dict[str, Any]]:
    import mlflow.lightgbm

    port, ready = free_port(), np.nan_to_num(rows).tolist()
    mlflow.lightgbm.save_model(lgb.Booster(model_file=str(trees)), str(folder / "mlflow"))
    own = [str(Path(sys.executable).parent / "mlflow"), "models", "serve", "--env-manager", "local", "--workers", "1"]

    def ask(client: httpx.Client, number: int) -> httpx.Response:
        return client.post("/invocations", json={"inputs": [ready[number % len(ready)]]})

    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with running([*own, "-m", str(folder / "mlflow"), "-p", str(port)], port, "/ping", PATH=path) as server:
        return [measured("MLflow, score", server, port, ask, count)]


def load(home: Path, seconds: float, callers: int) -> list[dict[str, Any]]:
    """Two workers: what they answer when callers never pause, and how long a call takes at half of that rate."""
    with ours(home, workers=2) as (server, port):
        numbers = iter(range(10**9))
        _called(port, numbers, callers, seconds / 4, lambda: None)  # both workers have answered by then
        before = cpu_of(server.pid)
        full = _called(port, numbers, callers, seconds, lambda: None)
        spent = [(cpu_of(server.pid) - before) / len(full) * 1000]
        rate = len(full) / seconds
        begin = time.monotonic()
        due = iter(begin + i * 2 / rate for i in range(10**9))
        lock = threading.Lock()

        def wait() -> None:
            with lock:
                at = next(due)
            time.sleep(max(at - time.monotonic(), 0))

        before = cpu_of(server.pid)
        half = _called(port, numbers, callers, seconds, wait)
        spent.append((cpu_of(server.pid) - before) / len(half) * 1000)
    return [
        {"at": name, "calls_a_second": len(took) / seconds, "cpu_ms": cpu, "p50_ms": float(np.quantile(took, 0.5)),
         "p99_ms": float(np.quantile(took, 0.99)), "slowest_ms": max(took)}
        for name, took, cpu in zip(("saturation", "half of it"), (full, half), spent, strict=True)
    ]  # fmt: skip


def _called(port: int, numbers: Iterator[int], callers: int, seconds: float, wait: Callable[[], None]) -> list[float]:
    """Milliseconds of each call of so many callers, each with a connection of its own."""
    took: list[float] = []
    lock, until = threading.Lock(), time.monotonic() + seconds

    def caller() -> None:
        # a caller of a few tenths of a millisecond: it must not take the cores whose work is measured
        with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            while True:
                wait()
                if time.monotonic() >= until:
                    return
                with lock:
                    number = next(numbers)
                body = json.dumps(consignment(number))
                began = time.perf_counter()
                connection.request("POST", "/v1/consignments", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                if answer.status != HTTPStatus.OK or not answer.read():
                    raise RuntimeError(f"a call was answered {answer.status}")
                took.append((time.perf_counter() - began) * 1000)

    threads = [threading.Thread(target=caller) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return took


def install(peers: Path) -> None:
    """The environments of the peers, made where they are not there."""
    uv = str(Path(sys.executable).parent / "uv")
    for name, packages in PACKAGES.items():
        own = peers / name
        if not (own / "bin" / name).exists():
            subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(own)], check=True)
            python = str(own / "bin" / "python")
            subprocess.run([uv, "pip", "install", "--quiet", "--python", python, *packages], check=True)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def main() -> None:
    """Measure what is asked for and print a table of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"any of {', '.join(PARTS)}; all where none is named")
    parser.add_argument("--home", type=Path, default=Path("var/demo"), help="where `make demo` left its model")
    parser.add_argument("--peers", type=Path, default=Path(".peers"), help="where the environments of the peers stand")
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--callers", type=int, default=32)
    given = parser.parse_args()
    parts = given.parts or PARTS
    if "calls" in parts:
        install(given.peers)
        _table("one call after the other, one worker", calls(given.home, given.peers.resolve(), given.calls))
    if "load" in parts:
        _table("two workers under load", load(given.home, given.seconds, given.callers))


if __name__ == "__main__":
    main()
