"""What a version of a list matches before it counts, on which side; and which reports speak of the same thing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from features.moments import micros
from service.desk import Desk
from service.journal import Journal
from service.parties.linking_switch import LinkingSwitch
from service.parties.list_matches import matches_of
from service.parties.report_clusters import clusters_of
from service.parties.stored_parties import StoredParties
from service.parties.watch_lists import decide, import_list
from service.store.database import Store
from service.targeting import target
from tests.service.building import NOON, declared, message

AT = micros(NOON) + 3_600_000_000
SINCE = NOON - timedelta(days=14)
STAMPS = b"id,name,phone,country,account\n1,Jean Timbre,+33639987711,FR,timbres_pas_chers_75\n"
PRINTER = {"name": "Dongguan Label Print", "address": "8 Print Road", "city": "Dongguan", "country": "CN",
           "email": "labels77x@print.example"}  # fmt: skip
SELLER = {"name": "Jean Timbre", "address": "7 rue Crébillon", "city": "Nantes", "postcode": "44000", "country": "FR",
          "phone": "+33 6 39 98 77 11"}  # fmt: skip


@pytest.fixture
def live(desk: Desk, store: Store, tmp_path: Path) -> Desk:
    """A desk that links senders, on which the printer, a second one and a stranger have lodged."""
    switch = LinkingSwitch(tmp_path / "linking.json")
    switch.turn_on("tests", "nobody here exists", NOON)
    opened = replace(desk, parties=StoredParties(store, switch), journal=Journal(store, switch))
    target(message(
        declared(1, consignor=PRINTER, platform="ebay", seller_account="timbres_pas_chers_75"),
        declared(2, consignor=PRINTER | {"name": "Label & Print DG", "address": "15 Harbour Street"}),
        declared(3, consignor={"name": "Foshan Paper", "country": "CN"}, consignee=SELLER),
        declared(4, consignor={"name": "Stranger Ltd", "country": "CN", "phone": "+86 20 3333 4444"}),
    ), opened)  # fmt: skip
    return opened


def test_a_version_that_waits_says_what_it_would_match_and_on_which_side(live: Desk, store: Store) -> None:
    done = import_list(store, "stamps", STAMPS, source="t", by="ada", at=AT, second_person=True)
    assert done.status == "waiting"
    before = matches_of(store, "stamps", 1, SINCE)
    assert before is not None
    assert before.sides == {
        "HAWB000000001": ("consignor",), "HAWB000000002": ("consignor",), "HAWB000000003": ("consignee",)
    }  # fmt: skip
    assert (before.compared, before.subjects) == (1, 1)
    decide(store, "stamps", by="bob", at=AT, activate=True)
    assert matches_of(store, "stamps", 1, SINCE) == before
    assert matches_of(store, "stamps", 1, NOON + timedelta(hours=2)).sides == {}  # type: ignore[union-attr]
    assert matches_of(store, "stamps", 2, SINCE) is None


def test_the_telephone_of_a_sender_makes_nobody_an_addressee(live: Desk, store: Store) -> None:
    """Search finds by a key whoever states it; on the page of a list each side is shown as what it is."""
    import_list(store, "dials", b"id,phone,country\n1,+862033334444,CN\n", source="t", by="ada", at=AT)
    found = matches_of(store, "dials", 1, SINCE)
    assert found is not None
    assert found.sides == {"HAWB000000004": ("consignor",)}


def test_the_same_bytes_wait_for_nobody(live: Desk, store: Store) -> None:
    import_list(store, "stamps", STAMPS, source="t", by="ada", at=AT, second_person=True)
    decide(store, "stamps", by="bob", at=AT, activate=True)
    assert import_list(store, "stamps", STAMPS, source="t", by="ada", at=AT + 1, second_person=True).status == "active"


def test_reports_of_one_shop_or_of_one_brand_in_like_words_are_one_cluster(store: Store) -> None:
    public = (
        b"report_id,email,url,brand,product\n"
        b"1,seller1x@shop.example,best-kicks.example,Sole,air runner shoes\n"
        b"2,,best-kicks.example,,\n"
        b"3,other77z@shop.example,,SOLE,shoes air runner white\n"
        b"4,third88k@shop.example,,Sole,leather belt\n"
        b"5,fourth9q@shop.example,,Other,air runner shoes\n"
    )
    import_list(store, "public", public, source="t", by="ada", at=AT, reports=True)
    (cluster,) = clusters_of(store)
    assert cluster.size == 3
    assert cluster.brands == ("Sole", "SOLE")
    assert cluster.ties == ("brand", "shop")
    assert "air runner" in cluster.label


def test_three_reports_raise_all_that_the_network_lodged_lately(live: Desk, store: Store) -> None:
    """Not the parcel alone that a report names: the same seller under another name, too."""
    woken = [
        import_list(
            store, f"public-{n}", f"report_id,account\n{n},timbres_pas_chers_75\n".encode(), source="t", by="ada",
            at=AT + n, reports=True,
        ).woken
        for n in range(3)
    ]  # fmt: skip
    assert woken == [0, 0, 2]
