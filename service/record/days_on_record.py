"""What was decided on some days, as columns over rows and files: for pages, reports and the monitor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl
import sqlalchemy as sa

from features.moments import EPOCH
from service.store.settled_rows import decided_of, scanned
from service.store.tables import DECISIONS

SUMMARY = pl.Schema(
    {
        "consignment_id": pl.String(),
        "day": pl.Int32(),
        "risk": pl.Float64(),
        "clearance": pl.String(),
        "selection": pl.String(),
        "mode": pl.String(),
        "selection_probability": pl.Float64(),
        "degraded": pl.Boolean(),
    }
)


def days_of(first: date, last: date) -> tuple[int, int]:
    """Return two days as the record counts them: from 1970-01-01 on."""
    return (first - EPOCH.date()).days, (last - EPOCH.date()).days


def settled_on(
    connection: sa.Connection, schema: pl.Schema, days: tuple[int, int], office: str | None = None
) -> pl.DataFrame:
    """Return columns of the decisions in files on what was lodged on some days, at one office or all of them."""
    names = list(dict.fromkeys((*schema.names(), "day", "office")))
    parts = [schema.to_frame()]
    for _, rows in scanned(connection, DECISIONS, names, days=days):
        here = pl.lit(True) if office is None else pl.col("office") == office
        part = pl.DataFrame(rows).filter(pl.col("day").is_between(*days), here)
        parts.append(part.select(schema.names()).cast(dict(schema)))  # type: ignore[arg-type]
    return pl.concat(parts)


def decided_between(connection: sa.Connection, first: date, last: date) -> pl.DataFrame:
    """Return the last decision on each consignment lodged from `first` to `last` (SUMMARY), by day."""
    stored = [name for name in SUMMARY if name != "degraded"]
    # rules that were let decide lack nothing; for want of a model all but the strictest is given again
    wanting = (DECISIONS.c.mode == "rules_only") & (DECISIONS.c.post_clearance == "reassess")
    degraded = (DECISIONS.c.mode == "degraded") | wanting
    days = days_of(first, last)
    query = sa.select(*(DECISIONS.c[name] for name in stored), degraded).where(DECISIONS.c.day.between(*days))
    rows = connection.execute(query.order_by(DECISIONS.c.decided_at, DECISIONS.c.version)).all()
    in_rows = pl.DataFrame([tuple(row) for row in rows], schema=SUMMARY, orient="row")
    of_files = pl.Schema({name: SUMMARY[name] for name in stored})
    in_files = settled_on(connection, of_files, days).with_columns(pl.lit(False).alias("degraded"))  # or it would wait
    every = pl.concat([in_files, in_rows])
    last_ones = every.unique("consignment_id", keep="last", maintain_order=True)
    return last_ones.with_columns(pl.col("day").cast(pl.Date)).sort("day", maintain_order=True)


def scored_on(connection: sa.Connection, day: date, at_most: int) -> pl.DataFrame:
    """Return the model rows of up to `at_most` decisions on consignments lodged that day, with `consignment_id`.

    The identifier of a decision is a hash, so that the first ones of a day are as good as a random sample.
    """
    days = days_of(day, day)
    names = [DECISIONS.c[name] for name in ("decision_id", "consignment_id", "row_as_scored")]
    query = sa.select(*names).where(DECISIONS.c.day == days[0]).order_by(DECISIONS.c.decision_id).limit(at_most)
    scored = [tuple(row) for row in connection.execute(query)]
    scored += _first_settled(connection, days, at_most)
    kept = sorted((one for one in scored if one[2]), key=_by_number)  # of what was erased there is none
    rows = [{"consignment_id": of, **row} for _, of, row in kept[:at_most]]
    return pl.DataFrame(rows, infer_schema_length=None)


def _first_settled(
    connection: sa.Connection, days: tuple[int, int], at_most: int
) -> list[tuple[str, str, dict[str, object]]]:
    """Return the first decisions in files of a day by their numbers: number, consignment and row as scored."""
    numbers = settled_on(connection, pl.Schema({"decision_id": pl.String()}), days)["decision_id"]
    first = numbers.sort().head(at_most).to_list()
    found = decided_of(connection, ("decision_id", "consignment_id", "row_as_scored"), first, "decision_id")
    return [(row["decision_id"], row["consignment_id"], row["row_as_scored"]) for row in found]


def _by_number(scored: Sequence[object]) -> str:
    return str(scored[0])
