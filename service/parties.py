"""Who stands behind a consignment, from the store: linked when it is scored, kept when it is recorded."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.consignment import Consignments
from features.fault import Fault
from features.parties import Unlinked, grow, link_with
from features.parties.evidence import sentence
from features.parties.graph import EXPIRES_AFTER, SEEN_STEP, Card, Graph, expires_at
from features.parties.linking import code_of, entity_of, evidence_in, with_evidence
from features.parties.meanwhile import JUDGED
from service.bulk import insert_many
from service.chain import Entry, append
from service.linking_switch import LinkingSwitch
from service.lists import lists_as_of, lists_checked, subjects_named
from service.scoring.signature import canonical
from service.store import Store
from service.stored_graph import StoredGraph, note_change, row_of, row_of_card
from service.tables import CARDS, EVIDENCE, HUBS, JUDGEMENTS, LINKS, PHONES

MANY = 20_000  # declarations; for so many the whole graph is read, for fewer what they touch
SHOWN = 200  # cards of a network that are shown
AT_ONCE = 500  # cards that are forgotten in one transaction, so that calls come between


class StoredParties:
    """The linking of a live desk; off as long as the switch is off."""

    def __init__(self, store: Store, switch: LinkingSwitch) -> None:
        self.store, self.switch = store, switch

    def link(self, consignments: Consignments, *, lists_at: int | None = None) -> Consignments:
        """The same consignments with the networks that they belong to; nothing is kept of it."""
        if not self.switch.on:
            return Unlinked().link(consignments)
        stated = with_evidence(consignments)
        with self.store.reading() as connection:
            graph = graph_for(connection, stated)
            linked = link_with(stated, graph, lists_at=lists_at)[0]
        GROWN.consignments, GROWN.graph = linked, graph
        return linked

    def lists_as_of(self) -> int | None:
        """When the watch list that was looked after longest ago was; none where there is none or linking is off."""
        if not self.switch.on:
            return None
        with self.store.reading() as connection:
            return lists_checked(connection) or lists_as_of(connection)


class Grown(threading.local):
    """What was linked last in this thread, and the graph as it has grown by it: who records it need not do it again."""

    consignments: Consignments | None = None
    graph: StoredGraph | None = None


GROWN = Grown()


def grown_by(consignments: Consignments) -> StoredGraph | None:
    """The graph as it has grown by these very consignments, where they were the last that this thread has linked."""
    return GROWN.graph if GROWN.consignments is consignments else None


def keep(connection: sa.Connection, consignments: Consignments, grown: StoredGraph | None = None) -> None:
    """Add declarations that are new on record to the graph, in the transaction that records them.

    grown: the graph as it has grown by just these; of use as long as nobody else has changed the one in the store.
    """
    if not len(consignments):
        return
    if grown is None or not grown.attach(connection):
        stated = with_evidence(consignments)
        grown = graph_for(connection, stated)
        grow(grown, stated)
    grown.write()


def graph_for(connection: sa.Connection, consignments: Consignments) -> StoredGraph:
    """As much of the graph as these consignments touch; all of it where they are many."""
    if len(consignments) >= MANY:
        return whole_graph(connection)
    graph = StoredGraph(connection)
    graph.prefetch(*evidence_in(consignments))
    return graph


def whole_graph(connection: sa.Connection) -> StoredGraph:
    """The whole graph in memory."""
    graph = StoredGraph(connection)
    graph.fetch_all()
    return graph


def replace_graph(store: Store, graph: Graph) -> None:
    """Put a graph in the place of the one in the store; officers' judgements stay as they are."""
    with store.writing() as connection:
        for table in (CARDS, EVIDENCE, LINKS, PHONES, HUBS):
            connection.execute(sa.delete(table))
        cards = [row_of_card(card, graph.network_of[card.entity]) for card in graph.cards.values()]
        links = {link.pair: link for of in graph.links.values() for link in of.values()}
        insert_many(connection, CARDS, cards)
        insert_many(connection, EVIDENCE, [{"value": v, "entity": c} for v, by in graph.stated_by.items() for c in by])
        insert_many(connection, LINKS, [row_of(link) for link in links.values()])
        insert_many(connection, HUBS, [{"value": value} for value in graph.stated_by if graph.is_hub(value)])
        insert_many(connection, PHONES, [{"value": value, "own": own} for value, own in graph.own.items()])
        note_change(connection)


def judge(store: Store, one: str, other: str, same: bool | None, by: str, reason: str, at: int) -> None:
    """Keep an officer's word on two parties, with name and reason; none takes the former word back.

    What was said before is kept beside it and counts no more.
    """
    first, second = sorted((_card(one), _card(other)))
    with store.writing() as connection:
        there = connection.execute(sa.select(CARDS.c.entity).where(CARDS.c.entity.in_([first, second]))).scalars().all()
        if first == second or len(there) != 2:
            raise Fault("one, other: two different parties on record are needed, each as P- and sixteen digits")
        of_pair = (JUDGEMENTS.c.one == first, JUDGEMENTS.c.other == second)
        connection.execute(sa.update(JUDGEMENTS).where(*of_pair, JUDGEMENTS.c.until.is_(None)).values(until=at))
        if same is not None:
            word = {"one": first, "other": second, "same": same, "by": by, "reason": reason, "at": at}
            made = connection.execute(sa.insert(JUDGEMENTS).values(word).returning(JUDGEMENTS.c.judgement_id))
            append(connection, [Entry("judgement", str(made.scalar_one()), judgement_content(word))], at)
        graph = StoredGraph(connection)
        graph.divide_around(first, second)
        graph.write()


