"""Tallies: what was given out is counted with the decisions themselves, and no two calls give the same check."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import polars as pl
import pytest

from features.algebra.tables import Table
from features.consignment import TIME
from features.moments import micros
from features.parties import Unlinked
from service.desk import Desk
from service.history.stored_history import StoredHistory
from service.journal import Journal
from service.orientation import load_policy
from service.orientation.columns import Known
from service.orientation.pacing import BANDS
from service.orientation.periods import CHECKS
from service.record.capacity_used import Overspent, Tallies, add, usual_of
from service.scoring import Model
from service.store.database import Store
from service.targeting import target
from tests.service.building import EVERYTHING_RED, NOON, consignments, declared, message
from tests.service.orientation.pacing_world import NO_PROBLEMS
from tests.service.record.tallies import as_counted, as_decided

HOUR = int(NOON.timestamp()) // 3600


def test_tallies_say_what_the_decisions_say(desk_with: Callable[[str], Desk]) -> None:
    desk = desk_with(EVERYTHING_RED)
    for number in range(8):
        target(message(declared(number), declared(100 + number, office=None), message_id=f"M{number}"), desk)
    target(message(declared(3), message_id="M3b"), desk)
    target(message(declared(3), declared(103, office=None), message_id="M3"), desk)  # a repetition counts nothing
    assert as_counted(desk.journal.store).equals(as_decided(desk.journal.store))
    assert as_counted(desk.journal.store)["seen"].sum() == 17


def test_calls_that_meet_never_give_more_than_there_is(model: Model, either_store: Store) -> None:
    """Eight callers at two desks on stores of their own: what one takes, the others do not give again."""
    stores = [either_store, *(Store(_address(either_store), folder=either_store.segments.folder) for _ in range(1))]
    policy = load_policy(EVERYTHING_RED)
    desks = [Desk(Unlinked(), StoredHistory(s), model, policy, Journal(s)) for s in stores]
    faults: list[BaseException] = []

    def call(caller: int) -> None:
        try:
            for number in range(4):
                one = declared(caller * 100 + number)
                target(message(one, message_id=f"M{caller}-{number}"), desks[caller % len(desks)])
        except BaseException as fault:  # noqa: BLE001 - told below
            faults.append(fault)

    callers = [threading.Thread(target=call, args=(caller,)) for caller in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    for store in stores[1:]:
        store.close()
    assert faults == []
    counted = as_counted(either_store)
    assert counted.equals(as_decided(either_store))
    able = policy.capacity.of("FRCDG1", "day")
    assert counted.select(CHECKS).sum().row(0) == tuple(getattr(able, kind) for kind in CHECKS)


def _address(store: Store) -> str:
    return store.engine.url.render_as_string(hide_password=False)


def test_what_another_call_has_taken_is_refused_and_nothing_is_written(desk_with: Callable[[str], Desk]) -> None:
    desk = desk_with(EVERYTHING_RED)
    one = desk.parties.link(consignments(message(declared(1))))
    rows, _ = desk.rows(one)
    late = desk.policy.orient(one, desk.model.score(rows), NO_PROBLEMS, desk.context(message(declared(1)), one))
    many = message(*(declared(10 + n) for n in range(5)), message_id="M9")
    target(many, desk)  # takes every physical check meanwhile
    with pytest.raises(Overspent, match="physical"):
        desk.journal.record(late, rows, one)
    assert as_counted(desk.journal.store).equals(as_decided(desk.journal.store))
    assert desk.journal.decisions_on("HAWB000000001") == []


def test_what_is_usual_is_learned_from_the_days_before_and_not_from_today(store: Store) -> None:
    def counted(hour: int, band: int, seen: int) -> dict[str, object]:
        return {"office": "A", "hour": hour, "band": band, "seen": seen, **dict.fromkeys(CHECKS, 0)}

    today = HOUR // 24
    rows = [counted((today - 1) * 24 + 8, 3, 30), counted((today - 2) * 24 + 8, 5, 10), counted(today * 24 + 9, 7, 99)]
    rows += [counted((today - 1) * 24 + 20, -1, 20), counted((today - 40) * 24, 1, 77)]
    store.write(lambda connection: add(connection, rows))
    with store.reading() as connection:
        usual = usual_of(connection, "A", today)
    came = [{hour: seen for hour, seen in enumerate(course) if seen} for course in usual.courses or ()]
    assert came == [{8: 10}, {8: 30, 20: 20}]
    mix = {band: share for band, share in enumerate(usual.shares or ()) if share}
    assert mix == {3: pytest.approx(30 / 35, abs=1e-8), 5: pytest.approx(5 / 35, abs=1e-8)}, "yesterday counts twice"
    with store.reading() as connection:
        unknown = usual_of(connection, "B", today)
    assert (unknown.courses, unknown.shares) == (None, None)


def test_a_shift_counts_its_own_hours_even_past_midnight(store: Store) -> None:
    midnight = NOON.replace(hour=0)
    first = int(midnight.timestamp()) // 3600
    rows = [
        {"office": "A", "hour": first + at, "band": at % BANDS, "seen": 1, **dict.fromkeys(CHECKS, 0), "scan": at + 10}
        for at in (-3, -2, 5, 6)
    ]
    store.write(lambda connection: add(connection, rows))
    hands = load_policy(SHIFTS).capacity
    moments = pl.Series([midnight + timedelta(hours=h) for h in (2, 7)], dtype=TIME)
    lodged = Table.of_frame(pl.DataFrame({"office": ["A", "A"], "lodged_at": moments}))
    spent = Tallies(store).spent(hands.periods(Known(lodged)))
    begins = [midnight - timedelta(hours=2), midnight + timedelta(hours=6)]
    assert [row.begins for row in spent] == [micros(moment) for moment in begins]
    assert [row.checks["scan"] for row in spent] == [8 + 15, 16]


SHIFTS = """
id = "shifts"
[shifts]
early = 6
late = 14
night = 22
[capacity.default]
physical = 1
documents = 1
audit = 0
expected = 10
[capacity.default.night]
physical = 0
scan = 2
[capacity.A]
documents = 5
[capacity.A.early]
documents = 9
"""


def test_each_shift_has_the_checks_that_are_stated_for_it() -> None:
    hands = load_policy(SHIFTS).capacity
    assert [hands.of("B", shift).physical for shift in ("early", "late", "night")] == [1, 1, 0]
    assert [hands.of("B", shift).scan for shift in ("early", "late", "night")] == [0, 0, 2]
    assert [hands.of("A", shift).documents for shift in ("early", "late", "night")] == [9, 5, 5]
    assert hands.of("A", "night").scan == 0, "an office that states its own is not the default"
