"""Tallies as they are counted, and as the decisions say that they should be."""

from __future__ import annotations

import polars as pl
import sqlalchemy as sa

from service.orientation.periods import CHECKS
from service.record.capacity_used import COUNTS
from service.store.database import Store
from service.store.tables import DECISIONS, TALLIES


def as_decided(store: Store) -> pl.DataFrame:
    """What the tallies should say: first assessments as they came, checks of what stands when they are made."""
    names = ("office", "hour", "band", "checked", "assessment", "stands")
    with store.reading() as connection:
        rows = connection.execute(sa.select(*(DECISIONS.c[name] for name in names))).all()
    decided = pl.DataFrame([tuple(row) for row in rows], schema=names, orient="row")
    each = [((pl.col("checked") == kind) & pl.col("stands")).sum().cast(pl.Int64).alias(kind) for kind in CHECKS]
    seen = (pl.col("assessment") == 1).sum().cast(pl.Int64).alias("seen")
    return decided.group_by("office", "hour", "band").agg(seen, *each).sort(names[:3])


def as_counted(store: Store) -> pl.DataFrame:
    names = ("office", "hour", "band", *COUNTS)
    with store.reading() as connection:
        rows = connection.execute(sa.select(*(TALLIES.c[name] for name in names))).all()
    return pl.DataFrame([tuple(row) for row in rows], schema=names, orient="row").sort(names[:3])
