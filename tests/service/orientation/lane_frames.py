"""Lanes as a frame with one row per consignment, for tests that look at them by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import polars.selectors as cs

from features.consignment import TIME
from service.orientation.columns import UNKNOWN
from service.orientation.given_lanes import Lanes
from service.orientation.lanes import Check

WHOLE_OR_NULL = ("band", "behind", "rank", "of")


def frame_of_lanes(lanes: Lanes) -> pl.DataFrame:
    """Return all steps of a policy side by side, unknown values as null."""
    asked, given, labels, periods = lanes.asked, lanes.given, lanes.labels, lanes.periods
    each = [periods.each[place] for place in periods.of.tolist()]
    columns: dict[str, Any] = {
        "office": [period.office for period in each],
        "begins": pl.Series([period.begins for period in each], dtype=pl.Int64).cast(TIME),
        "day": pl.Series(periods.at).cast(TIME).dt.date(),
        "lasts": [period.lasts for period in each],
        "at": pl.Series(periods.at).cast(TIME),
        "network": asked.network.rows(),
        "draw": asked.draws.draw,
        "second_draw": asked.draws.second_draw,
        "tie": asked.draws.tie,
        "rule_codes": [asked.rule_codes.get(row, []) for row in range(len(lanes))],
        "unsure": [lanes.followed.unsure.get(row, []) for row in range(len(lanes))],
        "grave": lanes.followed.grave,
        "lane": given.lane,
    }
    if asked.ahead is not None and asked.to_come is not None:
        columns |= {"ahead": asked.ahead, "to_come": asked.to_come}
    for name in ("margin", "risk", "share_below", "weight", "explorable"):
        columns[name] = getattr(asked, name)
    for name in WHOLE_OR_NULL:
        columns[name] = [None if value == UNKNOWN else value for value in getattr(asked, name).tolist()]
    for name in ("withdrawn", "random", "explored", "rule_check", "rule_track", "usual_check", "rank_check"):
        columns[name] = getattr(asked, name)
    for name in ("asked", "turn", "wanted", "dropped", "kept"):
        columns[name] = getattr(given, name)
    columns |= {"held": labels.held, "leads": labels.leads, "selection_probability": labels.selection_probability}
    for kind in periods.able:
        columns[kind] = periods.able[kind]
    for kind in periods.left:
        columns[f"{kind}_left"] = periods.left[kind]
    for name, (numbers, names) in lanes.oriented().items():
        columns[name] = [names[number] for number in numbers.tolist()]
    assert set(np.unique(given.check).tolist()) <= {int(check) for check in Check}
    frame = pl.DataFrame(columns, schema_overrides=dict.fromkeys(WHOLE_OR_NULL, pl.Int64), strict=False)
    frame = frame.with_columns(
        pl.col("rule_codes", "unsure").cast(pl.List(pl.String)), pl.col("network").cast(pl.String)
    )
    return frame.with_columns(cs.float().fill_nan(None)).with_row_index("row")
