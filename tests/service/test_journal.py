"""The journal: everything of a message or nothing of it, once, whoever sends it how often."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from features.consignment import Consignments
from features.history.facts import OUTCOME_FACTS
from features.moments import micros
from service.history.stored_history import StoredHistory
from service.journal import Received
from service.orientation.columns import Known
from service.orientation.periods import CHECKS, Spent
from service.record.consignment_versions import Conflict
from service.store.database import Store
from service.store.tables import DECISIONS, DECLARATIONS, OUTCOMES, RUNNING
from service.targeting import Desk, target
from tests.service.building import EVERYTHING_RED, NOON, consignments, declared, message, outcome, results


def held(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Everything on record, table by table."""
    with store.reading() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
            for table in (RUNNING, DECLARATIONS, DECISIONS, OUTCOMES)
        }


def counted(store: Store, fact: str) -> set[int]:
    """The last running total of a fact, of each entity that has one."""
    last = StoredHistory(store).running().group_by("entity").agg(pl.col(fact).last())[fact]
    return set(last) if fact in OUTCOME_FACTS else set(last) - {0}


def test_the_same_message_again_gets_the_stored_decisions_and_counts_once(desk: Desk, store: Store) -> None:
    first = target(message(declared(1), declared(2)), desk)
    before = held(store)
    again = target(message(declared(1), declared(2), received_at=NOON + timedelta(days=9)), desk)
    assert (first.replayed, again.replayed) == (False, True)
    assert again.as_json() == first.as_json()
    assert held(store) == before
    assert counted(store, "consignments") == {2}


def test_another_policy_does_not_change_what_was_decided(
    desk: Desk, desk_with: Callable[[str], Desk], store: Store
) -> None:
    first = target(message(declared(1)), desk)
    again = target(message(declared(1)), desk_with(EVERYTHING_RED))
    assert again.as_json() == first.as_json()
    assert again.as_json()[0]["policy_id"] != "all-red"


def test_changed_content_is_a_conflict_and_nothing_is_written(desk: Desk, store: Store) -> None:
    target(message(declared(1), declared(2)), desk)
    before = held(store)
    with pytest.raises(Conflict) as caught:
        target(message(declared(3), declared(1, gross_mass_kg=9.0), declared(2)), desk)
    assert caught.value.consignment_ids == ["HAWB000000001"]
    assert "HAWB" not in str(caught.value)
    assert held(store) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"office": "FRMRS1"},
        {"lodged_at": NOON + timedelta(microseconds=1)},
        {"goods": [{**declared()["goods"][0], "value": 30.01}]},
        {"goods": declared()["goods"] + [{"line_no": 2, "description": "socks"}]},
        {"consignee": {}},
        {"extra": {"colour": "red"}},
    ],
)
def test_any_changed_field_is_another_content(desk: Desk, changes: dict[str, Any]) -> None:
    target(message(declared(1)), desk)
    with pytest.raises(Conflict):
        target(message(declared(1, **changes)), desk)


def test_a_message_with_old_and_new_consignments_keeps_the_old_and_decides_the_new(desk: Desk, store: Store) -> None:
    first = target(message(declared(1)), desk)
    mixed = target(message(declared(2), declared(1), received_at=NOON + timedelta(hours=1)), desk)
    assert not mixed.replayed
    assert mixed.as_json()[1] == first.as_json()[0]
    assert [d["consignment_id"] for d in mixed.as_json()] == ["HAWB000000002", "HAWB000000001"]
    assert mixed.as_json()[0]["decided_at"] > mixed.as_json()[1]["decided_at"]
    assert counted(store, "consignments") == {2}
    assert len(held(store)["decisions"]) == 2


def test_an_amendment_is_a_decision_of_its_own_and_counts_no_second_consignment(desk: Desk, store: Store) -> None:
    target(message(declared(1), message_id="A"), desk)
    later = NOON + timedelta(hours=2)
    target(message(declared(1, version=2, lodged_at=later, gross_mass_kg=3.0), message_id="B", received_at=later), desk)
    assert counted(store, "consignments") == {1}
    versions = [decision["version"] for decision in desk.journal.decisions_on("HAWB000000001")]
    assert versions == [2, 1]


def test_the_row_as_scored_is_kept_beside_the_decision(desk: Desk, store: Store) -> None:
    target(message(declared(1)), desk)
    with store.reading() as connection:
        row = connection.execute(sa.select(DECISIONS.c.row_as_scored)).scalar_one()
    assert set(row) == {item.name for item in desk.model.inputs}
    assert (row["gross_mass_kg"], row["pieces"], row["stream"]) == (1.5, 2.0, "express")


def test_outcomes_count_once_however_often_they_come(desk: Desk, store: Store) -> None:
    target(message(declared(1)), desk)
    learned = desk.journal.learn(results(outcome(1), outcome(1)))
    assert learned == Received(recorded=1, repeated=1, unknown=0)
    assert desk.journal.learn(results(outcome(1))) == Received(recorded=0, repeated=1, unknown=0)
    assert counted(store, "hits") == {1}
    assert counted(store, "inspected") == {1}
    more = desk.journal.learn(results(outcome(1, known_at=NOON + timedelta(days=2), result="compliant", findings=None)))
    assert more == Received(recorded=1, repeated=0, unknown=0, superseding=1)
    assert counted(store, "inspected") == {2}
    assert counted(store, "hits") == {1}


