"""Clean shipments that nobody inspected buy a known bad sender nothing."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from features.assemble import Rows, assemble
from features.catalogue import DIRECTIONS
from features.consignment import Consignments, fold
from features.contract import gate_outcomes
from features.history.facts import facts_of, facts_of_outcomes, with_entities
from features.history.totals import FactTable
from features.inputs import NEVER_LOWERS
from pipelines.training.training_frame import with_entities_of
from tests.worlds import SmallWorld, consignments_of

DECOYS = (1, 5, 20, 50, 200)
SENDER = ("platform", "seller_account", "seller_url")
SPREAD = timedelta(days=10)


@pytest.fixture(scope="module")
def known(small_world: SmallWorld) -> tuple[Consignments, pl.DataFrame]:
    """Everything declared before the last day, and the results with the entities inspected."""
    past = consignments_of(small_world.manifests[:-1])
    outcomes = pl.concat(gate_outcomes(pl.read_parquet(file)).accepted for file in small_world.outcomes)
    return past, with_entities_of(outcomes, past)


def bad_parcels(past: Consignments, results: pl.DataFrame, at_most: int) -> list[pl.DataFrame]:
    """The latest parcel of each of some senders with whom something was found, as manifest rows."""
    hit = results.filter(pl.col("result") == "non_compliant")["consignor_entity"].unique()
    latest = past.frame.filter(pl.col("consignor_entity").is_in(hit.implode())).sort("lodged_at", "consignment_id")
    latest = latest.unique("consignor_entity", keep="last", maintain_order=True)[-at_most:]
    flat = past.flat()
    return [flat.filter(pl.col("consignment_id") == one) for one in latest["consignment_id"]]


def moved(rows: pl.DataFrame, consignment_id: pl.Expr, lodged_at: pl.Expr) -> pl.DataFrame:
    return rows.with_columns(
        consignment_id.alias("consignment_id"), lodged_at.alias("lodged_at"), pl.lit("DECOYS").alias("message_id")
    )


def decoys_of(parcel: pl.DataFrame, clean: pl.DataFrame, number: int, end: pl.Expr) -> pl.DataFrame:
    """Clean goods of others, sent by the sender of the parcel to their addressees, spread over the days before."""
    rows = pl.concat([clean] * (number // clean.height + 1))[:number]
    own = [name for name in rows.columns if name.startswith("consignor_") or name in SENDER]
    rows = rows.with_columns(pl.lit(parcel[name][0], rows.schema[name]).alias(name) for name in own)
    place = pl.int_range(pl.len())
    return moved(rows, pl.format("DECOY{}", place), end - SPREAD * (place + 1) / (number + 1))


def declared(rows: pl.DataFrame) -> Consignments:
    return with_entities(fold(rows.drop(name for name in rows.columns if name.endswith("_entity"))))


def places(small_world: SmallWorld, known: tuple[Consignments, pl.DataFrame], number: int) -> npt.NDArray[np.float64]:
    """The share of an ordinary day below each bad sender's next parcel, after so many decoys of its own."""
    past, results = known
    facts = pl.concat([facts_of(past), facts_of_outcomes(results)])
    clean = past.flat().filter(pl.col("nature") == "sale").unique("consignment_id", keep="none", maintain_order=True)
    end, told = pl.lit(small_world.end), []
    for parcel in bad_parcels(past, results, 12):
        more = facts_of(declared(decoys_of(parcel, clean[:200], number, end))) if number else facts[:0]
        history = FactTable(pl.concat([facts, more]), holds_all=True)
        model, again = small_world.trained.model, declared(moved(parcel, pl.lit("NEXT"), end + timedelta(hours=9)))
        scores = model.score(assemble(again, history, model.fits, model.inputs))
        told.append(scores.frame["share_below"][0])
    return np.array(told)


def test_never_inspected_decoys_move_a_bad_sender_by_less_than_a_decile(
    small_world: SmallWorld, known: tuple[Consignments, pl.DataFrame]
) -> None:
    alone = places(small_world, known, 0)
    assert len(alone) > 8
    assert np.median(alone) > 0.5, "a sender with findings is known for a bad one"
    for number in DECOYS:
        fell = alone - places(small_world, known, number)
        print(f"{number} decoys: fell by at most {fell.max():.3f}, median {np.median(fell):.3f}")
        assert fell.max() < 0.1, number


@pytest.mark.parametrize("name", [name for name, direction in DIRECTIONS.items() if direction])
def test_the_risk_of_any_row_moves_one_way_with_what_decoys_can_move(small_world: SmallWorld, name: str) -> None:
    model, rows = small_world.trained.model, small_world.trained.golden.frame
    steps = rows[name].drop_nulls().unique().sort()
    steps = steps.sample(min(12, len(steps)), seed=1).sort()
    margins = np.array(
        [
            model.score(Rows.of_frame(rows.with_columns(pl.lit(step).alias(name)))).frame["margin"].to_numpy()
            for step in steps
        ]
    )
    rises = np.diff(margins, axis=0) * (1 if DIRECTIONS[name] == NEVER_LOWERS else -1)
    assert len(steps) > 1
    assert rises.min() >= -1e-12
