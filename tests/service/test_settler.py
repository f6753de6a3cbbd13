"""A server without commands keeps its own history small, and never twice at once."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable

import pytest
import structlog

from features.facts import FACTS
from service import posting, settler
from service.posting import post, segments_listed
from service.settler import LOCK, settle_alone, settling_now_and_then
from service.settling import FANOUT, Settled
from service.store import Store
from tests.service.building import facts_frame


def pile_up(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "MANY", 1)
    for number in range(FANOUT):
        with store.writing() as connection:
            post(store, connection, facts_frame([(number, number, (1,) * len(FACTS))]))


def listed(store: Store) -> int:
    with store.reading() as connection:
        return len(segments_listed(connection))


def waited_for(true: Callable[[], bool]) -> bool:
    until = time.monotonic() + 20
    while not true() and time.monotonic() < until:
        time.sleep(0.02)
    return true()


def test_what_large_messages_leave_is_merged_while_the_server_runs(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    pile_up(store, monkeypatch)
    assert listed(store) == FANOUT
    with settling_now_and_then(store, seconds=0.05):
        assert waited_for(lambda: listed(store) == 1)


def test_who_finds_another_at_it_leaves_it_alone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    pile_up(store, monkeypatch)
    with (store.segments.folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert settle_alone(store) is None
        assert listed(store) == FANOUT
    assert settle_alone(store) == Settled(0, FANOUT)


def test_a_fault_is_logged_and_the_next_time_comes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    pile_up(store, monkeypatch)
    honest, failed = settler.settle, []

    def once_broken(there: Store) -> Settled:
        if not failed:
            failed.append(True)
            raise OSError("the disk is full")
        return honest(there)

    monkeypatch.setattr(settler, "settle", once_broken)
    with structlog.testing.capture_logs() as told, settling_now_and_then(store, seconds=0.05):
        assert waited_for(lambda: listed(store) == 1)
    assert {"event": "settling failed", "log_level": "error", "fault": "OSError"} in told
