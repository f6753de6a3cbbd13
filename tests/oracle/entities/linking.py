"""Linking of consignments to parties and networks, off unless a unit has switched it on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Protocol

import polars as pl

from features.consignment import Consignments
from features.parties.card import Card
from features.parties.graph import Graph
from features.parties.graph_timeline import GraphTimeline
from features.parties.networks import Link
from features.parties.ownership import WEIGHED
from tests.oracle.entities.evidence import BUILDING, MOST_SHARERS, NAME, NAMES, SURE, evidence_of, level_of
from tests.oracle.entities.keys import SHARED_KEYS, with_entities

LINKED = {
    "party_id": pl.String(),
    "network_id": pl.String(),
    "network_members": pl.List(pl.Int64()),
    "network_cards": pl.Float64(),
    "network_listed": pl.Float64(),
    "listed_matches": pl.Float64(),
    "network_reports": pl.Float64(),
    "report_matches": pl.Float64(),
    "network_cards_7d": pl.Float64(),
    "cards_in_building": pl.Float64(),
    "cards_of_name": pl.Float64(),
    "cards_of_article": pl.Float64(),
    "lookalikes_7d": pl.Float64(),
    SHARED_KEYS: pl.List(pl.String()),
}
MOST_READ = 200  # members whose history is read, the latest; they stand for a larger network
RECENT = 7 * 86_400_000_000  # microseconds
SHARING_PLACES = {
    BUILDING: 0,
    **dict.fromkeys(NAME, 1),
    NAMES.index("article"): 2,
}  # place in SHARING
KEY_OF_LEVEL = {  # keys of history by the level of evidence that states the same
    NAMES.index(level): key
    for level, key in {
        "id": "consignor",
        "name": "name",
        "name_common": "name",
        "phone": "phone",
        "mailbox": "mailbox",
        "account": "account",
        "shop": "shop",
        "building": "address",
        "article": "article",
    }.items()
}


class Parties(Protocol):
    """The interface of a linking component."""

    def link(self, consignments: Consignments, *, lists_at: int | None = None) -> Consignments:
        """Add the columns LINKED, null where no sender is known.

        lists_at: the moment, microseconds since 1970, whose watch lists count; by default, each consignment sees those
        of the moment it was lodged at.
        """
        ...

    def lists_as_of(self) -> int | None:
        """Return when a watch list was last activated or ended, microseconds since 1970; none where there is none."""
        ...

    def lists_checked(self) -> int | None:
        """Return when the least recently imported watch list was imported, changed or not; none where there is none."""
        ...


class Unlinked:
    """Linking switched off: consignments are scored as goods, and attributed to no person."""

    def link(self, consignments: Consignments, *, lists_at: int | None = None) -> Consignments:  # noqa: ARG002 - as Parties
        """Return the same consignments with LINKED null."""
        return consignments.with_columns(*(pl.lit(None, dtype).alias(name) for name, dtype in LINKED.items()))

    def lists_as_of(self) -> int | None:
        """Return none: lists are screened by linking."""
        return None

    def lists_checked(self) -> int | None:
        """Return none, as above."""
        return None


class Linked:
    """Linking against a graph in memory, which grows by what is linked: the desk of a replay sees each day once."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def link(self, consignments: Consignments, *, lists_at: int | None = None) -> Consignments:
        """Attribute consignments to the networks that they belong to, as known when each was lodged."""
        return link_with(consignments, self.graph, lists_at=lists_at)[0]

    def lists_as_of(self) -> int | None:
        """Return none: a graph in memory has no lists."""
        return None

    def lists_checked(self) -> int | None:
        """Return none, as above."""
        return None


CODE = re.compile("[NP]-[0-9A-F]{16}")


def code_of(kind: str, entity: int) -> str:
    """Return an identifier for people: `N` for a network, `P` for a party, and sixteen digits."""
    return f"{kind}-{entity & (2**64 - 1):016X}"


def entity_of(code: str) -> int:
    """Return the card that an identifier was made of; raises ValueError for anything else."""
    if not CODE.fullmatch(code):
        raise ValueError("not a code of a party or of a network")
    number = int(code[2:], 16)
    return number - 2**64 if number >= 2**63 else number


STATED = "sender_evidence"  # evidence of the sender stated by a consignment: a list of hashes


def with_evidence(consignments: Consignments) -> Consignments:
    """Add `card_entity` and STATED to consignments; existing columns are not computed again."""
    known = with_entities(consignments)
    if STATED in known.frame.columns:
        return known
    stated = evidence_of(known).group_by("row").agg(pl.col("value").sort().alias(STATED))
    return Consignments(known.frame.join(stated, on="row", how="left", maintain_order="left"), known.goods)


def evidence_in(consignments: Consignments) -> tuple[list[int], list[int]]:
    """Return the cards and the values that these consignments (with STATED) name."""
    frame = consignments.frame
    values = frame[STATED].explode(empty_as_null=False, keep_nulls=False)
    return frame["card_entity"].drop_nulls().unique().to_list(), values.unique().to_list()


def link_with(
    consignments: Consignments, graph: Graph, timeline: GraphTimeline | None = None, *, lists_at: int | None = None
) -> tuple[Consignments, list[Link]]:
    """Add the columns LINKED to consignments and return the links found; the graph grows by all of them.

    Each consignment sees those lodged strictly before it, its own batch included, and its own values; consignments of
    the same moment do not see each other. timeline: other changes of the graph in that time. lists_at: see
    Parties.link.
    """
    known = with_evidence(consignments)
    rows: list[tuple[Any, ...]] = [(None,) * len(LINKED)] * len(known)
    links: list[Link] = []
    for at, declarations in _moments(known.frame):
        if timeline is not None:
            timeline.until(at, graph)
        for row, entity, stated in declarations:
            rows[row] = _seen(graph, entity, stated, at, max(at, lists_at or at))
        for _, entity, stated in declarations:
            links += graph.add(entity, stated, at)
    columns = pl.DataFrame(rows, schema=LINKED, orient="row")
    return known.with_columns(*columns.get_columns()), links