def test_what_was_not_presented_is_no_inspection_and_inconclusive_is_nothing(desk: Desk, store: Store) -> None:
    target(message(declared(1)), desk)
    desk.journal.learn(results(outcome(1, result="not_presented"), outcome(1, result="inconclusive")))
    assert counted(store, "inspected") == {0}
    assert counted(store, "not_presented") == {1}
    assert len(held(store)["outcomes"]) == 2


def test_an_outcome_of_an_unknown_consignment_is_kept_and_named(desk: Desk, store: Store) -> None:
    assert desk.journal.learn(results(outcome(77))) == Received(recorded=1, repeated=0, unknown=1)
    assert held(store)["running"] == []
    assert len(held(store)["outcomes"]) == 1


def test_an_outcome_that_came_before_its_consignment_counts_once_it_is_there(desk: Desk, store: Store) -> None:
    desk.journal.learn(results(outcome(1)))
    target(message(declared(1)), desk)
    desk.journal.learn(results(outcome(1)))
    assert counted(store, "hits") == {1}


def test_what_was_remembered_and_then_decided_counts_once(desk: Desk, store: Store) -> None:
    assert desk.journal.remember(consignments(message(declared(1), declared(2)))) == 2
    assert desk.journal.remember(consignments(message(declared(1), declared(2)))) == 0
    assert desk.journal.decisions_on("HAWB000000001") == []
    before = held(store)["running"]
    decided = target(message(declared(1), declared(2)), desk)
    assert not decided.replayed
    assert held(store)["running"] == before
    assert len(held(store)["declarations"]) == 2
    assert target(message(declared(1), declared(2)), desk).replayed


def test_what_was_decided_is_not_remembered_again(desk: Desk, store: Store) -> None:
    target(message(declared(1)), desk)
    before = held(store)
    assert desk.journal.remember(consignments(message(declared(1)))) == 0
    assert held(store) == before
    with pytest.raises(Conflict):
        desk.journal.remember(consignments(message(declared(1, gross_mass_kg=9.0))))


def test_spent_counts_the_checks_of_the_office_and_the_day(desk_with: Callable[[str], Desk]) -> None:
    desk = desk_with(EVERYTHING_RED)

    def spent_by(declared_today: Consignments) -> list[Spent]:
        return desk.journal.spent(desk.policy.capacity.periods(Known(declared_today.declared)))

    [nothing] = spent_by(consignments(message(declared(1))))
    assert nothing.checks == dict.fromkeys(CHECKS, 0)
    tomorrow = NOON + timedelta(days=1)
    target(message(*(declared(i) for i in range(5))), desk)
    target(message(declared(11, office="FRMRS1"), declared(12, office=None), declared(13, lodged_at=tomorrow)), desk)
    here = consignments(message(declared(21), declared(22, lodged_at=tomorrow), declared(23, office="elsewhere")))
    midnight, next_one = micros(NOON.replace(hour=0)), micros(tomorrow.replace(hour=0))
    kinds = ("physical", "documents", "audit")
    assert [(row.office, row.begins, *(row.checks[kind] for kind in kinds)) for row in spent_by(here)] == [
        ("FRCDG1", midnight, 2, 1, 1), ("FRCDG1", next_one, 1, 0, 0), ("elsewhere", midnight, 0, 0, 0),
    ]  # fmt: skip
    [nowhere] = spent_by(consignments(message(declared(24, office=None))))
    assert (nowhere.office, nowhere.begins, nowhere.checks["physical"]) == ("unknown", midnight, 1)


def test_calls_of_one_day_share_its_checks(desk_with: Callable[[str], Desk]) -> None:
    desk = desk_with(EVERYTHING_RED)
    sent = [target(message(declared(i), message_id=f"M{i}"), desk).as_json()[0] for i in range(6)]
    assert [decision["clearance"] for decision in sent] == ["red", "red", "yellow", "blue", "green", "green"]
    assert [[r["code"] for r in d["reasons"] if r["code"] == "capacity"] for d in sent[1:3]] == [[], ["capacity"]]


def test_what_came_by_a_call_waits_for_the_archive_until_it_is_marked(desk: Desk) -> None:
    target(message(declared(1)), desk)
    desk.journal.remember(consignments(message(declared(2))))  # the archive keeps it already
    desk.journal.learn(results(outcome(1)))
    (waiting,), found = list(desk.journal.unarchived()), desk.journal.outcomes_unarchived()
    assert [body["consignment_id"] for body in waiting] == ["HAWB000000001"]
    assert [body["consignment_id"] for body in found] == ["HAWB000000001"]
    assert waiting[0]["goods"][0]["description"] == "running shoes"
    desk.journal.mark_outcomes_archived(found)
    assert not list(desk.journal.unarchived())
    assert not desk.journal.outcomes_unarchived()


def test_a_fault_in_the_middle_of_writing_leaves_nothing_behind(desk: Desk, store: Store) -> None:
    refuse = "CREATE TRIGGER full BEFORE INSERT ON decisions BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    with store.writing() as connection:
        connection.exec_driver_sql(refuse)
    with pytest.raises(sa.exc.DBAPIError):
        target(message(declared(1)), desk)
    assert all(not rows for rows in held(store).values())
    with store.writing() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    assert not target(message(declared(1)), desk).replayed
    assert counted(store, "consignments") == {1}
