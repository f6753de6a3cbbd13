"""What adds to a gap: by chooser and rule, what was looked at without a finding in a group and in all others.

The parts of a group add up to its whole gap. What several rules asked for counts for each in equal parts.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

RULE = "rule: "
UNASKED = "unasked"  # looked at although nothing on record asked for it


def parts_of(seen: pl.DataFrame, here: pl.Expr) -> Mapping[str, float]:
    """Return by chooser, and by rule, the share that was held up without a finding here minus that elsewhere."""
    held = seen.filter(pl.col("looked_at") & ~pl.col("hit").fill_null(False))
    inside = here.fill_null(False)
    sizes = seen.select(inside.sum().alias("inside"), (~inside).sum().alias("outside")).row(0)
    ruled = ((pl.col("by") == "rule") & (pl.col("rules").list.len() > 0)).fill_null(False)
    each = held.select(
        inside.alias("inside"),
        pl.when(ruled).then("rules").otherwise(pl.concat_list(pl.col("by").fill_null(UNASKED))).alias("chooser"),
        ruled.alias("ruled"),
    ).with_columns((1.0 / pl.col("chooser").list.len()).alias("part"))
    named = each.explode("chooser").with_columns(
        pl.when("ruled").then(pl.lit(RULE) + pl.col("chooser")).otherwise("chooser").alias("chooser")
    )
    summed = named.group_by("chooser").agg(
        pl.col("part").filter("inside").sum().alias("inside"),
        pl.col("part").filter(~pl.col("inside")).sum().alias("outside"),
    )
    gaps = {
        chooser: in_group / max(sizes[0], 1) - elsewhere / max(sizes[1], 1)
        for chooser, in_group, elsewhere in summed.sort("chooser").iter_rows()
    }
    return dict(sorted(gaps.items(), key=lambda gap: -abs(gap[1])))
