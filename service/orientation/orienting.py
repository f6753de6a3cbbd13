"""From checks given out to orientations at three moments, what selected each consignment, and with what chance."""

from __future__ import annotations

import polars as pl

from features.messages import Problems
from features.messages.quality import to_be_asked
from service.orientation.giving import owed_to, served
from service.orientation.lanes import Check, Lane, PreArrival

VAGUE = "wording_vague_share"


def oriented(given: pl.DataFrame, problems: Problems, random_rate: float, vague_share: float) -> pl.DataFrame:
    """What was given, with `pre_arrival`, `clearance`, `post_clearance`, `check`, `selection` and its probability."""
    looked_at = pl.col("lane") >= Lane.yellow
    blindly, by_weight = owed_to("random"), owed_to("explored")
    by_rule = looked_at & (pl.col("rule_check") >= pl.col("check"))
    selection = pl.when(blindly).then(pl.lit("random")).when(by_weight).then(pl.lit("exploration"))
    selection = selection.when(by_rule).then(pl.lit("rule")).when("leads").then(pl.lit("campaign"))
    sent = (pl.col("check") == Check.physical) & (pl.max_horizontal("rule_check", "rank_check") >= Check.physical)
    certain = looked_at & (~blindly & ~by_weight | sent)  # drawn or not, what was sent anyway was sure of its check
    return given.with_columns(
        _before_arrival(problems, vague_share).alias("pre_arrival"),
        pl.col("lane").replace_strict({int(x): x.name for x in Lane}, return_dtype=pl.String).alias("clearance"),
        pl.col("check").replace_strict({int(x): x.name for x in Check}, return_dtype=pl.String).alias("check"),
        pl.when(pl.col("lane") == Lane.blue).then(pl.lit("audit")).otherwise(pl.lit("none")).alias("post_clearance"),
        selection.when(looked_at).then(pl.lit("risk")).otherwise(pl.lit("none")).alias("selection"),
        pl.when(certain).then(1.0).otherwise(_chance(random_rate)).alias("selection_probability"),
    )


def _before_arrival(problems: Problems, vague_share: float) -> pl.Expr:
    requested = to_be_asked(problems.found)
    incomplete = problems.found["row"].unique()
    return (
        pl.when("withdrawn")
        .then(pl.lit(PreArrival.no_risk.name))
        .when(pl.col("lane") == Lane.red)
        .then(pl.lit(PreArrival.control_recommended.name))
        .when((pl.col(VAGUE) >= vague_share) | pl.col("row").is_in(requested.implode()))
        .then(pl.lit(PreArrival.request_information.name))
        .when(pl.col("row").is_in(incomplete.implode()))
        .then(pl.lit(PreArrival.data_incomplete.name))
        .when(pl.col("margin").is_null())  # nothing has scored it: nobody may say that there is no risk
        .then(pl.lit(PreArrival.data_incomplete.name))
        .otherwise(pl.lit(PreArrival.no_risk.name))
    )


def _chance(random_rate: float) -> pl.Expr:
    """The chance to be looked at by either draw, less what capacity refused of the draws."""
    by_weight = (1.0 - random_rate) * pl.col("explorable") * served("explored")
    chance = random_rate * served("random") + by_weight
    return pl.when((chance > 0) & ~pl.col("withdrawn")).then(chance)
