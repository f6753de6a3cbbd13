"""What is settled in files and asks for information waits on the work list as it would in rows, until it is touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.audit.erasure import erase
from service.audit.verify import verify_record
from service.desk import Desk
from service.officers.assignments import take
from service.officers.overrides import override_lane
from service.officers.queue import days_shown, queue
from service.officers.work_list import Asked, Order, counted, listed, numbers
from service.scoring import Model
from service.store.record_tables import RECORD_WORK
from service.store.settled_rows import is_settled
from service.targeting import target
from tests.service.building import NOON, outcome, results
from tests.service.quick import desk_of
from tests.service.settled.messages import large, number, store_in_rows, store_with_files

OFFICE, DAY = "FRCDG1", NOON.date()
ASKS = 102  # a consignment of which information is asked for
WORK = Asked(OFFICE, "pre_arrival", DAY, DAY)


@pytest.fixture
def desks(model: Model, tmp_path: Path) -> Iterator[tuple[Desk, Desk]]:
    """Two desks that were sent the same: one settles in files, one keeps rows."""
    stores = store_with_files(tmp_path), store_in_rows(tmp_path)
    both = desk_of(stores[0], model), desk_of(stores[1], model)
    for desk in both:
        target(large(), desk)
        target(large(101, "M2"), desk)
        take(desk.journal.store, number(ASKS + 3), "ana", NOON)
    yield both
    for store in stores:
        store.close()


def work(desk: Desk) -> int:
    """Count the rows that say what of files waits."""
    with desk.journal.store.reading() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(RECORD_WORK)).scalar_one())


def test_a_list_shows_the_same_of_both(desks: tuple[Desk, Desk]) -> None:
    assert work(desks[0]) > 5
    assert work(desks[1]) == 0
    files, rows = (desk.journal.store for desk in desks)
    shown = queue(files, OFFICE, "pre_arrival", DAY)
    assert shown == queue(rows, OFFICE, "pre_arrival", DAY)
    assert number(ASKS) in {one["consignment_id"] for one in shown}
    for lane in ("green", "red"):
        assert queue(files, OFFICE, "pre_arrival", DAY, clearance=lane) == queue(
            rows, OFFICE, "pre_arrival", DAY, clearance=lane
        )
    assert days_shown(files, OFFICE, "pre_arrival", DAY) == days_shown(rows, OFFICE, "pre_arrival", DAY)
    assert queue(files, "FRORY1", "pre_arrival", DAY) == []


@pytest.mark.parametrize("order", ["risk", "lodged", "lane", "number"])
def test_a_list_is_arranged_the_same(desks: tuple[Desk, Desk], order: Order) -> None:
    files, rows = (desk.journal.store for desk in desks)
    for asked in (
        WORK,
        Asked(OFFICE, "pre_arrival", DAY, DAY, order=order, descending=False),
        Asked(OFFICE, "pre_arrival", DAY, DAY, order=order, lane="green", least_risk=0.01),
        Asked(OFFICE, "pre_arrival", DAY, DAY, order=order, holder="me", me="ana"),
        Asked(OFFICE, "pre_arrival", DAY, DAY, order=order, holder="nobody", networked=True),
    ):
        assert listed(files, asked, 50) == listed(rows, asked, 50)
        assert listed(files, asked, 3, beyond=2) == listed(rows, asked, 3, beyond=2)
        assert numbers(files, asked, 4) == numbers(rows, asked, 4)
        assert counted(files, asked) == counted(rows, asked)
    (hers,) = listed(files, Asked(OFFICE, "pre_arrival", DAY, DAY, holder="me", me="ana"), 5)
    assert hers["consignment_id"] == number(ASKS + 3)


def test_what_is_touched_waits_as_a_row(desks: tuple[Desk, Desk], tmp_path: Path) -> None:
    before = work(desks[0])
    for desk in desks:
        store = desk.journal.store
        desk.journal.learn(results(outcome(ASKS)))
        (decision,) = desk.journal.decisions_on(number(ASKS + 3))
        override_lane(store, decision["decision_id"], "red", "ana", "a tip", NOON, number(ASKS + 3))
        erase(store, [number(ASKS + 6)], "ana", "asked for", NOON)
    files, rows = (desk.journal.store for desk in desks)
    assert work(desks[0]) == before - 3
    with files.reading() as connection:
        assert not is_settled(connection, [number(ASKS), number(ASKS + 3), number(ASKS + 6)])
    shown = queue(files, OFFICE, "pre_arrival", DAY)
    assert shown == queue(rows, OFFICE, "pre_arrival", DAY)
    assert {one["consignment_id"] for one in shown}.isdisjoint({number(ASKS), number(ASKS + 6)})
    assert counted(files, WORK) == counted(rows, WORK)
    assert counted(files, WORK)["red"] == counted(rows, WORK)["red"] > 0
    assert verify_record(files, tmp_path / "checkpoints", tmp_path / "keys").faults == []


def test_work_that_was_taken_away_is_named(desks: tuple[Desk, Desk], tmp_path: Path) -> None:
    store = desks[0].journal.store
    with store.engine.begin() as connection:
        connection.execute(sa.delete(RECORD_WORK).where(RECORD_WORK.c.consignment_id == number(ASKS)))
    assert any("record_work" in fault for fault in verify_record(store, tmp_path / "c", tmp_path / "keys").faults)
