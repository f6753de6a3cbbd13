"""Entity resolution over the store: consignments are linked when scored, and added to the graph when recorded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.algebra import Text
from features.consignment import Consignments
from features.fault import Fault
from features.parties import Unlinked, grow, link_with
from features.parties.addressee import COLUMNS, addressee_card, addressees_of, as_linked
from features.parties.card import EXPIRES_AFTER, SEEN_STEP, Card, expires_at
from features.parties.evidence import level_of, sentence
from features.parties.graph import Graph
from features.parties.graph_timeline import JUDGED
from features.parties.linking import code_of, entity_of, evidence_in, with_evidence
from features.parties.list_match import CONSIGNEE, CONSIGNOR
from features.parties.ownership import WEIGHED
from service.parties.aliases import aliases_among
from service.parties.graph_queries import ADDRESSEES, SENDERS, GraphTables
from service.parties.graph_rows import judgements_made, keyed_rows, row_of, row_of_card
from service.parties.linking_switch import LinkingSwitch
from service.parties.list_screening import screened
from service.parties.seen_parties import sees_pair, senders_seen, with_lists
from service.parties.stored_graph import StoredGraph, note_change
from service.parties.watch_lists import lists_as_of, lists_checked, subjects_named
from service.record.audit_log import Entry, append
from service.record.ownership import EVERY_OFFICE
from service.record.record_kinds import judgement_content
from service.store.bulk_rows import delete_rows, insert_many, insert_row, update_rows
from service.store.database import Store
from service.store.pseudonyms import Pseudonyms
from service.store.store_key import pseudonyms_in
from service.store.tables import CARDS, JUDGEMENTS

MANY, MOST = 20_000, 2  # declarations, and cards for each of them: the whole graph is read where it is no larger
SIDE_OF = {SENDERS.version: CONSIGNOR, ADDRESSEES.version: CONSIGNEE}
SHOWN = 200  # cards of a network that are shown
CONSIGNMENTS_PER_LINKING = 500  # cards deleted in one transaction, so that calls are not blocked


class StoredParties:
    """The linking of a live desk; off while the switch is off."""

    def __init__(self, store: Store, switch: LinkingSwitch, addressees: LinkingSwitch | None = None) -> None:
        """addressees: the switch of linking them; off where there is none."""
        self.store, self.switch, self.addressees = store, switch, addressees

    def link(self, consignments: Consignments, *, lists_at: int | None = None) -> Consignments:
        """Attribute consignments to the networks that they belong to; nothing is stored."""
        if not self.switch.on:
            return Unlinked().link(consignments)
        stated = with_evidence(consignments)
        with self.store.reading() as connection:
            graph = graph_for(connection, stated)
            linked = link_with(stated, graph, lists_at=lists_at)[0]
            if lists_at is not None:
                linked = screened(connection, linked, self._linked_to(connection, consignments))
        linked = _with_keyed_codes(linked, self.store.pseudonyms)
        GROWN.consignments, GROWN.graph = linked, graph
        return linked

    def _linked_to(self, connection: sa.Connection, consignments: Consignments) -> dict[int, list[int]]:
        """Return by row the contacts of their own of whom the addressee is linked to; none where linking is off."""
        if self.addressees is None or not self.addressees.on:
            return {}
        of_addressees = as_linked(consignments)
        graph = graph_for(connection, of_addressees, ADDRESSEES)
        seen = link_with(of_addressees, graph)[0].declared
        cards = of_addressees.declared.whole("card_entity").values.tolist()
        linked_to = {}
        for row, members in enumerate(seen.values("network_members")):
            others = [graph.cards[member] for member in members or () if member != cards[row]]
            if others:
                graph.hold_values(others)
                values = {value for card in others for value in card.values if level_of(value) in WEIGHED}
                linked_to[row] = sorted(value for value in values if graph.is_owned(value))
        return linked_to

    def lists_as_of(self) -> int | None:
        """Return when a watch list was last activated or ended; none without lists or with linking off."""
        return self._read(lists_as_of)

    def lists_checked(self) -> int | None:
        """Return when the least recently checked watch list was checked; none without lists or with linking off."""
        return self._read(lambda connection: lists_checked(connection) or lists_as_of(connection))

    def _read(self, moment: Callable[[sa.Connection], int | None]) -> int | None:
        if not self.switch.on:
            return None
        with self.store.reading() as connection:
            return moment(connection)


def _with_keyed_codes(linked: Consignments, pseudonyms: Pseudonyms) -> Consignments:
    """Name parties and networks by keyed hashes: decisions, and whoever reads them, see no others."""
    names = ("party_id", "network_id")
    codes = [code for name in names for code in linked.declared.text_or_unknown(name).rows()]
    recoded, rows = pseudonyms.recoded(codes), len(linked)
    return linked.holding({name: Text.of(recoded[at * rows : (at + 1) * rows]) for at, name in enumerate(names)})


class Grown(threading.local):
    """The consignments linked last in this thread, and the graph grown by them: recording need not repeat it."""

    consignments: Consignments | None = None
    graph: StoredGraph | None = None


GROWN = Grown()


def grown_by(consignments: Consignments) -> StoredGraph | None:
    """Return the graph as grown by these very consignments, if they were the last that this thread linked."""
    return GROWN.graph if GROWN.consignments is consignments else None


def keep_addressees(connection: sa.Connection, consignments: Consignments) -> None:
    """Add the addressees of newly recorded declarations to their graph, in the transaction that records them.

    A name used in a test purchase is nobody's card.
    """
    declared = [consignments.declared.text_or_unknown(name) for name in COLUMNS]
    of_addressees = as_linked(consignments, unknown=aliases_among(connection, addressees_of(declared)))
    graph = graph_for(connection, of_addressees, ADDRESSEES)
    grow(graph, of_addressees)
    graph.write()


def keep(connection: sa.Connection, consignments: Consignments, grown: StoredGraph | None = None) -> None:
    """Add newly recorded declarations to the graph, in the transaction that records them.

    grown: the graph as grown by just these; used only if the graph in the store has not changed since.
    """
    if not len(consignments):
        return
    if grown is None or not grown.attach(connection):
        stated = with_evidence(consignments)
        grown = graph_for(connection, stated)
        grow(grown, stated)
    grown.write()


def graph_for(connection: sa.Connection, consignments: Consignments, tables: GraphTables = SENDERS) -> StoredGraph:
    """Return the part of the graph of a side that these consignments touch; all of it where that is most of it."""
    if len(consignments) >= MANY and not tables.has_more_cards_than(connection, MOST * len(consignments)):
        return whole_graph(connection, tables)
    graph = StoredGraph(connection, tables)
    graph.prefetch(*evidence_in(consignments))
    return graph


def whole_graph(connection: sa.Connection, tables: GraphTables = SENDERS) -> StoredGraph:
    """Return the whole graph of a side in memory."""
    graph = StoredGraph(connection, tables)
    graph.fetch_all()
    return graph


def replace_graph(store: Store, graph: Graph, tables: GraphTables = SENDERS) -> None:
    """Replace the graph of a side in the store; officers' judgements stay as they are."""
    with store.writing() as connection:
        for table in tables.every:
            delete_rows(connection, table)
        cards = [row_of_card(card, graph.network_of[card.entity]) for card in graph.cards.values()]
        links = {link.pair: link for of in graph.links.values() for link in of.values()}
        rows: dict[sa.Table, list[dict[str, Any]]] = {
            tables.cards: cards,
            tables.evidence: [{"value": value, "entity": card} for value, by in graph.stated_by.items() for card in by],
            tables.links: [row_of(link) for link in links.values()],
            tables.hubs: [{"value": value} for value in graph.stated_by if graph.is_hub(value)],
            tables.phones: [{"value": value, "own": of_party} for value, of_party in graph.owned.items()],
        }
        for table, of_table in rows.items():
            insert_many(connection, table, keyed_rows(of_table, store.pseudonyms))
        note_change(connection, tables)


