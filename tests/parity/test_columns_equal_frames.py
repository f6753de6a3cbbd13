"""Features over columns are what they were as expressions over frames, bit for bit: a world's, and any drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features import assemble
from features.algebra.frames import columns_of
from features.catalogue import INPUTS, Input, category, number
from features.columns import habitual, plausible, receiving, worded
from features.compute import compute
from features.consignment import COLUMNS, CONSIGNMENT_COLUMNS, GOODS_COLUMNS, Consignments, fold
from features.contract import gate_outcomes
from features.definition import DEFINITIONS, in_order, needed
from features.history.facts import facts_of, facts_of_outcomes, with_entities
from features.history.totals import FactTable
from features.messages.flat import read_flat
from features.parties.linking import LINKED
from pipelines.synthetic import build_world
from pipelines.training.training_frame import fit_goods, labelled_of, linked, refit_dates, with_entities_of
from service.scoring.model import matrix_of
from tests.oracle.frames import assemble as frames
from tests.oracle.frames import definition as earlier
from tests.oracle.frames import norms, product_codes, rates, wording
from tests.oracle.frames.columns import declared, goods, identifiers, route, shipper
from tests.oracle.frames.matrix import matrix_of as matrix_of_frame
from tests.worlds import consignments_of

DECLARED_BY = (declared, goods, identifiers, product_codes, route, shipper)  # importing them declares the earlier ones
TEXTS = ("main_hs6", "main_origin", "hs_chapter")
DEFINED = tuple(
    (category if name in TEXTS else number)(name, *"abc")
    for name, definition in earlier.DEFINITIONS.items()
    if definition.level != "of_line" and name not in {item.name for item in INPUTS}
)
EXTRAS = (number("extra_rate", *"abc"), category("extra_kind", *"abc"), number("extra_none", *"abc"))
NEWER = {habitual.__name__, plausible.__name__, receiving.__name__, worded.__name__}  # no frames knew them
SINCE = {name for name, each in DEFINITIONS.items() if each.written.__module__ in NEWER}
EVERYTHING: tuple[Input, ...] = (*(item for item in INPUTS if item.name not in SINCE), *DEFINED, *EXTRAS)
NAMES = tuple(item.name for item in EVERYTHING)


@dataclass(frozen=True)
class World:
    """A synthetic world with holes in it, its past, and what was fitted on it, now and as it was."""

    consignments: Consignments
    history: FactTable
    fits: assemble.Fits
    fits_before: frames.Fits


def different(one: pl.DataFrame, other: pl.DataFrame) -> list[str]:
    """Columns that are not alike to the last bit."""
    assert one.schema == other.schema
    return [name for name in one.columns if bits(one[name]) != bits(other[name])]


def bits(column: pl.Series) -> object:
    if column.dtype != pl.Float64:
        return column.to_list()
    return column.is_null().to_list(), column.fill_null(0.0).to_numpy().tobytes()


def with_holes(consignments: Consignments, share: float = 0.1) -> Consignments:
    """Consignments with cells missing here and there, wherever the contract lets one be missing."""
    draw = np.random.default_rng(4)

    def holed(frame: pl.DataFrame, names: list[str]) -> pl.DataFrame:
        missing = {name: pl.Series(draw.random(frame.height) < share) for name in names}
        return frame.with_columns(pl.when(~hole).then(pl.col(name)).alias(name) for name, hole in missing.items())

    of_frame = [c.name for c in CONSIGNMENT_COLUMNS if not c.required and c.kind in ("text", "number")]
    of_goods = [c.name for c in GOODS_COLUMNS if not c.required and c.kind in ("text", "number")]
    totals = ["value_eur", "value_declared", "pieces", "net_mass_total_kg"]
    return Consignments(
        holed(consignments.frame, [*(name for name in of_frame if name != "message_id"), *totals]),
        holed(consignments.goods, [*of_goods, "line_value_eur"]),
    )


def with_foreign_columns(consignments: Consignments) -> Consignments:
    draw, rows = np.random.default_rng(5), len(consignments)
    rate = pl.Series(draw.normal(size=rows)).set(pl.Series(draw.random(rows) < 0.2), None)
    return consignments.with_columns(
        rate.alias("extra_rate"),
        pl.Series("extra_kind", [("é", "B", None)[kind] for kind in draw.integers(3, size=rows)], pl.String),
    )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Some three thousand consignments, linked, with cells missing and foreign columns."""
    folder: Path = tmp_path_factory.mktemp("columns")
    build_world(12, 250, 7, folder)
    files = sorted((folder / "manifests").glob("*.parquet"))
    consignments = with_foreign_columns(linked(with_holes(consignments_of(files))))
    read = [read_flat(file).rows for file in sorted((folder / "outcomes").glob("*.parquet"))]
    outcomes = with_entities_of(pl.concat(gate_outcomes(rows).accepted for rows in read), consignments)
    moments = consignments.frame["lodged_at"].to_list()
    first, last = min(moments), max(moments)
    labelled, dates = labelled_of(consignments, outcomes, first), refit_dates(first, last)
    lines = consignments.goods.join(consignments.frame.select("row", "lodged_at"), on="row", how="left")
    inspected = consignments.goods.select("row", "description").join(
        labelled.select("row", "hit", "known_at"), on="row", how="inner"
    )
    before = frames.Fits(
        norms.fit_norms(lines, dates), wording.fit_wording(inspected, dates), rates.fit_rates(labelled, dates)
    )
    history = FactTable(pl.concat([facts_of(consignments), facts_of_outcomes(outcomes)]), holds_all=True)
    return World(consignments, history, fit_goods(consignments, labelled, dates), before)


