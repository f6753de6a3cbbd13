"""Networks: the same cards give the same networks in whatever order they come; officers have the last word."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from features.parties.evidence import LEVELS, NAMES
from features.parties.graph import Graph
from features.parties.ownership import (
    FEW_SHARING,
    NAMES_OF_FEW,
    NAMES_OF_MANY,
    UNLIKE_AT_MOST,
    UNLIKE_OF_ALIKE,
)

Declared = tuple[int, int, tuple[int, ...]]  # card, moment, values
PHONES = [(n << 4) + NAMES.index("phone") for n in range(1, 3)]
OTHERS = [
    (n << 4) + NAMES.index(level)
    for level in ("name", "name_common", "building", "address", "article", "account", "shop_near")
    for n in range(1, 4)
]
values_of = st.sets(st.sampled_from(PHONES + OTHERS), max_size=6).map(lambda values: tuple(sorted(values)))
declared = st.tuples(st.integers(1, 9), st.integers(0, 50), values_of)


def grown(declarations: Sequence[Declared]) -> Graph:
    graph = Graph()
    for card, at, values in declarations:
        graph.add(card, values, at)
    return graph


def told(graph: Graph) -> tuple[object, ...]:
    """All that a graph says, but for when links were found."""
    links = {link.pair: (link.bits, link.shared) for of in graph.links.values() for link in of.values()}
    return dict(graph.network_of), {root: list(of) for root, of in graph.members.items()}, links


def pairs(graph: Graph) -> set[tuple[int, int]]:
    """The pairs of cards that are linked."""
    return {link.pair for of in graph.links.values() for link in of.values()}


@given(st.lists(declared, max_size=30), st.randoms(use_true_random=False))
def test_the_order_in_which_cards_come_does_not_matter(declarations: list[Declared], rng: random.Random) -> None:
    turned = list(declarations)
    rng.shuffle(turned)
    assert told(grown(turned)) == told(grown(declarations))


@given(st.lists(declared, max_size=25))
def test_the_networks_are_what_the_links_connect(declarations: list[Declared]) -> None:
    graph = grown(declarations)
    for entity in graph.cards:
        reached = graph._reached([entity])
        assert set(graph.members[graph.network_of[entity]]) == reached
        fresh = {link.pair for link in graph.links_of(graph.cards[entity], 0)}
        assert fresh == {link.pair for link in graph.links_from(entity).values()}


@given(st.lists(declared, max_size=20), declared)
@example([(1, 0, (18,)), (2, 0, (18, 27))], (1, 0, (27,)))
def test_what_a_declaration_would_belong_to_is_what_it_then_belongs_to(
    declarations: list[Declared], last: Declared
) -> None:
    graph = grown(declarations)
    card, at, values = last
    seen = graph.seen_by(card, values, at)
    assert seen[0] == card
    owned_before, links_before = dict(graph.owned), pairs(graph)
    graph.add(card, values, at)
    # who turns out to live under one roof with another is no longer linked to him by their telephone
    if (
        graph.owned == owned_before
        and links_before <= pairs(graph)
        and not any(graph.is_hub(value) for value in values)
    ):
        assert set(seen) == set(graph.members[graph.network_of[card]])


@given(st.lists(st.lists(declared, min_size=1, max_size=6), max_size=8))
@example([[(1, 0, (PHONES[0],))], [(2, 1, (PHONES[0], 27)), (3, 1, (PHONES[0], 27)), (2, 1, (27,))]])
def test_what_was_looked_up_before_it_is_added_changes_nothing(moments: list[list[Declared]]) -> None:
    """Of one moment all are looked up and then added: what was found of one must not outlive what another changes."""
    looked_up, added = Graph(), Graph()
    for at, declarations in enumerate(moments):
        looked_up.look_ahead()
        for card, _, values in declarations:
            looked_up.seen_by(card, values, at)
            seen = looked_up.with_stated(card, values, at)
            for value in values:
                looked_up.is_owned(value, seen)
        for card, _, values in declarations:
            found = [link.pair for link in looked_up.add(card, values, at)]
            assert sorted(found) == sorted(link.pair for link in added.add(card, values, at))
        assert (told(looked_up), looked_up.owned) == (told(added), added.owned)


@given(st.lists(declared, max_size=25), st.sets(st.integers(1, 9), max_size=4))
def test_who_is_taken_away_leaves_no_trace(declarations: list[Declared], gone: set[int]) -> None:
    graph = grown(declarations)
    for card in sorted(gone):
        graph.remove(card)
    without = grown([one for one in declarations if one[0] not in gone])
    assert told(graph) == told(without)
    assert dict(graph.stated_by).keys() == dict(without.stated_by).keys()


def test_a_forwarders_telephone_links_nobody_once_it_is_known_for_one() -> None:
    phone, street = PHONES[0], (7 << 4) + NAMES.index("building")
    graph = Graph()
    for card in range(1, 30):
        graph.add(card, (phone, (card << 4) + NAMES.index("name"), street), card)
    assert all(len(of) == 1 for of in graph.members.values())


def of_level(level: str, number: int) -> int:
    """A value of a level."""
    return (number << 4) + NAMES.index(level)


ARTICLE = of_level("article", 99)
CONTACTS = ("id", "account", "phone", "mailbox", "shop")


def test_one_telephone_under_many_names_at_many_addresses_is_one_party_if_the_goods_are_the_same() -> None:
    graph = Graph()
    for card in range(1, 51):
        own = (of_level("name", card), of_level("building", card), of_level("mailbox", card))
        graph.add(card, (PHONES[0], ARTICLE, *own), card)
    assert list(graph.members) == [1]


@pytest.mark.parametrize("contact", CONTACTS)
@pytest.mark.parametrize("goods", [1, 2])
def test_what_many_unlike_senders_state_is_nobodys(contact: str, goods: int) -> None:
    """Strangers with a telephone of a platform: linked while they are few, and not once they are more than a few."""
    value, graph = of_level(contact, 5), Graph()
    for card in range(1, UNLIKE_AT_MOST + 1):
        graph.add(card, (value, of_level("name", card), of_level("building", card), of_level("article", card)), card)
        assert len(graph.members) == 1
    stranger = UNLIKE_AT_MOST + 1
    graph.add(stranger, (value, of_level("name", stranger), of_level("building", stranger)), stranger)
    assert len(graph.members) == stranger
    assert not graph.is_owned(value)


@pytest.mark.parametrize("contact", CONTACTS)
def test_strangers_do_not_hide_in_the_company_of_one_offender(contact: str) -> None:
    """Thirty names of one offender and a few strangers share a telephone: he stays one, and they are not his."""
    value, graph = of_level(contact, 5), Graph()
    for card in range(1, 31):
        graph.add(card, (value, ARTICLE, of_level("wallet", 1), of_level("name", card)), card)
    assert len(graph.members) == 1
    for card in range(31, 31 + UNLIKE_OF_ALIKE):
        graph.add(card, (value, of_level("name", card), of_level("building", card)), card)
    assert len(graph.members[1]) == 30
    assert len(graph.members) == 1 + UNLIKE_OF_ALIKE


@pytest.mark.parametrize("level", ["mailbox_stem", "name", "name_common", "building", "article"])
def test_weak_evidence_is_shared_from_the_second_stranger(level: str) -> None:
    value, graph = of_level(level, 5), Graph()
    graph.add(1, (value, of_level("account", 1)), 1)
    graph.add(2, (value, of_level("account", 1)), 2)
    assert graph.is_owned(value)
    graph.add(3, (value, of_level("account", 3)), 3)
    assert not graph.is_owned(value)
    graph.remove(3)
    assert graph.is_owned(value)


@pytest.mark.slow
def test_what_too_many_share_links_nobody() -> None:
    account = NAMES.index("account") + 16
    most = LEVELS[NAMES.index("account")].max_cards
    graph = Graph()
    for card in range(1, most + 1):
        graph.add(card, (account, ARTICLE), card)
    assert len(graph.members) == 1
    graph.add(most + 1, (account, ARTICLE), most + 1)
    assert len(graph.members) == most + 1
    assert not any(graph.links.values())


def linked() -> Graph:
    """Two pairs that hang together by one link."""
    account, shop, article, house = (16 + NAMES.index(level) for level in ("account", "shop", "article", "building"))
    return grown(
        [(1, 1, (account,)), (2, 2, (account, article, house)), (3, 3, (shop, article, house)), (4, 4, (shop,))]
    )


def test_an_officer_cuts_and_takes_it_back() -> None:
    graph = linked()
    assert graph.members == {1: [1, 2, 3, 4]}
    graph.judge(2, 3, same=False)
    assert graph.members == {1: [1, 2], 3: [3, 4]}
    graph.judge(2, 3, same=None)
    assert graph.members == {1: [1, 2, 3, 4]}


def test_who_is_told_apart_stays_apart_whatever_links_come_later() -> None:
    graph = linked()
    graph.judge(1, 4, same=False)
    before = {root: set(of) for root, of in graph.members.items()}
    assert not any({1, 4} <= of for of in before.values())
    graph.add(1, (16 + NAMES.index("shop"),), 9)
    assert not any({1, 4} <= set(of) for of in graph.members.values())


def test_an_officer_joins_what_no_evidence_does() -> None:
    graph = grown([(1, 1, ()), (2, 2, ())])
    graph.judge(1, 2, same=True)
    assert graph.members == {1: [1, 2]}
    graph.judge(2, 1, same=None)
    assert graph.members == {1: [1], 2: [2]}


def test_a_network_is_called_after_the_card_seen_first() -> None:
    account = 16 + NAMES.index("account")
    graph = grown([(5, 10, (account,)), (6, 20, (account,))])
    assert list(graph.members) == [5]
    graph.add(6, (), 1)  # its first declaration comes late
    assert graph.members == {6: [6, 5]}


def test_the_limits_of_telephones_are_those_that_were_measured() -> None:
    assert (FEW_SHARING, NAMES_OF_FEW, NAMES_OF_MANY) == (8, 3.2, 1.5)
