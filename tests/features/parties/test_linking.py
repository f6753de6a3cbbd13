"""Linking of consignments: strictly by what was known before, the same one by one and all at once."""

from __future__ import annotations

import random
from datetime import timedelta

import polars as pl
import pytest

from features.consignment import Consignments, fold
from features.contract import gate_manifest
from features.parties import LINKED, Linked, Unlinked, link_with
from features.parties.graph import Graph
from features.parties.linking import code_of, entity_of
from tests.features.conftest import LODGED_AT, frame_of, row


def consignments(*rows: dict[str, object]) -> Consignments:
    gated = gate_manifest(frame_of(*rows), "M1")
    assert not gated.refused.height
    return fold(gated.accepted)


def lodged(number: int, minute: int, **stated: object) -> dict[str, object]:
    at = (LODGED_AT + timedelta(minutes=minute)).isoformat()
    mine = {"consignor_name": f"Sender {number:03d}", "consignor_address": f"{number} Harbour Road"}
    keys = {"message_id": f"M{number}", "consignment_id": f"C{number}"}
    return row(lodged_at=at, **{**keys, **mine, **stated})


def networks(linked: Consignments) -> list[str | None]:
    return linked.frame["network_id"].to_list()


def test_a_shared_account_makes_a_network_of_the_second_not_of_the_first() -> None:
    two = consignments(lodged(1, 0, seller_account="jade"), lodged(2, 1, seller_account="jade"))
    told, links = link_with(two, Graph())
    assert told.frame["network_cards"].to_list() == [1.0, 2.0]
    first, second = networks(told)
    assert first == second
    assert len(links) == 1
    assert told.frame["network_members"].list.len().to_list() == [1, 2]


def test_consignments_of_one_moment_do_not_see_each_other() -> None:
    told, _ = link_with(consignments(lodged(1, 0, seller_account="jade"), lodged(2, 0, seller_account="jade")), Graph())
    assert told.frame["network_cards"].to_list() == [1.0, 1.0]


def test_what_comes_later_changes_nothing() -> None:
    rows = [lodged(n, n, seller_account=f"a{n % 3}", consignor_phone=f"+86139000000{n % 4}") for n in range(12)]
    whole, _ = link_with(consignments(*rows), Graph())
    short, _ = link_with(consignments(*rows[:7]), Graph())
    assert whole.frame.select(*LINKED)[:7].equals(short.frame.select(*LINKED))


@pytest.mark.slow
def test_one_by_one_is_all_at_once() -> None:
    rng = random.Random(3)
    rows = [
        lodged(
            n % 17, n // 3,
            message_id=f"M{n}", consignment_id=f"C{n:03d}",
            seller_account=f"account{rng.randrange(20)}" if rng.random() < 0.4 else "",
            consignor_phone=f"+861390000{rng.randrange(12):03d}" if rng.random() < 0.6 else "",
            description=f"shoes QX{rng.randrange(1000, 1012)}",
        )
        for n in range(120)
    ]  # fmt: skip
    together, graph = Graph(), Graph()
    at_once, _ = link_with(consignments(*rows), together)
    desk = Linked(graph)
    one_each = [desk.link(consignments(*rows[n : n + 3])).frame.select(*LINKED) for n in range(0, 120, 3)]
    assert pl.concat(one_each).equals(at_once.frame.select(*LINKED))
    assert graph.members == together.members
    assert max(at_once.frame["network_cards"].to_list()) > 3


def test_switched_off_nobody_is_attributed() -> None:
    told = Unlinked().link(consignments(lodged(1, 0)))
    assert all(told.frame[name].to_list() == [None] for name in LINKED)


def test_new_lookalikes_are_counted_for_a_week() -> None:
    day = 24 * 60
    rows = [lodged(n, at, description="boots XK4417") for n, at in enumerate((0, 1, 2, 7 * day, 8 * day))]
    told, _ = link_with(consignments(*rows), Graph())
    assert told.frame["lookalikes_7d"].to_list() == [0.0, 1.0, 2.0, 2.0, 1.0]
    assert told.frame["cards_of_article"].to_list() == [1.0, 2.0, 3.0, 4.0, 5.0]


@pytest.mark.parametrize("entity", [0, 1, -1, 2**63 - 1, -(2**63)])
def test_codes_name_cards(entity: int) -> None:
    assert entity_of(code_of("P", entity)) == entity
    assert len(code_of("N", entity)) == 18
