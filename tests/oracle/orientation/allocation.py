"""Allocation of the checks of an office and day: chance first, then rules, then risk, until capacity is used up."""

from __future__ import annotations

import polars as pl
import polars_hash as plh

from tests.oracle.orientation.lanes import Check, Lane


def allocate_checks(asked: pl.DataFrame) -> pl.DataFrame:
    """Allocate the checks, strictest first; what one kind has no capacity for asks for the next.

    Draws are granted in random order, never by score: where capacity is short, chance must stay blind. The draw of an
    explored consignment is divided by its probability, so that all drawn consignments are ordered evenly.

    dropped: a stricter lane was asked for than is given; `wanted` is the check asked for, including the one that its
    rank asks for on an ordinary day; kept: capacity is left, but later arrivals are likely to need it more.
    """
    by_chance = pl.col("random") | pl.col("explored")
    turn = pl.when("random").then(0).when("explored").then(1).when(pl.col("rule_check") >= pl.col("rank_check")).then(2)
    order = pl.when("random").then(pl.col("draw")).when("explored").then(pl.col("second_draw") / pl.col("explorable"))
    drawn = pl.when(by_chance).then(int(Check.physical)).otherwise(0)
    frame = asked.with_columns(
        pl.max_horizontal(drawn, "rule_check", "rank_check").alias("asked"),
        turn.otherwise(3).alias("turn"),
        pl.lit(0).alias("check"),
    ).sort("turn", order.otherwise(-pl.col("margin")), "tie")
    for check in sorted(Check, reverse=True)[:-1]:
        asks = (pl.col("check") == 0) & (pl.col("asked") >= int(check))
        place = asks.cast(pl.Int64).cum_sum().over("office", "begins")
        taken = asks & (place <= pl.col(f"{check.name}_left"))
        frame = frame.with_columns(pl.when(taken).then(int(check)).otherwise(pl.col("check")).alias("check"))
    wanted = pl.max_horizontal("asked", "usual_check")
    frame = frame.with_columns(lane_of("check").alias("lane"), wanted.alias("wanted"))
    dropped = pl.col("lane") < lane_of("wanted")
    kept = dropped & (pl.col("usual_check") > pl.col("asked")) & (pl.col("physical_left") > 0)
    return frame.with_columns(dropped.alias("dropped"), kept.alias("kept"))


def lane_of(check: str) -> pl.Expr:
    """Return the lane that each check in a column leads to."""
    return pl.col(check).clip(0, int(Lane.red))


def check_due_to(drawn: str) -> pl.Expr:
    """Select rows whose check was given because of this draw: a physical one, or one that nothing else asked for."""
    others = pl.max_horizontal("rule_check", "rank_check")
    given = pl.col("check")
    return pl.col(drawn) & (given >= Check.documents) & ((given == Check.physical) | (others < given))


def share_granted(drawn: str) -> pl.Expr:
    """Return the share of an office's and day's draws that capacity allowed."""
    asked = pl.col(drawn).sum().over("office", "begins")
    return pl.when(asked > 0).then(check_due_to(drawn).sum().over("office", "begins") / asked).otherwise(1.0)


def draw(seed: int, *salt: str) -> pl.Expr:
    """Return a number in [0, 1) per consignment version: the same on every machine, unpredictable without the seed."""
    text = pl.concat_str(
        pl.lit("\x1f".join((f"{seed}", *salt))), "consignment_id", pl.col("version").cast(pl.String), separator="\x1f"
    )
    return (_hash(text) // 2**11).cast(pl.Float64) * 2.0**-53


def tie() -> pl.Expr:
    """Return a tie-breaker for equal scores that no sender can influence."""
    return _hash(pl.concat_str("consignment_id", pl.col("version").cast(pl.String), separator="\x1f"))


def _hash(text: pl.Expr) -> pl.Expr:
    return plh.concat_str(text).nchash.xxhash64()
