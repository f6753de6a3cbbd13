"""Days to replay: a synthetic world that reacts to seizures, or an archive.

Each day shows its manifest to every arm, results only for selected consignments, and its account to the judge alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

import numpy as np
import polars as pl

from features.consignment import Consignments
from features.contract import gate_outcomes
from features.fault import Fault
from features.outcome import LABELLED
from pipelines.batch.archive import Archive
from pipelines.synthetic.draws import generator, sums
from pipelines.synthetic.inspection import REASONS, Selection, outcomes
from pipelines.synthetic.simulation import Lodged, Simulation
from pipelines.synthetic.world_settings import World

ACCOUNT = pl.Schema(
    [
        ("scheme", pl.String()),
        ("illicit", pl.Int64()),
        ("worth", pl.Float64()),
        ("inspected", pl.Int64()),
        ("found", pl.Int64()),
        ("worth_found", pl.Float64()),
        ("unknown", pl.Int64()),
        ("actors", pl.List(pl.String())),  # detected senders, each once a day; unknown for an archive
    ]
)


class Day(Protocol):
    """One day of a replay."""

    day: date
    manifest: pl.DataFrame

    def inspect(self, chosen: pl.DataFrame) -> pl.DataFrame:
        """Return the results (OUTCOME_COLUMNS) of a selection: `consignment_id`, `selection`, `selection_probability`.

        The world learns its losses from it. Called once a day.
        """
        ...

    def account(self, chosen: Sequence[str]) -> pl.DataFrame:
        """Return what the day held and what of it was found (ACCOUNT), for the judge alone."""
        ...


def midnight(day: date) -> datetime:
    """Return the first moment of a day, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def world_days(world: World, days: int, per_day: int, seed: int, start: date, regime_days: int = 0) -> Iterator[Day]:
    """Yield the days of a synthetic world in closed loop, with the historical regime on its first `regime_days`.

    It has no amendments, so that every consignment is judged once.
    """
    simulation = Simulation(world.vary(flow={"amendment_share": 0.0}), days, per_day, seed, start)
    for number in range(days):
        regime = number < regime_days
        yield (RegimeDay if regime else WorldDay)(simulation, simulation.lodge(inspect=regime))


class WorldDay:
    """A day of a synthetic world."""

    def __init__(self, simulation: Simulation, lodged: Lodged) -> None:
        self.day, self.manifest = lodged.day, lodged.manifest
        self._simulation, self._truth, self._given = simulation, lodged.truth, lodged.outcomes

    def inspect(self, chosen: pl.DataFrame) -> pl.DataFrame:
        """Return results of the world's own noisy inspections; its senders will come to know of seizures."""
        case = self._simulation.presented
        if case is None:
            raise Fault("nothing was lodged that could be inspected")
        places = {number: row for row, number in enumerate(case.declared["consignment_id"])}
        selection = Selection(
            rows=np.array([places[number] for number in chosen["consignment_id"]], dtype=np.int64),
            reason=np.array([REASONS.index(word) for word in chosen["selection"]], dtype=np.int64),
            chance=chosen["selection_probability"].to_numpy().astype(np.float64),
        )
        rng = generator(self._simulation.seed, 3, self._simulation.today - 1)
        results = _gated(outcomes(case, self._truth, selection, rng))
        seized = results.filter(pl.col("result") == "non_compliant")
        for (known_on,), part in seized.group_by(pl.col("known_at").dt.date().alias("day"), maintain_order=True):
            self._simulation.seize(part["consignment_id"].to_list(), known_on)
        return results

    def account(self, chosen: Sequence[str]) -> pl.DataFrame:
        """Return by scheme illicit consignments and their true worth, and the inspected ones among them."""
        case = self._simulation.presented
        if case is None:
            raise Fault("nothing was lodged that could be judged")
        worth = sums(case.orders.of, case.orders.quantity * case.orders.unit_eur, len(case.orders))
        judged = self._truth.select(
            pl.when("illicit").then("scheme").otherwise(pl.lit("honest")).alias("scheme"),
            pl.col("illicit").cast(pl.Int64),
            pl.when("illicit").then(pl.Series(worth)).otherwise(0.0).alias("worth"),
            pl.col("consignment_id").is_in(list(chosen)).alias("chosen"),
            pl.when("illicit").then("actor_id").alias("actor"),
        )
        return _summed(judged.with_columns(pl.lit(0).alias("unknown")))


