"""Calls at the same time: each gets what it would get alone, its own faults among it, and they share the disk."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from features.messages import Message, Refused
from service.audit.replay import Bundles
from service.calls import call_queue
from service.calls.call_queue import CallQueue
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

LONG = 60  # seconds


class Gate:
    """`target`, closed until a test opens it; it remembers what was decided, in order."""

    def __init__(self) -> None:
        self.open, self.begun = threading.Event(), threading.Event()
        self.order: list[str] = []

    def __call__(self, one: Message, desk: Desk) -> Decisions:
        self.begun.set()
        assert self.open.wait(LONG)
        self.order.append(one.name)
        return target(one, desk)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    """The function that decides, closed."""
    gate = Gate()
    monkeypatch.setattr(call_queue, "target", gate)
    return gate


@pytest.fixture
def calls() -> Iterator[CallQueue]:
    """The queue of calls; ended after the test."""
    calls = CallQueue()
    yield calls
    calls.close()


@pytest.fixture
def grouped(tmp_path: Path) -> Iterator[Store]:
    """A store as a service opens it, whose writers share commits."""
    store = Store(f"sqlite:///{tmp_path / 'grouped.db'}", grouped=True)
    yield store
    store.close()


def heard(decisions: Future[Decisions]) -> Any:
    """What a caller gets, or its fault."""
    return decisions.exception(LONG) or decisions.result(LONG)


def at_once(calls: CallQueue, gate: Gate, desk: Desk, messages: list[Message]) -> list[Any]:
    """What each message gets, or its fault, where all but the first have come while the first is worked on."""
    futures = [calls.decide(messages[0], desk)]
    assert gate.begun.wait(LONG)
    futures += [calls.decide(one, desk) for one in messages[1:]]
    gate.open.set()
    return [heard(future) for future in futures]


def sent(number: int, minute: int = 0, **stated: Any) -> Message:
    lodged_at = NOON + timedelta(minutes=minute)
    return message(declared(number, lodged_at=lodged_at, **stated), message_id=f"M{number}")


def over(store: Store, desk: Desk, switch: LinkingSwitch | None = None) -> Desk:
    """The same desk over another store, linking where it has a switch."""
    journal = Journal(store, switch)
    parties = desk.parties if switch is None else StoredParties(store, switch)
    return replace(desk, parties=parties, journal=journal, history=journal.history)


def test_each_gets_its_own_decisions_and_they_are_given_again_alike(
    calls: CallQueue, gate: Gate, trained_desk: Desk, grouped: Store, tmp_path: Path, sealed_home: Path
) -> None:
    switch = LinkingSwitch(tmp_path / "linking.json")
    switch.turn_on("tests", "nobody here exists", NOON)
    messages = [sent(n, n, gross_mass_kg=float(n)) for n in range(1, 8)]
    messages.append(message(*(declared(n, lodged_at=NOON + timedelta(minutes=n)) for n in (8, 9)), message_id="M8"))
    answers = at_once(calls, gate, over(grouped, trained_desk, switch), messages)
    assert [[row["consignment_id"] for row in decided.rows] for decided in answers] == [
        *([f"HAWB{n:09d}"] for n in range(1, 8)), ["HAWB000000008", "HAWB000000009"],
    ]  # fmt: skip
    assert not any(decided.replayed for decided in answers)
    elsewhere = Store(f"sqlite:///{tmp_path / 'alone.db'}")
    alone = [target(one, over(elsewhere, trained_desk, switch)) for one in messages]
    same = ("decision_id", "data_problems")  # lanes follow what was on record when its turn came, which replay knows
    for decided, apart in zip(answers, alone, strict=True):
        assert [[row[name] for name in same] for row in decided.rows] == [
            [row[name] for name in same] for row in apart.rows
        ]
    with grouped.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(CALLS)).scalar_one() == len(messages)
    settings = Settings(home=sealed_home)
    assert all_replayed(grouped, Bundles(settings.bundles, settings.keys)) == 9
    elsewhere.close()


def test_what_is_wrong_with_one_message_is_no_business_of_the_others(
    calls: CallQueue, gate: Gate, desk: Desk, grouped: Store
) -> None:
    live = over(grouped, desk)
    target(sent(3), live)
    bad, changed = sent(4, gross_mass_kg="heavy"), sent(3, gross_mass_kg=99.0)
    answers = at_once(calls, gate, live, [sent(1), sent(2), bad, changed, sent(5)])
    assert [type(one) for one in answers] == [Decisions, Decisions, Refused, Conflict, Decisions]
    assert answers[3].consignment_ids == ["HAWB000000003"]
    with grouped.reading() as connection:
        on_record = set(connection.execute(sa.select(DECLARATIONS.c.consignment_id)).scalars())
    assert on_record == {f"HAWB{n:09d}" for n in (1, 2, 3, 5)}


def test_the_same_message_sent_twice_at_once_stands_on_record_once(
    calls: CallQueue, gate: Gate, desk: Desk, grouped: Store
) -> None:
    answers = at_once(calls, gate, over(grouped, desk), [sent(n) for n in (1, 2, 3, 2, 4, 1)])
    assert sum(decided.replayed for decided in answers) == 2
    for one, other in ((0, 5), (1, 3)):
        assert answers[one].replayed != answers[other].replayed
        assert answers[one].as_json() == answers[other].as_json()
    with grouped.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(DECLARATIONS)).scalar_one() == 4


def test_calls_are_decided_in_the_order_in_which_they_came(calls: CallQueue, gate: Gate, desk: Desk) -> None:
    messages = [sent(n) for n in range(1, 30)]
    at_once(calls, gate, desk, messages)
    assert gate.order == [one.name for one in messages]


def test_calls_are_decided_while_another_is_synced_and_share_the_next_commit(
    calls: CallQueue, desk: Desk, grouped: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncing, synced, commits = threading.Event(), threading.Event(), list[int]()
    transaction = grouped._writer._transaction  # type: ignore[union-attr]

    @contextmanager
    def slowly() -> Iterator[sa.Connection]:
        with transaction() as connection:
            yield connection
            syncing.set()
            assert synced.wait(LONG)
        commits.append(1)

    def in_slow_transaction() -> AbstractContextManager[sa.Connection]:
        return slowly()

    monkeypatch.setattr(grouped._writer, "_transaction", in_slow_transaction)
    live = over(grouped, desk)
    first = calls.decide(sent(1), live)
    assert syncing.wait(LONG)
    rest = [calls.decide(sent(n), live) for n in range(2, 8)]
    writer = grouped._writer
    assert writer is not None
    for _ in range(LONG * 1_000):  # until all of them were decided, and wait to be written
        if writer._waiting.qsize() == len(rest):
            break
        threading.Event().wait(0.001)
    assert not first.done()
    synced.set()
    assert [len(future.result(LONG).rows) for future in (first, *rest)] == [1] * 7
    assert len(commits) == 2


def test_a_fault_of_the_store_is_heard_by_all(
    calls: CallQueue, gate: Gate, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise sa.exc.OperationalError("BEGIN", {}, Exception("disk I/O error"))

    monkeypatch.setattr(Journal, "record", fails)
    answers = at_once(calls, gate, desk, [sent(1), sent(2), sent(3)])
    assert [type(one) for one in answers] == [sa.exc.OperationalError] * 3


def test_what_waits_is_decided_before_the_end(gate: Gate, desk: Desk) -> None:
    calls = CallQueue()
    waiting = [calls.decide(sent(1), desk)]
    assert gate.begun.wait(LONG)
    waiting += [calls.decide(sent(n), desk) for n in range(2, 80)]
    ending = threading.Thread(target=calls.close)
    ending.start()
    gate.open.set()
    assert [len(future.result(LONG).rows) for future in waiting] == [1] * len(waiting)
    ending.join(LONG)
    assert not ending.is_alive()


def test_a_caller_that_goes_away_does_not_take_its_message_with_it(gate: Gate, calls: CallQueue, desk: Desk) -> None:
    first = calls.decide(sent(1), desk)
    assert gate.begun.wait(LONG)
    gone = calls.decide(sent(2), desk)
    assert not gone.cancel()
    gate.open.set()
    assert [len(future.result(LONG).rows) for future in (first, gone)] == [1, 1]
