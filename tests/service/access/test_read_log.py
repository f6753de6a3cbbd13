"""Reads are noted without waiting for the store, and each is in it once, whatever ends in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from service.access import read_log as reading
from service.access.accounts import IDLE, SEEN_EVERY
from service.access.directory import Access
from service.access.principal import Principal
from service.access.read_log import ReadLog, Unnoted
from service.store.access_tables import READS
from service.store.database import Store
from service.store.tables import STATE
from tests.service.access.closed import PASSWORD, accept
from tests.service.building import NOON
from tests.service.processes import REPOSITORY

ANA = Principal("ana", "analyst", ("*",), "targeting", "session")


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing moves by itself: each test says when."""
    monkeypatch.setattr(reading, "MOVED_EVERY", 3600)


@pytest.fixture
def read_log(either_store: Store, tmp_path: Path, unhurried: None) -> Iterator[ReadLog]:
    log = ReadLog(either_store, tmp_path / "read-log")
    yield log
    log.close()


def until(holds: Callable[[], Any], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def subjects(store: Store) -> list[str]:
    with store.reading() as connection:
        return list(connection.execute(sa.select(READS.c.subject).order_by(READS.c.read_id)).scalars())


def kept_files(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_reads_are_noted_while_another_holds_the_lock_of_writers(read_log: ReadLog, either_store: Store) -> None:
    with either_store.writing():
        began = time.monotonic()
        for number in range(1000):
            read_log.note(ANA, "get_consignment", str(number), NOON)
        took = time.monotonic() - began
    assert read_log.move()
    assert subjects(either_store) == [str(number) for number in range(1000)]
    assert took < 1, "a read must wait for nobody"
    print(f"1,000 reads noted in {took * 1000:.0f} ms")


def test_what_waits_for_the_store_is_moved_later_and_once(
    read_log: ReadLog, either_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def out(_: object) -> None:
        raise sa.exc.OperationalError("INSERT", {}, Exception("the store is out"))

    with monkeypatch.context() as broken:
        broken.setattr(either_store, "write", out)
        for number in range(3):
            read_log.note(ANA, "get_consignment", str(number), NOON)
            assert not read_log.move()
    assert subjects(either_store) == []
    read_log.note(ANA, "get_consignment", "3", NOON)
    assert read_log.move()
    assert subjects(either_store) == ["0", "1", "2", "3"]
    assert [name for name in kept_files(read_log.folder) if name.endswith(".jsonl")] == []


def test_a_kill_between_commit_and_clean_up_writes_no_read_twice(
    read_log: ReadLog, either_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_: Path, missing_ok: bool = False) -> None:
        raise InterruptedError

    read_log.note(ANA, "get_consignment", "1", NOON)
    with monkeypatch.context() as broken:
        broken.setattr(Path, "unlink", killed)
        with pytest.raises(InterruptedError):
            read_log.move()
    read_log.note(ANA, "get_consignment", "2", NOON)
    assert read_log.move()
    assert subjects(either_store) == ["1", "2"]


def test_a_clean_stop_leaves_nothing_behind(either_store: Store, tmp_path: Path, unhurried: None) -> None:
    log = ReadLog(either_store, tmp_path / "read-log")
    log.note(ANA, "get_consignment", "1", NOON)
    log.close()
    assert subjects(either_store) == ["1"]
    assert kept_files(tmp_path / "read-log") == []
    with either_store.reading() as connection:
        assert connection.execute(sa.select(STATE.c.name).where(STATE.c.name.like("reads moved %"))).all() == []


KILLED = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from service.access.principal import Principal
from service.access import read_log
from service.store.database import Store
read_log.MOVED_EVERY = 3600
log = read_log.ReadLog(Store(sys.argv[1]), Path(sys.argv[2]))
for number in range(50):
    log.note(Principal("ana", "analyst", ("*",), "targeting"), "get_consignment", str(number), datetime.now(UTC))
print("noted", flush=True)
time.sleep(60)
"""


@pytest.mark.process
def test_a_kill_loses_no_read_and_the_next_process_moves_them(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOVED_EVERY", 0.05)
    folder, address = tmp_path / "read-log", f"sqlite:///{tmp_path / 'store.db'}"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, address, str(folder)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "noted\n"
        living = ReadLog(store, folder)  # takes nothing from a process that lives
        time.sleep(0.2)
        living.close()
        assert subjects(store) == []
        os.kill(process.pid, signal.SIGKILL)
    half = next(folder.glob("*.jsonl"))
    half.write_bytes(half.read_bytes() + b'\n{"at": 1')  # a line that a full disk cut, and so a read that was refused
    after = ReadLog(store, folder)
    until(lambda: len(subjects(store)) == 50)
    after.close()
    assert sorted(map(int, subjects(store))) == list(range(50))
    assert kept_files(folder) == []


def test_what_the_disk_does_not_take_is_not_shown(read_log: ReadLog, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int, __: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(Unnoted):
        read_log.note(ANA, "get_consignment", "1", NOON)


def test_the_use_of_a_session_is_noted_beside_the_reads(read_log: ReadLog, either_store: Store) -> None:
    known = Access(either_store)
    accept(known, "ana", at=NOON)
    secret = known.log_in("ana", PASSWORD, "targeting", NOON)
    later = NOON + SEEN_EVERY + timedelta(seconds=1)
    principal = known.person(secret, later)
    assert principal is not None
    assert principal.idle
    read_log.use(principal.session, later)
    assert read_log.move()
    fresh = known.person(secret, later)
    assert fresh is not None
    assert not fresh.idle
    assert known.person(secret, NOON + IDLE + SEEN_EVERY) is not None
