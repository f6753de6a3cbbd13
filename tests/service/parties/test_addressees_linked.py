"""The graph of addressees: who is linked and who never is, its switch, its lists, its pages and its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from features.moments import micros
from features.parties.card import EXPIRES_AFTER, SEEN_STEP
from service.audit.replay import Bundles, replay
from service.calls.reassessment import reassess
from service.journal import Journal
from service.officers.search import Asked, search
from service.orientation import load_policy
from service.parties.graph_queries import ADDRESSEES, SENDERS
from service.parties.linking_switch import LinkingSwitch
from service.parties.stored_parties import StoredParties, addressee_network, forget_old, judge, network, whole_graph
from service.parties.watch_lists import import_list
from service.record.ownership import EVERY_OFFICE, INSTALLATION, Sender
from service.record.search_index import catch_up
from service.settings import Settings
from service.store.database import Store
from service.targeting import Desk, target
from tests.service.building import NOON, declared, message

KEVIN = {
    "name": "Kévin Lemaire", "phone": "+33 6 12 47 83 59", "email": "kev.lemaire59@mail.example", "country": "FR",
    "address": "14 rue des Tisserands", "city": "Roubaix", "postcode": "59100",
}  # fmt: skip
MOTHER = {**KEVIN, "name": "Sylvie Vasseur", "phone": None}
AUNT = {**MOTHER, "name": "Odile Vasseur", "email": "odile.vasseur72@mail.example", "phone": "+33 7 81 20 94 38",
        "address": "3 place de la Liberté"}  # fmt: skip
TO_AUNT = {**MOTHER, "phone": AUNT["phone"]}
LISTED = b"name,email,country\nKevin L.,kev.lemaire59@mail.example,FR\n"
STRANGER = {**KEVIN, "name": "Amina Haddad", "phone": "+33 6 71 20 94 38", "email": "a.haddad77@mail.example"}


@pytest.fixture
def live(desk: Desk, store: Store, tmp_path: Path) -> Desk:
    """A desk that links senders, and addressees apart from them."""
    switches = LinkingSwitch(tmp_path / "linking.json"), LinkingSwitch(tmp_path / "linking-addressees.json")
    for switch in switches:
        switch.turn_on("tests", "nobody here exists", NOON)
    return replace(desk, parties=StoredParties(store, *switches), journal=Journal(store, *switches))


def decided(live: Desk, *addressees: dict[str, Any], first: int = 1, minute: int = 0, **more: Any) -> list[Any]:
    """Decisions on parcels to addressees, each in a call of its own and a minute later."""
    return [
        target(
            message(
                declared(n, lodged_at=NOON + timedelta(minutes=minute + n), consignee=one, **more), message_id=f"M{n}"
            ),
            live,
        ).rows[0]
        for n, one in enumerate(addressees, start=first)
    ]


def networks(store: Store) -> list[int]:
    """The sizes of the networks of addressees, the largest first."""
    with store.reading() as connection:
        return sorted((len(of) for of in whole_graph(connection, ADDRESSEES).members.values()), reverse=True)


def listed(store: Store, minute: int = 60) -> Any:
    at = micros(NOON + timedelta(minutes=minute))
    return import_list(store, "dossier-9", LISTED, source="tests", by="anna", at=at)


def codes(decision: Any) -> list[str]:
    return [reason["code"] for reason in decision["reasons"] if "list" in reason["code"]]


def test_names_that_share_a_mailbox_are_one_network_and_neighbours_are_not(live: Desk, store: Store) -> None:
    decided(live, KEVIN, MOTHER, STRANGER)
    assert networks(store) == [2, 1]
    with store.reading() as connection:
        assert len(whole_graph(connection, SENDERS).cards) == 1, "the graph of senders knows no addressee"


def test_nothing_is_kept_of_addressees_while_their_switch_is_off(live: Desk, store: Store) -> None:
    switch = live.parties.switch  # type: ignore[attr-defined]
    off = replace(live, parties=StoredParties(store, switch), journal=Journal(store, switch))
    decided(off, KEVIN, MOTHER)
    assert networks(store) == []


def test_who_is_linked_to_a_listed_addressee_is_told_and_asked_for_by_a_rule_only(
    live: Desk, store: Store, home: Settings
) -> None:
    decided(live, KEVIN, MOTHER, TO_AUNT, AUNT)
    listed(store)
    (decision,) = decided(live, AUNT, first=10, minute=61)
    assert codes(decision) == ["list.consignee.network"]
    assert decision["clearance"] != "red"
    assert replay(store, Bundles(home.bundles, home.keys), decision["decision_id"]).identical
    rule = (
        '[[rules]]\ncode = "linked"\nlane = "yellow"\nauthor = "tests"\nreason = "Linked to a subject"\n'
        "when = { consignee_network_lists = { above = 0 } }\n"
    )
    stricter = replace(live, policy=load_policy(live.policy.text + "\n" + rule))
    (asked,) = decided(stricter, AUNT, first=11, minute=61)
    assert "rule.linked" in [reason["code"] for reason in asked["reasons"]]
    assert replay(store, Bundles(home.bundles, home.keys), asked["decision_id"]).identical
    (stranger,) = decided(live, STRANGER, first=12, minute=61)
    assert codes(stranger) == []


def test_a_list_wakes_what_was_addressed_to_the_network_of_its_subject(live: Desk, store: Store) -> None:
    rule = (
        '[[rules]]\ncode = "linked"\nlane = "red"\nauthor = "tests"\nreason = "Linked to a subject"\n'
        "when = { consignee_network_lists = { above = 0 } }\n"
    )
    stricter = replace(live, policy=load_policy(live.policy.text + "\n" + rule))
    before = decided(stricter, KEVIN, TO_AUNT, AUNT, STRANGER)
    assert listed(store).woken == 3
    assert reassess(stricter, NOON + timedelta(hours=2)) == 3
    assert "rule.linked" in [r["code"] for r in live.journal.decisions_on(before[2]["consignment_id"])[0]["reasons"]]


def test_a_network_of_addressees_is_shown_searched_and_judged_as_one_of_senders(live: Desk, store: Store) -> None:
    decided(live, KEVIN, MOTHER)
    catch_up(store)
    found = addressee_network(store, {f"consignee_{name}": text for name, text in MOTHER.items()}, (EVERY_OFFICE,))
    assert found is not None
    assert (found["side"], found["size"], found["also"]) == ("consignee", 2, [])
    assert found["links"][0]["evidence"].startswith("the same mailbox")
    for code in (found["network_id"], found["parties"][0]["party_id"]):
        numbers = {one["consignment_id"] for one in search(store, Asked(code), INSTALLATION).consignments}
        assert "HAWB000000001" in numbers
    assert search(store, Asked(found["network_id"]), INSTALLATION).total == 2
    first, second = (party["party_id"] for party in found["parties"])
    judge(store, first, second, False, "ana", "mother and son", micros(NOON))
    assert networks(store) == [1, 1]


def test_offices_see_the_addressees_of_theirs(live: Desk, store: Store) -> None:
    decided(live, KEVIN, MOTHER)
    catch_up(store)
    body = {f"consignee_{name}": text for name, text in KEVIN.items()}
    seen = addressee_network(store, body, ("FRCDG1",))
    assert seen is not None
    assert seen["hidden"] == 0
    assert addressee_network(store, body, ("FRORY1",)) is None
    assert search(store, Asked(seen["network_id"]), Sender("x", ("FRORY1",))).total == 0


def test_somebody_who_sends_and_receives_is_on_both_pages(live: Desk, store: Store) -> None:
    (sent,) = decided(live, STRANGER, consignor={**KEVIN, "name": "Kev Kicks"})
    decided(live, KEVIN, first=2)
    body = {f"consignee_{name}": text for name, text in KEVIN.items()}
    received = addressee_network(store, body, (EVERY_OFFICE,))
    assert received is not None
    assert received["also"] == [sent["party_id"]]
    sends = network(store, sent["party_id"])
    assert sends is not None
    assert sends["side"] == "consignor"
    assert sends["also"] == [received["parties"][0]["party_id"]]


def test_what_nobody_has_declared_for_three_years_is_forgotten_of_addressees_too(live: Desk, store: Store) -> None:
    decided(live, KEVIN, MOTHER)
    late = micros(NOON) + EXPIRES_AFTER + 2 * SEEN_STEP
    assert forget_old(store, late, dry_run=True, tables=ADDRESSEES) == 2
    assert forget_old(store, late, tables=ADDRESSEES) == 2
    with store.reading() as connection:
        for table in ADDRESSEES.every:
            assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() == 0