def test_the_world_has_what_is_to_be_compared(world: World) -> None:
    frame, lines = world.consignments.frame, world.consignments.goods
    assert len(world.consignments) > 2_500
    assert lines.height > len(world.consignments) * 1.1, "several lines"
    assert frame["network_cards"].is_not_null().any()
    assert all(frame[name].null_count() for name in ("consignor_name", "gross_mass_kg", "value_eur", "nature"))
    assert set(earlier.DEFINITIONS) == set(DEFINITIONS) - SINCE
    assert world.fits.norms.table.height > 50


def test_what_is_fitted_is_what_it_was(world: World) -> None:
    now, before = world.fits, world.fits_before
    assert now.norms.table.equals(before.norms.table)
    assert now.wording.table.equals(before.wording.table)
    assert now.rates.table.equals(before.rates.table)


@pytest.mark.parametrize("knows_past", [True, False])
@pytest.mark.parametrize("is_linked", [True, False])
def test_every_column_is_what_it_was(world: World, is_linked: bool, knows_past: bool) -> None:
    frame = world.consignments.frame if is_linked else world.consignments.frame.drop(LINKED)
    consignments = Consignments(frame, world.consignments.goods)
    history = world.history if knows_past else None
    now = assemble.assemble(consignments, history, world.fits, EVERYTHING)
    before = frames.assemble(consignments, history, world.fits_before, EVERYTHING).frame
    assert different(now.frame, before) == []
    assert before["norm_lines"].is_not_null().any()
    levels = {item.name: before[item.name].drop_nulls().unique().sort().to_list()[:-1] for item in EVERYTHING
              if item.kind == "category"}  # fmt: skip
    encoded, as_before = matrix_of(now, EVERYTHING, levels), matrix_of_frame(before, EVERYTHING, levels)
    assert np.array_equal(encoded, as_before, equal_nan=True)
    assert encoded[~np.isnan(encoded)].tobytes() == as_before[~np.isnan(as_before)].tobytes()


def test_every_column_of_goods_lines_is_what_it_was(world: World) -> None:
    lines = world.consignments.goods.join(world.consignments.frame.select("row", "lodged_at"), on="row", how="left")
    names = tuple(name for name, definition in earlier.DEFINITIONS.items() if definition.level == "of_line")
    lines = earlier.compute(lines, ("hs6",), "of_line")
    before = earlier.compute(world.fits_before.wording.attach(world.fits_before.norms.attach(lines)), names, "of_line")
    received = {name for definition in in_order(names, "of_line") for name in definition.inputs}
    now = compute(columns_of(before.drop(names), sorted(received)), names, "of_line", before.height)
    rows = assemble.Rows(np.arange(before.height, dtype=np.uint32), {name: now[name] for name in names})  # type: ignore[misc]
    assert different(rows.frame.select(names), before.select(names)) == []


def test_one_alone_is_what_it_is_among_many(world: World) -> None:
    many = assemble.assemble(world.consignments, world.history, world.fits, EVERYTHING).frame
    for row in np.random.default_rng(1).choice(len(world.consignments), 25, replace=False).tolist():
        one = world.consignments.where(pl.col("row") == row)
        alone = assemble.assemble(one, world.history, world.fits, EVERYTHING).frame
        assert different(alone.drop("row"), many[row].drop("row")) == [], row