def judge(
    store: Store,
    party_id: str,
    other_party_id: str,
    same: bool | None,
    by: str,
    reason: str,
    at: int,
    offices: Collection[str] = (EVERY_OFFICE,),
) -> None:
    """Record an officer's judgement on two parties, with name and reason; None withdraws the former one.

    The former judgement stays on record and no longer counts. offices: of the officer; raises Fault for parties that
    they do not see, in the same words as for parties that are not on record.
    """
    with store.writing() as connection:
        named = [card for code in (party_id, other_party_id) if (card := _card_named(connection, code)) is not None]
        plain = sorted({entity for entity, _ in named})
        tables = named[0][1] if named else SENDERS
        of_one_side = all(side is tables for _, side in named)
        graph = StoredGraph(connection, tables)
        if len(plain) != 2 or not of_one_side or not sees_pair(connection, graph, plain, offices):
            raise Fault("one, other: give two different parties of one side on record, each as P- and sixteen digits")
        first, second = store.pseudonyms.keyed_list(plain)
        of_pair = (JUDGEMENTS.c.one == first, JUDGEMENTS.c.other == second)
        update_rows(connection, JUDGEMENTS, {"until": at}, *of_pair, JUDGEMENTS.c.until.is_(None))
        if same is not None:
            word = {"one": first, "other": second, "same": same, "by": by, "reason": reason, "at": at}
            judgement = insert_row(connection, JUDGEMENTS, word)
            append(connection, [Entry("judgement", str(judgement["judgement_id"]), judgement_content(word))], at)
        graph = StoredGraph(connection, tables)  # of what was just said too
        graph.divide_around(*plain)
        graph.write()


