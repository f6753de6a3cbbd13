"""Group commit: everyone's work is durable when it is answered, and nobody pays for another's fault."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import sqlalchemy as sa

from features.history.facts import FACTS
from service.history.posting import post
from service.history.stored_history import StoredHistory
from service.store.database import Store
from service.store.queries import set_state, state_of
from service.store.store_key import KEY_CHECK
from service.store.tables import STATE
from tests.history_reads import read_totals
from tests.service.building import facts_frame

ONES = (1,) * len(FACTS)


@pytest.fixture
def grouped(tmp_path: Path) -> Iterator[Store]:
    store = Store(f"sqlite:///{tmp_path / 'grouped.db'}", grouped=True)
    yield store
    store.close()


def test_works_that_wait_together_share_one_commit(grouped: Store) -> None:
    commits: list[object] = []
    writer = grouped._writer
    assert writer is not None
    sa.event.listen(grouped.engine, "commit", commits.append)
    began, go_on = threading.Event(), threading.Event()

    def slow(connection: sa.Connection) -> None:
        began.set()
        assert go_on.wait(10)

    with ThreadPoolExecutor(20) as pool:
        first = pool.submit(grouped.write, slow)
        assert began.wait(10)
        waiting = [pool.submit(grouped.write, lambda c, n=n: set_state(c, f"s{n}", n)) for n in range(19)]
        while writer._waiting.qsize() < 19:
            threading.Event().wait(0.001)
        go_on.set()
        first.result(10)
        for future in waiting:
            future.result(10)
    assert len(commits) == 2
    with grouped.reading() as connection:
        assert [state_of(connection, f"s{n}") for n in range(19)] == list(range(19))


def test_a_fault_undoes_its_own_work_alone(grouped: Store) -> None:
    def bad(connection: sa.Connection) -> None:
        set_state(connection, "bad", 1)
        raise ValueError("no such office")

    with ThreadPoolExecutor(8) as pool:
        futures = [
            pool.submit(grouped.write, bad if n == 3 else lambda c, n=n: set_state(c, f"s{n}", n)) for n in range(8)
        ]
        with pytest.raises(ValueError, match="no such office"):
            futures[3].result(10)
        for n in (0, 1, 2, 4, 5, 6, 7):
            futures[n].result(10)
    with grouped.reading() as connection:
        assert state_of(connection, "bad") is None
        assert connection.execute(sa.select(sa.func.count()).select_from(STATE)).scalar() == 7 + 1  # the store's key


def test_a_panic_reaches_the_one_who_waits_and_the_writer_lives_on(grouped: Store) -> None:
    """A panic of polars derives from BaseException: `except Exception` would leave everybody waiting for ever."""
    told: list[BaseException | None] = []

    def panics(connection: sa.Connection) -> None:
        raise pl.exceptions.PanicException("a thread of polars died")

    def call(work: Any) -> None:
        try:
            grouped.write(work)
        except BaseException as fault:  # noqa: BLE001 - it is what the test is about
            told.append(fault)
        else:
            told.append(None)

    for work in (panics, lambda connection: set_state(connection, "after", 1)):
        thread = threading.Thread(target=call, args=(work,), daemon=True)
        thread.start()
        thread.join(10)
    assert [type(fault) for fault in told] == [pl.exceptions.PanicException, type(None)]


def test_an_answer_is_durable(grouped: Store) -> None:
    """What another connection sees at the moment of the answer is what was written."""
    path = grouped.engine.url.database
    assert path is not None
    for n in range(20):
        grouped.write(partial(set_state, name="n", value=n))
        assert sqlite3.connect(path).execute("SELECT value FROM state WHERE name = 'n'").fetchone() == (n,)


def test_when_the_commit_fails_everyone_hears_of_it(grouped: Store) -> None:
    def refuse(connection: sa.Connection) -> None:
        raise OSError("disk full")

    sa.event.listen(grouped.engine, "commit", refuse)
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(grouped.write, lambda c, n=n: set_state(c, f"s{n}", n)) for n in range(4)]
        for future in futures:
            with pytest.raises(OSError, match="disk full"):
                future.result(10)
    sa.event.remove(grouped.engine, "commit", refuse)
    grouped.write(lambda c: set_state(c, "after", 1))
    with grouped.reading() as connection:
        assert set(connection.execute(sa.select(STATE.c.name)).scalars()) == {"after", KEY_CHECK}


def test_closing_finishes_what_waits(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'closing.db'}", grouped=True)
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(store.write, lambda c, n=n: set_state(c, f"s{n}", n)) for n in range(4)]
        for future in futures:
            future.result(10)
    store.close()
    again = Store(f"sqlite:///{tmp_path / 'closing.db'}")
    with again.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(STATE)).scalar() == 4 + 1
    again.close()


WORKERS, POSTS = 3, 40


def _worker(address: str, folder: Path, worker: int) -> None:
    store = Store(address, folder=folder, grouped=True)

    def add(number: int) -> None:
        facts = facts_frame([(7, number, ONES), (worker, number, ONES)])
        store.write(lambda connection: post(store, connection, facts))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(POSTS)))
    store.close()


def test_several_workers_share_one_store_and_lose_nothing(either_store: Store) -> None:
    address = either_store.engine.url.render_as_string(hide_password=False)
    spawn = multiprocessing.get_context("spawn")
    folder = either_store.segments.folder
    processes = [spawn.Process(target=_worker, args=(address, folder, worker)) for worker in range(WORKERS)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    entities = np.array([7, *range(WORKERS)])
    told = read_totals(StoredHistory(either_store), entities, [POSTS] * len(entities))
    assert told.amounts[0, :, 0].tolist() == [WORKERS * POSTS, *[POSTS] * WORKERS]
    half = read_totals(StoredHistory(either_store), entities, [POSTS // 2] * len(entities))
    assert half.amounts[0, :, 0].tolist() == [WORKERS * POSTS // 2, *[POSTS // 2] * WORKERS]
