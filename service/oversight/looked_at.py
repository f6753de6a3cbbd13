"""What was looked at and for which reason, from the record: rows and files, lanes as they stand, and results.

A consignment was looked at where its standing lane holds it (documents or a physical check), or where a result says
that it was controlled before release although nothing asked for it. What was never presented was not held up.
"""

from __future__ import annotations

from datetime import date

import polars as pl
import sqlalchemy as sa

from features.outcome import LABELLED
from service.oversight.burden import SEEN
from service.oversight.gap_parts import UNASKED
from service.record.days_on_record import days_of, settled_on
from service.record.standing import override_in_force, standing_lane
from service.store.database import Store
from service.store.tables import DECISIONS, OUTCOMES

HOLDING = ("red", "yellow")
OFFICER = "officer"  # the lane is that of an officer who asked for more than was proposed
RULE_REASON = "rule."
DECIDED = pl.Schema(
    {
        "consignment_id": pl.String(),
        "lane": pl.String(),
        "changed": pl.Boolean(),
        "selection": pl.String(),
        "rules": pl.List(pl.String()),
    }
)
RESULTS = pl.Schema({"consignment_id": pl.String(), "result": pl.String(), "stage": pl.String(), "stated": pl.String()})


def decided_between(store: Store, first: date, last: date) -> pl.DataFrame:
    """Return the standing lane of each consignment decided on and lodged on these days (DECIDED), and who chose it."""
    days = days_of(first, last)
    within = sa.and_(DECISIONS.c.day.between(*days), DECISIONS.c.stands)
    changed = sa.func.coalesce(override_in_force() != DECISIONS.c.clearance, sa.false())
    rows = sa.select(DECISIONS.c.consignment_id, standing_lane(), changed, DECISIONS.c.selection).where(within)
    ruled = sa.select(DECISIONS.c.consignment_id, DECISIONS.c.body).where(within, DECISIONS.c.selection == "rule")
    with store.reading() as connection:
        in_rows = [(*row, None) for row in connection.execute(rows.order_by(DECISIONS.c.decided_at))]
        codes = {number: _rules(body) for number, body in connection.execute(ruled)}
        settled = settled_on(
            connection, pl.Schema({n: pl.String() for n in ("consignment_id", "clearance", "selection")}), days
        )
    files = settled.select(
        "consignment_id", pl.col("clearance").alias("lane"), pl.lit(False).alias("changed"), "selection",
        pl.lit(None, DECIDED["rules"]).alias("rules"),
    )  # fmt: skip
    named = pl.DataFrame({"consignment_id": list(codes), "rules": list(codes.values())}, schema_overrides=DECIDED_RULES)
    every = pl.concat([files, pl.DataFrame(in_rows, schema=DECIDED, orient="row")])
    last_ones = every.unique("consignment_id", keep="last", maintain_order=True).drop("rules")
    return last_ones.join(named, on="consignment_id", how="left", maintain_order="left").select(DECIDED.names())


DECIDED_RULES = {"consignment_id": pl.String(), "rules": pl.List(pl.String())}


def _rules(body: dict[str, object]) -> list[str]:
    reasons: list[dict[str, str]] = body.get("reasons") or []  # type: ignore[assignment]
    return [one["code"].removeprefix(RULE_REASON) for one in reasons if one["code"].startswith(RULE_REASON)]


def results_on(store: Store) -> pl.DataFrame:
    """Return all results on record in order of time (RESULTS), with the selection that they state."""
    body = OUTCOMES.c.body
    fields = [body[name].as_string() for name in ("result", "stage", "selection")]
    query = sa.select(OUTCOMES.c.consignment_id, *fields).order_by(OUTCOMES.c.known_at)
    with store.reading() as connection:
        rows = [tuple(row) for row in connection.execute(query)]
    return pl.DataFrame(rows, schema=RESULTS, orient="row").filter(pl.col("result").is_not_null())


def seen_of(declared: pl.DataFrame, decided: pl.DataFrame, results: pl.DataFrame) -> pl.DataFrame:
    """Return SEEN of declared consignments (its identifier and origins), what was decided and what came of it."""
    before_release = results.filter(pl.col("stage").is_null() | (pl.col("stage") != "post_clearance"))
    last = before_release.unique("consignment_id", keep="last", maintain_order=True)
    labelled = before_release.filter(pl.col("result").is_in(LABELLED))
    judged = labelled.unique("consignment_id", keep="last", maintain_order=True).select(
        "consignment_id", (pl.col("result") == "non_compliant").alias("hit")
    )
    one_each = declared.unique("consignment_id", keep="last", maintain_order=True)
    joined = one_each
    for part in (decided, last.select("consignment_id", "result", "stated"), judged):
        joined = joined.join(part, on="consignment_id", how="left", maintain_order="left")
    asked = pl.col("lane").is_in(HOLDING).fill_null(False)
    absent = pl.col("result").is_in(["not_presented"]).fill_null(False)
    named = pl.when(pl.col("stated") != "unknown").then("stated")
    chosen = pl.when(pl.col("selection") != "none").then("selection")
    by = (
        pl.when(pl.col("changed").fill_null(False) & asked).then(pl.lit(OFFICER))
        .when(asked).then(pl.coalesce(chosen, named, pl.lit("unknown")))
        .otherwise(pl.coalesce(named, pl.lit(UNASKED)))
    )  # fmt: skip
    looked_at = (asked | pl.col("result").is_not_null()) & ~absent
    return (
        joined.with_columns(looked_at.alias("looked_at"))
        .with_columns(pl.when("looked_at").then(by).alias("by"))
        .select(SEEN.names())
        .cast(dict(SEEN))  # type: ignore[arg-type]
    )
