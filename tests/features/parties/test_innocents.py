"""The gate of innocents: of strangers who share any one thing nobody is linked; a real disguise still is."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import combinations

import pytest

from features.consignment import fold
from features.contract import gate_manifest
from features.parties.graph import Graph
from features.parties.linking import grow, with_evidence
from tests.features.conftest import frame_of, row
from tests.features.parties.innocents import KINDS, Kind, Sender, stranger

PAIRS = -(-20_000 // len(KINDS))  # of each kind


def linked_pairs(groups: Sequence[Sequence[Sender]]) -> list[tuple[Sender, Sender]]:
    """Return the pairs within these groups that stand in one network, each group in a graph of its own."""
    senders = [sender for group in groups for sender in group]
    rows = [
        row(consignment_id=f"C{number}", description=f"goods {sender['article']}", **_declared(sender))
        for number, sender in enumerate(senders)
    ]
    gated = gate_manifest(frame_of(*rows), "M1")
    assert not gated.refused.height
    known = with_evidence(fold(gated.accepted))
    found, first = [], 0
    for group in groups:
        graph, part = Graph(), known.between(first, first + len(group))
        grow(graph, part)
        networks = [graph.network_of[card] for card in part.frame["card_entity"]]
        pairs = combinations(range(len(group)), 2)
        found += [(group[one], group[two]) for one, two in pairs if networks[one] == networks[two]]
        first += len(group)
    return found


def _declared(sender: Sender) -> dict[str, object]:
    return {name: text for name, text in sender.items() if name != "article"}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_no_innocent_is_linked(kind: Kind) -> None:
    groups = list(kind.groups(random.Random(f"28 {kind.name}"), PAIRS))
    assert sum(len(group) * (len(group) - 1) // 2 for group in groups) >= PAIRS
    found = linked_pairs(groups)
    assert not found, (len(found), found[:3])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"consignor_phone": "+86 195 1607 3747"}, {"consignor_phone": "008619516073747"}),
        ({"consignor_email": "jiaqi.chen837@inbox.com"}, {"consignor_email": "ji.aqichen837+shop@inbox.com"}),
        ({"consignor_email": "jiaqixchen83@inbox.com"}, {"consignor_email": "jiaqixchen83@INBOX.com"}),
        ({"seller_url": "https://jadesport380.com"}, {"seller_url": "http://www.jadesport380.co.uk/x"}),
        ({"seller_account": "Jade_Sport"}, {"seller_account": "jаde spоrt"}),
        ({"consignor_id": "GB 123 4567 82"}, {"consignor_id": "GB123456782"}),
        (
            {
                "consignor_name": "Мосторгсервис Комплект",
                "consignor_address": "No.34 Dongfeng Road",
                "consignor_city": "Ningbo",
            },
            {
                "consignor_name": "Mostorgservis Komplekt OOO",
                "consignor_address": "宁波市东风路34号",
                "consignor_city": "",
            },
        ),
        (
            {"consignor_address": "1 High Street", "consignor_city": "Leeds", "article": "XK4417"},
            {"consignor_address": "1 High Street, Leeds", "consignor_city": "", "article": "XK 4417"},
        ),
    ],
)
def test_a_disguise_is_linked(one: Sender, other: Sender) -> None:
    rng, country = random.Random(7), {"consignor_country": "CN" if "name" in str(one) else "GB"}
    groups = [[stranger(rng) | country | given for given in (one, other)] for _ in range(20)]
    assert len(linked_pairs(groups)) == len(groups)


def test_one_offender_with_fifty_names_stays_one() -> None:
    """All of them share a telephone and goods; a crowd of strangers with that telephone would not."""
    rng = random.Random(9)
    shared = {"consignor_phone": "+8613762498153", "article": "XK4417"}
    group = [stranger(rng) | {"consignor_country": "CN"} | shared for _ in range(50)]
    assert len(linked_pairs([group])) == 50 * 49 // 2
