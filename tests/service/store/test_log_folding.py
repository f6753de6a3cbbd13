"""SQLite's log is folded into the database beside those who write, and no commit of a call does it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.store import log_folding
from service.store.database import Store
from service.store.log_folding import fold
from service.store.queries import set_state, state_of


def put(store: Store, number: int) -> None:
    def write(connection: sa.Connection) -> None:
        connection.execute(sa.text("CREATE TABLE IF NOT EXISTS much (content BLOB)"))
        connection.execute(sa.text("INSERT INTO much VALUES (zeroblob(40000))"))
        set_state(connection, "number", number)

    store.write(write)


def until(holds: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


def written(path: Path) -> int:
    """Bytes of the database itself, without its log."""
    return path.stat().st_size


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def test_no_commit_of_a_call_folds_the_log(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_folding, "EVERY", 3_600)
    with closing(Store(f"sqlite:///{path}", grouped=True)) as store:
        before = written(path)
        for number in range(200):  # twice what SQLite lets its log become by itself
            put(store, number)
        assert written(path) == before
        assert path.with_name("store.db-wal").stat().st_size > 200 * 40_000
    assert written(path) > before + 200 * 40_000  # whoever closes the database last folds it


def test_a_thread_folds_what_calls_write(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_folding, "EVERY", 0.02)
    with closing(Store(f"sqlite:///{path}", grouped=True)) as store:
        before = written(path)
        for number in range(50):
            put(store, number)
        assert until(lambda: written(path) > before + 50 * 40_000)


def test_a_long_log_begins_anew_while_somebody_writes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_folding, "EVERY", 3_600)
    with (
        closing(Store(f"sqlite:///{path}", grouped=True)) as store,
        closing(sqlite3.connect(path, isolation_level=None)) as folding,
    ):
        pages = []
        for number in range(300):
            put(store, number)
            pages.append(fold(folding, long=500).pages)
        assert max(pages) < 1_500  # 300 such commits write more than 3,000
        assert path.with_name("store.db-wal").stat().st_size < 1_500 * 4_200


def test_nobody_is_held_for_who_reads_an_old_state(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_folding, "FEW", 20)
    with (
        closing(Store(f"sqlite:///{path}", grouped=True)) as store,
        closing(sqlite3.connect(path, isolation_level=None)) as folding,
    ):
        put(store, 1)
        with store.reading() as connection:
            assert state_of(connection, "number") == 1
            for number in range(2, 60):
                put(store, number)
            looks = [fold(folding, long=100) for _ in range(20)]
            assert all(not look.hindered and look.folded < look.pages for look in looks)
            assert state_of(connection, "number") == 1
        put(store, 60)
        fold(folding, long=100)
        put(store, 61)
        assert fold(folding, long=1_000_000).pages < 100  # it began anew


def test_what_a_killed_process_left_in_the_log_is_there(path: Path) -> None:
    script = (
        "import os, sys; from service.store import log_folding; log_folding.EVERY = 3600\n"
        "from service.store.database import Store; from service.store.queries import set_state\n"
        "store = Store(sys.argv[1], grouped=True)\n"
        "for number in range(100): store.write(lambda c: set_state(c, 'number', number))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, f"sqlite:///{path}"], env=dict(os.environ), check=False)
    assert ended.returncode == -9
    with closing(Store(f"sqlite:///{path}")) as store, store.reading() as connection:
        assert state_of(connection, "number") == 99


def test_it_goes_on_after_a_fault(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_folding, "EVERY", 0.02)
    faults = [sqlite3.OperationalError("disk I/O error")] * 3
    real = log_folding.fold

    def failing(connection: sqlite3.Connection) -> log_folding.Folded:
        if faults:
            raise faults.pop()
        return real(connection)

    monkeypatch.setattr(log_folding, "fold", failing)
    with closing(Store(f"sqlite:///{path}", grouped=True)) as store:
        before = written(path)
        for number in range(50):
            put(store, number)
        assert until(lambda: written(path) > before + 50 * 40_000)
        assert not faults
