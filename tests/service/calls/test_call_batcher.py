"""Calls decided together: each gets what is its own, as if it had been alone, its own faults among it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from features.messages import Message, Refused
from service.audit.replay import Bundles
from service.calls import call_batcher as gathering
from service.calls.call_batcher import CONSIGNMENTS_PER_GROUP, CallBatcher
from service.journal import Journal
from service.orientation import Decisions
from service.parties.linking_switch import LinkingSwitch
from service.parties.stored_parties import StoredParties
from service.record.consignment_versions import Conflict
from service.settings import Settings
from service.store.database import Store
from service.store.tables import CALLS, DECLARATIONS
from service.targeting import Desk, target
from tests.service.audit.replaying import all_replayed
from tests.service.building import NOON, declared, message


class Held:
    """`target`, held until the calls of a test are all waiting; it remembers how many consignments came at once."""

    def __init__(self) -> None:
        self.go, self.begun = threading.Event(), threading.Event()
        self.sizes: list[int] = []

    def __call__(self, one: Message, desk: Desk) -> Decisions:
        self.begun.set()
        assert self.go.wait(20)
        self.sizes.append(one.table.series("consignment_id").n_unique())
        return target(one, desk)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    """The function that decides, held."""
    held = Held()
    monkeypatch.setattr(gathering, "target", held)
    return held


@pytest.fixture
def gathered() -> Iterator[CallBatcher]:
    """A thread that decides for all; ended after the test."""
    gathered = CallBatcher()
    yield gathered
    gathered.close()


def at_once(gathered: CallBatcher, held: Held, desk: Desk, messages: list[Message]) -> list[Any]:
    """What each message gets, or its fault, where all but the first have come while the first is worked on."""

    def call(one: Message) -> Any:
        try:
            return gathered.decide(one, desk).result(60)
        except Exception as fault:  # noqa: BLE001 - what a caller hears is what is asked for
            return fault

    with ThreadPoolExecutor(len(messages)) as pool:
        first = pool.submit(call, messages[0])
        assert held.begun.wait(20)
        rest = []
        for number, one in enumerate(messages[1:], start=1):
            rest.append(pool.submit(call, one))
            while gathered._waiting.qsize() < number:  # in this order
                threading.Event().wait(0.001)
        held.go.set()
        return [told.result(60) for told in (first, *rest)]


def sent(number: int, minute: int = 0, **stated: Any) -> Message:
    lodged_at = NOON + timedelta(minutes=minute)
    return message(declared(number, lodged_at=lodged_at, **stated), message_id=f"M{number}")


def test_each_gets_its_own_decisions_as_it_would_alone(
    gathered: CallBatcher, held: Held, trained_desk: Desk, store: Store, tmp_path: Path, sealed_home: Path
) -> None:
    switch = LinkingSwitch(tmp_path / "linking.json")
    switch.turn_on("tests", "nobody here exists", NOON)
    live = replace(trained_desk, parties=StoredParties(store, switch), journal=Journal(store, switch))
    messages = [sent(n, n, gross_mass_kg=float(n)) for n in range(1, 8)]
    messages.append(message(*(declared(n, lodged_at=NOON + timedelta(minutes=n)) for n in (8, 9)), message_id="M8"))
    told = at_once(gathered, held, live, messages)
    assert held.sizes == [1, 8]
    assert [[row["consignment_id"] for row in decided.rows] for decided in told] == [
        *([f"HAWB{n:09d}"] for n in range(1, 8)), ["HAWB000000008", "HAWB000000009"],
    ]  # fmt: skip
    assert not any(decided.replayed for decided in told)
    elsewhere = Store(f"sqlite:///{tmp_path / 'alone.db'}")
    by_itself = replace(trained_desk, parties=StoredParties(elsewhere, switch), journal=Journal(elsewhere, switch))
    alone = [target(one, replace(by_itself, history=by_itself.journal.history)) for one in messages]
    same = ("decision_id", "risk", "party_id", "network_id", "clearance", "reasons", "data_problems")
    for decided, apart in zip(told, alone, strict=True):
        assert [[row[name] for name in same] for row in decided.rows] == [
            [row[name] for name in same] for row in apart.rows
        ]
    with store.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(CALLS)).scalar_one() == 2
    settings = Settings(home=sealed_home)
    assert all_replayed(store, Bundles(settings.bundles, settings.keys)) == 9
    elsewhere.close()


def test_what_is_wrong_with_one_message_is_no_business_of_the_others(
    gathered: CallBatcher, held: Held, desk: Desk, store: Store
) -> None:
    target(sent(3), desk)
    bad = sent(4, gross_mass_kg="heavy")
    changed = sent(3, gross_mass_kg=99.0)
    told = at_once(gathered, held, desk, [sent(1), sent(2), bad, changed, sent(5)])
    assert [type(one) for one in told] == [Decisions, Decisions, Refused, Conflict, Decisions]
    assert told[3].consignment_ids == ["HAWB000000003"]
    with store.reading() as connection:
        there = set(connection.execute(sa.select(DECLARATIONS.c.consignment_id)).scalars())
    assert there == {f"HAWB{n:09d}" for n in (1, 2, 3, 5)}


def test_the_same_message_sent_twice_at_once_is_decided_once(gathered: CallBatcher, held: Held, desk: Desk) -> None:
    told = at_once(gathered, held, desk, [sent(1), sent(2), sent(3), sent(2), sent(4), sent(1)])
    assert held.sizes == [1, 2, 3]
    assert [decided.replayed for decided in told] == [False, False, False, True, False, True]
    assert told[1].rows[0]["decision_id"] == told[3].rows[0]["decision_id"]


def test_a_group_is_not_larger_than_the_first_can_wait_for(gathered: CallBatcher, held: Held, desk: Desk) -> None:
    large = message(*(declared(n) for n in range(100, 100 + CONSIGNMENTS_PER_GROUP)), message_id="L")
    told = at_once(gathered, held, desk, [sent(1), sent(2), large, sent(3)])
    assert held.sizes == [1, 1, CONSIGNMENTS_PER_GROUP, 1]
    assert [len(decided.rows) for decided in told] == [1, 1, CONSIGNMENTS_PER_GROUP, 1]


def test_a_fault_of_the_store_is_heard_by_all(
    gathered: CallBatcher, held: Held, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise sa.exc.OperationalError("BEGIN", {}, Exception("disk I/O error"))

    monkeypatch.setattr(Journal, "record", fails)
    told = at_once(gathered, held, desk, [sent(1), sent(2), sent(3)])
    assert [type(one) for one in told] == [sa.exc.OperationalError] * 3
    assert held.sizes == [1, 2]


def test_what_waits_is_decided_before_the_end(held: Held, desk: Desk) -> None:
    gathered = CallBatcher()
    with ThreadPoolExecutor(1) as pool:
        waiting = [gathered.decide(sent(1), desk)]
        assert held.begun.wait(20)
        waiting += [gathered.decide(sent(n), desk) for n in (2, 3)]
        ending = pool.submit(gathered.close)
        held.go.set()
        assert [len(told.result(60).rows) for told in waiting] == [1, 1, 1]
        ending.result(60)


def test_callers_who_come_again_and_again_end_up_in_one_group(
    gathered: CallBatcher, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def slow(one: Message, _: Desk) -> Decisions:
        sizes.append(one.rows.height)
        threading.Event().wait(0.2)  # long enough for everybody to come again
        return Decisions([], one.table.frame)

    monkeypatch.setattr(gathering, "target", slow)

    def calls(caller: int) -> None:
        threading.Event().wait(caller * 0.05)  # not all at once
        for turn in range(8):
            gathered.decide(sent(caller * 100 + turn), desk).result(60)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(calls, range(6)))
    assert sum(sizes) == 48
    assert max(sizes) == 6
