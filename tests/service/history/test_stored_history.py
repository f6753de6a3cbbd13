"""The durable history: whatever the order and the batches, the same totals as a plain sum over all facts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.history.facts import FACTS, NEVER, Integers
from features.history.tiles import DAY, HOUR
from features.history.totals import FactTable
from features.messages import read
from service.history import compaction as settling
from service.history import posting
from service.history import stored_history as history
from service.history.compaction import Settled, settle
from service.history.posting import post, segments_listed
from service.history.stored_history import StoredHistory
from service.store.database import Store
from service.store.tables import RUNNING, SEGMENTS, STATE
from service.targeting import Desk, target
from tests.history_reads import Read, read_totals
from tests.service.building import Event, declared, facts_frame, message

QUICK = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
LOW, HIGH = int(np.iinfo(np.int64).min), int(np.iinfo(np.int64).max)
ENTITIES = (-5, 0, 7, LOW, HIGH)
WIDE = len(FACTS)
amounts = st.tuples(st.integers(0, 3), *[st.integers(-5, 10**9)] * (WIDE - 1))  # what was lodged is never taken back
events = st.lists(st.tuples(st.sampled_from(ENTITIES), st.integers(-20, 40), amounts), max_size=25)


def emptied(store: Store) -> Store:
    with store.writing() as connection:
        for table in (RUNNING, SEGMENTS, STATE):
            connection.execute(sa.delete(table))
    return store


def posted(store: Store, batches: Sequence[Sequence[Event]]) -> Store:
    for batch in batches:
        with store.writing() as connection:
            post(store, connection, facts_frame(batch))
    return store


def rows(store: Store) -> list[tuple[int, ...]]:
    with store.reading() as connection:
        found = connection.execute(sa.select(RUNNING)).all()
    entities = store.pseudonyms.plain_list(row[0] for row in found)
    return sorted((entity, *row[1:]) for entity, row in zip(entities, found, strict=True))


def oracle(facts: Sequence[Event], entities: Integers, moments: Integers) -> Read:
    """The definition itself: add up every fact of the entity that was known before the moment."""
    sums, first, last = [], [], []
    for entity, moment in zip(entities.tolist(), moments.tolist(), strict=True):
        before = [(at, amounts) for of, at, amounts in facts if of == entity and at < moment]
        sums.append([sum(column) for column in zip(*(a for _, a in before), strict=True)] or [0] * WIDE)
        first.append(min((at for at, told in before if told[0]), default=NEVER))
        last.append(max((at for at, told in before if told[0]), default=NEVER))
    shaped = np.array(sums, np.int64).reshape(1, -1, WIDE)
    return Read(shaped, np.array(first, np.int64), np.array(last, np.int64))


def same(one: Read, other: Read) -> bool:
    return all(np.array_equal(getattr(one, part), getattr(other, part)) for part in ("amounts", "first", "last"))


def asked_everywhere() -> tuple[Integers, Integers]:
    moments = np.arange(-21, 42, 1, dtype=np.int64)
    entities = np.array([*ENTITIES, 999], np.int64)
    return np.repeat(entities, len(moments)), np.tile(moments, len(entities))


@QUICK
@given(events, st.data())
def test_any_order_and_any_batches_give_the_same_rows_and_the_same_totals(
    either_store: Store, facts: list[Event], data: st.DataObject
) -> None:
    at_once = rows(posted(emptied(either_store), [facts]))
    shuffled = data.draw(st.permutations(facts))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(facts)), max_size=4)))
    batches = [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(facts)], strict=True)]
    posted(emptied(either_store), batches)
    assert rows(either_store) == at_once
    assert len(at_once) == len({(entity, at) for entity, at, _ in facts})
    entities, moments = asked_everywhere()
    wanted = oracle(facts, entities, moments)
    stored = StoredHistory(either_store)
    assert same(read_totals(FactTable(facts_frame(facts)), entities, moments), wanted)
    assert same(read_totals(stored, entities, moments), wanted)  # looked up
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "FEW", 0)  # all rows at once
        assert same(read_totals(stored, entities, moments), wanted)
    assert stored.as_of() == max((at for _, at, _ in facts), default=None)


def test_facts_of_one_moment_are_one_row_and_are_not_known_at_that_moment(store: Store) -> None:
    one = tuple(range(1, WIDE + 1))
    posted(store, [[(7, 10, one), (7, 10, one)], [(7, 10, one)]])
    assert rows(store) == [(7, 10, *(3 * amount for amount in one))]
    read_at = read_totals(StoredHistory(store), [7, 7, 7], [9, 10, 11])
    assert read_at.amounts[0].tolist() == [[0] * WIDE, [0] * WIDE, [3 * amount for amount in one]]
    assert read_at.first.tolist() == [NEVER, NEVER, 10]


def test_a_late_fact_raises_every_later_total_of_its_entity_alone(store: Store) -> None:
    ones, zeros = (1,) * WIDE, (0,) * WIDE
    posted(store, [[(7, 10, ones), (7, 30, ones), (8, 20, ones)], [(7, 20, ones)], [(8, 5, zeros)]])
    assert rows(store) == [
        (7, 10, *(1,) * WIDE), (7, 20, *(2,) * WIDE), (7, 30, *(3,) * WIDE), (8, 5, *zeros), (8, 20, *ones),
    ]  # fmt: skip


def test_more_entities_than_fit_into_one_query(either_store: Store) -> None:
    facts = [(entity, entity % 7, (1,) * WIDE) for entity in range(1300)]
    posted(either_store, [facts[:1200], facts[1200:], facts])
    read_there = read_totals(StoredHistory(either_store), range(1301), [100] * 1301)
    assert read_there.amounts[0, :, 0].tolist() == [2] * 1300 + [0]


def test_questions_are_answered_each_with_its_own_moments_and_facts(either_store: Store) -> None:
    posted(either_store, [[(7, 10, tuple(range(WIDE))), (7, 20, (1,) * WIDE), (8, 15, (5,) * WIDE)]])
    stored = StoredHistory(either_store)
    told = [
        read_totals(stored, [7, 8], [[30, 30], [20, 15]], ("hits", "consignments")),
        read_totals(stored, [8], [16], ()),
    ]
    hits, stated = FACTS.index("hits"), FACTS.index("consignments")
    assert told[0].amounts.tolist() == [[[hits + 1, stated + 1], [5, 5]], [[hits, stated], [0, 0]]]
    assert (told[0].first.tolist(), told[0].last.tolist()) == ([20, 15], [20, 15])  # at 10 nothing was lodged
    assert (told[1].amounts.shape, told[1].first.tolist()) == ((1, 1, 0), [15])


def test_nothing_asked_gives_nothing(store: Store) -> None:
    nothing = read_totals(StoredHistory(store), [], [])
    assert nothing.amounts.shape == (1, 0, WIDE)
    assert StoredHistory(store).as_of() is None


def test_what_was_posted_survives_closing_and_reopening(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'kept.db'}"
    facts = [(7, 10, (1,) * WIDE), (8, 20, (2,) * WIDE)]
    first = posted(Store(address), [facts])
    settle(first, everything=True)
    posted(first, [[(7, 30, (1,) * WIDE)]])
    before = StoredHistory(first).running()
    first.close()
    again = Store(address)
    assert StoredHistory(again).running().equals(before)
    assert StoredHistory(again).as_of() == 30
    assert read_totals(StoredHistory(again), [8], [21]).amounts[0].tolist() == [[2] * WIDE]
    again.close()


def test_a_transaction_that_fails_leaves_nothing(either_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    posted(either_store, [[(7, 10, (1,) * WIDE)]])
    before = StoredHistory(either_store).running()
    for many in (10**9, 1):  # as rows, and as a segment
        monkeypatch.setattr(posting, "MANY", many)
        with pytest.raises(RuntimeError, match="power"):
            _post_and_fail(either_store)
        assert StoredHistory(either_store).running().equals(before)
        assert StoredHistory(either_store).as_of() == 10


def _post_and_fail(store: Store) -> None:
    with store.writing() as connection:
        post(store, connection, facts_frame([(7, 20, (1,) * WIDE)]))
        raise RuntimeError("power")


def test_sqlite_is_durable_at_every_commit(store: Store) -> None:
    with store.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL


def test_postgresql_is_durable_at_every_commit(postgresql: str) -> None:
    store = Store(postgresql)
    with store.reading() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
        assert connection.exec_driver_sql("SHOW transaction_isolation").scalar() == "repeatable read"
    store.close()


# what is settled


SPREAD = st.one_of(
    st.integers(0, 400 * DAY),
    st.sampled_from([0, HOUR, DAY, 2 * DAY, 9 * DAY, 10 * DAY, 10 * DAY - 1, 366 * DAY, 367 * DAY]),
)
old_events = st.lists(
    st.tuples(st.sampled_from((-5, 7, HIGH)), SPREAD, st.tuples(*[st.integers(0, 9)] * WIDE)), min_size=1, max_size=30
)


@QUICK
@given(old_events, st.lists(st.integers(0, 2), max_size=30), st.lists(st.integers(0, 2 * DAY), min_size=1, max_size=5))
def test_what_is_settled_reads_as_what_is_not(
    either_store: Store, facts: list[Event], cuts: list[int], late: list[int]
) -> None:
    """Near edges of the last two days, far edges on their tiles, and what was first and last: all exact."""
    emptied(either_store)
    for event, how in zip(facts, [*cuts, *[0] * len(facts)], strict=False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(posting, "MANY", 1 if how else 10**9)
            patch.setattr(settling, "FANOUT", 2)
            posted(either_store, [[event]])
            if how == 2:
                settle(either_store, everything=event[0] == 7)
    stored = StoredHistory(either_store)
    now = stored.as_of()
    assert now is not None
    near = np.array([now + 1, *(now - now % DAY - ago + DAY for ago in late)])
    edges = [near, near - HOUR - (near - HOUR) % HOUR, *(near - d * DAY - (near - d * DAY) % HOUR for d in (1, 7))]
    edges += [near - d * DAY - (near - d * DAY) % DAY for d in (8, 30, 90, 365)]
    for entity in (-5, 7, HIGH, 0):
        asked = np.full(len(near), entity), np.vstack(edges)
        told = read_totals(stored, *asked)
        plain = read_totals(FactTable(facts_frame(facts)), *asked)
        assert same(told, plain)


def test_thinning_and_merging_come_to_the_same_in_whatever_order(either_store: Store) -> None:
    rng = np.random.default_rng(3)
    facts = [
        (int(e), int(t), tuple(rng.integers(0, 9, WIDE).tolist()))
        for e, t in zip(rng.integers(0, 9, 3000), rng.integers(0, 380 * DAY, 3000), strict=True)
    ]
    facts.append((3, 380 * DAY, (1,) * WIDE))

    def whole(batches: Sequence[Sequence[Event]], each: bool) -> pl.DataFrame:
        emptied(either_store)
        for batch in batches:
            posted(either_store, [batch])
            if each:
                settle(either_store, everything=True)
        settle(either_store, everything=True)
        return StoredHistory(either_store).running()

    in_time = sorted(facts, key=lambda fact: fact[1])
    once = whole([in_time], False)
    assert once.height < len(facts) * 0.95
    assert whole([in_time[start : start + 600] for start in range(0, 3001, 600)], True).equals(once)
    assert whole([facts[start::5] for start in range(5)], False).equals(once)


def test_a_quarter_of_an_entity_needs_no_more_rows_than_it_has_tiles(store: Store) -> None:
    busy = [(7, at, (1,) * WIDE) for at in range(0, 500 * DAY, 6 * 60_000_000)]  # every six minutes
    posted(store, [busy])
    settle(store, everything=True)
    with store.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(RUNNING)).scalar() == 0
        (segment,) = segments_listed(connection)
    exact, hours, days, months = 3 * 240, 8 * 24, 368 - 10, 6
    assert segment.rows <= exact + hours + days + months + 1
    everything = read_totals(StoredHistory(store), [7], [501 * DAY])
    assert everything.amounts[0, 0, 0] == len(busy)
    assert everything.first.tolist() == [0]


def test_entities_are_forgotten_when_their_time_is_over(store: Store) -> None:
    year = 365 * DAY
    clean, hit = [1] * WIDE, [1] * WIDE
    clean[FACTS.index("hits")] = 0
    posted(store, [[(1, 0, tuple(clean)), (2, 0, tuple(hit)), (3, 0, tuple(clean)), (3, 2 * year, tuple(clean))]])
    posted(store, [[(9, 4 * year, tuple(clean))]])
    settle(store, everything=True)
    assert set(StoredHistory(store).running()["entity"]) == {2, 3, 9}
    posted(store, [[(9, 11 * year, tuple(clean))]])
    settle(store, everything=True)
    assert set(StoredHistory(store).running()["entity"]) == {9}


def test_levels_are_merged_when_they_are_full_and_old_files_are_deleted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "MANY", 1)
    for number in range(13):
        posted(store, [[(number, number, (1,) * WIDE)]])
        assert settle(store) == Settled(0, 6 if number in (5, 11) else 0)
    with store.reading() as connection:
        segments = segments_listed(connection)
    assert sorted(segment.level for segment in segments) == [0, 1, 1]
    assert len(list(store.segments.folder.iterdir())) == 3
    assert StoredHistory(store).running()["consignments"].sum() == 13


def test_large_segments_are_written_and_read_in_parts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from service.store import segment_files as segments

    monkeypatch.setattr(segments, "PART_ROWS", 50)
    monkeypatch.setattr(posting, "MANY", 1)
    rng = np.random.default_rng(1)
    facts = [(int(e), int(t), (1,) * WIDE) for e, t in zip(rng.integers(LOW, HIGH, 300), range(300), strict=True)]
    posted(store, [facts[:150], facts[150:], [(LOW, 5, (1,) * WIDE), (HIGH, 5, (2,) * WIDE)]])
    settle(store, everything=True)
    with store.reading() as connection:
        (segment,) = segments_listed(connection)
    assert len(segment.parts) == 8
    entities = [*(e for e, _, _ in facts), LOW, HIGH, 0]
    told = read_totals(StoredHistory(store), entities, [400] * len(entities))
    assert told.amounts[0, :, 0].tolist() == [1] * 301 + [2, 0]


def test_a_reader_whose_list_is_out_of_date_reads_the_new_one(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "MANY", 1)
    posted(store, [[(7, 1, (1,) * WIDE)], [(7, 2, (1,) * WIDE)]])
    stored = StoredHistory(store)
    calls: list[int] = []

    def late(connection: sa.Connection) -> object:
        listed = segments_listed(connection)
        if not calls:
            calls.append(1)
            settle(store, everything=True)  # the files of the list are gone before they are opened
        return listed

    monkeypatch.setattr(history, "segments_listed", late)
    assert read_totals(stored, [7], [3]).amounts[0, 0, 0] == 2
    assert calls == [1]


def test_files_that_count_no_more_are_closed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "MANY", 1)
    posted(store, [[(7, 1, (1,) * WIDE)], [(7, 2, (1,) * WIDE)]])
    stored = StoredHistory(store)
    read_totals(stored, [7], [3])
    before = set(store.segments._opened)
    settle(store, everything=True)
    assert read_totals(stored, [7], [3]).amounts[0, 0, 0] == 2
    assert len(before) == 2
    assert set(store.segments._opened) == {path.name for path in store.segments.folder.iterdir()}
    assert not before & set(store.segments._opened)


def test_files_that_nobody_lists_are_deleted_when_they_are_old(store: Store) -> None:
    posted(store, [[(7, 1, (1,) * WIDE)]])
    settle(store, everything=True)
    young, old = store.segments.folder / "young.arrow", store.segments.folder / "old.arrow"
    for stray in (young, old):
        stray.write_bytes(b"half")
    import os

    os.utime(old, (1, 1))
    settle(store)
    assert (young.exists(), old.exists()) == (True, False)
    assert read_totals(StoredHistory(store), [7], [3]).amounts[0, 0, 0] == 1


def test_a_store_without_a_folder_keeps_everything_in_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "MANY", 1)
    store = posted(Store("sqlite://"), [[(7, 1, (1,) * WIDE)]])
    assert settle(store, everything=True) == Settled(0, 0)
    assert len(rows(store)) == 1
    store.close()


def test_what_was_never_posted_is_what_was_neither_decided_nor_remembered(desk: Desk) -> None:
    target(message(declared(1), message_id="A"), desk)
    desk.journal.remember(read(message(declared(2), message_id="A"))[0])
    asked = read(message(declared(1), declared(2), declared(3), message_id="A"))[0]
    lacking = desk.history.unposted(asked).frame()
    assert lacking["consignments"].max() == 1
    office = asked.frame["office_entity"][0]
    assert lacking.filter(pl.col("entity") == office)["consignments"].to_list() == [1]
    assert not len(desk.history.unposted(read(message(declared(1), declared(2), message_id="A"))[0]))
    other_message = read(message(declared(1), message_id="B"))[0]
    assert desk.history.unposted(other_message).amounts["consignments"].max() == 1
