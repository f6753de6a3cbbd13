"""Test purchases: the shop's other parcels follow, the name that was used is nobody's, and all of it is on record."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from features.fault import Fault
from features.moments import micros
from service.audit.erasure import erase
from service.audit.retention import due_purchases
from service.audit.timeline import timeline
from service.audit.verify import verify_record
from service.desk import Desk
from service.journal import Journal
from service.officers import purchases as bought
from service.officers.purchases import Order, Purchase
from service.parties.linking_switch import LinkingSwitch
from service.parties.stored_parties import StoredParties
from service.parties.watch_lists import import_list, overview
from service.store.database import Store
from service.store.purchase_tables import ALIAS_VALUES, PURCHASE_NOTES
from service.store.tables import ADDRESSEE_CARDS
from service.targeting import target
from tests.service.building import NOON, declared, message

LATER = NOON + timedelta(days=2)
SELLER = {
    "name": "Copy Works",
    "address": "7 Futian Road",
    "city": "Yiwu",
    "country": "CN",
    "phone": "+86 138 1234 5678",
}
ALIAS = {
    "name": "Anne Leroy", "address": "4 rue du Bac", "city": "Lyon", "postcode": "69001", "country": "FR",
    "phone": "+33 6 99 88 77 66",
}  # fmt: skip
CLIENT = {**ALIAS, "name": "Marc Petit", "phone": "+33 6 11 22 33 44", "address": "19 rue Neuve"}
FIRST, OTHER = "HAWB000000001", "HAWB000000002"


@pytest.fixture
def live(desk: Desk, tmp_path: Path) -> Desk:
    """A desk that links senders and addressees."""
    switches = LinkingSwitch(tmp_path / "linking.json"), LinkingSwitch(tmp_path / "addressees.json")
    for switch in switches:
        switch.turn_on("tests", "nobody here exists", NOON)
    store = desk.journal.store
    journal = Journal(store, *switches)
    return replace(desk, parties=StoredParties(store, *switches), journal=journal, history=journal.history)


def ordered(store: Store, office: str = "FRCDG1") -> Purchase:
    shop = {"url": "https://copy-works.shop", "email": "boss@copy-works.shop"}
    return bought.order(store, Order(shop, "bag", ALIAS, office, "o-7", NOON - timedelta(days=3)))


def lodged(live: Desk, number: int, consignee: dict[str, str], **changes: Any) -> dict[str, Any]:
    sent = declared(number, consignor=SELLER, consignee=consignee, **changes)
    (row,) = target(message(sent, message_id=f"M{number}"), live).rows
    return dict(row)


def codes(decision: dict[str, Any]) -> list[str]:
    return [reason["code"] for reason in decision["reasons"] if reason["code"].startswith("list.")]


def faults(store: Store, folder: Path) -> list[str]:
    return verify_record(store, folder / "checkpoints", folder / "keys").faults


def test_the_shops_other_parcels_follow_a_finding(live: Desk, tmp_path: Path) -> None:
    store = live.journal.store
    purchase = ordered(store)
    lodged(live, 1, ALIAS)
    lodged(live, 2, CLIENT)
    assert bought.candidates(store, purchase) == [FIRST]
    bought.expect(store, purchase.purchase_id, "LX123456785CN", NOON, "o-7")
    bought.arrive(store, purchase.purchase_id, FIRST, LATER, "o-7")
    done = bought.examine(store, purchase.purchase_id, "non_compliant", ["counterfeit"], LATER, "o-7")
    assert (done.consignment_id, done.result, done.findings) == (FIRST, "non_compliant", ("counterfeit",))
    assert [(row["list_id"], row["status"]) for row in overview(store)] == [(bought.LIST, "active")]
    after = lodged(live, 3, CLIENT | {"name": "Luc Blanc"}, lodged_at=LATER + timedelta(days=1))
    assert [code for code in codes(after) if not code.startswith("list.consignee")] != [], "the list names the sender"
    assert bought.LIST in str(after["reasons"])
    assert faults(store, tmp_path) == []


def test_the_name_that_was_used_is_on_no_list_and_in_no_network(live: Desk) -> None:
    store = live.journal.store
    stated = f"name,phone,address,country\n{ALIAS['name']},{ALIAS['phone']},4 rue du Bac 69001 Lyon,FR\n".encode()
    import_list(store, "dossier", stated, source="t", by="ana", at=micros(NOON - timedelta(days=5)))
    assert codes(lodged(live, 1, ALIAS)) == ["list.consignee"], (
        "before the order it is anybody's name, and the list hits"
    )
    with store.reading() as connection:
        cards = set(connection.execute(sa.select(ADDRESSEE_CARDS.c.entity)).scalars())
    ordered(store)
    assert codes(lodged(live, 2, ALIAS | {"address": "9 quai Perrache"})) == []
    with store.reading() as connection:
        assert set(connection.execute(sa.select(ADDRESSEE_CARDS.c.entity)).scalars()) == cards


def test_the_name_is_shown_to_whoever_ordered_alone(live: Desk) -> None:
    store = live.journal.store
    purchase = ordered(store)
    assert purchase.shown_to("o-7")["alias"] == ALIAS
    assert purchase.shown_to("ana")["alias"] == bought.PROTECTED
    lodged(live, 1, CLIENT)
    bought.arrive(store, purchase.purchase_id, FIRST, LATER, "o-7")
    assert ALIAS["name"] not in repr(timeline(store, FIRST))
    assert "Achat test" in repr(timeline(store, FIRST))


def test_what_is_another_offices_is_neither_shown_nor_changed(live: Desk) -> None:
    store = live.journal.store
    number = ordered(store, "FRLYS1").purchase_id
    assert bought.purchases(store, ("FRCDG1",)) == []
    with pytest.raises(Fault, match="no test purchase of your offices"):
        bought.close(store, number, LATER, "o-7", ("FRCDG1",))


def test_steps_that_cannot_be_are_refused(live: Desk) -> None:
    store = live.journal.store
    number = ordered(store).purchase_id
    with pytest.raises(Fault, match="no parcel of this purchase has come"):
        bought.examine(store, number, "non_compliant", ["counterfeit"], LATER, "o-7")
    with pytest.raises(Fault, match="on record"):
        bought.arrive(store, number, "NOWHERE", LATER, "o-7")
    with pytest.raises(Fault, match="earlier than the order"):
        bought.close(store, number, NOON - timedelta(days=9), "o-7")
    bought.close(store, number, LATER, "o-7")
    with pytest.raises(Fault, match="closed"):
        bought.expect(store, number, "X", LATER, "o-7")


def test_erasure_takes_note_alias_and_list_and_the_log_still_holds(live: Desk, tmp_path: Path) -> None:
    store = live.journal.store
    number = ordered(store).purchase_id
    lodged(live, 1, ALIAS)
    bought.arrive(store, number, FIRST, LATER, "o-7")
    bought.examine(store, number, "non_compliant", ["counterfeit"], LATER, "o-7")
    assert bought.erase_purchase(store, number, "ana", "asked for", LATER + timedelta(days=1)) == 3
    with store.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(ALIAS_VALUES)).scalar_one() == 0
        assert set(connection.execute(sa.select(PURCHASE_NOTES.c.salt)).scalars()) == {None}
    assert [row["status"] for row in overview(store)] == ["expired"]
    assert bought.purchases(store) == []
    assert faults(store, tmp_path) == []


def test_the_parcels_erasure_takes_its_note(live: Desk, tmp_path: Path) -> None:
    store = live.journal.store
    number = ordered(store).purchase_id
    lodged(live, 1, ALIAS)
    bought.arrive(store, number, FIRST, LATER, "o-7")
    erase(store, [FIRST], "ana", "asked for", LATER)
    (purchase,) = bought.purchases(store)
    assert purchase.consignment_id is None
    assert faults(store, tmp_path) == []


def test_a_purchase_is_kept_as_a_file_of_its_finding(live: Desk) -> None:
    store = live.journal.store
    number = ordered(store).purchase_id
    kept: dict[Any, timedelta] = {
        "compliant": timedelta(days=30), "non_compliant": timedelta(days=90), "not_inspected": timedelta(days=10),
    }  # fmt: skip
    assert due_purchases(store, kept, NOON) == []
    assert due_purchases(store, kept, NOON + timedelta(days=20)) == [number]
