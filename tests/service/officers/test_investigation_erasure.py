"""Investigations end: closed ones by age, and what one says of a person when that person is erased."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from features.fault import Fault
from service.audit.persons import on_record
from service.audit.verify import verify_record
from service.desk import Desk
from service.officers import investigations as inquiry
from service.officers.investigation_erasure import due_investigations, erase_entries, erase_investigation
from service.officers.investigations import Item, investigation_of, open_investigation
from service.record.ownership import INSTALLATION, Sender
from service.settings import Settings
from service.store.investigation_tables import DOCUMENTS, INVESTIGATION_ENTRIES
from service.targeting import target
from tests.service.building import NOON, declared, message

PARIS = Sender("ana", ("FRCDG1",))
LATER, KEPT = NOON + timedelta(days=1), timedelta(days=100)
KEVIN = {
    "name": "Kévin Lemaire", "address": "12 rue des Lilas", "city": "Roubaix", "postcode": "59100", "country": "FR",
    "phone": "+33 6 12 34 56 78", "email": "kevin@mail.example",
}  # fmt: skip
ASKED = {name: KEVIN[name] for name in ("name", "phone", "country", "email")}


def opened(desk: Desk, title: str, *items: Item) -> str:
    return open_investigation(desk.journal.store, title, items, PARIS, "ana", LATER)


def said(desk: Desk, number: str) -> list[str]:
    found = investigation_of(desk.journal.store, number, INSTALLATION)
    return [] if found is None else [row["body"].get("text") or row["body"].get("value", "") for row in found.entries]


def documents(desk: Desk) -> set[str]:
    with desk.journal.store.reading() as connection:
        return set(connection.execute(sa.select(DOCUMENTS.c.sha256)).scalars())


def test_only_closed_ones_are_over_and_their_time_runs_from_the_last_entry(desk: Desk) -> None:
    store, (still, over) = desk.journal.store, (opened(desk, "open"), opened(desk, "closed"))
    inquiry.close(store, over, "nothing came of it", PARIS, "ana", LATER + timedelta(days=5))
    assert due_investigations(store, KEPT, LATER + timedelta(days=104)) == []
    assert due_investigations(store, KEPT, LATER + timedelta(days=106)) == [over]
    inquiry.note_hand_over(store, over, "0" * 64, "the prosecutor", PARIS, "ana", LATER + timedelta(days=50))
    assert due_investigations(store, KEPT, LATER + timedelta(days=106)) == []
    assert still not in due_investigations(store, KEPT, LATER + timedelta(days=9_000))


def test_an_erased_one_is_gone_with_everything_attached_and_the_log_is_whole(desk: Desk, home: Settings) -> None:
    store, (one, other) = desk.journal.store, (opened(desk, "first"), opened(desk, "second"))
    alone = inquiry.attach(store, one, "a.pdf", "application/pdf", b"alone", PARIS, "ana", LATER)
    shared = inquiry.attach(store, one, "b.pdf", "application/pdf", b"shared", PARIS, "ana", LATER)
    inquiry.attach(store, other, "b.pdf", "application/pdf", b"shared", PARIS, "ana", LATER)
    assert documents(desk) == {alone, shared}
    assert erase_investigation(store, one, "dpo", "retention", LATER) == 3
    assert investigation_of(store, one, INSTALLATION) is None
    assert documents(desk) == {shared}
    with store.reading() as connection:
        of_it = INVESTIGATION_ENTRIES.c.investigation == one
        left = connection.execute(sa.select(INVESTIGATION_ENTRIES).where(of_it)).mappings().all()
    assert {(row["officer"], str(row["body"]), row["salt"]) for row in left} == {("", "{}", None)}
    assert verify_record(store, home.checkpoints, home.keys).faults == []
    assert opened(desk, "third") == "I-2026-0003", "a number is given once"
    assert erase_investigation(store, one, "dpo", "again", LATER) == 0


def test_an_erasure_needs_a_name_and_a_reason(desk: Desk) -> None:
    number = opened(desk, "first")
    with pytest.raises(Fault, match="a name and a reason"):
        erase_investigation(desk.journal.store, number, "dpo", " ", LATER)


def test_a_person_is_answered_by_what_investigations_say_of_it_and_no_namesake_is(desk: Desk) -> None:
    target(message(declared(1, consignee=KEVIN), declared(2)), desk)
    store = desk.journal.store
    his = opened(desk, "stock", Item("consignment", "HAWB000000001"), Item("key", "06 12 34 56 78"))
    for text in ("Kevin LEMAIRE was seen at the shop", "writes as KEVIN@mail.example", "the platform answered"):
        inquiry.note(store, his, text, PARIS, "ana", LATER)
    inquiry.attach(store, his, "answer.pdf", "application/pdf", b"%PDF", PARIS, "ana", LATER)
    namesake = opened(desk, "another", Item("consignment", "HAWB000000002"))
    inquiry.note(store, namesake, "Kevin Lemaire of Lyon, +33 6 99 99 99 99", PARIS, "ana", LATER)
    found = on_record(store, ASKED)
    assert (found.investigations, len(found.entries), found.documents) == ([his], 4, 1)


def test_the_person_s_entries_go_and_the_rest_stays(desk: Desk, home: Settings) -> None:
    target(message(declared(1, consignee=KEVIN)), desk)
    store = desk.journal.store
    his = opened(desk, "stock", Item("consignment", "HAWB000000001"), Item("key", "kevin@mail.example\x1fmailbox"))
    inquiry.note(store, his, "call 0612345678 again", PARIS, "ana", LATER)
    inquiry.note(store, his, "the platform answered", PARIS, "ana", LATER)
    assert erase_entries(store, on_record(store, ASKED).entries, "dpo", "asked for", LATER) == 3
    assert said(desk, his) == ["", "the platform answered"]
    assert on_record(store, ASKED).investigations == []
    assert verify_record(store, home.checkpoints, home.keys).faults == []
