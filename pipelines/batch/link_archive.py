"""Parties and networks over the whole archive, as if every declaration came once more in the order of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from features.fault import Fault
from features.moments import micros
from features.parties import GraphTimeline, grow
from features.parties.addressee import as_linked
from features.parties.graph import Graph
from pipelines.batch.archive import Archive
from pipelines.batch.archive_calls import sweep
from service.journal import Journal, open_journal
from service.parties.ftm_export import network_as_ftm
from service.parties.graph_queries import ADDRESSEES, SENDERS
from service.parties.linking_switch import LinkingSwitch
from service.parties.stored_parties import census, judged_ever, replace_graph
from service.parties.watch_lists import listed_ever
from service.record.audit_log import note
from service.settings import Settings
from service.store.database import open_store


@dataclass(frozen=True, slots=True)
class Resolved:
    """What was found: parties as declared, pairs of them that are linked, networks of more than one, the largest."""

    cards: int
    links: int
    networks: int
    largest: int
    consignments: int


def resolve(settings: Settings) -> Resolved:
    """Link everything that the archive holds anew and put it in the place of what the store held.

    Officers' judgements stay and count. Raises Fault while linking is switched off.
    """
    switch = LinkingSwitch(settings.linking)
    if not switch.on:
        raise Fault("linking is switched off; `tamis link --on --by NAME --basis TEXT` switches it on")
    archive, store = Archive(settings.archive, linking=True), open_store(settings)
    sweep(Journal(store, switch), archive)
    consignments, graph = archive.consignments(), Graph()
    timeline = GraphTimeline(listed_ever(store), judged_ever(store))
    grow(graph, consignments, timeline)
    timeline.apply_remaining(graph)
    replace_graph(store, graph)
    store.close()
    return _resolved(graph, len(consignments))


def resolve_addressees(settings: Settings) -> Resolved:
    """Do the same for the addressees that the archive holds; raises Fault while linking them is switched off."""
    if not LinkingSwitch(settings.linking_addressees).on:
        raise Fault(
            "linking of addressees is off; `tamis link --on --addressees --by NAME --basis TEXT` switches it on"
        )
    archive, store = Archive(settings.archive), open_store(settings)
    sweep(open_journal(settings), archive)
    consignments, graph = archive.consignments(), Graph()
    timeline = GraphTimeline(judged=judged_ever(store))
    grow(graph, as_linked(consignments), timeline)
    timeline.apply_remaining(graph)
    replace_graph(store, graph, ADDRESSEES)
    store.close()
    return _resolved(graph, len(consignments))


def _resolved(graph: Graph, consignments: int) -> Resolved:
    sizes = census(graph)["cards"]
    links = sum(len(of) for of in graph.links.values()) // 2
    largest = sizes[0] if len(sizes) else 0
    return Resolved(len(graph.cards), links, int((sizes > 1).sum()), largest, consignments)


def forget(settings: Settings, *, addressees: bool = False) -> None:
    """Switch linking off and delete every card, piece of evidence and link; judgements are kept as a record.

    addressees: do so for addressees, and leave senders as they are.
    """
    LinkingSwitch(settings.linking_addressees if addressees else settings.linking).turn_off()
    store = open_store(settings)
    replace_graph(store, Graph(), ADDRESSEES if addressees else SENDERS)
    store.close()


def hand_on(settings: Settings, code: str, out: Path, by: str, reason: str, now: datetime) -> int:
    """Write a network to a file (JSON lines, FollowTheMoney), and on the chain who did it and why; how many lines."""
    if not by.strip() or not reason.strip():
        raise Fault("handing a network on needs a name and a reason: --by NAME --reason TEXT")
    store = open_store(settings)
    lines = network_as_ftm(store, code)
    if lines is None:
        raise Fault("no such network or party is on record; decisions name them as network_id and party_id")
    entities = list(lines)
    note(store, "export", code, {"by": by.strip(), "reason": reason.strip(), "entities": len(entities)}, micros(now))
    store.close()
    out.write_text("".join(f"{line}\n" for line in entities), encoding="utf-8")
    return len(entities)
