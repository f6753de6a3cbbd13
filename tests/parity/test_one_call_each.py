"""One call for each consignment gives what one batch gives: history features, scores and contributions, bit for bit."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from features.assemble import assemble
from features.catalogue import INPUTS
from features.consignment import fold
from features.contract import gate_outcomes
from features.history.facts import with_entities
from features.messages import Message
from service.history.compaction import settle
from service.history.stored_history import StoredHistory
from service.journal import Journal
from service.orientation.decisions import Decisions
from service.store.database import Store
from service.targeting import target
from tests.worlds import SmallWorld, consignments_of

CONSIGNMENTS = int(os.environ.get("TAMIS_PARITY_CONSIGNMENTS", "300"))  # `make prove` asks for 10,000


def test_calls_in_order_equal_one_batch(small_world: SmallWorld, tmp_path: Path) -> None:
    model = small_world.trained.model
    everything = consignments_of(small_world.manifests)
    consignments = everything.where(pl.col("row") >= len(everything) - min(CONSIGNMENTS, len(everything)))
    earlier = everything.where(pl.col("row") < len(everything) - len(consignments))

    known = earlier.frame["consignment_id"]  # no batch can hold the results of what it is about to decide
    stores = [Store(f"sqlite:///{tmp_path / name}.db") for name in ("batch", "calls")]
    journals = [Journal(store) for store in stores]
    for journal in journals:
        if len(earlier):
            journal.remember(earlier)
        for file in small_world.outcomes:
            journal.learn(_outcomes(file).filter(pl.col("consignment_id").is_in(known.implode())))

    batch = assemble(consignments, StoredHistory(stores[0]), model.fits, INPUTS)
    journals[0].remember(consignments)

    rows, margins, contributed = [], [], []
    history = StoredHistory(stores[1])
    for number in range(len(consignments)):
        one = with_entities(fold(consignments.where(pl.col("row") == number).flat()))
        row = assemble(one, history, model.fits, INPUTS)
        scores = model.score(row)
        rows.append(row.frame.with_columns(pl.lit(number, pl.UInt32).alias("row")))
        margins.append(scores.frame["margin"][0])
        contributed.append(scores.contributions([0])[0])
        journals[1].remember(one)

    assert _differing(pl.concat(rows), batch.frame) == {}
    scored = model.score(batch)
    assert np.array_equal(scored.frame["margin"].to_numpy(), np.array(margins))
    assert np.array_equal(scored.contributions(np.arange(len(consignments))), np.array(contributed))
    for store in stores:
        settle(store, everything=True)  # a batch is written as a segment, calls as rows: settled they are the same
    states = [StoredHistory(store).running() for store in stores]
    assert states[0].height > len(consignments)
    assert states[0].equals(states[1])
    told = ("consignor_consignments_7d", "consignor_hit_rate", "goods_hit_rate", "route_consignments_7d")
    assert batch.frame.select(pl.col(told).drop_nulls().n_unique() > 1).row(0) == (True,) * len(told)


def _differing(one_by_one: pl.DataFrame, batch: pl.DataFrame) -> dict[str, list[int]]:
    """The columns in which the two differ, and the first rows where they do."""
    assert one_by_one.schema == batch.schema
    differing = ((name, one_by_one[name].ne_missing(batch[name]).arg_true().to_list()) for name in batch.columns)
    return {name: rows[:5] for name, rows in differing if rows}


def _outcomes(file: Path) -> pl.DataFrame:
    return gate_outcomes(pl.read_parquet(file)).accepted


def test_decisions_carry_the_batch_scores(small_world: SmallWorld, tmp_path: Path) -> None:
    """The whole of `target()`: a day as one message and its messages one by one give the same risks."""
    day = pl.read_parquet(small_world.last_day).sort("lodged_at", "message_id", maintain_order=True)
    now = datetime(2026, 11, 1, tzinfo=UTC)
    whole = target(Message(day, "day", now, "message"), small_world.desk(tmp_path / "whole"))
    desk = small_world.desk(tmp_path / "calls")
    parts: list[Decisions] = [
        target(Message(part, "part", now, "day"), desk) for part in day.partition_by("message_id", maintain_order=True)
    ]
    key = ("message_id", "consignment_id", "version")
    one_by_one = {tuple(row[k] for k in key): row["risk"] for part in parts for row in part.rows}
    assert {tuple(row[k] for k in key): row["risk"] for row in whole.rows} == one_by_one
