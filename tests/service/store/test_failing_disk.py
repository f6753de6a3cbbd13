"""A disk that fails at every n-th write or sync: what was acknowledged is there, and the chain holds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.audit.verify import verify_record
from service.store.database import Store
from service.store.tables import OUTCOMES
from tests.service.building import NOON, in_full, outcome

REPOSITORY = Path(__file__).parents[3]
POINTS = int(os.environ.get("TAMIS_DISK_POINTS", "2"))
RESULTS = 60
WHEN = {
    "pwrite64": (30, 23),
    "fdatasync,fsync": (4, 3),
}  # past the opening; a transaction writes a dozen times, syncs once
CHILD = """
import json, sys
from features.contract import gate_outcomes
from service.api.bodies import outcome_rows
from service.journal import Journal
from service.store.database import Store
told = json.load(open(sys.argv[2]))
store = Store(sys.argv[1], grouped=True)
journal = Journal(store)
print("READY", flush=True)
for one in told:
    rows, _ = outcome_rows({"outcomes": [one]})
    try:
        journal.learn(gate_outcomes(rows).accepted)
    except Exception as fault:
        print("FAILED", type(fault).__name__, flush=True)
    else:
        print("ACK", one["consignment_id"], flush=True)
"""


def may_trace() -> bool:
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0


traced = pytest.mark.skipif(not may_trace(), reason="strace is not installed, or may not trace here")


def gate(folder: Path, call: str, error: str, points: int, planted: str = "") -> None:
    """Results noted while every few calls fail, from so many calls on; `planted`: code that spoils the child."""
    results = [in_full(outcome(n, known_at=NOON + timedelta(minutes=n))) for n in range(RESULTS)]
    (folder / "results.json").write_text(json.dumps(results))
    failed = 0
    for point in range(points):
        place = folder / f"{point}"
        place.mkdir()
        address = f"sqlite:///{place / 'store.db'}"
        Store(address).close()  # tables are made on a disk that works
        first, every = WHEN[call]
        when = f"{first + 3 * point}+{every + 2 * point}"
        inject = ["-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={when}"]
        strace = ["strace", "-f", "--seccomp-bpf", "-o", "/dev/null", *inject]
        child = [sys.executable, "-c", planted + CHILD, address, str(folder / "results.json")]
        done = subprocess.run(
            [*strace, *child], cwd=REPOSITORY, capture_output=True, text=True, timeout=300, check=False
        )
        lines = done.stdout.splitlines()
        acknowledged = {line.split()[1] for line in lines if line.startswith("ACK")}
        failed += sum(line.startswith("FAILED") for line in lines)
        store = Store(address)
        with store.reading() as connection:
            kept = list(connection.execute(sa.select(OUTCOMES.c.consignment_id)).scalars())
        assert len(kept) == len(set(kept))
        assert acknowledged <= set(kept), "acknowledged, and not there"
        assert verify_record(store, place / "checkpoints", place / "keys").faults == []
        store.close()
    assert failed > 0, "no call failed: what is acknowledged does not wait for the disk"


@traced
@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
@pytest.mark.parametrize("call", list(WHEN))
def test_what_is_acknowledged_survives_a_failing_disk(tmp_path: Path, call: str, error: str) -> None:
    """TAMIS_DISK_POINTS: from so many different calls on, every few calls fail."""
    gate(tmp_path, call, error, POINTS)


EARLY = """
from service.store import group_commit as writing
def early(self, group):
    waiting = []
    for work, told in group:
        told.set_result(([], 0, 0))  # as `Journal.learn` unpacks it
        waiting.append(work)
    try:
        with self._transaction() as connection:
            for work in waiting:
                work(connection)
    except Exception:
        pass
writing.Writer._write_group = early
"""
NORMAL = """
from service.store import database as stores
honest = stores._durable_sqlite
def careless(patience_ms, connection, record):
    honest(patience_ms, connection, record)
    connection.execute("PRAGMA synchronous=NORMAL")
stores._durable_sqlite = careless
"""


@traced
@pytest.mark.parametrize(
    ("planted", "caught"),
    [(EARLY, "acknowledged, and not there"), (NORMAL, "does not wait for the disk")],
    ids=["acknowledged before the commit", "commits that do not wait for the disk"],
)
def test_the_gate_catches_what_it_is_for(tmp_path: Path, planted: str, caught: str) -> None:
    with pytest.raises(AssertionError, match=caught):
        gate(tmp_path, "fdatasync,fsync", "EIO", 1, planted)
