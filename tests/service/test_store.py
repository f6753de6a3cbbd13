"""The durable history: whatever the order and the batches, the same totals as a plain sum over all facts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.facts import FACTS
from features.history import NEVER, FactTable, Integers, Totals
from features.messages import read
from service.store import FEW, RUNNING, STATE, Store, StoredHistory, post
from service.targeting import Desk, target
from tests.service.building import Event, declared, facts_frame, message

QUICK = settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
LOW, HIGH = int(np.iinfo(np.int64).min), int(np.iinfo(np.int64).max)
ENTITIES = (-5, 0, 7, LOW, HIGH)
amounts = st.tuples(*[st.integers(0, 10**9)] * len(FACTS))
events = st.lists(st.tuples(st.sampled_from(ENTITIES), st.integers(-20, 40), amounts), max_size=25)


def emptied(store: Store) -> Store:
    with store.writing() as connection:
        connection.execute(sa.delete(RUNNING))
        connection.execute(sa.delete(STATE))
    return store


def posted(store: Store, batches: Sequence[Sequence[Event]]) -> Store:
    for batch in batches:
        with store.writing() as connection:
            post(store, connection, facts_frame(batch))
    return store


def table(store: Store) -> list[tuple[int, ...]]:
    with store.reading() as connection:
        found = connection.execute(sa.select(RUNNING).order_by(RUNNING.c.entity, RUNNING.c.known_at))
        return [tuple(row) for row in found]


def oracle(facts: Sequence[Event], entities: Integers, moments: Integers) -> Totals:
    """The definition itself: add up every fact of the entity that was known before the moment."""
    sums, first, last = [], [], []
    for entity, moment in zip(entities.tolist(), moments.tolist(), strict=True):
        before = [(at, amounts) for of, at, amounts in facts if of == entity and at < moment]
        sums.append([sum(column) for column in zip(*(a for _, a in before), strict=True)] or [0] * len(FACTS))
        first.append(min((at for at, _ in before), default=NEVER))
        last.append(max((at for at, _ in before), default=NEVER))
    return Totals(np.array(sums, np.int64).reshape(-1, len(FACTS)), np.array(first, np.int64), np.array(last, np.int64))


def same(one: Totals, other: Totals) -> bool:
    return all(np.array_equal(getattr(one, part), getattr(other, part)) for part in ("amounts", "first", "last"))


def asked_everywhere() -> tuple[Integers, Integers]:
    moments = np.arange(-21, 42, 1, dtype=np.int64)
    entities = np.array([*ENTITIES, 999], np.int64)
    return np.repeat(entities, len(moments)), np.tile(moments, len(entities))


@QUICK
@given(events, st.data())
def test_any_order_and_any_batches_give_the_same_table_and_the_same_totals(
    store: Store, facts: list[Event], data: st.DataObject
) -> None:
    at_once = table(posted(emptied(store), [facts]))
    shuffled = data.draw(st.permutations(facts))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(facts)), max_size=4)))
    batches = [shuffled[a:b] for a, b in zip([0, *cuts], [*cuts, len(facts)], strict=True)]
    posted(emptied(store), batches)
    assert table(store) == at_once
    assert len(at_once) == len({(entity, at) for entity, at, _ in facts})
    entities, moments = asked_everywhere()
    wanted = oracle(facts, entities, moments)
    history = StoredHistory(store)
    assert same(FactTable(facts_frame(facts)).before(entities, moments), wanted)
    for start in range(0, len(entities), 150):  # the look-up path
        some = slice(start, start + 150)
        read_there = history.before(entities[some], moments[some])
        assert same(read_there, Totals(wanted.amounts[some], wanted.first[some], wanted.last[some]))
    twice = np.tile(entities, 2), np.tile(moments, 2)
    assert len(twice[0]) > FEW  # the path that reads whole entities
    assert same(history.before(*twice), oracle(facts, *twice))
    assert history.as_of() == max((at for _, at, _ in facts), default=None)


def test_facts_of_one_moment_are_one_row_and_are_not_known_at_that_moment(store: Store) -> None:
    one = (1, 2, 3, 4, 5, 6, 7)
    posted(store, [[(7, 10, one), (7, 10, one)], [(7, 10, one)]])
    assert table(store) == [(7, 10, *(3 * amount for amount in one))]
    read_at = StoredHistory(store).before(np.array([7, 7, 7]), np.array([9, 10, 11]))
    assert read_at.amounts.tolist() == [[0] * 7, [0] * 7, [3 * amount for amount in one]]
    assert read_at.first.tolist() == [NEVER, NEVER, 10]


def test_a_late_fact_raises_every_later_total_of_its_entity_alone(store: Store) -> None:
    ones, zeros = (1,) * 7, (0,) * 7
    posted(store, [[(7, 10, ones), (7, 30, ones), (8, 20, ones)], [(7, 20, ones)], [(8, 5, zeros)]])
    assert table(store) == [
        (7, 10, *(1,) * 7), (7, 20, *(2,) * 7), (7, 30, *(3,) * 7), (8, 5, *zeros), (8, 20, *ones),
    ]  # fmt: skip


@pytest.mark.parametrize("asked", [FEW - 1, FEW, FEW + 1])
def test_the_look_up_path_and_the_bulk_path_agree_at_their_boundary(store: Store, asked: int) -> None:
    rng = np.random.default_rng(asked)
    facts = [(int(e), int(t), tuple(rng.integers(0, 9, 7).tolist())) for e, t in rng.integers(0, 60, (400, 2))]
    posted(store, [facts[:200], facts[200:]])
    entities, moments = rng.integers(0, 62, asked), rng.integers(-1, 62, asked)
    assert same(StoredHistory(store).before(entities, moments), oracle(facts, entities, moments))


def test_more_entities_than_fit_into_one_query(store: Store) -> None:
    facts = [(entity, entity % 7, (1,) * 7) for entity in range(1300)]
    posted(store, [facts[:1200], facts[1200:], facts])
    entities = np.arange(1301)
    read_there = StoredHistory(store).before(entities, np.full(1301, 100))
    assert read_there.amounts[:, 0].tolist() == [2] * 1300 + [0]


def test_nothing_asked_gives_nothing(store: Store) -> None:
    nothing = StoredHistory(store).before(np.array([], np.int64), np.array([], np.int64))
    assert nothing.amounts.shape == (0, len(FACTS))
    assert StoredHistory(store).as_of() is None


def test_what_was_posted_survives_closing_and_reopening(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'kept.db'}"
    facts = [(7, 10, (1,) * 7), (8, 20, (2,) * 7)]
    first = posted(Store(address), [facts])
    before = table(first)
    first.close()
    again = Store(address)
    assert table(again) == before
    assert StoredHistory(again).as_of() == 20
    assert StoredHistory(again).before(np.array([8]), np.array([21])).amounts.tolist() == [[2] * 7]
    again.close()


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    posted(store, [[(7, 10, (1,) * 7)]])
    before = table(store)
    with pytest.raises(RuntimeError, match="power"):
        _post_and_fail(store)
    assert table(store) == before
    assert StoredHistory(store).as_of() == 10


def _post_and_fail(store: Store) -> None:
    with store.writing() as connection:
        post(store, connection, facts_frame([(7, 20, (1,) * 7)]))
        raise RuntimeError("power")


def test_the_database_is_durable_at_every_commit(store: Store) -> None:
    with store.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL


def test_what_a_history_lacks_is_what_was_neither_decided_nor_remembered(desk: Desk) -> None:
    target(message(declared(1), message_id="A"), desk)
    desk.journal.remember(read(message(declared(2), message_id="A"))[0])
    asked = read(message(declared(1), declared(2), declared(3), declared(1, version=2), message_id="A"))[0]
    lacking = desk.history.lacks(asked)
    assert lacking.frame.select("row", "consignment_id", "version").rows() == [
        (0, "HAWB000000003", 1), (1, "HAWB000000001", 2),
    ]  # fmt: skip
    assert lacking.goods["row"].to_list() == [0, 1]
    other_message = read(message(declared(1), message_id="B"))[0]
    assert len(desk.history.lacks(other_message)) == 1
