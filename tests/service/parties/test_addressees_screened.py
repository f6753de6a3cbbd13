"""Addressees on watch lists: who is asked for with list and side named, and whom no list of another touches."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from features.moments import micros
from service.access.principal import Principal
from service.access.redaction import shown_to
from service.audit.replay import Bundles, replay
from service.calls.reassessment import reassess
from service.journal import Journal
from service.orientation import load_policy
from service.orientation.list_reasons import IS_LISTED, KEY_WORDS, MAY_BE_LISTED
from service.parties.linking_switch import LinkingSwitch
from service.parties.listed_addressees import consignments_to
from service.parties.stored_parties import StoredParties
from service.parties.watch_lists import decide, expire, import_list
from service.record.search_index import catch_up
from service.settings import Settings
from service.store.database import Store
from service.store.tables import LISTS
from service.targeting import Desk, target
from tests.service.building import NOON, declared, message

LISTED_AT = micros(NOON + timedelta(hours=1))
KEVIN = {
    "name": "Kévin Lemaire", "phone": "+33 6 12 47 83 59", "email": "kev.lemaire59@mail.example", "country": "FR",
    "address": "14 rue des Tisserands", "city": "Roubaix", "postcode": "59100",
}  # fmt: skip
MOTHER = {**KEVIN, "name": "Sylvie Lemaire née Vasseur"}
DOSSIER = "snapchat-2026-07"
ENTITIES: Sequence[dict[str, Any]] = (
    {"id": "p1", "schema": "Person", "properties": {
        "name": ["Kevin Lemaire"], "country": ["fr"], "phone": ["06 12 47 83 59", "+33612478359"],
        "email": ["kev.lemaire59@mail.example"], "address": ["14 rue des Tisserands, 59100 Roubaix"]}},
    {"id": "a1", "schema": "UserAccount", "properties": {"username": ["kevkicks59"], "owner": ["p1"]}},
    {"id": "b1", "schema": "BankAccount", "properties": {"iban": ["FR1420041010050500013M02606"], "owner": ["p1"]}},
)  # fmt: skip
SUPPLIERS = (
    {"name": "Putian Lucky Sole", "address": "88 Licheng Road", "city": "Putian", "country": "CN"},
    {"name": "Hua Qiang Watches", "address": "3 Shennan Avenue", "city": "Shenzhen", "country": "CN"},
    {"name": "Istanbul Moda", "address": "Laleli Caddesi 12", "city": "Istanbul", "country": "TR"},
    {"name": "Kowloon Gadget House", "address": "21 Nathan Road", "country": "HK"},
)


@pytest.fixture
def live(desk: Desk, store: Store, tmp_path: Path) -> Desk:
    """A desk that links senders, and no addressee."""
    switch = LinkingSwitch(tmp_path / "linking.json")
    switch.turn_on("tests", "nobody here exists", NOON)
    return replace(desk, parties=StoredParties(store, switch), journal=Journal(store, switch))


def parcel(number: int, addressee: dict[str, Any], sender: int = 0, minute: int = 120) -> Any:
    lodged_at = NOON + timedelta(minutes=minute)
    return declared(number, lodged_at=lodged_at, consignor=SUPPLIERS[sender], consignee=addressee)


def decided(live: Desk, *parcels: Any) -> list[dict[str, Any]]:
    """Decisions on parcels, each in a call of its own."""
    return [target(message(one, message_id=f"M-{one['consignment_id']}"), live).rows[0] for one in parcels]


def the_dossier(store: Store, at: int = LISTED_AT) -> Any:
    content = "\n".join(map(json.dumps, ENTITIES)).encode()
    return import_list(store, DOSSIER, content, source="SARC", by="anna", at=at)


def of_lists(decision: Any) -> list[dict[str, Any]]:
    return [reason for reason in decision["reasons"] if reason["code"].startswith("list.")]


def codes(decision: Any) -> list[str]:
    return [reason["code"] for reason in decision["reasons"] if "list" in reason["code"]]


def replays(store: Store, home: Settings, decision: Any) -> bool:
    return replay(store, Bundles(home.bundles, home.keys), decision["decision_id"]).identical


HIS: Sequence[dict[str, Any]] = (
    KEVIN,
    MOTHER,
    {**KEVIN, "name": "LEMAIRE Kevin", "phone": "06.12.47.83.59", "email": "k.l.59100@other.example"},
    {**MOTHER, "phone": "0033612478359", "email": None},
)


def test_all_four_parcels_are_asked_for_whoever_sends_them_with_the_list_and_the_side_named(
    live: Desk, store: Store, home: Settings
) -> None:
    the_dossier(store)
    decisions = decided(live, *(parcel(n, addressee, n - 1) for n, addressee in enumerate(HIS, start=1)))
    for decision in decisions:
        assert decision["clearance"] == "red"
        assert decision["selection"] == "rule"
        assert codes(decision) == ["rule.addressee-on-a-watch-list", "list.consignee"]
        (reason,) = of_lists(decision)
        assert DOSSIER in reason["text"]
        assert "addressee" in reason["text"]
        assert "telephone" in reason["text"]
        assert reason["evidence"] == DOSSIER
        assert decision["lists_as_of"] == NOON + timedelta(hours=1)
        assert replays(store, home, decision)


@pytest.mark.parametrize("language", ["en", "fr", "zh"])
def test_the_reason_stands_in_each_language_and_clearance_does_not_learn_the_list(
    live: Desk, store: Store, home: Settings, language: Any
) -> None:
    the_dossier(store)
    (decision,) = decided(replace(live, language=language), parcel(1, KEVIN))
    (reason,) = of_lists(decision)
    place = ("en", "fr", "zh").index(language)
    assert reason["text"].startswith(IS_LISTED["consignee"][language].partition("{list}")[0] + DOSSIER)
    assert all(KEY_WORDS[key][place] in reason["text"] for key in ("telephone", "mailbox", "name", "house"))
    assert replays(store, home, decision)
    clearance = Principal("lane", "clearance", ("FRCDG1",), "clearing")
    (shown,) = shown_to(clearance, [decision])
    (text,) = [one["text"] for one in shown["reasons"] if one["code"] == "list.consignee"]
    assert IS_LISTED["consignee"][language].startswith(text)
    assert text
    assert DOSSIER not in json.dumps(shown["reasons"])


def test_a_namesake_elsewhere_and_neighbours_are_not_touched(live: Desk, store: Store) -> None:
    the_dossier(store)
    elsewhere = {"name": "Kevin Lemaire", "phone": "+33 6 71 20 94 38", "email": "kl@post.example", "country": "FR",
                 "address": "2 quai des Chartrons", "city": "Bordeaux", "postcode": "33000"}  # fmt: skip
    neighbours = [
        {**KEVIN, "name": name, "phone": f"+33 6 5{n} 83 17 {n}4", "email": f"{name.split()[0]}{n}4x@mail.example"}
        for n, name in enumerate(("Amina Haddad", "Paul Verhaeghe", "Chloé Petitjean", "Lemaire Augustin"), start=1)
    ]
    for decision in decided(live, *(parcel(n, one) for n, one in enumerate([elsewhere, *neighbours], start=1))):
        assert codes(decision) == []


def test_a_name_in_the_postcode_alone_is_said_and_asks_for_nothing(live: Desk, store: Store, home: Settings) -> None:
    the_dossier(store)
    namesake = {"name": "Lemaire Kevin", "address": "9 allée des Peupliers", "city": "Roubaix", "postcode": "59 100",
                "country": "FR", "phone": "+33 7 81 20 94 38"}  # fmt: skip
    (decision,) = decided(live, parcel(1, namesake))
    (reason,) = of_lists(decision)
    assert codes(decision) == ["list.consignee.possible"]
    assert reason["text"].startswith(MAY_BE_LISTED["en"].partition("{list}")[0] + DOSSIER)
    assert decision["clearance"] != "red"
    assert decision["selection"] != "rule"
    assert replays(store, home, decision)


def test_a_rule_of_the_unit_may_ask_for_names_of_a_list_that_it_trusts_so(live: Desk, store: Store) -> None:
    the_dossier(store)
    rule = (
        '[[rules]]\ncode = "fugitives"\nlane = "yellow"\nauthor = "tests"\nreason = "A name on it is enough"\n'
        f'when = {{ consignee_possible_matches = {{ above = 0 }}, consignee_lists = {{ matches = "^{DOSSIER}$" }} }}\n'
    )
    stricter = replace(live, policy=load_policy(live.policy.text + "\n" + rule))
    namesake = {**KEVIN, "address": "9 allée des Peupliers", "phone": None, "email": None}
    (decision,) = decided(stricter, parcel(1, namesake))
    assert "rule.fugitives" in [reason["code"] for reason in decision["reasons"]]


@pytest.mark.parametrize("address", ["14 rue des Tisserands", "Point relais Tabac du Centre, 14 rue des Tisserands"])
def test_the_telephone_of_a_pick_up_point_touches_none_of_its_customers(live: Desk, store: Store, address: str) -> None:
    """The list holds it, as the offender had his parcels sent there; his own mailbox still tells him."""
    customers = [
        {"name": name, "address": address, "city": "Roubaix", "postcode": "59100", "country": "FR",
         "phone": KEVIN["phone"], "email": f"{name.replace(' ', '.').lower()}@mail.example"}
        for name in ("Ana Silva", "Jules Moreau", "Ines Benali", "Tom Janssens", "Lea Fontaine", "Omar Diallo",
                     "Rose Carlier", "Hugo Blanchard", "Nora Lambert")
    ]  # fmt: skip
    decided(live, *(parcel(n, one, minute=0) for n, one in enumerate(customers[:8], start=1)))
    catch_up(store)
    the_dossier(store)
    honest, his = decided(live, parcel(20, customers[8]), parcel(21, {**customers[8], "email": KEVIN["email"]}))
    assert codes(honest) == ["list.consignee.possible"]
    assert honest["selection"] != "rule"
    assert his["clearance"] == "red"
    assert codes(his) == ["rule.addressee-on-a-watch-list", "list.consignee"]


def test_many_names_with_one_mailbox_and_one_telephone_are_one_party_and_no_pick_up_point(
    live: Desk, store: Store
) -> None:
    names = ("Ana Silva", "Jules Moreau", "Ines Benali", "Tom Janssens", "Lea Fontaine", "Omar Diallo", "Rose Carlier",
             "Hugo Blanchard", "Nora Lambert")  # fmt: skip
    decided(live, *(parcel(n, {**KEVIN, "name": name}, minute=0) for n, name in enumerate(names, start=1)))
    catch_up(store)
    the_dossier(store)
    (decision,) = decided(live, parcel(20, {**KEVIN, "name": "Zoé Marchal", "email": None}))
    assert decision["clearance"] == "red"


def test_a_sender_and_an_addressee_on_lists_are_told_apart(live: Desk, store: Store, home: Settings) -> None:
    the_dossier(store)
    seller = b"name,email,country\nBest Kicks,best.kicks77@shop.example,CN\n"
    import_list(store, "sellers", seller, source="tests", by="anna", at=LISTED_AT)
    sender = {**SUPPLIERS[0], "email": "best.kicks77@shop.example"}
    both = declared(1, lodged_at=NOON + timedelta(hours=2), consignor=sender, consignee=KEVIN)
    (decision,) = decided(live, both)
    assert {(one["code"], one["evidence"]) for one in of_lists(decision)} == {
        ("list.consignee", DOSSIER), ("list.consignor", "sellers"),
    }  # fmt: skip
    assert {"rule.on-a-watch-list", "rule.addressee-on-a-watch-list"} <= {r["code"] for r in decision["reasons"]}
    assert replays(store, home, decision)


def test_a_sender_on_the_list_is_no_addressee_on_it(live: Desk, store: Store) -> None:
    the_dossier(store)
    sends = declared(1, lodged_at=NOON + timedelta(hours=2), consignor=KEVIN)
    assert codes(decided(live, sends)[0])[-1] == "list.consignor"


@pytest.mark.parametrize("is_indexed", [True, False])
def test_a_list_wakes_what_was_addressed_to_its_subjects_before(
    live: Desk, store: Store, home: Settings, is_indexed: bool
) -> None:
    stranger = {**KEVIN, "name": "Amina Haddad", "phone": "+33 6 71 20 94 38", "email": "a.haddad77@mail.example"}
    at_home = {**KEVIN, "phone": None, "email": None}
    before = decided(live, parcel(1, HIS[2], minute=0), parcel(2, stranger, minute=0), parcel(3, at_home, 1, minute=0))
    assert not any(map(codes, before))
    if is_indexed:
        catch_up(store)
    assert the_dossier(store).woken == 2
    assert reassess(live, NOON + timedelta(hours=2)) == 2
    for number in (0, 2):
        again = live.journal.decisions_on(before[number]["consignment_id"])[0]
        assert again["assessment"] == 2
        assert codes(again) == ["rule.addressee-on-a-watch-list", "list.consignee"]
        assert replays(store, home, again)
        assert replays(store, home, before[number])


def test_what_is_not_in_the_index_of_search_yet_is_found_too(live: Desk, store: Store) -> None:
    the_dossier(store)
    decided(live, parcel(1, KEVIN), parcel(2, {**KEVIN, "phone": None, "email": None}), parcel(3, SUPPLIERS[0]))
    with store.reading() as connection:
        subjects = connection.execute(sa.select(LISTS.c.subjects)).scalar_one()
        assert consignments_to(connection, list(subjects.values())) == ["HAWB000000001", "HAWB000000002"]


def test_a_list_that_waits_for_a_second_person_wakes_when_he_approves_it(live: Desk, store: Store) -> None:
    other = json.dumps({"id": "p9", "schema": "Person", "properties": {"name": ["Someone Else"], "country": ["fr"]}})
    import_list(store, DOSSIER, other.encode(), source="SARC", by="anna", at=LISTED_AT - 1)
    decided(live, parcel(1, KEVIN, minute=0))
    assert (the_dossier(store).status, the_dossier(store).woken) == ("waiting", 0)
    assert decide(store, DOSSIER, by="bernard", at=LISTED_AT + 1, activate=True)[1] == 1


def test_a_list_that_ends_or_loses_a_subject_screens_it_no_more(live: Desk, store: Store) -> None:
    content = "\n".join(map(json.dumps, ENTITIES)).encode()
    import_list(store, DOSSIER, content, source="SARC", by="anna", at=LISTED_AT, expires_at=LISTED_AT + 1)
    assert codes(decided(live, parcel(1, KEVIN))[0])
    assert expire(store, LISTED_AT + 1) == 1
    assert codes(decided(live, parcel(2, KEVIN))[0]) == []


def test_reports_of_consumers_do_not_touch_addressees(live: Desk, store: Store) -> None:
    report = b"report_id,phone,country\n1,+33612478359,FR\n"
    import_list(store, "public", report, source="tests", by="anna", at=LISTED_AT, reports=True)
    assert codes(decided(live, parcel(1, KEVIN))[0]) == []


def test_nobody_is_screened_while_linking_is_off(desk: Desk, store: Store, tmp_path: Path) -> None:
    off = replace(desk, parties=StoredParties(store, LinkingSwitch(tmp_path / "off.json")))
    the_dossier(store)
    (decision,) = decided(off, parcel(1, KEVIN))
    assert codes(decision) == []
    assert decision["lists_as_of"] is None
