"""The evidence of a period, read from the archive, the quarantine and the decisions on record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl

from features.fault import Fault
from features.outcome import OUTCOME_COLUMNS
from pipelines.batch.archive import Archive
from pipelines.monitor.monitoring import Evidence
from pipelines.monitor.thresholds import Thresholds
from pipelines.monitor.watched_columns import declared
from service.journal import Journal

MOST_A_DAY = 20_000  # consignments sampled for the histograms of a day: more make them no sharper
MOST_SCORED = 1_000  # the same for rows as scored, which are wide
VOLUMES = pl.Schema({"day": pl.Date(), "consignments": pl.Int64(), "rows": pl.Int64(), "refused": pl.Int64()})


class NothingToMonitor(Fault):
    """The archive holds nothing for the requested days."""


def last_day(archive: Archive, before: date) -> date:
    """Return the last archived day before `before`."""
    days = [day for day in _kept_days(archive) if day < before]
    if not days:
        raise NothingToMonitor(f"the archive holds no consignments lodged before {before}; run `tamis ingest` first")
    return days[-1]


def _kept_days(archive: Archive) -> list[date]:
    folders = (archive.folder / "manifest").glob("day=*")
    return sorted(date.fromisoformat(folder.name.removeprefix("day=")) for folder in folders)


def days_needed(archive: Archive, first: date, last: date, rules: Thresholds) -> list[date]:
    """Return the days to read: those judged, their reference days, and those whose results count."""
    past = rules.drift.reference_days + rules.drift.gap_days + rules.drift.settle_days
    results = rules.estimates.span_days + rules.estimates.ripe_days
    since = min(first - timedelta(days=past), last - timedelta(days=results))
    return [day for day in _kept_days(archive) if since <= day <= last]


def gather(
    archive: Archive, journal: Journal, quarantine: Path, days: list[date], say: Callable[[str], None]
) -> Evidence:
    """Read the evidence day by day, so that only monitored columns are held for all days together."""
    watched, volumes, lodged, scored = [], [], [], []
    end = midnight(days[-1] + timedelta(days=1))
    outcomes = archive.outcomes(end)
    inspected = outcomes.select(pl.col("consignment_id").unique())
    refused = refused_rows(quarantine)
    decided = journal.decided(days[0], days[-1])
    for day in days:
        of_day = archive.consignments(midnight(day), midnight(day + timedelta(days=1)))
        frame = declared(of_day)
        volumes.append((day, frame.height, of_day.goods.height, refused.get(day, 0)))
        lodged.append(frame.select("consignment_id", "day").join(inspected, on="consignment_id", how="semi"))
        watched.append(frame.sample(MOST_A_DAY, seed=0) if frame.height > MOST_A_DAY else frame)
        scored.append(_scored(journal, day))
        say(f"{day}: {frame.height:,} consignments")
    seen = pl.concat(watched)
    return Evidence(
        declared=seen,
        volumes=pl.DataFrame(volumes, schema=VOLUMES, orient="row"),
        decided=_with_sender(decided, seen),
        scored=_with_sender(_alike(scored), seen),
        outcomes=_completed(outcomes, pl.concat(lodged), decided),
    )


def midnight(day: date) -> datetime:
    """Return the first moment of a day, UTC."""
    return datetime.combine(day, time(), UTC)


def _scored(journal: Journal, day: date) -> pl.DataFrame:
    """Return the rows as scored of a day, every input as a number; no columns where nothing was decided."""
    rows = journal.rows_as_scored(day, MOST_SCORED)
    if rows.is_empty():
        return rows
    inputs = [name for name in rows.columns if name != "consignment_id" and rows.schema[name] != pl.String]
    return rows.select("consignment_id", pl.lit(day).alias("day"), pl.col(inputs).cast(pl.Float64))


def _alike(scored: list[pl.DataFrame]) -> pl.DataFrame:
    """Concatenate the days on which the model had its present inputs; rows of another model are no reference."""
    days = [rows for rows in scored if rows.height]
    if not days:
        return pl.DataFrame(schema={"consignment_id": pl.String, "day": pl.Date})
    return pl.concat([rows.select(days[-1].columns) for rows in days if set(rows.columns) == set(days[-1].columns)])


def _with_sender(decided: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    senders = seen.select("consignment_id", "sender").unique("consignment_id", keep="last", maintain_order=True)
    return decided.join(senders, on="consignment_id", how="left", maintain_order="left")


def _completed(outcomes: pl.DataFrame, lodged: pl.DataFrame, decided: pl.DataFrame) -> pl.DataFrame:
    """Add to outcomes the day of lodging and the risk; the decision supplies the selection where they lack it."""
    days = lodged.unique("consignment_id", keep="first", maintain_order=True)
    chosen = decided.select("consignment_id", "risk", "selection", "selection_probability")
    joined = outcomes.join(days, on="consignment_id", how="left", maintain_order="left").join(
        chosen, on="consignment_id", how="left", maintain_order="left", suffix="_decided"
    )
    stated = pl.when(pl.col("selection") != "unknown").then("selection")
    return joined.with_columns(
        pl.coalesce(stated, "selection_decided", pl.lit("unknown")).alias("selection"),
        pl.coalesce("selection_probability", "selection_probability_decided").alias("selection_probability"),
    ).select(*(c.name for c in OUTCOME_COLUMNS), "day", "risk")


def refused_rows(quarantine: Path) -> dict[date, int]:
    """Count rows in quarantine by their stated day of lodging; rows without a day are not counted."""
    counted: dict[date, int] = {}
    for file in sorted(quarantine.glob("*.parquet")):
        for day in _days_of(pl.read_parquet(file, columns=["row_as_received"])["row_as_received"]):
            counted[day] = counted.get(day, 0) + 1
    return counted


def _days_of(rows: pl.Series) -> Iterator[date]:
    for text in rows.drop_nulls():
        row = json.loads(text)
        lodged = row.get("lodged_at") if isinstance(row, dict) else None
        day = pl.Series([str(lodged)[:10]]).str.to_date("%Y-%m-%d", strict=False).item()
        if day is not None:
            yield day
