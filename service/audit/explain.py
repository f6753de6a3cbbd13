"""Why a decision scored as it did: the exact contribution of every input, by the bundle that decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from features.catalogue import Input
from service.audit.replay import Bundles, NotReplayable, rows_as_scored
from service.store.database import Store
from service.store.record_files import DECISION
from service.store.settled_rows import decided_of
from service.store.tables import DECISIONS


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one input added to the margin (log-odds), and the value that it had."""

    item: Input
    value: float | str | None
    contribution: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """The score of a decision in parts: `expected_margin` and all contributions sum to `margin`.

    model: what the signed manifest of the bundle says. contributions: of every input, the weightiest first.
    """

    model_sha256: str
    model: Mapping[str, Any]
    expected_margin: float
    margin: float
    risk: float
    contributions: tuple[Contribution, ...]

    def as_json(self) -> dict[str, Any]:
        """Write it for a dossier."""
        return {
            "model_sha256": self.model_sha256,
            "model": dict(self.model),
            "expected_margin": self.expected_margin,
            "margin": self.margin,
            "risk": self.risk,
            "contributions": [
                {
                    "code": one.item.name,
                    "meaning": one.item.words["en"],
                    "value": one.value,
                    "contribution": one.contribution,
                }
                for one in self.contributions
            ],
        }


def explain(store: Store, bundles: Bundles, decision_id: str) -> Explanation:
    """Give the exact contributions to a decision, whether or not its bundle serves now.

    Raises NotReplayable, naming what is lacking, where the decision was erased, scored by no model, or its bundle is
    not kept.
    """
    query = sa.select(DECISIONS.c.body, DECISIONS.c.row_as_scored).where(DECISIONS.c.decision_id == decision_id)
    with store.reading() as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
        rows = rows or decided_of(connection, ("body", "row_as_scored"), [decision_id], DECISION)
    row = rows[0] if rows else None
    if row is None:
        raise NotReplayable("no such decision is on record")
    return explain_row(bundles, dict(row))


def explain_row(bundles: Bundles, row: Mapping[str, Any]) -> Explanation:
    """Give the exact contributions to a decision, from a row of its table; raises NotReplayable as `explain`."""
    if not row["body"] or row["row_as_scored"] is None:
        raise NotReplayable("the content of the decision was erased")
    model = bundles.model(row["body"]["model_sha256"])
    if model.trees is None:
        raise NotReplayable("no model scored the decision: rules alone decided")
    rows = rows_as_scored([row["row_as_scored"]], model)
    scores = model.score(rows)
    shares = scores.contributions(np.array([0]))[0]
    values = rows.frame.row(0, named=True)
    contributions = [
        Contribution(item, values[item.name], float(share))
        for item, share in zip(model.inputs, shares[:-1], strict=True)
    ]
    return Explanation(
        model.sha256,
        model.facts,
        expected_margin=float(shares[-1]),
        margin=float(scores.frame["margin"][0]),
        risk=float(scores.frame["risk"][0]),
        contributions=tuple(sorted(contributions, key=lambda one: -abs(one.contribution))),
    )
