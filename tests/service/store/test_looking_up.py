"""Looking things up: one state for a call until it writes, and no long sleep for whoever waits to write."""

from __future__ import annotations

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.store.database import Store
from service.store.queries import set_state, state_of


def number(store: Store) -> int | None:
    with store.reading() as connection:
        return state_of(connection, "number")


def put(store: Store, value: int) -> None:
    store.write(lambda connection: set_state(connection, "number", value))


def put_elsewhere(store: Store, value: int) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(put, store, value).result(20)


def test_a_call_looks_things_up_in_one_state_until_it_writes(either_store: Store) -> None:
    put(either_store, 1)
    with either_store.one_state():
        assert number(either_store) == 1
        put_elsewhere(either_store, 2)
        assert number(either_store) == 1
        either_store.look_anew()
        assert number(either_store) == 2
        put_elsewhere(either_store, 3)
        put(either_store, 4)
        assert number(either_store) == 4
    put_elsewhere(either_store, 5)
    assert number(either_store) == 5


def test_each_thread_has_a_state_of_its_own_and_gives_its_connection_back(either_store: Store) -> None:
    put(either_store, 1)
    with either_store.one_state(), ThreadPoolExecutor(1) as pool:
        assert number(either_store) == 1
        put_elsewhere(either_store, 2)
        assert pool.submit(number, either_store).result(20) == 2
        assert number(either_store) == 1
    assert either_store.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_a_fault_ends_the_state(either_store: Store) -> None:
    put(either_store, 1)

    def fails() -> None:
        with either_store.one_state():
            assert number(either_store) == 1
            raise LookupError

    with pytest.raises(LookupError):
        fails()
    put_elsewhere(either_store, 2)
    assert number(either_store) == 2
    assert either_store.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_who_waits_for_the_lock_looks_again_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, pauses, sleep = tmp_path / "busy.db", list[float](), time.sleep
    store = Store(f"sqlite:///{place}", grouped=True)
    other = sqlite3.connect(place, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    looked = threading.Event()

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 40:
            looked.set()
        sleep(seconds)

    monkeypatch.setattr("service.store.database.time.sleep", pause)
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(put, store, 1)
        assert looked.wait(20)
        other.execute("COMMIT")
        waits.result(20)
    assert max(pauses) <= 0.002  # SQLite itself sleeps for up to a tenth of a second
    assert number(store) == 1
    other.close()
    store.close()


def test_who_waits_for_too_long_hears_that_another_writes(tmp_path: Path) -> None:
    place = tmp_path / "busy.db"
    store = Store(f"sqlite:///{place}", grouped=True, patience_ms=80)
    other = sqlite3.connect(place, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.perf_counter()
    with pytest.raises(sa.exc.OperationalError, match="locked"):
        put(store, 1)
    assert time.perf_counter() - began >= 0.08
    other.execute("ROLLBACK")
    put(store, 2)
    assert number(store) == 2
    other.close()
    store.close()
