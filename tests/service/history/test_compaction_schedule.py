"""A server without commands keeps its own history small, and never twice at once."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog

from features.fault import Fault
from features.history.facts import FACTS
from features.history.totals import HistoryUnavailable
from service.history import compaction_schedule as settler
from service.history import posting
from service.history.compaction import FANOUT, Settled, settle
from service.history.compaction_schedule import LOCK, compacting_regularly, settle_alone
from service.history.posting import post, segments_listed
from service.history.stored_history import StoredHistory
from service.store.database import Store
from service.store.segment_files import Segment
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
    with compacting_regularly(store, seconds=0.05):
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
    failed: list[bool] = []

    def once_broken(there: Store, *, rest: float) -> Settled:
        if not failed:
            failed.append(True)
            raise OSError("the disk is full")
        return settle(there, rest=rest)

    monkeypatch.setattr(settler, "settle", once_broken)
    with structlog.testing.capture_logs() as told, compacting_regularly(store, seconds=0.05):
        assert waited_for(lambda: listed(store) == 1)
    assert {"event": "settling failed", "log_level": "error", "fault": "OSError"} in told


def test_who_merges_what_another_has_just_merged_reads_the_list_again(
    either_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes chose the same files; the second finds them gone, and goes on with what there is now."""
    pile_up(either_store, monkeypatch)
    other, merge = _same(either_store), either_store.segments.merge
    raced: list[Settled] = []

    def late(group: Sequence[Segment], now: int, *, everything: bool = False) -> Segment:
        if not raced:
            raced.append(settle(other, everything=True))
        return merge(group, now, everything=everything)

    monkeypatch.setattr(either_store.segments, "merge", late)
    done = settle(either_store, everything=True)
    assert raced == [Settled(0, FANOUT)]
    assert done == Settled(0, 1)
    assert listed(either_store) == 1
    assert StoredHistory(either_store).running().height == FANOUT
    other.close()


def test_a_file_that_is_listed_and_missing_is_a_fault_in_one_line(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    pile_up(store, monkeypatch)
    with store.reading() as connection:
        first, *_ = segments_listed(connection)
    store.segments.delete([first])
    with pytest.raises(Fault, match="restore the last backup"):
        settle(store, everything=True)
    with pytest.raises(HistoryUnavailable):
        StoredHistory(store).running()


def test_two_stores_write_read_and_merge_and_nothing_is_lost_or_counted_twice(
    either_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in a thread of its own, as two processes would, every write merged at once."""
    monkeypatch.setattr(posting, "MANY", 1)
    stores, rounds = [either_store, _same(either_store)], 12

    def work(number: int) -> None:
        history = StoredHistory(stores[number])
        for round_ in range(rounds):
            with stores[number].writing() as connection:
                post(stores[number], connection, facts_frame([(7, 2 * round_ + number, (1,) * len(FACTS))]))
            history.running()
            assert history.readable()
            settle(stores[number], everything=round_ % 2 == 0)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    last = StoredHistory(either_store).running().tail(1)
    assert last[FACTS[0]].item() == 2 * rounds
    stores[1].close()


def _same(store: Store) -> Store:
    """The same store once more, as another process opens it."""
    address = store.engine.url.render_as_string(hide_password=False)
    return Store(address, folder=store.segments.folder)
