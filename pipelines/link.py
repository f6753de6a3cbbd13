"""Parties and networks over the whole archive, as if every declaration came once more in the order of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from features.fault import Fault
from features.parties import Meanwhile, grow
from features.parties.graph import Graph
from pipelines.archive import Archive
from pipelines.sweep import sweep
from service.chain import note
from service.exchange import network_as_ftm
from service.journal import Journal
from service.linking_switch import LinkingSwitch
from service.lists import listed_ever
from service.parties import census, judged_ever, replace_graph
from service.records import micros
from service.settings import Settings
from service.store import open_store


@dataclass(frozen=True, slots=True)
class Resolved:
    """What was found: senders as declared, pairs of them that are linked, networks of more than one, the largest."""

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
    meanwhile = Meanwhile(listed_ever(store), judged_ever(store))
    grow(graph, consignments, meanwhile)
    meanwhile.rest(graph)
    replace_graph(store, graph)
    store.close()
    sizes = census(graph)["cards"]
    links = sum(len(of) for of in graph.links.values()) // 2
    largest = sizes[0] if len(sizes) else 0
    return Resolved(len(graph.cards), links, int((sizes > 1).sum()), largest, len(consignments))


def forget(settings: Settings) -> None:
    """Switch linking off and delete every card, piece of evidence and link; judgements are kept as a record."""
    LinkingSwitch(settings.linking).turn_off()
    store = open_store(settings)
    replace_graph(store, Graph())
    store.close()


def hand_on(settings: Settings, code: str, out: Path, by: str, reason: str, now: datetime) -> int:
    """Write a network to a file (JSON lines, FollowTheMoney), and on the chain who did it and why; how many lines."""
    if not by.strip() or not reason.strip():
        raise Fault("handing a network on needs a name and a reason: --by NAME --reason TEXT")
    store = open_store(settings)
    lines = network_as_ftm(store, code, lambda _office: True)
    if lines is None:
        raise Fault("no such network or party is on record; decisions name them as network_id and party_id")
    told = list(lines)
    note(store, "export", code, {"by": by.strip(), "reason": reason.strip(), "entities": len(told)}, micros(now))
    store.close()
    out.write_text("".join(f"{line}\n" for line in told), encoding="utf-8")
    return len(told)
