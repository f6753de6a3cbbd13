"""Linking of consignments to parties and networks, off unless a unit has switched it on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Protocol

import polars as pl

from features.consignment import Consignments
from features.facts import with_entities
from features.parties.evidence import BUILDING, MOST, NAME, NAMES, SURE, evidence_of, level_of
from features.parties.graph import Card, Graph, Link
from features.parties.meanwhile import Meanwhile

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
}
MOST_READ = 200  # members whose history is read, the latest; a network larger than that is told by them
RECENT = 7 * 86_400_000_000  # microseconds
COUNTED = {BUILDING: 0, **dict.fromkeys(NAME, 1), NAMES.index("article"): 2}  # of each level, its place in SHARING


class Parties(Protocol):
    """What a desk asks of a linking component."""

    def link(self, consignments: Consignments, *, lists_at: int | None = None) -> Consignments:
        """The same consignments with the columns LINKED, null where nobody is known.

        lists_at: the moment, microseconds since 1970, whose watch lists count; where absent, each consignment sees
        those of the moment it was lodged at.
        """
        ...

    def lists_as_of(self) -> int | None:
        """When the watch lists were last looked after, microseconds since 1970; none where there is none."""
        ...


class Unlinked:
    """Linking switched off: consignments are scored as goods, and no person is link_with to them."""

    def link(self, consignments: Consignments, *, lists_at: int | None = None) -> Consignments:  # noqa: ARG002 - as Parties
        """The same consignments with LINKED null."""
        return consignments.with_columns(*(pl.lit(None, dtype).alias(name) for name, dtype in LINKED.items()))

    def lists_as_of(self) -> int | None:
        """None: lists are screened by linking."""
        return None


class Linked:
    """Linking against a graph in memory, which grows by what is linked: the desk of a replay shows each day once."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    def link(self, consignments: Consignments, *, lists_at: int | None = None) -> Consignments:
        """The same consignments with the networks that they belong to, as known when each was lodged."""
        return link_with(consignments, self.graph, lists_at=lists_at)[0]

    def lists_as_of(self) -> int | None:
        """None: a graph in memory has no lists."""
        return None


CODE = re.compile("[NP]-[0-9A-F]{16}")


def code_of(kind: str, entity: int) -> str:
    """An identifier for people: `N` for a network, `P` for a party, and sixteen digits."""
    return f"{kind}-{entity & (2**64 - 1):016X}"


def entity_of(code: str) -> int:
    """The card that an identifier was made of; raises ValueError for anything else."""
    if not CODE.fullmatch(code):
        raise ValueError("not a code of a party or of a network")
    number = int(code[2:], 16)
    return number - 2**64 if number >= 2**63 else number


STATED = "sender_evidence"  # what a consignment states of its sender: a list of hashes


def with_evidence(consignments: Consignments) -> Consignments:
    """The consignments with `card_entity` and STATED; what is there already is not made again."""
    known = with_entities(consignments)
    if STATED in known.frame.columns:
        return known
    stated = evidence_of(known).group_by("row").agg(pl.col("value").sort().alias(STATED))
    return Consignments(known.frame.join(stated, on="row", how="left", maintain_order="left"), known.goods)


def evidence_in(consignments: Consignments) -> tuple[list[int], list[int]]:
    """The cards and the values that these consignments (with STATED) name."""
    frame = consignments.frame
    values = frame[STATED].explode(empty_as_null=False, keep_nulls=False)
    return frame["card_entity"].drop_nulls().unique().to_list(), values.unique().to_list()


def link_with(
    consignments: Consignments, graph: Graph, meanwhile: Meanwhile | None = None, *, lists_at: int | None = None
) -> tuple[Consignments, list[Link]]:
    """The consignments with the columns LINKED, and the links found; the graph grows by all of them.

    Each sees what was lodged strictly before it, those of its own batch among it, and what it states itself;
    consignments of the same moment do not see each other. meanwhile: what else changes the graph in that time.
    lists_at: as Parties.link says.
    """
    known = with_evidence(consignments)
    told: list[tuple[Any, ...]] = [(None,) * len(LINKED)] * len(known)
    links: list[Link] = []
    for at, declarations in _moments(known.frame):
        if meanwhile is not None:
            meanwhile.until(at, graph)
        for row, entity, stated in declarations:
            told[row] = _seen(graph, entity, stated, at, max(at, lists_at or at))
        for _, entity, stated in declarations:
            links += graph.add(entity, stated, at)
    columns = pl.DataFrame(told, schema=LINKED, orient="row")
    return known.with_columns(*columns.get_columns()), links


