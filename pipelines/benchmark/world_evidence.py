"""The evidence of a world for the benchmark: what customs knew on every day, and the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import polars_hash as plh

from features.assemble import assemble
from features.catalogue import Input
from features.consignment import Consignments
from features.contract import gate_outcomes
from features.history.facts import facts_of, facts_of_outcomes, with_entities
from features.history.totals import FactTable
from features.messages.flat import read_flat
from features.parties import LINKED
from features.parties.evidence import KINDS, NAMES
from features.parties.linking import STATED
from pipelines.batch.archive import Archive
from pipelines.batch.ingest import read_manifest
from pipelines.synthetic import build_world
from pipelines.synthetic.world_settings import World, load_world
from pipelines.training.training_frame import fit_goods, labelled_of, linked, refit_dates, with_entities_of

INSPECTED, RANDOM, CAMPAIGN = 0.01, 0.002, 0.001  # shares of consignments that the historical regime inspects
SETTLED = timedelta(days=21)  # after it a consignment without a result was not inspected
WEAK_ROWS = 8_000
HONEST_SHARE = 0.2  # of honest consignments, in the training of the ceiling; of the others it sees all


@dataclass(frozen=True, slots=True)
class Size:
    """The size of the worlds, and the first judged day."""

    days: int = 120
    per_day: int = 2_000
    test_day: int = 80  # the test window of the family: what is held back begins after it


@dataclass(frozen=True, slots=True)
class Evidence:
    """One row per consignment that is judged, labelled, or may serve as a weak negative.

    frame: `day` (0 = first judged), `judged`, `weak`, `known_at`, `hit`, `selection_probability`, `new_sender`, and of
        the truth `illicit`, `scheme`, `actor_id`, `dangerous` and `criminal_link`.
    rows: the model inputs; blind: the same when history cannot be read; unlinked: where linking is off, and nobody
        knows which values strangers share. lot: a number in [0, 1) for each row.
    world: what was planted, for whoever judges.
    """

    frame: pl.DataFrame
    rows: pl.DataFrame
    blind: pl.DataFrame
    unlinked: pl.DataFrame
    lot: pl.Series
    start: datetime
    world: World


def scarce(world: World) -> World:
    """Return the world under a regime that inspects one consignment in a hundred."""
    regime = replace(world.inspection, inspected_share=INSPECTED, random_share=RANDOM, campaign_share=CAMPAIGN)
    return replace(world, inspection=regime)


def gather(
    folder: Path, seed: int, size: Size, world: World | None = None
) -> tuple[Consignments, pl.DataFrame, pl.DataFrame]:
    """Generate a world of this seed: consignments, outcomes and truth; by default under a scarce regime."""
    build_world(size.days, size.per_day, seed, folder, world=world or scarce(load_world()))
    archive = Archive(folder / "archive")
    for file in sorted((folder / "manifests").glob("*.parquet")):
        archive.keep_manifest(read_manifest(file)[1].accepted)
    for file in sorted((folder / "outcomes").glob("*.parquet")):
        archive.keep_outcomes(gate_outcomes(read_flat(file).rows).accepted)
    return archive.consignments(), archive.outcomes(), pl.read_parquet(folder / "truth.parquet")


def as_customs_knew(
    consignments: Consignments,
    outcomes: pl.DataFrame,
    truth: pl.DataFrame,
    inputs: Sequence[Input],
    size: Size,
    world: World | None = None,
) -> Evidence:
    """Return the evidence for every rung but the ceiling; consignments may be linked already."""
    start: datetime = consignments.frame["lodged_at"].min()  # type: ignore[assignment]
    consignments = linked(consignments)
    known = with_entities_of(outcomes, consignments)
    return _evidence(consignments, known, labelled_of(consignments, known, start), truth, inputs, size, world)


def with_full_information(
    consignments: Consignments, truth: pl.DataFrame, inputs: Sequence[Input], size: Size, world: World | None = None
) -> Evidence:
    """Return the evidence of the ceiling: a correct result for everything a day later, and the true networks."""
    known = consignments.frame.join(truth, on="consignment_id", how="left", maintain_order="left")
    by_actor = linked(_by_actor(consignments, known["actor_id"]))
    results = known.filter(pl.col("version") == 1).select(
        "consignment_id",
        (pl.col("lodged_at") + timedelta(days=1)).alias("known_at"),
        pl.when("illicit").then(pl.lit("non_compliant")).otherwise(pl.lit("compliant")).alias("result"),
        pl.lit(None, pl.String).alias("findings"),
        pl.lit(None, pl.String).alias("criminal_link"),
        pl.lit("unknown").alias("selection"),
        pl.lit(1.0).alias("selection_probability"),
    )
    start: datetime = consignments.frame["lodged_at"].min()  # type: ignore[assignment]
    everything = with_entities_of(results, by_actor)
    learned = pl.Series(np.random.default_rng(0).random(results.height) < HONEST_SHARE)
    labelled = labelled_of(by_actor, everything.filter(learned | (pl.col("result") == "non_compliant")), start)
    return _evidence(by_actor, everything, labelled, truth, inputs, size, world)


def _by_actor(consignments: Consignments, actor: pl.Series) -> Consignments:
    """Return the consignments as if each sender declared its actor, by a number of its own."""
    known = with_entities(consignments)
    number = (pl.DataFrame({"actor": actor}).select(plh.col("actor").nchash.xxhash64()).to_series() // KINDS) * KINDS
    value = number.reinterpret(signed=True) + NAMES.index("id")
    return known.with_columns(pl.DataFrame({STATED: value}).select(pl.concat_list(STATED)).to_series())


def _evidence(
    consignments: Consignments,
    outcomes: pl.DataFrame,
    labelled: pl.DataFrame,
    truth: pl.DataFrame,
    inputs: Sequence[Input],
    size: Size,
    world: World | None,
) -> Evidence:
    first: datetime = consignments.frame["lodged_at"].min()  # type: ignore[assignment]
    last: datetime = consignments.frame["lodged_at"].max()  # type: ignore[assignment]
    start = first.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=size.test_day)
    history = FactTable(pl.concat([facts_of(consignments), facts_of_outcomes(outcomes)]), holds_all=True)
    fits = fit_goods(consignments, labelled, refit_dates(first, last))
    firsts = consignments.frame.filter(pl.col("version") == 1).select("row", "lodged_at")
    judged = firsts.filter(pl.col("lodged_at") >= start)["row"]
    weak = _weak(firsts, labelled, start)
    chosen = pl.concat([judged, labelled["row"], weak]).unique().sort()
    sample = consignments.where(pl.col("row").is_in(chosen.implode()))
    declared = sample.frame.with_columns(chosen.alias("row")).join(
        truth.select("consignment_id", "illicit", "scheme", "actor_id", "dangerous", "criminal_link"),
        on="consignment_id",
        how="left",
        maintain_order="left",
    )
    of_label = labelled.select("row", "known_at", "hit", "grave", "selection_probability")
    frame = declared.join(of_label, on="row", how="left", maintain_order="left").select(
        pl.col("row").is_in(judged.implode()).alias("judged"),
        pl.col("row").is_in(weak.implode()).alias("weak"),
        ((pl.col("lodged_at") - start).dt.total_seconds() // 86_400).alias("day"),
        "lodged_at", "known_at", "hit", "grave", "selection_probability", "illicit", "scheme", "actor_id",
        "dangerous", "criminal_link",
    )  # fmt: skip
    rows = assemble(sample, history, fits, inputs).frame
    frame = frame.with_columns((rows["consignor_consignments_90d"] == 0).alias("new_sender"))
    lot = pl.Series(np.random.default_rng(1).random(frame.height))
    blind = assemble(sample, None, fits, inputs).frame
    unlinked = assemble(Consignments(sample.frame.drop(LINKED), sample.goods), history, fits, inputs).frame
    return Evidence(frame, rows, blind, unlinked, lot, start, world or load_world())


def _weak(firsts: pl.DataFrame, labelled: pl.DataFrame, start: datetime) -> pl.Series:
    """Sample past consignments without an inspection."""
    settled = firsts.filter((pl.col("lodged_at") < start - SETTLED) & ~pl.col("row").is_in(labelled["row"].implode()))
    return settled["row"].sample(min(WEAK_ROWS, settled.height), seed=0).sort()
