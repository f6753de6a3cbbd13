"""A network handed on: what its parties declared, as FollowTheMoney entities, for whoever may read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.intelligence import STATEMENTS, Tie, as_ftm
from features.intelligence.reading import PROPERTIES
from service.orientation.decisions import iso
from service.parties import network
from service.posting import in_lists
from service.records import EPOCH
from service.store import Store
from service.tables import DECISIONS, DECLARATIONS

SOURCE = "customs declarations"
DECLARED = {column: name for name, column in PROPERTIES.items() if column is not None}


def network_as_ftm(store: Store, code: str, sees: Callable[[str | None], bool]) -> Iterator[str] | None:
    """JSON lines of the network that a party or network code names; None where there is none.

    sees: whether the consignments of an office may be read; what only others declared is left out. What a watch list
    tells of the network is named by its code alone: of lists the store keeps hashes.
    """
    found = network(store, code)
    if found is None:
        return None
    parties = [party["party_id"] for party in found["parties"]]
    stated = _stated(store, parties, sees)
    there = set(stated["subject_id"])
    ties = [
        Tie(link["one"], link["other"], link["evidence"], since=iso(EPOCH + timedelta(microseconds=link["known_at"])))
        for link in found["links"]
        if there.issuperset((link["one"], link["other"]))
    ]
    return as_ftm(stated, ties)


def _stated(store: Store, parties: list[str], sees: Callable[[str | None], bool]) -> pl.DataFrame:
    """What these parties declared of themselves (STATEMENTS), each thing once."""
    rows: dict[tuple[str, str, str], str] = {}
    with store.reading() as connection:
        for party, body in _declarations(connection, parties, sees):
            label = str(body.get("consignor_name") or party)
            for column, prop in DECLARED.items():
                if body.get(column):
                    rows.setdefault((party, prop, str(body[column])), label)
    told = [(party, label, prop, text, SOURCE) for (party, prop, text), label in rows.items()]
    return pl.DataFrame(told, schema=STATEMENTS, orient="row").sort("subject_id", maintain_order=True)


def _declarations(
    connection: sa.Connection, parties: list[str], sees: Callable[[str | None], bool]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Whose each declaration is, and what it said, in the order of decisions; what was erased is not there.

    A decision names the network as it was known then: after whichever of its parties was the oldest.
    """
    same = [DECISIONS.c[name] == DECLARATIONS.c[name] for name in ("message_id", "consignment_id", "version")]
    own = set(parties)
    for some in in_lists([f"N{party[1:]}" for party in parties]):
        query = (
            sa.select(DECISIONS.c.office, DECISIONS.c.body, DECLARATIONS.c.body.label("declared"))
            .join(DECLARATIONS, sa.and_(*same))
            .where(DECISIONS.c.network.in_(some), DECISIONS.c.stands, DECLARATIONS.c.body.is_not(sa.null()))
            .order_by(DECISIONS.c.decided_at, DECISIONS.c.decision_id)
        )
        for office, decided, declared in connection.execute(query):
            if decided.get("party_id") in own and sees(office):
                yield decided["party_id"], declared