class RegimeDay(WorldDay):
    """A day of the start-up: the historical regime inspects by its rules of thumb, whatever an arm would select."""

    def inspect(self, chosen: pl.DataFrame) -> pl.DataFrame:  # noqa: ARG002 - the regime has chosen
        """Return the results of the regime's inspections, the same for every arm."""
        return _gated(self._given)

    def account(self, chosen: Sequence[str]) -> pl.DataFrame:  # noqa: ARG002 - the regime has chosen
        """Return by scheme what the regime inspected and found."""
        return super().account(self._given["consignment_id"].to_list())


def _gated(results: pl.DataFrame) -> pl.DataFrame:
    gated = gate_outcomes(results.with_row_index("line"))
    if gated.refused.height:
        raise Fault("the gate refused results of the world's own inspections")
    return gated.accepted


def _summed(judged: pl.DataFrame) -> pl.DataFrame:
    chosen = pl.col("chosen")
    return (
        judged.group_by("scheme")
        .agg(
            pl.col("illicit").sum(),
            pl.col("worth").sum(),
            chosen.sum().cast(pl.Int64).alias("inspected"),
            pl.col("illicit").filter(chosen).sum().alias("found"),
            pl.col("worth").filter(chosen).sum().alias("worth_found"),
            pl.col("unknown").filter(chosen).sum(),
            pl.col("actor").filter(chosen).drop_nulls().unique().sort().alias("actors"),
        )
        .match_to_schema(ACCOUNT, integer_cast="upcast", missing_columns="raise")
        .sort("scheme")
    )


def archive_days(archive: Archive, start: datetime | None = None, end: datetime | None = None) -> Iterator[Day]:
    """Yield the archived days from `start` until before `end`."""
    shown, known = archive.consignments(start, end), archive.outcomes()
    for day in shown.frame["lodged_at"].dt.date().unique().sort():
        yield ArchiveDay(day, shown.where(pl.col("lodged_at").dt.date() == day), known)


class ArchiveDay:
    """A day of an archive: consignments not inspected then have no known result."""

    def __init__(self, day: date, shown: Consignments, known: pl.DataFrame) -> None:
        self.day, self.manifest = day, shown.flat()
        lodged = shown.frame.unique("consignment_id", keep="first", maintain_order=True)
        self._lodged = lodged.select("consignment_id", pl.col("value_eur").fill_null(0.0).alias("worth"))
        self._known = known.join(self._lodged, on="consignment_id", how="semi", maintain_order="left")

    def inspect(self, chosen: pl.DataFrame) -> pl.DataFrame:
        """Return the archived results of a selection, with the selection of the arm."""
        why = chosen.select("consignment_id", "selection", "selection_probability")
        kept = self._known.drop("selection", "selection_probability")
        return kept.join(why, on="consignment_id", how="inner", maintain_order="left").select(self._known.columns)

    def account(self, chosen: Sequence[str]) -> pl.DataFrame:
        """Return hits of the archive, those selected, and the number of selected ones without a result."""
        last = self._known.filter(pl.col("result").is_in(LABELLED)).unique(
            "consignment_id", keep="last", maintain_order=True
        )
        joined = self._lodged.join(last.select("consignment_id", "result"), on="consignment_id", how="left")
        hit = (pl.col("result") == "non_compliant").fill_null(False)
        judged = joined.select(
            pl.when(hit).then(pl.lit("hit")).otherwise(pl.lit("other")).alias("scheme"),
            hit.cast(pl.Int64).alias("illicit"),
            pl.when(hit).then("worth").otherwise(0.0).alias("worth"),
            pl.col("consignment_id").is_in(list(chosen)).alias("chosen"),
            pl.col("result").is_null().cast(pl.Int64).alias("unknown"),
            pl.lit(None, pl.String).alias("actor"),
        )
        return _summed(judged)


def next_day(day: date) -> datetime:
    """Return the moment at which a day is over."""
    return midnight(day + timedelta(days=1))
