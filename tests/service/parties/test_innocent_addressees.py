"""A gate of innocents on the receiving side: common names, big houses, pick-up points, lockers, forwarders, families.

Ten thousand buyers who did nothing, as a town has them. Nobody is linked to a stranger, and no list of an offender
touches whoever bears his name, lives in his house or fetches parcels where he did.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from features.messages import read
from features.moments import micros
from features.parties.addressee import as_linked
from features.parties.list_match import CONCLUSIVE, MATCHED, NETWORK, ListMatch
from service.journal import Journal
from service.parties.graph_queries import ADDRESSEES
from service.parties.linking_switch import LinkingSwitch
from service.parties.stored_parties import StoredParties, whole_graph
from service.parties.watch_lists import import_list
from service.record.search_index import catch_up
from service.store.database import Store
from service.targeting import Desk, target
from tests.service.building import NOON, declared, message

MANY, AT_ONCE, LISTED = 10_000, 1_000, 40
GIVEN = ("Jean", "Marie", "Pierre", "Sophie", "Mohamed", "Nathalie", "Kevin", "Fatima", "Jean-Pierre",
         "Marie-Christine", "Thomas", "Laura", "Nicolas", "Emma", "Karim", "Julie", "Wei", "Li", "Hugo")  # fmt: skip
FAMILY = ("Martin", "Bernard", "Dubois", "Lefebvre", "Lemaire", "Durand", "Moreau", "Leroy", "Haddad", "Benali", "Wang",
          "Zhang", "Nguyen", "Garcia", "Vandenbroucke", "Deschamps-Martin", "Fontaine", "Rousseau")  # fmt: skip
STREETS = ("rue de Lille", "avenue Jean Jaurès", "rue des Fleurs", "boulevard Gambetta", "rue Nationale")
TOWNS = (("Roubaix", "59100"), ("Tourcoing", "59200"), ("Lille", "59000"), ("Lille", "59800"))
PICK_UP = (
    "Relais Colis Tabac du Centre, 4 rue de Lille",
    "Consigne Pickup 12, gare",
    "9 rue Nationale",
    "22 rue Nationale",
)
FORWARDER = "Reexpedition Nord, 1 zone industrielle"


def _town(rng: random.Random) -> Iterator[dict[str, Any]]:
    """Buyers, each another person, with a telephone and a mailbox of their own unless a place's is stated."""
    shops = {place: f"+33 3 20 {n + 41} 57 {n + 12}" for n, place in enumerate((*PICK_UP, FORWARDER))}
    for number in range(MANY):
        given, family = rng.choice(GIVEN), rng.choice(FAMILY)
        city, postcode = rng.choice(TOWNS)
        kind = rng.choices(("house", "tower", "pick_up", "forwarder", "family"), (40, 25, 20, 5, 10))[0]
        telephone = (
            f"+33 6 {10 + number // 10_000:02d} {number // 100 % 100:02d} {number % 100:02d} {number * 7 % 90 + 10}"
        )
        address = f"{rng.randrange(1, 90)} {rng.choice(STREETS)}"
        if kind == "tower":
            address = f"{rng.choice((2, 4, 6))} allée des Tours, apt {rng.randrange(1, 400)}"
        elif kind in ("pick_up", "forwarder"):
            address = FORWARDER if kind == "forwarder" else rng.choice(PICK_UP)
            city, postcode = TOWNS[0]
            telephone = shops[address] if rng.random() < 0.5 else telephone
        elif kind == "family":  # of one name in one house, with one telephone at home
            home = number % 400
            family, (city, postcode), address = (
                FAMILY[home % len(FAMILY)],
                TOWNS[home % 4],
                f"{home} chemin des Familles",
            )
            telephone = f"+33 3 27 {home // 100 + 30} {home % 100:02d} 61"
        yield {
            "name": f"{given} {family}", "address": address, "city": city, "postcode": postcode, "country": "FR",
            "phone": telephone, "email": f"{given}.{family}.{number * 7919 % 99_991}x@mail.example".lower(),
        }  # fmt: skip


@pytest.fixture
def live(desk: Desk, store: Store, tmp_path: Path) -> Desk:
    """A desk that links senders, and addressees apart from them."""
    switches = LinkingSwitch(tmp_path / "linking.json"), LinkingSwitch(tmp_path / "linking-addressees.json")
    for switch in switches:
        switch.turn_on("tests", "nobody here exists", NOON)
    return replace(desk, parties=StoredParties(store, *switches), journal=Journal(store, *switches))


def test_ten_thousand_honest_addressees_are_linked_to_no_stranger_and_on_no_list_of_another(
    live: Desk, store: Store
) -> None:
    people = list(_town(random.Random(11)))
    person_of: dict[int, set[int]] = {}
    parts = []
    for start in range(0, MANY, AT_ONCE):
        rows = [
            declared(
                n, lodged_at=NOON + timedelta(seconds=n), consignee=people[n], consignor={"name": f"Shop {n % 900}"}
            )
            for n in range(start, start + AT_ONCE)
        ]
        sent = message(*rows, message_id=f"M{start}", competing="message")
        target(sent, live)
        parts.append(read(sent)[0])
        for n, card in enumerate(as_linked(parts[-1]).declared.whole("card_entity").values.tolist(), start=start):
            person_of.setdefault(card, set()).add(n)
    catch_up(store)
    with store.reading() as connection:
        sizes = Counter(len(of) for of in whole_graph(connection, ADDRESSEES).members.values())
    assert sizes.keys() == {1}, "nobody is linked by name, house, pick-up point, or a family's telephone"
    assert sizes[1] == len(person_of)

    offenders = random.Random(12).sample(range(MANY), LISTED)
    lines = ["name,phone,email,address,country"]
    for n in offenders:
        one = people[n]
        lines.append(
            f'{one["name"]},{one["phone"]},{one["email"]},"{one["address"]}, {one["postcode"]} {one["city"]}",FR'
        )
    at = micros(NOON + timedelta(hours=5))
    import_list(store, "offenders", "\n".join(lines).encode(), source="tests", by="anna", at=at)
    touched, certain = set(), {"mailbox", "telephone"}
    for start, part in zip(range(0, MANY, AT_ONCE), parts, strict=True):
        written = live.parties.link(part, lists_at=at + 1).declared.values(MATCHED)
        for n, matches in enumerate(written, start=start):
            for match in map(ListMatch.read, matches or ()):
                if match.tier in (CONCLUSIVE, NETWORK):
                    touched.add(n)
                    assert certain & set(match.keys) or {"name", "house"} <= set(match.keys)
    assert touched >= set(offenders)
    others = touched - set(offenders)
    families = {n for n in others if "Familles" in people[n]["address"]}
    namesakes = {n for n in others if any(_same_name_at_home(people[n], people[o]) for o in offenders)}
    assert others <= families | namesakes, "a stranger is asked for because of another"
    assert not {n for n in others if people[n]["address"] in (*PICK_UP, FORWARDER)} - namesakes


def _same_name_at_home(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two bear one name in one house, or one telephone at home: nothing declared tells them apart."""
    return all(one[part] == other[part] for part in ("name", "city")) and (
        one["address"].partition(",")[0] == other["address"].partition(",")[0]
    )
