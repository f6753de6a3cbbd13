"""Figures of a backtest: finds, precision and recall by arm, span and scheme, with intervals over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from pipelines.training.ranking_metrics import Interval, interval

COUNTS = ("inspected", "found", "illicit", "worth", "worth_found", "unknown")
MEASURES = ("precision", "recall", "value_recall", "actors_found")
LAST_WEEKS, FIRST_WEEKS = 8, 4


@dataclass(frozen=True, slots=True)
class Span:
    """A range of days of a replay, counted from its first: `start` until before `end`."""

    name: str
    start: int
    end: int


def spans_of(days: int, start_up: int) -> list[Span]:
    """Return the start-up, the first weeks that an arm decides, the last, the weeks between, and all after start-up."""
    first = min(start_up + FIRST_WEEKS * 7, days)
    last = max(first, days - LAST_WEEKS * 7)
    spans = [
        Span("start-up", 0, min(start_up, days)),
        Span(f"first {FIRST_WEEKS} weeks", start_up, first),
        Span("between", first, last),
        Span(f"last {LAST_WEEKS} weeks", last, days),
        Span("all after start-up", start_up, days),
    ]
    return [span for span in spans if span.end > span.start]


def figures(ledger: pl.DataFrame, span: Span) -> pl.DataFrame:
    """Return one row per arm and seed: the counts of a span, and its measures."""
    within = ledger.filter(pl.col("nth").is_between(span.start, span.end, closed="left"))
    return with_measures(_counted(within, "arm", "seed"))


def _counted(ledger: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Sum counts, and count distinct detected actors: one that is found on two days counts once."""
    actors = pl.col("actors").explode(keep_nulls=False, empty_as_null=False).n_unique().cast(pl.Int64).alias("actors")
    return ledger.group_by(by, maintain_order=True).agg(pl.col(COUNTS).sum(), actors)


def by_week(ledger: pl.DataFrame) -> pl.DataFrame:
    """Return one row per arm, seed and week."""
    weeks = ledger.with_columns((pl.col("nth") // 7 + 1).alias("week"))
    return with_measures(_counted(weeks, "arm", "seed", "week"))


def by_scheme(ledger: pl.DataFrame, span: Span) -> pl.DataFrame:
    """Return one row per arm, seed and scheme with any illicit consignment in the span."""
    within = ledger.filter(pl.col("nth").is_between(span.start, span.end, closed="left"))
    counts = _counted(within, "arm", "seed", "scheme")
    return with_measures(counts.filter(pl.col("illicit") > 0)).sort("scheme", maintain_order=True)


def with_measures(counts: pl.DataFrame) -> pl.DataFrame:
    """Add to counts precision, recall, recall of value, and detected actors per thousand inspections.

    precision counts unknown results as compliant, `precision_at_most` as finds: the truth lies between.
    """
    found, inspected = pl.col("found"), pl.col("inspected")
    return counts.with_columns(
        _part(found, inspected).alias("precision"),
        _part(found + pl.col("unknown"), inspected).alias("precision_at_most"),
        _part(found, pl.col("illicit")).alias("recall"),
        _part(pl.col("worth_found"), pl.col("worth")).alias("value_recall"),
        (1000 * _part(pl.col("actors"), inspected)).alias("actors_found"),
    )


def over_seeds(rows: pl.DataFrame, measure: str) -> dict[str, Interval]:
    """Compute the interval of a measure for each arm."""
    return {str(arm): interval(part[measure].to_list()) for (arm,), part in rows.group_by("arm", maintain_order=True)}


def differences(rows: pl.DataFrame, measure: str, against: str) -> dict[str, Interval]:
    """Compare each arm with another on the same seeds: mean and interval of the paired differences."""
    base = rows.filter(pl.col("arm") == against).select("seed", pl.col(measure).alias("base"))
    paired = rows.filter(pl.col("arm") != against).join(base, on="seed", how="inner", maintain_order="left")
    return over_seeds(paired.with_columns((pl.col(measure) - pl.col("base")).alias(measure)), measure)


def never_seen_before(ledger: pl.DataFrame, start_up: int) -> list[str]:
    """Return schemes without any illicit consignment before the arms began to decide."""
    early = ledger.filter((pl.col("nth") < start_up) & (pl.col("illicit") > 0))["scheme"].unique()
    return sorted(set(ledger.filter(pl.col("illicit") > 0)["scheme"].unique()) - set(early))


def summary(ledger: pl.DataFrame, spans: Sequence[Span], against: str | None) -> dict[str, Any]:
    """Collect all figures for `backtest.json`."""
    content: dict[str, Any] = {"spans": {}, "weeks": [], "schemes": {}}
    for span in spans:
        rows = figures(ledger, span)
        content["spans"][span.name] = {
            "days": [span.start, span.end],
            "counts": rows.group_by("arm", maintain_order=True).agg(pl.col(COUNTS).sum()).to_dicts(),
            **{m: _json(over_seeds(rows, m)) for m in (*MEASURES, "precision_at_most")},
            "differences": {m: _json(differences(rows, m, against)) for m in MEASURES} if against else {},
        }
        content["schemes"][span.name] = {
            str(scheme): _json(over_seeds(part, "recall"))
            for (scheme,), part in by_scheme(ledger, span).group_by("scheme", maintain_order=True)
        }
    weekly = by_week(ledger)
    for (week,), part in weekly.group_by("week", maintain_order=True):
        intervals = {m: _json(over_seeds(part, m)) for m in MEASURES}
        counts = part.group_by("arm", maintain_order=True).agg(pl.col(COUNTS).sum()).to_dicts()
        content["weeks"].append({"week": week, "counts": counts, **intervals})
    return content


def _json(of: Mapping[str, Interval]) -> dict[str, dict[str, float | int | None]]:
    return {arm: value.as_json() for arm, value in of.items()}


def _part(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    return pl.when(whole > 0).then(part / whole)
