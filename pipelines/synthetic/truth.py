"""The truth: written separately, for tests and evaluation only; no training, scoring or linking reads it."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.synthetic.draws import unit
from pipelines.synthetic.flow import Orders
from pipelines.synthetic.world_settings import Scheme, World

SHOWS = 0.9  # of the illicit consignments of an organised actor: those that bear the link


def truth_of(
    world: World, orders: Orders, consignment_ids: pl.Series, salt: int, rng: np.random.Generator
) -> pl.DataFrame:
    """Return one row per consignment; salt: of the draws of an actor's fixed attributes."""
    size = len(orders)
    rows = np.flatnonzero(orders.illicit)
    linked, dangerous = np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.bool_)
    organised = unit(orders.senders.actor, salt)
    findings: list[str | None] = [None] * size
    for row in rows.tolist():
        scheme = world.schemes[int(orders.scheme[row])]
        dangerous[row] = rng.random() < scheme.dangerous
        linked[row] = rng.random() < SHOWS and organised[row] < scheme.criminal
        findings[row] = _found(scheme, bool(dangerous[row]), rng)
    names = pl.Series([*(scheme.name for scheme in world.schemes), "honest"])
    illicit_actor = (orders.senders.scheme >= 0).astype(np.int64)
    sender = pl.Series(["H", "X"]).gather(illicit_actor) + pl.Series(orders.senders.actor).cast(pl.String)
    reseller = "R" + pl.Series(orders.scheme).cast(pl.String) + "-" + pl.Series(orders.to.actor).cast(pl.String)
    return pl.DataFrame(
        {
            "consignment_id": consignment_ids,
            "actor_id": pl.select(
                pl.when(pl.Series(orders.to.actor >= 0)).then(reseller).otherwise(sender)
            ).to_series(),
            "scheme": names.gather(np.where(orders.scheme < 0, len(names) - 1, orders.scheme)),
            "illicit": orders.illicit,
            "findings": pl.Series(findings, dtype=pl.String),
            "criminal_link": linked,
            "dangerous": dangerous,
        }
    )


def _found(scheme: Scheme, dangerous: bool, rng: np.random.Generator) -> str:
    """Draw the offences in a consignment: at least the scheme's first."""
    drawn = [offence for offence, share in scheme.findings.items() if rng.random() < share]
    drawn = drawn or [next(iter(scheme.findings))]
    if dangerous and "dangerous" not in drawn:
        drawn.append("dangerous")
    return ";".join(drawn)
