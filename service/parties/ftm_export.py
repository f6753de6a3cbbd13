"""Export of a network: what its parties declared, as FollowTheMoney entities, for authorised readers."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import chain
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.identifiers.letters import comparable
from features.intelligence import STATEMENTS, Tie, as_ftm
from features.intelligence.statements import PROPERTIES
from features.moments import EPOCH, iso
from features.parties.linking import code_of
from features.parties.list_match import CONSIGNOR, SIDES
from service.parties.stored_parties import network
from service.record.ownership import EVERY_OFFICE, sees_office
from service.store.database import Store
from service.store.queries import in_lists
from service.store.record_files import NETWORK
from service.store.settled_rows import declared_of
from service.store.tables import DECISIONS, DECLARATIONS

SOURCE = "customs declarations"
PROPERTY_COLUMNS = {column: name for name, column in PROPERTIES.items() if column is not None}


def network_as_ftm(store: Store, code: str, offices: Collection[str] = (EVERY_OFFICE,)) -> Iterator[str] | None:
    """Return JSON lines of the network that a party or network code names; None where there is none.

    offices: of whoever reads it; what was declared for others alone is left out. Subjects of watch lists appear by
    their code alone: of lists the store keeps hashes.
    """
    summary = network(store, code, offices)
    if summary is None:
        return None
    parties = [party["party_id"] for party in summary["parties"]]
    stated = _stated(store, parties, offices)
    declared = set(stated["subject_id"])
    ties = [
        Tie(link["one"], link["other"], link["evidence"], since=iso(EPOCH + timedelta(microseconds=link["known_at"])))
        for link in summary["links"]
        if declared.issuperset((link["one"], link["other"]))
    ]
    return as_ftm(stated, ties)


def consignments_as_ftm(
    declared: Mapping[str, Mapping[str, Any]],
    senders: Mapping[str, str | None],
    links: Iterable[Mapping[str, Any]] = (),
) -> Iterator[str]:
    """Return JSON lines of both sides of consignments: each party with what it stated, and who sent to whom.

    declared: by number of the consignment. senders: the party code of each, where linking has given one. links: of the
    networks of these parties. A party without a code is known by name and postcode alone.
    """
    rows: dict[tuple[str, str, str], str] = {}
    ties: list[Tie] = []
    for number, body in declared.items():
        ends = []
        for side in SIDES:
            code = senders.get(number) if side == CONSIGNOR else None
            if subject := code or _named(body, side):
                ends.append(subject)
                _state(rows, subject, body, side)
        if len(ends) == len(SIDES):
            ties.append(Tie(ends[0], ends[1], f"consignment {number}", since=str(body.get("lodged_at") or "") or None))
    known = {subject for subject, _, _ in rows}
    ties += [
        Tie(link["one"], link["other"], link["evidence"], since=iso(EPOCH + timedelta(microseconds=link["known_at"])))
        for link in links
        if known.issuperset((link["one"], link["other"]))
    ]
    statements = [(party, label, prop, text, SOURCE) for (party, prop, text), label in rows.items()]
    return as_ftm(
        pl.DataFrame(statements, schema=STATEMENTS, orient="row").sort("subject_id", maintain_order=True), ties
    )


def _named(body: Mapping[str, Any], side: str) -> str | None:
    """Name a party that has no code: by its side, name and postcode."""
    name = comparable(str(body.get(f"{side}_name") or ""))
    digest = hashlib.sha256(f"{name}\x1f{body.get(f'{side}_postcode') or ''}".encode()).hexdigest()
    return f"{side}-{digest[:16]}" if name else None


def _state(rows: dict[tuple[str, str, str], str], subject: str, body: Mapping[str, Any], side: str) -> None:
    label = str(body.get(f"{side}_name") or subject)
    for column, prop in PROPERTY_COLUMNS.items():
        stated = body.get(column.replace(f"{CONSIGNOR}_", f"{side}_"))
        if stated and (side == CONSIGNOR or column.startswith(f"{CONSIGNOR}_")):
            rows.setdefault((subject, prop, str(stated)), label)


def _stated(store: Store, parties: list[str], offices: Collection[str]) -> pl.DataFrame:
    """Return what these parties declared of themselves (STATEMENTS), each value once."""
    rows: dict[tuple[str, str, str], str] = {}
    with store.reading() as connection:
        for party, body in _declarations(connection, parties, offices):
            label = str(body.get("consignor_name") or party)
            for column, prop in PROPERTY_COLUMNS.items():
                if body.get(column):
                    rows.setdefault((party, prop, str(body[column])), label)
    statements = [(party, label, prop, text, SOURCE) for (party, prop, text), label in rows.items()]
    return pl.DataFrame(statements, schema=STATEMENTS, orient="row").sort("subject_id", maintain_order=True)


def _declarations(
    connection: sa.Connection, parties: list[str], offices: Collection[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the party and content of each declaration, in the order of decisions; erased ones are left out.

    A decision names the network as it was known then: after the party that was the oldest at the time.
    """
    same = [DECISIONS.c[name] == DECLARATIONS.c[name] for name in ("message_id", "consignment_id", "version")]
    wanted = set(parties)
    for batch in in_lists([f"N{party[1:]}" for party in parties]):
        query = (
            sa.select(DECLARATIONS.c.office, DECLARATIONS.c.card, DECLARATIONS.c.body.label("declared"))
            .join(DECLARATIONS, sa.and_(*same))
            .where(DECISIONS.c.network.in_(batch), DECISIONS.c.stands, DECLARATIONS.c.body.is_not(sa.null()))
            .order_by(DECISIONS.c.decided_at, DECISIONS.c.decision_id)
        )
        settled = declared_of(connection, ("office", "card", "body"), list(batch), NETWORK)
        in_files = [(row["office"], row["card"], row["body"]) for row in settled]
        for office, card, declared in chain(connection.execute(query), in_files):
            party = None if card is None else code_of("P", card)
            if party in wanted and sees_office(offices, office):
                yield party, declared
