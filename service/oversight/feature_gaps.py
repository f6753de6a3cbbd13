"""What each input of the model adds to the score of a group against all others, and how many of its checks rest on it.

The margin of a consignment is the sum of what its inputs contribute, so the gap between the mean margins of a group and
of all others is the sum of the gaps of its inputs. Checks rest on an input where, with as much from it as the others
have on average, their margin would lie below the last one that the risk chose in these days.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import sqlalchemy as sa

from service.audit.replay import Bundles, NotReplayable, rows_as_scored
from service.scoring import Model
from service.scoring.bundle import RULES_ONLY
from service.store.database import Store
from service.store.queries import in_lists
from service.store.settled_rows import decided_of
from service.store.tables import DECISIONS

SAMPLED, SHOWN = 1_000, 8  # consignments of each side; inputs that are shown
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FeatureGap:
    """One input: by how much more it raises the log-odds in the group, and the checks by risk that rest on it."""

    code: str
    meaning: str
    adds: float
    checks: int


@dataclass(frozen=True, slots=True)
class Explained:
    """The inputs of the strongest gaps, of so many checks by risk in the group; why: where nothing is explained."""

    inputs: tuple[FeatureGap, ...]
    checks: int
    sampled: int
    why: str = ""


def explained(store: Store, bundles: Bundles, seen: pl.DataFrame, here: pl.Expr) -> Explained:
    """Compare consignments of SEEN that are in a group with all others, by the model that scored most of them."""
    inside, outside = (_sample(seen.filter(side)["consignment_id"]) for side in (here, ~here))
    by_risk = seen.filter((pl.col("by") == "risk").fill_null(False))
    chosen = _sample(by_risk.filter(here)["consignment_id"])
    elsewhere = _sample(by_risk.filter(~here)["consignment_id"])
    scored = _rows(store, sorted({*inside, *outside, *chosen, *elsewhere}))
    hashes = [row["model_sha256"] for row in scored.values() if row["model_sha256"] != RULES_ONLY]
    if not hashes:
        return Explained((), 0, 0, "no model scored these consignments")
    sha256 = max(set(hashes), key=hashes.count)
    try:
        contributed, model = _contributions(scored, bundles, sha256)
    except NotReplayable as lacking:
        return Explained((), 0, 0, str(lacking))
    sides = [np.array([contributed[one] for one in names if one in contributed]) for names in (inside, outside)]
    if not all(map(len, sides)):
        return Explained((), 0, 0, "one side has no consignment that the model scored")
    gap = sides[0].mean(axis=0) - sides[1].mean(axis=0)
    margins = {name: float(contributed[name].sum()) for name in (*chosen, *elsewhere) if name in contributed}
    least = min(margins.values(), default=float("inf"))
    held = np.array([margins[name] for name in chosen if name in margins])
    rest = [int((held - max(part, 0.0) < least).sum()) for part in gap]
    strongest = np.argsort(-np.abs(gap[:-1]), kind="stable")[:SHOWN]  # the last is the base, alike for all
    strongest = strongest[np.argsort(-gap[strongest], kind="stable")]
    inputs = tuple(
        FeatureGap(model.inputs[n].name, model.inputs[n].words["en"], float(gap[n]), rest[n])
        for n in strongest.tolist()
    )
    return Explained(inputs, len(held), sum(map(len, sides)))


def _sample(numbers: pl.Series) -> list[str]:
    names = sorted(numbers.to_list())
    return names if len(names) <= SAMPLED else random.Random(0).sample(names, SAMPLED)  # noqa: S311 - no secret


def _rows(store: Store, numbers: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return by consignment the row as scored and the model of its latest decision, from rows and files."""
    names = ("consignment_id", "row_as_scored", "body")
    found: dict[str, dict[str, Any]] = {}
    with store.reading() as connection:
        every = decided_of(connection, names, list(numbers))
        for batch in in_lists(list(numbers)):
            query = sa.select(*(DECISIONS.c[name] for name in names)).where(DECISIONS.c.consignment_id.in_(batch))
            rows = connection.execute(query.order_by(DECISIONS.c.decided_at)).mappings()
            every += [dict(row) for row in rows]
    for row in every:
        if row["row_as_scored"] and row["body"]:
            found[row["consignment_id"]] = {**row, "model_sha256": row["body"]["model_sha256"]}
    return found


def _contributions(scored: dict[str, dict[str, Any]], bundles: Bundles, sha256: str) -> tuple[dict[str, Floats], Model]:
    model = bundles.model(sha256)
    names = [name for name, row in scored.items() if row["model_sha256"] == sha256]
    scores = model.score(rows_as_scored([scored[name]["row_as_scored"] for name in names], model))
    contributed = scores.contributions(np.arange(len(names)))
    return dict(zip(names, contributed, strict=True)), model
