"""From allocated checks to orientations at three moments, the cause of each selection and its probability."""

from __future__ import annotations

import polars as pl

from features.messages import Problems
from features.messages.required_elements import stages
from tests.oracle.orientation.allocation import check_due_to, share_granted
from tests.oracle.orientation.context import EDITION
from tests.oracle.orientation.lanes import Check, Lane, PreArrival

VAGUE = "wording_vague_share"


def oriented(
    given: pl.DataFrame, problems: Problems, random_rate: float, vague_share: float, edition: int = EDITION
) -> pl.DataFrame:
    """Add `pre_arrival`, `clearance`, `post_clearance`, `check`, `selection` and its probability to given checks."""
    looked_at = pl.col("lane") >= Lane.yellow
    blindly, by_weight = check_due_to("random"), check_due_to("explored")
    by_rule = looked_at & (pl.col("rule_check") >= pl.col("check"))
    selection = pl.when(blindly).then(pl.lit("random")).when(by_weight).then(pl.lit("exploration"))
    selection = selection.when(by_rule).then(pl.lit("rule")).when("leads").then(pl.lit("campaign"))
    sent = (pl.col("check") == Check.physical) & (pl.max_horizontal("rule_check", "rank_check") >= Check.physical)
    certain = looked_at & (~blindly & ~by_weight | sent)  # drawn or not, its check was certain
    return given.with_columns(
        _before_arrival(problems, vague_share, edition).alias("pre_arrival"),
        pl.col("lane").replace_strict({int(x): x.name for x in Lane}, return_dtype=pl.String).alias("clearance"),
        pl.col("check").replace_strict({int(x): x.name for x in Check}, return_dtype=pl.String).alias("check"),
        pl.when(pl.col("lane") == Lane.blue).then(pl.lit("audit")).otherwise(pl.lit("none")).alias("post_clearance"),
        selection.when(looked_at).then(pl.lit("risk")).otherwise(pl.lit("none")).alias("selection"),
        pl.when(certain).then(1.0).otherwise(_chance(random_rate)).alias("selection_probability"),
    )


def rows_lacking(problems: pl.DataFrame, orientation: str) -> pl.Series:
    """Return the rows whose problems (`row`, `field`, `problem`) lead to an orientation, each once, in order."""
    lacking = {pair for stage in stages() if stage.orientation == orientation for pair in stage.lacking}
    rows = [row for row, field, problem in problems.iter_rows() if (field, problem) in lacking]
    return pl.Series("row", sorted(set(rows)), problems["row"].dtype)


def _before_arrival(problems: Problems, vague_share: float, edition: int) -> pl.Expr:
    requested = rows_lacking(problems.found, PreArrival.request_information.name)
    incomplete = rows_lacking(problems.found, PreArrival.data_incomplete.name)
    if edition == 1:
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
        .when(pl.col("margin").is_null())  # without a score, "no risk" may not be claimed
        .then(pl.lit(PreArrival.data_incomplete.name))
        .otherwise(pl.lit(PreArrival.no_risk.name))
    )


def _chance(random_rate: float) -> pl.Expr:
    """Return the probability of a check by either draw, reduced by the draws that capacity refused."""
    by_weight = (1.0 - random_rate) * pl.col("explorable") * share_granted("explored")
    chance = random_rate * share_granted("random") + by_weight
    return pl.when((chance > 0) & ~pl.col("withdrawn")).then(chance)
