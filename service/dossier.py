"""Everything that it takes to defend a decision: what was declared, known, scored, asked and found, and its proof."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import sqlalchemy as sa

from features.assemble import Rows
from service.scoring import Model
from service.store import Store
from service.tables import CALLS, CHAIN, DECISIONS, DECLARATIONS, OUTCOMES, POLICIES


def dossier(store: Store, model: Model, consignment_id: str) -> dict[str, Any] | None:
    """The dossier of a consignment, as JSON has it; None where nothing is on record.

    Exact contributions are told of decisions that the model at hand gave; of others, which model did.
    """
    with store.reading() as connection:
        declared = _all(connection, DECLARATIONS, consignment_id, "version")
        decided = _all(connection, DECISIONS, consignment_id, "decided_at")
        results = _all(connection, OUTCOMES, consignment_id, "known_at")
        if not declared and not decided:
            return None
        decisions = [_decision(connection, row, model) for row in decided]
        outcomes = [{"outcome": row["body"], "proof": _proof(connection, row["outcome_id"])} for row in results]
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
    }


def _decision(connection: sa.Connection, row: dict[str, Any], model: Model) -> dict[str, Any]:
    basis = connection.execute(sa.select(CALLS.c.basis).where(CALLS.c.call_id == row["call_id"])).scalar_one()
    policy = connection.execute(sa.select(POLICIES.c.text).where(POLICIES.c.sha256 == basis["policy_sha256"])).scalar()
    together = sa.select(sa.func.count()).select_from(DECISIONS).where(DECISIONS.c.call_id == row["call_id"])
    circumstances = {name: told for name, told in basis.items() if name != "decided_before"}
    return {
        "decision": row["body"] or {"decision_id": row["decision_id"], "erased": True},
        "circumstances": circumstances | {"decided_together": connection.execute(together).scalar_one()},
        "row_as_scored": row["row_as_scored"],
        "explanation": _explained(row, model),
        "policy": policy,
        "proof": _proof(connection, row["decision_id"]),
    }


def _explained(row: dict[str, Any], model: Model) -> dict[str, Any]:
    """Every input with its value and its exact contribution to the margin (log-odds)."""
    decider = (row["body"] or {}).get("model_sha256")
    if decider != model.sha256 or row["row_as_scored"] is None or model.trees is None:
        return {"model_sha256": decider, "note": "given by another model than the one at hand; see `tamis replay`"}
    schema = {item.name: pl.String() if item.kind == "category" else pl.Float64() for item in model.inputs}
    values = {name: row["row_as_scored"].get(name) for name in schema}
    scores = model.score(Rows(pl.DataFrame([values], schema=schema, orient="row").with_row_index("row")))
    shares = scores.contributions(np.array([0]))[0]
    return {
        "model_sha256": model.sha256,
        "model": dict(model.facts),
        "expected_margin": float(shares[-1]),
        "margin": float(scores.frame["margin"][0]),
        "risk": float(scores.frame["risk"][0]),
        "contributions": [
            {"code": item.name, "meaning": item.words["en"], "value": values[item.name], "contribution": float(share)}
            for item, share in sorted(zip(model.inputs, shares[:-1], strict=True), key=lambda pair: -abs(pair[1]))
        ],
    }


def _proof(connection: sa.Connection, subject: str) -> list[dict[str, Any]]:
    """The entries of the audit chain for it."""
    rows = connection.execute(sa.select(CHAIN).where(CHAIN.c.subject == subject).order_by(CHAIN.c.number))
    return [dict(row) for row in rows.mappings()]


def _all(connection: sa.Connection, table: sa.Table, consignment_id: str, order: str) -> list[dict[str, Any]]:
    query = sa.select(table).where(table.c.consignment_id == consignment_id).order_by(table.c[order])
    return [dict(row) for row in connection.execute(query).mappings()]
