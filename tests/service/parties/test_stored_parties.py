"""Linking in the store: as in memory, shared, durable; officers' words count at once and can be taken back."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.fault import Fault
from features.intelligence import read_list
from features.messages import read
from features.parties import LINKED, GraphTimeline, Linked, link_with
from features.parties.evidence import LEVELS, NAMES, level_of
from features.parties.graph import Graph
from features.parties.linking import code_of, with_evidence
from service.audit.erasure import erase
from service.audit.verify import verify_record
from service.journal import Journal
from service.parties import stored_parties as parties
from service.parties.ftm_export import network_as_ftm
from service.parties.linking_switch import LinkingSwitch
from service.parties.stored_graph import StoredGraph
from service.parties.stored_parties import StoredParties, forget_old, grown_by, judge, judged_ever, network, whole_graph
from service.parties.watch_lists import import_list
from service.store.database import Store
from service.store.tables import CARDS, EVIDENCE, HUBS, JUDGEMENTS, LINKS, PHONES
from service.targeting import Desk, target
from tests.service.building import NOON, declared, message

AT, MINUTE = int(NOON.timestamp() * 1_000_000), 60_000_000
QUICK = settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def switch(tmp_path: Path) -> LinkingSwitch:
    """Linking, switched on."""
    switch = LinkingSwitch(tmp_path / "linking.json")
    switch.turn_on("tests", "nobody here exists", datetime(2026, 1, 1, tzinfo=UTC))
    return switch


def sent(number: int, sender: int, minute: int = 0, **stated: Any) -> dict[str, Any]:
    party = {"name": f"Sender {sender:03d}", "address": f"{sender} Harbour Road", "country": "CN"}
    party |= {name: stated.pop(name) for name in ("phone", "email") if name in stated}
    return declared(number, lodged_at=NOON + timedelta(minutes=minute), consignor=party, **stated)


def told(graph: Graph) -> tuple[object, ...]:
    links = {link.pair: link for of in graph.links.values() for link in of.values()}
    cards = {c.entity: (c.first_at, c.name, c.building, frozenset(c.values), c.last_at) for c in graph.cards.values()}
    by = {value: sorted(cards) for value, cards in graph.stated_by.items()}
    return cards, dict(graph.network_of), {r: list(of) for r, of in graph.members.items()}, links, by


def held(store: Store) -> Graph:
    with store.reading() as connection:
        return whole_graph(connection)


def emptied(store: Store) -> None:
    with store.writing() as connection:
        for table in (CARDS, EVIDENCE, LINKS, PHONES, HUBS):
            connection.execute(table.delete())


accounts, phones = st.sampled_from(["", "jade", "opal"]), st.sampled_from(["", "1", "2"])
senders = st.tuples(st.integers(0, 6), accounts, phones, st.integers(0, 3))


@QUICK
@given(st.lists(st.lists(senders, min_size=1, max_size=4), min_size=1, max_size=6))
def test_the_store_holds_what_memory_would_hold(
    either_store: Store, batches: list[list[tuple[int, str, str, int]]]
) -> None:
    emptied(either_store)
    memory, number = Graph(), 0
    for minute, batch in enumerate(batches):
        rows = []
        for sender, account, phone, code in batch:
            number += 1
            goods = [{**declared()["goods"][0], "description": f"boots XK441{code}"}]
            stated = {"seller_account": account or None, "phone": f"+8613900000000{phone}" if phone else None}
            rows.append(sent(number, sender, minute * 2 + number % 2, goods=goods, **stated))
        consignments, _ = read(message(*rows, message_id=f"M{minute}"))
        with either_store.writing() as connection:
            parties.keep(connection, consignments)
        link_with(consignments, memory)
        assert told(held(either_store)) == told(memory)


def test_a_desk_links_what_came_before_and_keeps_what_it_decided(
    desk: Desk, store: Store, switch: LinkingSwitch
) -> None:
    live = replace(desk, parties=StoredParties(store, switch), journal=Journal(store, switch))
    first = target(message(sent(1, 1, seller_account="jade"), message_id="A"), live).rows[0]
    second = target(message(sent(2, 2, 5, seller_account="jade"), message_id="B"), live).rows[0]
    assert first["network_id"] == second["network_id"]
    assert first["party_id"] != second["party_id"]
    again = target(message(sent(2, 2, 5, seller_account="jade"), message_id="B"), live)
    assert again.replayed
    assert len(held(store).cards) == 2


def test_what_a_call_has_linked_is_kept_as_it_was_unless_the_graph_has_changed_meanwhile(
    either_store: Store, switch: LinkingSwitch
) -> None:
    memory, linking = Graph(), StoredParties(either_store, switch)
    batches = [[sent(1, 1, 0, seller_account="jade"), sent(2, 2, 1)], [sent(3, 3, 2, seller_account="jade")],
               [sent(4, 4, 3, seller_account="jade"), sent(5, 2, 4, seller_account="opal")]]  # fmt: skip
    read_ = [read(message(*rows, message_id=f"M{n}"))[0] for n, rows in enumerate(batches)]
    first = linking.link(read_[0])
    assert grown_by(read_[0]) is None
    grown = grown_by(first)
    assert grown is not None
    with either_store.writing() as connection:
        parties.keep(connection, first, grown)
    second, third = linking.link(read_[1]), linking.link(read_[2])
    assert grown_by(second) is None
    overtaken = grown_by(third)
    assert overtaken is not None
    for late, of in ((second, None), (third, overtaken)):
        with either_store.writing() as connection:
            parties.keep(connection, late, of)
    for consignments in read_:
        link_with(consignments, memory)
    assert told(held(either_store)) == told(memory)
    assert max(len(of) for of in memory.members.values()) == 3, "the senders of jade"
    with either_store.writing() as connection:
        assert not overtaken.attach(connection)


def test_calls_of_one_moment_do_not_see_each_other(desk: Desk, store: Store, switch: LinkingSwitch) -> None:
    live = replace(desk, parties=StoredParties(store, switch), journal=Journal(store, switch))
    for number in (1, 2):
        told = target(message(sent(number, number, 0, seller_account="jade"), message_id=f"M{number}"), live)
        assert told.declared is not None
        assert told.declared.frame["network_cards"].to_list() == [1.0]
    assert [len(of) for of in held(store).members.values()] == [2]


def test_calls_leave_what_a_batch_leaves(desk: Desk, store: Store, switch: LinkingSwitch) -> None:
    live = replace(desk, parties=StoredParties(store, switch), journal=Journal(store, switch))
    sentences = [sent(n, n % 5, n, seller_account=f"a{n % 3}") for n in range(1, 20)]
    one_each = [target(message(one, message_id=f"M{n}"), live).declared for n, one in enumerate(sentences)]
    calls = told(held(store))
    memory = Graph()
    at_once = Linked(memory).link(read(message(*sentences, message_id="all"))[0])
    assert calls == told(memory)
    for row, one in enumerate(one_each):
        assert one is not None
        codes, rest = at_once.frame.select(*LINKED).row(row)[:2], at_once.frame.select(*LINKED).row(row)[2:]
        assert one.frame.select(*LINKED).row(0) == (*store.pseudonyms.recoded(codes), *rest)


def test_switched_off_nothing_is_kept(desk: Desk, store: Store, switch: LinkingSwitch) -> None:
    live = replace(desk, parties=StoredParties(store, switch), journal=Journal(store, switch))
    switch.turn_off()
    decision = target(message(sent(1, 1, seller_account="jade")), live).rows[0]
    assert (decision["party_id"], decision["network_id"]) == (None, None)
    assert not held(store).cards


def test_the_switch_wants_a_name_and_a_basis(tmp_path: Path) -> None:
    switch = LinkingSwitch(tmp_path / "linking.json")
    with pytest.raises(Fault, match="--basis"):
        switch.turn_on("somebody", " ", NOON)
    assert not switch.on
    switch.turn_on("somebody", "article 46 UCC", NOON)
    assert switch.authorisation()["basis"] == "article 46 UCC"


def chained(store: Store) -> list[str]:
    """Three senders that hang together by accounts; the codes of their parties."""
    rows = [sent(1, 1, 0, seller_account="jade"), sent(2, 2, 1, seller_account="jade", phone="+8613900000001"),
            sent(3, 3, 2, phone="+8613900000001")]  # fmt: skip
    consignments, _ = read(message(*rows))
    with store.writing() as connection:
        parties.keep(connection, consignments)
    cards = sorted(held(store).cards.values(), key=lambda card: card.first_at)
    return [code_of("P", card.entity) for card in cards]


def test_a_network_is_told_with_its_evidence_cut_and_mended(either_store: Store, tmp_path: Path) -> None:
    one, two, three = chained(either_store)
    whole = network(either_store, one)
    assert whole is not None
    assert whole["size"] == 3
    assert [link["evidence"] for link in whole["links"]].count("the same seller account") == 1
    judge(either_store, two, three, False, "officer 7", "two firms, one accountant", 1)
    cut = network(either_store, three)
    assert cut is not None
    assert cut["size"] == 1
    assert cut["judgements"][0]["by"] == "officer 7"
    judge(either_store, three, two, None, "officer 8", "mistaken", 2)
    mended = network(either_store, three)
    assert mended is not None
    assert mended["size"] == 3
    assert [word["counts"] for word in mended["judgements"]] == [False]
    assert verify_record(either_store, tmp_path, tmp_path).faults == []
    with either_store.writing() as connection:
        connection.execute(sa.update(JUDGEMENTS).values(by="officer 9"))
    told, digest = verify_record(either_store, tmp_path, tmp_path).faults
    assert "its judgement was changed" in told
    assert digest == "table judgements: a row of it was changed"


def test_training_lets_an_officers_word_count_while_it_did(store: Store) -> None:
    one, two, _ = chained(store)
    judge(store, one, two, False, "officer 7", "two firms", AT + 10 * MINUTE)
    judge(store, one, two, None, "officer 7", "mistaken", AT + 20 * MINUTE)
    rows = [sent(1, 1, 0, seller_account="jade"), sent(2, 2, 1, seller_account="jade")]
    later = [sent(minute, 2, minute, seller_account="jade") for minute in (10, 11, 20, 21)]
    told, _ = link_with(read(message(*rows, *later))[0], Graph(), GraphTimeline(None, judged_ever(store)))
    assert told.frame.sort("lodged_at")["network_cards"].to_list() == [1.0, 2.0, 2.0, 1.0, 1.0, 2.0]


def test_what_nobody_has_declared_for_three_years_is_forgotten_in_the_store_as_in_memory(either_store: Store) -> None:
    rows = [sent(1, 1, 0, seller_account="jade"), sent(2, 2, 1, seller_account="jade"), sent(3, 3, 2)]
    again = sent(4, 2, 400 * 24 * 60, seller_account="jade")
    memory = Graph()
    for number, batch in enumerate((rows, [again])):
        consignments, _ = read(
            message(*batch, message_id=f"M{number}", received_at=NOON + timedelta(days=number * 401))
        )
        with either_store.writing() as connection:
            parties.keep(connection, consignments)
        link_with(consignments, memory)
    party = next(
        code_of("P", card.entity)
        for card in held(either_store).cards.values()
        if NAMES.index("account") in map(level_of, card.values)
    )
    found = network(either_store, party)
    assert found is not None
    over = found["links"][0]["expires_at"]
    assert timedelta(days=3 * 365) < timedelta(microseconds=over - AT) <= timedelta(days=3 * 365 + 28)
    assert forget_old(either_store, over - 1) == 0
    assert forget_old(either_store, over, dry_run=True) == 2
    assert len(held(either_store).cards) == 3
    assert (forget_old(either_store, over), memory.expire(over)) == (2, 2)
    assert told(held(either_store)) == told(memory)
    assert (len(memory.cards), memory.links.get(next(iter(memory.cards)))) == (1, {})
    afresh = GraphTimeline()
    afresh.until(over + timedelta(days=400) // timedelta(microseconds=1), memory)
    assert not memory.cards


def test_a_network_is_handed_on_as_what_its_parties_declared(
    desk: Desk, either_store: Store, switch: LinkingSwitch
) -> None:
    live = replace(desk, parties=StoredParties(either_store, switch), journal=Journal(either_store, switch))
    senders = [sent(n, n, n, seller_account="jade", email=f"sender{n}@shop.example") for n in (1, 2)]
    decided = [
        target(message(one | {"office": office}, message_id=office), live).rows[0]
        for one, office in zip(senders, ("FRCDG1", "FRORY1"), strict=True)
    ]
    told_of_both = network_as_ftm(either_store, decided[1]["network_id"])
    assert told_of_both is not None
    entities = [json.loads(line) for line in told_of_both]
    found = {entity["id"]: entity["properties"] for entity in entities if entity["schema"] == "LegalEntity"}
    assert {party: told["email"] for party, told in found.items()} == {
        decided[0]["party_id"]: ["sender1@shop.example"], decided[1]["party_id"]: ["sender2@shop.example"],
    }  # fmt: skip
    (tie,) = [entity["properties"] for entity in entities if entity["schema"] == "UnknownLink"]
    assert tie["role"] == ["the same seller account; mailboxes with the same stem"]
    again = read_list("\n".join(json.dumps(entity) for entity in entities).encode(), "tests")
    assert {text for prop, text in again.statements.select("property", "text").rows() if prop == "account"} == {"jade"}
    mine = network_as_ftm(either_store, decided[0]["party_id"], ("FRCDG1",))
    assert mine is not None
    told_of_mine = "".join(mine)
    assert "sender1@shop.example" in told_of_mine
    assert decided[1]["party_id"] not in told_of_mine
    erase(either_store, [decided[1]["consignment_id"]], "anna", "asked for", NOON)
    left = network_as_ftm(either_store, decided[1]["party_id"])
    assert "sender2" not in "".join(left or ())
    assert network_as_ftm(either_store, code_of("P", 5)) is None


def test_a_network_names_the_list_that_tells_of_its_subjects(desk: Desk, store: Store, switch: LinkingSwitch) -> None:
    live = replace(desk, parties=StoredParties(store, switch), journal=Journal(store, switch))
    listed = b"name,email,country\nBest Kicks,bad.seller77@shop.example,CN"
    import_list(store, "watch", listed, source="unit", by="anna", at=AT)
    decided = target(message(sent(1, 1, 5, email="bad.seller77@shop.example")), live).rows[0]
    found = network(store, decided["party_id"])
    assert found is not None
    (told_by,) = [party["told_by"] for party in found["parties"] if "told_by" in party]
    assert told_by == {"list": "watch", "source": "unit", "kind": "list", "label": "Best Kicks"}


def test_what_becomes_a_hub_links_nobody_in_the_store_either(either_store: Store) -> None:
    most, memory = LEVELS[NAMES.index("building")].max_cards, Graph()
    goods = [{**declared()["goods"][0], "description": "boots XK4417"}]
    for first in range(0, most + 10, 15):
        rows = [
            declared(
                n,
                lodged_at=NOON + timedelta(minutes=n),
                goods=goods if n < 5 else declared()["goods"],
                consignor={"name": f"Sender {n:03d}", "address": "7 Harbour Road", "city": "Hull", "country": "CN"},
            )
            for n in range(first, first + 15)
        ]
        consignments, _ = read(message(*rows, message_id=f"M{first}"))
        with either_store.writing() as connection:
            parties.keep(connection, consignments)
        link_with(consignments, memory)
        if first == 0:
            assert max(len(of) for of in held(either_store).members.values()) == 5
    assert told(held(either_store)) == told(memory)
    assert {len(of) for of in memory.members.values()} == {1}


def test_only_parties_on_record_are_judged(store: Store) -> None:
    one, *_ = chained(store)
    for other in (one, code_of("P", 5), "nonsense"):
        with pytest.raises(Fault, match="one, other"):
            judge(store, one, other, True, "officer 7", "reason", 1)


def test_nobody_knows_a_network_that_is_not_there(store: Store) -> None:
    assert network(store, code_of("N", 12)) is None


def test_a_batch_reads_what_it_touches_of_a_larger_graph(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory goes with the batch: of a country's graph only a batch as large as it takes all."""
    monkeypatch.setattr(parties, "MANY", 2)
    with store.writing() as connection:
        parties.keep(connection, read(message(*(sent(n, n) for n in range(1, 8))))[0])
    few, many = (read(message(*(sent(n, n) for n in range(7 - size, 7))))[0] for size in (2, 5))
    with store.reading() as connection:
        every = len(whole_graph(connection).cards)
        part, whole = (parties.graph_for(connection, with_evidence(batch)) for batch in (few, many))
        assert len(dict(part.cards)) < every
        assert len(dict(whole.cards)) == every


@pytest.mark.parametrize("read_by", [whole_graph, lambda connection: StoredGraph(connection)])
def test_a_graph_goes_when_nobody_uses_it_any_more(read_by: Callable[[sa.Connection], Graph], store: Store) -> None:
    """It is as large as a day: left to the collector of cycles, those of many days would stand in memory together."""
    with store.writing() as connection:
        parties.keep(connection, read(message(sent(1, 1)))[0])

    def looked_at(connection: sa.Connection) -> weakref.ref[Graph]:
        graph = read_by(connection)
        (card,) = store.pseudonyms.plain_list(connection.execute(sa.select(CARDS.c.entity)).scalars())
        assert graph.members[graph.network_of[card]] == [card]
        assert graph.cards[card].values
        return weakref.ref(graph)

    gc.disable()
    try:
        with store.reading() as connection:
            assert looked_at(connection)() is None
    finally:
        gc.enable()
