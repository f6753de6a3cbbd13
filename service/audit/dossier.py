"""Everything that it takes to defend a decision: what was declared, known, scored, asked and found, and its proof."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from service.audit.explain import explain_row
from service.audit.replay import Bundles, NotReplayable
from service.audit.timeline import rows_seen, timeline_of
from service.record.ownership import EVERY_OFFICE
from service.record.record_kinds import DECISION, KINDS, OUTCOME
from service.record.settled_proof import erasures_of_files, proofs_of
from service.record.standing import standing_of
from service.store.database import Store
from service.store.settled_rows import count_by, decided_of, declared_of
from service.store.tables import CALLS, CHAIN, DECISIONS, DECLARATIONS, OUTCOMES, POLICIES

OF_OTHERS = ("decided_before", "owners")  # of a call, what it says of each consignment that was decided with it


def dossier(
    store: Store, bundles: Bundles, consignment_id: str, offices: Collection[str] = (EVERY_OFFICE,)
) -> dict[str, Any] | None:
    """Give the dossier of a consignment, as JSON has it; None where nothing is on record.

    Exact contributions are given of every decision whose bundle is kept; of others, why they cannot be. offices: of
    whoever reads it, who sees all parts of the consignment; judgements on senders that he does not see are left out.
    """
    with store.reading() as connection:
        declared = _all(connection, DECLARATIONS, consignment_id, "version")
        declared += declared_of(connection, DECLARATIONS.c.keys(), [consignment_id])
        decided = _all(connection, DECISIONS, consignment_id, "decided_at")
        decided += decided_of(connection, DECISIONS.c.keys(), [consignment_id])
        results = _all(connection, OUTCOMES, consignment_id, "known_at")
        if not declared and not decided:
            return None
        decisions = [_decision(connection, row, bundles) for row in decided]
        outcomes = [{"outcome": row["body"], "proof": _proof(connection, row["outcome_id"])} for row in results]
        records = _records(connection, consignment_id, offices)
        events = timeline_of(connection, consignment_id, offices)
    return {
        "consignment_id": consignment_id,
        "declarations": [
            {
                "message_id": row["message_id"],
                "version": row["version"],
                "content_sha256": row["content_sha256"],
                "declared": row["body"],
            }
            for row in declared
        ],
        "decisions": decisions,
        "outcomes": outcomes,
        "records": records,
        "timeline": [event.as_json() for event in events],
    }


def _decision(connection: sa.Connection, row: dict[str, Any], bundles: Bundles) -> dict[str, Any]:
    basis = connection.execute(sa.select(CALLS.c.basis).where(CALLS.c.call_id == row["call_id"])).scalar_one()
    policy = connection.execute(sa.select(POLICIES.c.text).where(POLICIES.c.sha256 == basis["policy_sha256"])).scalar()
    together = sa.select(sa.func.count()).select_from(DECISIONS).where(DECISIONS.c.call_id == row["call_id"])
    in_rows = connection.execute(together).scalar_one()
    circumstances = {name: value for name, value in basis.items() if name not in OF_OTHERS}
    (stands,) = standing_of(connection, [row])
    return {
        "decision": row["body"] or {"decision_id": row["decision_id"], "erased": True},
        "circumstances": circumstances | {"decided_together": in_rows + count_by(connection, row["call_id"])},
        "row_as_scored": row["row_as_scored"],
        **stands.as_json(),
        "explanation": _explained(row, bundles),
        "policy": policy,
        "proof": _proof(connection, row["decision_id"]) + _erased_with_file(connection, row),
    }


def _explained(row: dict[str, Any], bundles: Bundles) -> dict[str, Any]:
    """Explain the score with every input, its value and its exact contribution, or say why that cannot be."""
    try:
        return explain_row(bundles, row).as_json()
    except NotReplayable as lacking:
        return {"model_sha256": (row["body"] or {}).get("model_sha256"), "note": str(lacking)}


def _records(
    connection: sa.Connection, consignment_id: str, offices: Collection[str]
) -> dict[str, list[dict[str, Any]]]:
    """Give the rows of every further kind of record about a consignment, each with its proof."""
    further = (kind for kind in KINDS.values() if kind not in (DECISION, OUTCOME))
    found = {
        kind.name: [
            {"record": kind.details_left(row), "proof": _proof(connection, kind.subject_of(row))}
            for row in rows_seen(connection, kind, consignment_id, offices)
        ]
        for kind in further
    }
    return {name: records for name, records in found.items() if records}


def _proof(connection: sa.Connection, subject: str) -> list[dict[str, Any]]:
    """Look up the entries of the audit log for it."""
    rows = connection.execute(sa.select(CHAIN).where(CHAIN.c.subject == subject).order_by(CHAIN.c.number))
    settled = [proof.as_json() for proof in proofs_of(connection, [subject])]
    return settled + [dict(row) for row in rows.mappings()]


def _erased_with_file(connection: sa.Connection, row: dict[str, Any]) -> list[dict[str, Any]]:
    return erasures_of_files(connection, [row["decision_id"]]) if row["salt"] is None else []


def _all(connection: sa.Connection, table: sa.Table, consignment_id: str, order: str) -> list[dict[str, Any]]:
    query = sa.select(table).where(table.c.consignment_id == consignment_id).order_by(table.c[order])
    return [dict(row) for row in connection.execute(query).mappings()]
