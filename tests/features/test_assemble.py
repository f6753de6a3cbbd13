"""Model rows: one a consignment, in order, on what was known at the moment it was lodged."""

from __future__ import annotations

import polars as pl
import pytest

from features.assemble import assemble, readings_for
from features.catalogue import INPUTS, Input, category, history, number
from features.consignment import Consignments
from features.history.facts import facts_of
from features.history.totals import FactTable
from tests.features.conftest import consignments_of, no_history, nothing_fitted, row

SEEN = history("consignor_consignments_ever", "consignor_days_since_last")


def rows_of(
    consignments: Consignments, inputs: tuple[Input, ...] = INPUTS, known: FactTable | None = None
) -> pl.DataFrame:
    return assemble(consignments, known or no_history(), nothing_fitted(), inputs).frame


def at(hour: int, name: str, **changes: object) -> dict[str, object]:
    return row(consignment_id=name, lodged_at=f"2026-03-01T{hour:02}:00:00Z", **changes)


def test_a_row_for_each_consignment_and_a_column_for_each_input_in_order() -> None:
    lines = [at(9, "B"), at(8, "A"), at(9, "B", line_no="2")]
    told = rows_of(consignments_of(*lines))
    assert told.columns == ["row", *(item.name for item in INPUTS)]
    assert told.select("row", "lines").rows() == [(0, 2.0), (1, 1.0)]
    kinds = {item.name: pl.String if item.kind == "category" else pl.Float64 for item in INPUTS}
    assert {name: dtype for name, dtype in told.schema.items() if name != "row"} == kinds


def test_earlier_consignments_of_a_batch_are_seen_and_those_of_the_same_moment_are_not() -> None:
    told = rows_of(consignments_of(at(10, "C"), at(9, "A"), at(9, "B"), at(11, "D")), SEEN)
    assert told["consignor_consignments_ever"].to_list() == [2.0, 0.0, 0.0, 3.0]
    assert told["consignor_days_since_last"].to_list() == [pytest.approx(1 / 24), None, None, pytest.approx(1 / 24)]


def test_a_batch_that_history_holds_is_not_counted_twice() -> None:
    batch = consignments_of(at(9, "A"), at(10, "B"))
    known = FactTable(facts_of(batch), holds_all=True)
    assert rows_of(batch, SEEN, known)["consignor_consignments_ever"].to_list() == [0.0, 1.0]


def test_history_after_the_moment_is_not_seen() -> None:
    later = FactTable(facts_of(consignments_of(at(12, "Z"))))
    assert rows_of(consignments_of(at(12, "A")), SEEN, later)["consignor_consignments_ever"].to_list() == [0.0]
    assert rows_of(consignments_of(at(13, "A")), SEEN, later)["consignor_consignments_ever"].to_list() == [1.0]


def test_numbers_that_are_not_finite_are_unknown() -> None:
    consignments = consignments_of(row(extra_x="inf"), row(consignment_id="B", extra_x="2"))
    told = rows_of(consignments, (number("extra_x", *"abc"),))
    assert told["extra_x"].to_list() == [None, 2.0]


def test_categories_are_text() -> None:
    consignments = consignments_of(row()).with_columns(pl.lit(7).alias("extra_k"))
    assert rows_of(consignments, (category("extra_k", *"abc"),))["extra_k"].to_list() == ["7"]


def test_an_extra_that_the_batch_lacks_is_unknown() -> None:
    assert rows_of(consignments_of(row()), (number("extra_x", *"abc"),))["extra_x"].to_list() == [None]


def test_no_inputs_and_no_consignments() -> None:
    assert rows_of(consignments_of(row()), ()).columns == ["row"]
    assert rows_of(consignments_of(row()).where(pl.lit(False))).height == 0


def test_readings_are_those_that_inputs_and_their_definitions_need() -> None:
    names = {reading.name for reading in readings_for((number("consignor_hit_rate", *"abc"), *SEEN))}
    assert names == {
        "consignor_hits_ever",
        "consignor_inspected_ever",
        "consignor_consignments_ever",
        "consignor_days_since_last",
    }


def test_a_worked_consignment() -> None:
    gift = row(nature="gift", gross_mass_kg="2", value="44", quantity="11", transit_countries="HK;NL", ioss=None)
    told = rows_of(consignments_of(gift)).row(0, named=True)
    expected = {
        "value_eur": 44.0,
        "value_per_kg": 22.0,
        "value_per_piece": 4.0,
        "short_of_gift_relief": 1.0,
        "short_of_low_value": 106.0,
        "gift_pieces": 11.0,
        "transits": 2.0,
        "lodged_hour": 8.0,
        "stream": "postal",
        "hs_chapter": "42",
        "hs_digits_least": 6.0,
        "wording_words": 3.0,
        "consignor_hit_rate": 0.2,
        "identifiers_hit_rate": 0.2,
        "identifiers_new": 2.0,
        "wording_likeness": None,
    }
    assert {name: told[name] for name in expected} == expected