def grow(graph: Graph, consignments: Consignments, meanwhile: Meanwhile | None = None) -> list[Link]:
    """Let a graph grow by consignments that nobody asks about; the links found."""
    links: list[Link] = []
    for at, declarations in _moments(with_evidence(consignments).frame):
        if meanwhile is not None:
            meanwhile.until(at, graph)
        for _, entity, stated in declarations:
            links += graph.add(entity, stated, at)
    return links


def _seen(graph: Graph, entity: int, stated: Sequence[int], at: int, lists_at: int) -> tuple[Any, ...]:
    """The columns LINKED of one declaration; who was first seen at its moment or later is not known to it.

    lists_at: its moment, or a later one whose watch lists count.
    """
    found = [card for member in graph.seen_by(entity, stated, at) if (card := graph.cards.get(member)) is not None]
    known = [card for card in found if card.first_at < (lists_at if card.listed else at)]
    members = list(dict.fromkeys([entity, *(card.entity for card in known)]))
    oldest = min(((card.first_at, card.entity) for card in known if card.first_at < at), default=(at, entity))[1]
    others = [card for card in known if card.entity != entity and not card.listed]
    mine = graph.cards.get(entity)
    recent = sum(card.first_at > at - RECENT for card in others) + (mine is None or mine.first_at > at - RECENT)
    read = sorted(members[:1] + members[1:][-MOST_READ:])
    counts = _sharing(graph, entity, stated)
    new = _lookalikes(graph, entity, stated, at)
    subjects = [card for card in known if card.listed]
    told = code_of("P", entity), code_of("N", oldest), read, float(len(members) - len(subjects))
    listed = _told_of(subjects, _matches(graph, stated, lists_at))
    return *told, *listed, float(recent), *counts, float(new)


def _matches(graph: Graph, stated: Sequence[int], at: int) -> list[Card]:
    """Subjects of lists and of reports that share an identifier or a rare name with it."""
    sure = (value for value in stated if level_of(value) in SURE)
    cards = {graph.cards[card] for value in sure for card in graph.sharing(value)}
    return [card for card in cards if card.listed and card.first_at < at]


def _told_of(network: Sequence[Card], matches: Sequence[Card]) -> list[float]:
    """How many subjects of lists stand in the network and match; then the same of reports."""
    return [
        float(sum(card.reported == reported for card in cards))
        for reported in (False, True)
        for cards in (network, matches)
    ]


def _sharing(graph: Graph, entity: int, stated: Sequence[int]) -> list[float | None]:
    """How many cards, its own among them, state its building, its name, and the most shared of its article codes."""
    own = graph.cards[entity].values if entity in graph.cards else ()
    most: list[float | None] = [None, None, None]
    for value in stated:
        place = COUNTED.get(level_of(value))
        if place is not None:
            count = float(min(len(graph.stated_by.get(value, ())) + (value not in own), _hub(value)))
            most[place] = max(most[place] or 0.0, count)
    return most


def _hub(value: int) -> int:
    """So many cards make a hub; more are not counted."""
    return MOST[level_of(value)] + 1


def _lookalikes(graph: Graph, entity: int, stated: Sequence[int], at: int) -> int:
    """Other cards seen first in the last seven days that share anything with it that is not a hub."""
    found: set[int] = set()
    for value in stated:
        found.update(graph.sharing(value))
    found.discard(entity)
    cards, since = graph.cards, at - RECENT
    return sum(since < cards[other].first_at < at for other in found)


def _moments(frame: pl.DataFrame) -> Iterator[tuple[int, list[tuple[int, int, list[int]]]]]:
    """Row, card and evidence of what each moment brought, in one order: that of time, then of identifiers."""
    known = frame.filter(pl.col("card_entity").is_not_null())
    ordered = known.select(
        pl.col("lodged_at").dt.epoch("us"), "consignment_id", "message_id", "version", "row", "card_entity", STATED
    ).sort("lodged_at", "consignment_id", "message_id", "version")
    rows = ordered.select("lodged_at", "row", "card_entity", pl.col(STATED).fill_null([])).iter_rows()
    for at, declarations in groupby(rows, key=itemgetter(0)):
        yield at, [(row, entity, stated) for _, row, entity, stated in declarations]