def judged_ever(store: Store) -> pl.DataFrame:
    """Return all judgements that officers ever made on pairs of cards, and when each counted (JUDGED)."""
    with store.reading() as connection:
        judgements = judgements_made(connection, counting=False)
    rows = [tuple(row[name] for name in ("one", "other", "same", "at", "until")) for row in judgements]
    return pl.DataFrame(rows, schema=JUDGED, orient="row")


def forget_old(store: Store, now: int, *, dry_run: bool = False, tables: GraphTables = SENDERS) -> int:
    """Delete the parties of a side without a declaration for three years, with their values and links; their number.

    now: microseconds since 1970.
    """
    cards = tables.cards
    over = (~cards.c.listed, cards.c.last_at <= now - SEEN_STEP - EXPIRES_AFTER)
    if dry_run:
        with store.reading() as connection:
            return int(connection.execute(sa.select(sa.func.count()).select_from(cards).where(*over)).scalar_one())
    done = 0
    while True:
        with store.writing() as connection:
            query = sa.select(cards.c.entity).where(*over).order_by(cards.c.entity).limit(CONSIGNMENTS_PER_LINKING)
            old = store.pseudonyms.plain_list(connection.execute(query).scalars())
            if not old:
                return done
            graph = StoredGraph(connection, tables)
            graph.prefetch(old, [])
            for entity in old:
                graph.remove(entity)
            graph.write()
        done += len(old)


def _card_named(connection: sa.Connection, code: str) -> tuple[int, GraphTables] | None:
    """Find the card on record that a code names, and the graph of its side; None where there is none.

    Decisions from before hashes were keyed name cards by the hash itself.
    """
    pseudonyms = pseudonyms_in(connection)
    try:
        keyed = entity_of(code)
    except ValueError:
        raise Fault("one, other: a party code is P- followed by sixteen digits") from None
    forms = [keyed, *pseudonyms.keyed_list([keyed])]
    for tables in (SENDERS, ADDRESSEES):
        entity = tables.cards.c.entity
        known = set(connection.execute(sa.select(entity).where(entity.in_(forms))).scalars())
        if known:
            return int(pseudonyms.plain_list([next(form for form in forms if form in known)])[0]), tables
    return None