def grow(graph: Graph, consignments: Consignments, timeline: GraphTimeline | None = None) -> list[Link]:
    """Add consignments to a graph without linking them; returns the links found."""
    links: list[Link] = []
    for at, declarations in _moments(with_evidence(consignments).frame):
        if timeline is not None:
            timeline.until(at, graph)
        for _, entity, stated in declarations:
            links += graph.add(entity, stated, at)
    return links


def _seen(graph: Graph, entity: int, stated: Sequence[int], at: int, lists_at: int) -> tuple[Any, ...]:
    """Compute the columns LINKED of one declaration; cards first seen at its moment or later are unknown to it.

    lists_at: its moment, or a later one whose watch lists count.
    """
    cards = [card for member in graph.seen_by(entity, stated, at) if (card := graph.cards.get(member)) is not None]
    known = [card for card in cards if card.first_at < (lists_at if card.listed else at)]
    members = list(dict.fromkeys([entity, *(card.entity for card in known)]))
    oldest = min(((card.first_at, card.entity) for card in known if card.first_at < at), default=(at, entity))[1]
    others = [card for card in known if card.entity != entity and not card.listed]
    card_before = graph.cards.get(entity)
    recent = sum(card.first_at > at - RECENT for card in others) + (
        card_before is None or card_before.first_at > at - RECENT
    )
    read = sorted(members[:1] + members[1:][-MOST_READ:])
    counts = _sharing(graph, entity, stated)
    new = _lookalikes(graph, entity, stated, at)
    subjects = [card for card in known if card.listed]
    identity = code_of("P", entity), code_of("N", oldest), read, float(len(members) - len(subjects))
    listed = _subject_counts(subjects, _matches(graph, stated, lists_at))
    return *identity, *listed, float(recent), *counts, float(new), _shared_keys(graph, entity, stated, at)


def _matches(graph: Graph, stated: Sequence[int], at: int) -> list[Card]:
    """Return subjects of lists and of reports that share an identifier or a rare name with it."""
    sure = (value for value in stated if level_of(value) in SURE)
    cards = {graph.cards[card] for value in sure for card in graph.sharing(value)}
    return [card for card in cards if card.listed and card.first_at < at]


def _subject_counts(network: Sequence[Card], matches: Sequence[Card]) -> list[float]:
    """Count subjects of lists in the network and among the matches; then the same for reports."""
    return [
        float(sum(card.reported == reported for card in cards))
        for reported in (False, True)
        for cards in (network, matches)
    ]


def _shared_keys(graph: Graph, entity: int, stated: Sequence[int], at: int) -> list[str]:
    """Return the keys of history all values of which unlike senders share: they say nothing of this one.

    A sender without a number of its own is known by its name alone.
    """
    card = graph.cards.get(entity)
    seen = Card(entity, at, {*stated, *(card.values if card else ())})
    owned: dict[str, bool] = {}
    for value in stated:
        key = KEY_OF_LEVEL.get(level_of(value))
        if key is not None and not owned.get(key, False):
            owned[key] = graph.is_owned(value, seen)
    owned.setdefault("consignor", owned.get("name", True))
    return sorted(key for key, is_owned in owned.items() if not is_owned)


def _sharing(graph: Graph, entity: int, stated: Sequence[int]) -> list[float | None]:
    """Count the cards, its own included, that state its building, its name, and its most shared article code."""
    known = graph.cards[entity].values if entity in graph.cards else ()
    counts: list[float | None] = [None, None, None]
    for value in stated:
        place = SHARING_PLACES.get(level_of(value))
        if place is not None:
            count = float(min(len(graph.stated_by.get(value, ())) + (value not in known), _hub(value)))
            counts[place] = max(counts[place] or 0.0, count)
    return counts


def _hub(value: int) -> int:
    """Return the number of cards that makes a hub; more are not counted."""
    return MOST_SHARERS[level_of(value)] + 1


def _lookalikes(graph: Graph, entity: int, stated: Sequence[int], at: int) -> int:
    """Count other cards first seen in the last seven days that share a value with it that is not nobody's."""
    sharing: set[int] = set()
    for value in stated:
        if level_of(value) not in WEIGHED or graph.is_owned(value):
            sharing.update(graph.sharing(value))
    sharing.discard(entity)
    cards, since = graph.cards, at - RECENT
    return sum(since < cards[other].first_at < at for other in sharing)


def _moments(frame: pl.DataFrame) -> Iterator[tuple[int, list[tuple[int, int, list[int]]]]]:
    """Group row, card and evidence by moment, in a fixed order: time, then identifiers."""
    known = frame.filter(pl.col("card_entity").is_not_null())
    ordered = known.select(
        pl.col("lodged_at").dt.epoch("us"), "consignment_id", "message_id", "version", "row", "card_entity", STATED
    ).sort("lodged_at", "consignment_id", "message_id", "version")
    rows = ordered.select("lodged_at", "row", "card_entity", pl.col(STATED).fill_null([])).iter_rows()
    for at, declarations in groupby(rows, key=itemgetter(0)):
        yield at, [(row, entity, stated) for _, row, entity, stated in declarations]