def permuted(consignments: Consignments, seed: int) -> tuple[Consignments, list[int]]:
    """The consignments in another order, and their lines where they stood."""
    order = np.random.default_rng(seed).permutation(len(consignments))
    place = pl.DataFrame({"row": order, "at": np.arange(len(order))}, schema={"row": pl.UInt32, "at": pl.UInt32})
    goods = consignments.goods.join(place, on="row", how="left", maintain_order="left")
    frame = consignments.frame[order.tolist()].with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"))
    return Consignments(frame, goods.with_columns(pl.col("at").alias("row")).drop("at")), order.tolist()


@pytest.mark.parametrize("at_once", [1, 7, 1_000, 10_000])
def test_a_batch_in_another_order_and_in_parts_has_the_same_rows(
    world: World, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    consignments = world.consignments if at_once > 100 else world.consignments.where(pl.col("row") < 60)
    ordered = assemble.assemble(consignments, world.history, world.fits, EVERYTHING).frame
    shuffled, order = permuted(consignments, at_once)
    monkeypatch.setattr(assemble, "CONSIGNMENTS_PER_PASS", at_once)
    rows = assemble.assemble(shuffled, world.history, world.fits, EVERYTHING).frame
    assert different(rows.drop("row"), ordered[order].drop("row")) == []
    some = slice(1, 50, 3)
    assert different(rows[some].drop("row"), ordered[order[some]].drop("row")) == []


# ---- any consignment

ODD = "\u0301\u200d²½Ⅷ٤１①ΣσςİıßǅÉ手𠀀\U00010d50\U00010d4a\U00016ea0\ua7d2\u1c89\U0001ccf3_-.;@'\t\x85\u00a0\u3000"
WORDS = (
    "gift",
    "Parts",
    "礼品",
    "li pin",
    "pièces",
    "ACCESSOIRES",
    "sunrise",
    "ΟΔΟΣ",
    "RR12",
    "CN",
    "420231",
    "6109.10",
)
SOME_TEXT = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.text(alphabet=ODD, max_size=8),
    st.lists(st.sampled_from([*WORDS, *ODD]), max_size=6).map("".join),
    st.lists(st.sampled_from([*WORDS, *ODD]), max_size=6).map(" ".join),
)
AMOUNT = st.one_of(st.none(), st.floats(0, 1e9), st.sampled_from([0.0, 0.01, 1.0, 45.0, 150.0, 1e-300, 5e-324, 1e12]))
START = datetime(2026, 1, 1, tzinfo=UTC)
VALUES = {
    "text": SOME_TEXT,
    "number": AMOUNT,
    "whole": st.integers(1, 3),
    "time": st.integers(0, 12 * 86_400).map(lambda seconds: START + timedelta(seconds=seconds)),
}
CHOSEN = {
    "hs_code": st.sampled_from([None, "420231", "4202.31", "4202", "6109100010", "٤٢٠٢٣١", "phone"]),
    "currency": st.sampled_from(["EUR", "CNY", "usd", None, "?"]),
    "stream": st.sampled_from(["postal", "express"]),
    "nature": st.sampled_from(["gift", "sample", "sale", None]),
    "description": SOME_TEXT.map(lambda text: text or "-"),
}
LINE = st.fixed_dictionaries(
    {
        column.name: CHOSEN.get(column.name, VALUES[column.kind])
        for column in COLUMNS
        if column.name not in ("message_id", "consignment_id", "purpose")
    }
)
MANIFEST = st.lists(st.tuples(st.integers(0, 3), LINE), min_size=1, max_size=6)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(MANIFEST)
def test_any_consignments_have_the_rows_that_they_had(world: World, drawn: list[tuple[int, dict[str, object]]]) -> None:
    flat = pl.DataFrame(
        [{**line, "message_id": "M", "consignment_id": f"C{of}", "purpose": None, "version": 1} for of, line in drawn],
        schema={column.name: column.dtype for column in COLUMNS},
    )
    consignments = with_entities(fold(flat))
    now = assemble.assemble(consignments, world.history, world.fits, EVERYTHING).frame
    assert different(now, frames.assemble(consignments, world.history, world.fits_before, EVERYTHING).frame) == []
    for row in range(len(consignments)):
        one = consignments.where(pl.col("row") == row)
        alone = assemble.assemble(one, world.history, world.fits, EVERYTHING).frame
        assert different(alone.drop("row"), now[row].drop("row")) == []


def test_every_feature_is_among_those_compared() -> None:
    assert set(needed(NAMES)) == set(DEFINITIONS) - SINCE
