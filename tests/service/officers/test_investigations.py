"""Investigations: what belongs together, who does what, what was attached, and that the audit log vouches for it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from features.fault import Fault
from service.audit.erasure import erase
from service.audit.verify import verify_record
from service.desk import Desk
from service.officers import investigations as inquiry
from service.officers.investigations import Item, investigation_of, investigations, open_investigation
from service.record.ownership import INSTALLATION, Sender
from service.settings import Settings
from service.store.investigation_tables import DOCUMENTS, INVESTIGATION_ENTRIES
from service.targeting import target
from tests.service.building import NOON, declared, message

PARIS, LYON = Sender("ana", ("FRCDG1",)), Sender("bob", ("FRLYS1",))
LATER = NOON + timedelta(days=1)
ONE, TWO, OTHERS = "HAWB000000001", "HAWB000000002", "HAWB000000003"


@pytest.fixture
def number(desk: Desk) -> str:
    """An investigation into one consignment of Paris and a party; Lyon has lodged a consignment as well."""
    target(message(declared(1), declared(2), declared(3, office="FRLYS1")), desk)
    items = [Item("consignment", ONE), Item("party", "P-0123456789ABCDEF"), Item("consignment", ONE)]
    return open_investigation(desk.journal.store, "Stamps", items, PARIS, "ana", LATER)


def test_it_holds_what_came_in_each_once_until_it_is_taken_out(desk: Desk, number: str) -> None:
    store = desk.journal.store
    assert number == "I-2026-0001"
    assert (
        inquiry.add_items(store, number, [Item("consignment", TWO), Item("consignment", ONE)], PARIS, "ana", LATER) == 1
    )
    inquiry.leave_out(store, number, Item("consignment", ONE), PARIS, "ana", LATER)
    found = investigation_of(store, number, PARIS)
    assert found is not None
    assert (found.title, found.office, found.values("consignment")) == ("Stamps", "FRCDG1", [TWO])
    assert open_investigation(store, "Next", [], PARIS, "ana", LATER) == "I-2026-0002"
    with pytest.raises(Fault, match="not in this investigation"):
        inquiry.leave_out(store, number, Item("consignment", ONE), PARIS, "ana", LATER)


def test_nobody_sees_or_adds_what_is_of_another_office(desk: Desk, number: str) -> None:
    store = desk.journal.store
    assert investigation_of(store, number, LYON) is None
    assert investigations(store, LYON) == []
    assert [one.number for one in investigations(store, INSTALLATION)] == [number]
    with pytest.raises(Fault, match="no such investigation"):
        inquiry.note(store, number, "seen", LYON, "bob", LATER)
    for item in (Item("consignment", OTHERS), Item("consignment", "NOWHERE")):
        with pytest.raises(Fault, match="no such consignment is on record here"):
            inquiry.add_items(store, number, [item], PARIS, "ana", LATER)


def test_a_task_is_somebody_s_until_it_is_done(desk: Desk, number: str) -> None:
    store = desk.journal.store
    inquiry.give_task(store, number, "ask the platform", "bob", "2026-02-10", PARIS, "ana", LATER)
    (task,) = investigation_of(store, number, PARIS).tasks  # type: ignore[union-attr]
    assert (task.who, task.due, task.done) == ("bob", "2026-02-10", None)
    inquiry.finish_task(store, number, task.number, PARIS, "cleo", LATER)
    (task,) = investigation_of(store, number, PARIS).tasks  # type: ignore[union-attr]
    assert task.done == "cleo"
    with pytest.raises(Fault, match="none that is open"):
        inquiry.finish_task(store, number, task.number, PARIS, "ana", LATER)
    with pytest.raises(Fault, match="YYYY-MM-DD"):
        inquiry.give_task(store, number, "x", "bob", "soon", PARIS, "ana", LATER)
    with pytest.raises(Fault, match="1 to 4,000"):
        inquiry.note(store, number, "  ", PARIS, "ana", LATER)


def test_a_closed_one_takes_nothing_until_it_is_opened_again(desk: Desk, number: str) -> None:
    store = desk.journal.store
    inquiry.close(store, number, "handed to the prosecutor", PARIS, "ana", LATER)
    assert not investigation_of(store, number, PARIS).open  # type: ignore[union-attr]
    with pytest.raises(Fault, match="it is closed"):
        inquiry.note(store, number, "one more thing", PARIS, "ana", LATER)
    inquiry.note_hand_over(store, number, "0" * 64, "the prosecutor of Lille", PARIS, "ana", LATER)
    inquiry.reopen(store, number, "a further parcel", PARIS, "ana", LATER)
    inquiry.note(store, number, "one more thing", PARIS, "ana", LATER)
    with pytest.raises(Fault, match="it is open"):
        inquiry.reopen(store, number, "again", PARIS, "ana", LATER)


def test_a_document_is_vouched_for_by_its_hash(desk: Desk, number: str) -> None:
    store = desk.journal.store
    digest = inquiry.attach(store, number, "C:\\papers\\answer.pdf", "application/pdf", b"%PDF", PARIS, "ana", LATER)
    inquiry.attach(store, number, "the same.pdf", "application/pdf", b"%PDF", PARIS, "ana", LATER)
    first, second = investigation_of(store, number, PARIS).documents  # type: ignore[union-attr]
    assert (first.name, first.size, first.sha256, second.sha256) == ("answer.pdf", 4, digest, digest)
    assert inquiry.content_of(store, digest) == b"%PDF"
    with store.writing() as connection:
        connection.execute(sa.update(DOCUMENTS).values(content=b"%PDX"))
    assert inquiry.content_of(store, digest) is None
    with pytest.raises(Fault, match="6 MiB"):
        inquiry.attach(store, number, "big", "x", b"0" * (inquiry.LARGEST_DOCUMENT + 1), PARIS, "ana", LATER)


def test_a_changed_entry_is_found_and_an_erased_consignment_leaves_it(desk: Desk, number: str, home: Settings) -> None:
    store = desk.journal.store
    inquiry.note(store, number, "he sells stamps", PARIS, "ana", LATER)
    assert verify_record(store, home.checkpoints, home.keys).faults == []
    erase(store, [ONE], "dpo", "asked for", LATER)
    found = investigation_of(store, number, PARIS)
    assert found is not None
    assert found.values("consignment") == []
    assert found.values("party") == ["P-0123456789ABCDEF"]
    assert verify_record(store, home.checkpoints, home.keys).faults == []
    with store.writing() as connection:
        of_note = INVESTIGATION_ENTRIES.c.step == "note"
        connection.execute(sa.update(INVESTIGATION_ENTRIES).where(of_note).values(body={"text": "he sells watches"}))
    assert any("investigation" in fault for fault in verify_record(store, home.checkpoints, home.keys).faults)
