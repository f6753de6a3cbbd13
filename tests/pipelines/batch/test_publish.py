"""What a run publishes: the order of a day over all its offices."""

from __future__ import annotations

import polars as pl

from pipelines.batch.publish import DAY_RANK, in_order_of_the_day


def test_a_day_is_ordered_by_risk_over_all_offices_and_the_unscored_come_last() -> None:
    decided = pl.DataFrame(
        {
            "decision_id": ["b", "a", "d", "c", "e"],
            "office": ["FRCDG1", "FRCDG1", "FRLYS1", "FRLYS1", "FRLYS1"],
            "risk": [0.2, 0.2, None, 0.9, None],
            "clearance": ["red", "green", "green", "blue", "red"],
            "rank": [1, 2, None, 1, None],
            "of": [2, 2, 2, 2, 2],
            "check": ["none"] * 5,
        }
    )
    ordered = in_order_of_the_day(decided)
    assert ordered["decision_id"].to_list() == ["c", "a", "b", "e", "d"], "of those without a risk the red one first"
    assert ordered[DAY_RANK].to_list() == [1, 2, 3, 4, 5]
    assert ordered.columns == ["decision_id", "office", "risk", "clearance", "rank", "of", DAY_RANK, "check"]
    assert ordered.drop(DAY_RANK).sort("decision_id").equals(decided.sort("decision_id"))


def test_a_day_without_a_consignment_has_the_column_too() -> None:
    nothing = pl.DataFrame(
        schema={"decision_id": pl.String, "clearance": pl.String, "risk": pl.Float64, "of": pl.Int64}
    )
    assert in_order_of_the_day(nothing).columns == ["decision_id", "clearance", "risk", "of", DAY_RANK]