def network(store: Store, code: str, offices: Collection[str] = (EVERY_OFFICE,)) -> dict[str, Any] | None:
    """Return the network that a party or network code names: its parties, links and judgements; None where unknown.

    offices: of whoever looks at it. He sees who sent to them and what lists say of these; `hidden` counts the others,
    and a network of others alone is unknown to him. `size` counts all.
    """
    named = store.pseudonyms.code
    with store.reading() as connection:
        found = _card_named(connection, code)
        if found is None:
            return None
        entity, tables = found
        graph = StoredGraph(connection, tables)
        root = graph.network_of[entity]
        cards = graph.members[root]
        seen, hidden = _seen(connection, graph, cards, offices)
        if not seen:
            return None
        shown = set(seen[:SHOWN])
        links = {
            link.pair: link for card in shown for link in graph.links_from(card).values() if shown.issuperset(link.pair)
        }
        by = subjects_named(connection, [card for card in shown if graph.cards[card].listed])
        party_phones = {v for link in links.values() for v in link.shared if graph.owned.get(v, True)}
        everyone, of_seen = judgements_made(connection, counting=False), any if hidden == 0 else all
        judgements = [row for row in everyone if of_seen(row[end] in shown for end in ("one", "other"))]
        return {
            "network_id": named("N", root),
            "side": SIDE_OF[tables.version],
            "also": [named("P", card) for card in _across(connection, graph, list(shown), tables, offices)],
            "size": len(cards),
            "hidden": hidden,
            "parties": [_party(graph.cards[card], by.get(card), named("P", card)) for card in seen[:SHOWN]],
            "links": [
                {"one": named("P", pair[0]), "other": named("P", pair[1]), "bits": link.bits,
                 "known_at": link.known_at, "expires_at": expires_at(min(graph.cards[card].last_at for card in pair)),
                 "evidence": sentence(link.shared, party_phones)}
                for pair, link in sorted(links.items())
            ],
            "judgements": [
                {"one": named("P", row["one"]), "other": named("P", row["other"]),
                 **{name: row[name] for name in ("same", "by", "reason", "at")}, "counts": row["until"] is None}
                for row in judgements
            ],
        }  # fmt: skip


def addressee_network(store: Store, body: Mapping[str, Any], offices: Collection[str]) -> dict[str, Any] | None:
    """Return the network of the addressee of a declaration; None where addressees are not linked, or it names none."""
    card = addressee_card(*map(body.get, COLUMNS))
    return None if card is None else network(store, store.pseudonyms.code("P", card), offices)


def _across(
    connection: sa.Connection, graph: StoredGraph, cards: Sequence[int], tables: GraphTables, offices: Collection[str]
) -> list[int]:
    """Return the parties of the other side that share a key of their own with these: somebody who sends and receives.

    What belongs to no one party ties none. offices: those of other offices are left out.
    """
    other = StoredGraph(connection, ADDRESSEES if tables is SENDERS else SENDERS)
    values = {v for card in cards for v in graph.cards[card].values if level_of(v) in WEIGHED and graph.is_owned(v)}
    stating = {card for value in sorted(values) if other.is_owned(value) for card in other.sharing(value)}
    parties = sorted(card for card in stating if not other.cards[card].listed)
    seen, _ = _seen(connection, other, parties, offices)
    return [card for card in seen if not other.cards[card].listed][:SHOWN]


def _seen(
    connection: sa.Connection, graph: StoredGraph, cards: list[int], offices: Collection[str]
) -> tuple[list[int], int]:
    """Choose the cards of a network that offices see, in its order, and count the others."""
    if EVERY_OFFICE in offices:
        return cards, 0
    of_offices = senders_seen(connection, graph, cards, offices)
    seen = [card for card in cards if card in of_offices]
    shown = with_lists(graph, seen[:SHOWN]) + seen[SHOWN:]
    return shown, len(cards) - len(shown)


def _party(card: Card, told_by: dict[str, str] | None, code: str) -> dict[str, Any]:
    """Return a sender as declared, or a subject of a list with the list that names it."""
    party: dict[str, Any] = {"party_id": code, "first_at": card.first_at}
    return party if told_by is None else party | {"told_by": told_by}


def counted(store: Store) -> tuple[int, int]:
    """Count senders as declared, and networks of more than one of them."""
    sizes = sa.select(sa.func.count().label("size")).where(~CARDS.c.listed).group_by(CARDS.c.network).subquery()
    several = sa.func.sum(sa.case((sizes.c.size > 1, 1), else_=0))
    with store.reading() as connection:
        cards, networks = connection.execute(sa.select(sa.func.sum(sizes.c.size), several)).one()
    return int(cards or 0), int(networks or 0)


def census(graph: Graph) -> pl.DataFrame:
    """Return one row per network: its code and its number of cards, the largest first."""
    rows = [(code_of("N", root), len(cards)) for root, cards in graph.members.items()]
    return pl.DataFrame(rows, schema={"network_id": pl.String, "cards": pl.Int64}, orient="row").sort(
        "cards", "network_id", descending=[True, False]
    )
