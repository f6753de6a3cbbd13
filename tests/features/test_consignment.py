"""Folding goods lines into consignments and back."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from features.algebra import Text
from features.consignment import VERSION_KEY, fold
from tests.features.conftest import consignments_of, row


def lines_of(*keys: tuple[str, str, str]) -> list[dict[str, object]]:
    """One row for each (message, consignment, version), numbered by its place."""
    return [
        row(message_id=m, consignment_id=c, version=v, line_no=str(i + 1), description=f"goods {i}")
        for i, (m, c, v) in enumerate(keys)
    ]


def test_lines_of_one_version_are_one_consignment_wherever_they_stand() -> None:
    folded = consignments_of(
        *lines_of(("M", "B", "1"), ("M", "A", "1"), ("M", "B", "1"), ("M", "B", "2"), ("N", "B", "1"))
    )
    assert folded.frame.select("row", *VERSION_KEY).rows() == [
        (0, "M", "B", 1), (1, "M", "A", 1), (2, "M", "B", 2), (3, "N", "B", 1),
    ]  # fmt: skip
    assert folded.goods["row"].to_list() == [0, 1, 0, 2, 3]
    assert folded.goods["description"].to_list() == [f"goods {i}" for i in range(5)]
    assert folded.frame["lines"].to_list() == [2, 1, 1, 1]
    assert len(folded) == 4


def test_the_first_line_states_the_consignment_level() -> None:
    folded = consignments_of(row(consignor_name="First", extra_a="1"), row(line_no="2", consignor_name="Second"))
    assert folded.frame["consignor_name"].to_list() == ["First"]
    assert folded.frame["extra_a"].to_list() == ["1"]


def test_totals_are_sums_of_what_is_stated() -> None:
    folded = consignments_of(
        row(quantity="2", net_mass_kg="0.5", value="10", currency="USD"),
        row(line_no="2", quantity=None, net_mass_kg="0.25", value="20", currency="EUR"),
    )
    totals = folded.frame.select("lines", "pieces", "net_mass_total_kg", "value_eur", "value_declared").row(0)
    assert totals == (2, 2.0, 0.75, 29.0, 30.0)  # 10 USD are 9 €


def test_an_unknown_total_is_not_zero() -> None:
    unknown = consignments_of(row(quantity=None, net_mass_kg=None, value="5", currency="XXX"))
    assert unknown.frame.select("pieces", "net_mass_total_kg", "value_eur").row(0) == (None, None, None)
    zero = consignments_of(row(quantity="0", net_mass_kg="0", value="0"))
    assert zero.frame.select("pieces", "net_mass_total_kg", "value_eur").row(0) == (0.0, 0.0, 0.0)


def test_where_keeps_the_goods_with_their_consignments() -> None:
    folded = consignments_of(*lines_of(("M", "A", "1"), ("M", "B", "1"), ("M", "C", "1"), ("M", "B", "1")))
    kept = folded.where(pl.col("consignment_id") != "A")
    assert kept.frame.select("row", "consignment_id", "lines").rows() == [(0, "B", 2), (1, "C", 1)]
    assert kept.goods.select("row", "description").rows() == [(0, "goods 1"), (1, "goods 2"), (0, "goods 3")]
    assert kept.goods.columns == folded.goods.columns
    assert set(kept.frame.columns) == set(folded.frame.columns)
    assert kept.frame.schema["row"] == folded.frame.schema["row"]


def test_where_nothing_holds_nothing_is_left() -> None:
    kept = consignments_of(row()).where(pl.lit(False))
    assert (len(kept), kept.goods.height) == (0, 0)


def test_columns_are_added_to_consignments() -> None:
    more = consignments_of(row()).with_columns(pl.lit("P1").alias("party_id"))
    assert more.frame["party_id"].to_list() == ["P1"]


def test_nothing_folds_to_nothing() -> None:
    assert len(fold(consignments_of(row()).flat().clear())) == 0


KEYS = st.lists(st.tuples(st.sampled_from("MN"), st.sampled_from("ABC"), st.sampled_from("12")), min_size=1, max_size=8)


@settings(max_examples=30, deadline=None)
@given(KEYS, st.data())
def test_flat_rows_fold_to_the_same_consignments(keys: list[tuple[str, str, str]], data: st.DataObject) -> None:
    folded = consignments_of(*lines_of(*keys))
    flat = folded.flat()
    assert flat["description"].to_list() == [f"goods {i}" for i in range(len(keys))]
    assert flat.select(VERSION_KEY).rows() == [(m, c, int(v)) for m, c, v in keys]
    again = fold(flat)
    assert again.frame.equals(folded.frame)
    assert again.goods.equals(folded.goods)
    keep = data.draw(st.sampled_from("ABC"))
    some = folded.where(pl.col("consignment_id") == keep)
    assert some.flat().equals(flat.filter(pl.col("consignment_id") == keep))


def test_columns_are_held_without_a_frame_and_stand_in_one() -> None:
    folded = consignments_of(*lines_of(("M", "A", "1"), ("M", "B", "2")))
    held = folded.holding({"party_id": Text.of(["P1", None])})
    assert held.declared.text("party_id").rows() == ["P1", None]
    assert held.frame["party_id"].to_list() == ["P1", None]
    assert held.goods.equals(folded.goods)
    assert held.between(1, 2).frame["party_id"].to_list() == [None]
    assert held.where(pl.col("party_id") == "P1").frame["consignment_id"].to_list() == ["A"]


def test_a_part_of_consignments_is_numbered_from_nought() -> None:
    folded = consignments_of(*lines_of(("M", "A", "1"), ("M", "B", "1"), ("M", "A", "1"), ("M", "C", "1")))
    folded.declared.text("consignment_id")
    part = folded.between(1, 3)
    assert part.frame["row"].to_list() == [0, 1]
    assert part.frame.schema == folded.frame.schema
    assert part.declared.whole("row").values.tolist() == [0, 1]
    assert part.declared.text("consignment_id").rows() == ["B", "C"]
    assert part.goods["row"].to_list() == [0, 1]