def judged_ever(store: Store) -> pl.DataFrame:
    """What officers ever said of pairs of cards, and from when until when it counted (JUDGED)."""
    own = [JUDGEMENTS.c.one, JUDGEMENTS.c.other, JUDGEMENTS.c.same, JUDGEMENTS.c.at, JUDGEMENTS.c.until]
    with store.reading() as connection:
        rows = [tuple(row) for row in connection.execute(sa.select(*own).order_by(JUDGEMENTS.c.judgement_id))]
    return pl.DataFrame(rows, schema=JUDGED, orient="row")


def forget_old(store: Store, now: int, *, dry_run: bool = False) -> int:
    """Forget the senders that nobody has declared for three years, with what they stated and their links; how many.

    now: microseconds since 1970.
    """
    over = (~CARDS.c.listed, CARDS.c.last_at <= now - SEEN_STEP - EXPIRES_AFTER)
    if dry_run:
        with store.reading() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(CARDS).where(*over)).scalar_one())
    done = 0
    while True:
        with store.writing() as connection:
            query = sa.select(CARDS.c.entity).where(*over).order_by(CARDS.c.entity).limit(AT_ONCE)
            old = list(connection.execute(query).scalars())
            if not old:
                return done
            graph = StoredGraph(connection)
            graph.prefetch(old, [])
            for entity in old:
                graph.remove(entity)
            graph.write()
        done += len(old)


def judgement_content(word: Mapping[str, Any]) -> str:
    """What the chain holds of an officer's word: a hash, as a reason may name a person."""
    told = {name: word[name] for name in ("one", "other", "same", "by", "reason", "at")}
    return hashlib.sha256(canonical(told)).hexdigest()


def _card(code: str) -> int:
    try:
        return entity_of(code)
    except ValueError:
        raise Fault("one, other: a party is named by P- and sixteen digits") from None


def network(store: Store, code: str) -> dict[str, Any] | None:
    """What is known of the network that a party or network code names: its parties, its links, officers' words."""
    entity = _card(code)
    with store.reading() as connection:
        graph = StoredGraph(connection)
        if entity not in graph.cards:
            return None
        root = graph.network_of[entity]
        cards = graph.members[root]
        shown = set(cards[:SHOWN])
        links = {
            link.pair: link for card in shown for link in graph.links_from(card).values() if shown.issuperset(link.pair)
        }
        by = subjects_named(connection, [card for card in shown if graph.cards[card].listed])
        own = {v for link in links.values() for v in link.shared if graph.own.get(v, True)}
        said = connection.execute(
            sa.select(JUDGEMENTS).where(JUDGEMENTS.c.one.in_(shown) | JUDGEMENTS.c.other.in_(shown))
        )
        return {
            "network_id": code_of("N", root),
            "size": len(cards),
            "parties": [_party(graph.cards[card], by.get(card)) for card in cards[:SHOWN]],
            "links": [
                {"one": code_of("P", pair[0]), "other": code_of("P", pair[1]), "bits": link.bits,
                 "known_at": link.known_at, "expires_at": expires_at(min(graph.cards[card].last_at for card in pair)),
                 "evidence": sentence(link.shared, own)}
                for pair, link in sorted(links.items())
            ],
            "judgements": [
                {"one": code_of("P", row.one), "other": code_of("P", row.other), "same": row.same, "by": row.by,
                 "reason": row.reason, "at": row.at, "counts": row.until is None}
                for row in said
            ],
        }  # fmt: skip


def _party(card: Card, told_by: dict[str, str] | None) -> dict[str, Any]:
    """A sender as declared; or a subject of a list, with the list that tells of it."""
    party: dict[str, Any] = {"party_id": code_of("P", card.entity), "first_at": card.first_at}
    return party if told_by is None else party | {"told_by": told_by}


def counted(store: Store) -> tuple[int, int]:
    """Senders as declared, and networks of more than one of them."""
    sizes = sa.select(sa.func.count().label("size")).where(~CARDS.c.listed).group_by(CARDS.c.network).subquery()
    several = sa.func.sum(sa.case((sizes.c.size > 1, 1), else_=0))
    with store.reading() as connection:
        cards, networks = connection.execute(sa.select(sa.func.sum(sizes.c.size), several)).one()
    return int(cards or 0), int(networks or 0)


def census(graph: Graph) -> pl.DataFrame:
    """One row a network: its code and how many cards it has, the largest first."""
    rows = [(code_of("N", root), len(cards)) for root, cards in graph.members.items()]
    return pl.DataFrame(rows, schema={"network_id": pl.String, "cards": pl.Int64}, orient="row").sort(
        "cards", "network_id", descending=[True, False]
    )
