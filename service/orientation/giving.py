"""Handing out the checks of an office and day: chance first, then rules, then risk, until they are spent."""

from __future__ import annotations

import polars as pl
import polars_hash as plh

from service.orientation.lanes import Lane

LANES = ((Lane.red, "physical"), (Lane.yellow, "documents"), (Lane.blue, "audit"))


def give(asked: pl.DataFrame) -> pl.DataFrame:
    """Hand out the checks, strictest lane first; what one lane cannot take asks for the next.

    Draws are served in the order of chance, never of the score: with few hands, chance must stay blind. The draw of
    an explored consignment is taken against its chance, so that among those drawn the order is even.
    """
    by_chance = pl.col("random") | pl.col("explored")
    turn = pl.when("random").then(0).when("explored").then(1).when(pl.col("rule_lane") >= pl.col("rank_lane")).then(2)
    order = pl.when("random").then(pl.col("draw")).when("explored").then(pl.col("second_draw") / pl.col("explorable"))
    frame = asked.with_columns(
        pl.max_horizontal(pl.when(by_chance).then(3).otherwise(0), "rule_lane", "rank_lane").alias("wanted"),
        turn.otherwise(3).alias("turn"),
        pl.lit(0).alias("lane"),
    ).sort("turn", order.otherwise(-pl.col("margin")), "tie")
    for lane, kind in LANES:
        asks = (pl.col("lane") == 0) & (pl.col("wanted") >= int(lane))
        place = asks.cast(pl.Int64).cum_sum().over("office", "day")
        taken = asks & (place <= pl.col(f"{kind}_left"))
        frame = frame.with_columns(pl.when(taken).then(int(lane)).otherwise(pl.col("lane")).alias("lane"))
    return frame.with_columns((pl.col("lane") < pl.col("wanted")).alias("dropped"))


def owed_to(drawn: str) -> pl.Expr:
    """Whether a check was given because this draw asked for it: a physical one, or one that nothing else asked for."""
    others = pl.max_horizontal("rule_lane", "rank_lane")
    return pl.col(drawn) & (pl.col("lane") >= Lane.yellow) & ((pl.col("lane") == Lane.red) | (others < pl.col("lane")))


def served(drawn: str) -> pl.Expr:
    """The share of an office's and day's draws that capacity did not refuse."""
    asked = pl.col(drawn).sum().over("office", "day")
    return pl.when(asked > 0).then(owed_to(drawn).sum().over("office", "day") / asked).otherwise(1.0)


def draw(seed: int, *salt: str) -> pl.Expr:
    """A number in [0, 1) for each consignment version: the same on every machine, unknown without the seed."""
    text = pl.concat_str(
        pl.lit("\x1f".join((f"{seed}", *salt))), "consignment_id", pl.col("version").cast(pl.String), separator="\x1f"
    )
    return (_hash(text) // 2**11).cast(pl.Float64) * 2.0**-53


def tie() -> pl.Expr:
    """Breaks ties of equal scores by something no sender controls the order of."""
    return _hash(pl.concat_str("consignment_id", pl.col("version").cast(pl.String), separator="\x1f"))


def _hash(text: pl.Expr) -> pl.Expr:
    return plh.concat_str(text).nchash.xxhash64()
