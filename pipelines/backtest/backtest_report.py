"""The backtest report: tables of spans and schemes, the cost and benefit of exploration, and backtest.json."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from rich.table import Table

from pipelines import show
from pipelines.backtest.backtest_figures import (
    COUNTS,
    MEASURES,
    Span,
    by_scheme,
    differences,
    figures,
    never_seen_before,
    over_seeds,
)
from pipelines.training.ranking_metrics import Interval

WORDS = {
    "precision": "precision",
    "recall": "recall",
    "value_recall": "value recall",
    "actors_found": "actors per 1,000",
}


def tell(ledger: pl.DataFrame, spans: Sequence[Span], against: str | None, start_up: int) -> None:
    """Print the comparison."""
    arms = ledger["arm"].unique(maintain_order=True).to_list()
    seeds = ledger["seed"].n_unique()
    _spans(ledger, spans, arms, seeds)
    _schemes(ledger, spans, arms, start_up)
    if against in arms and len(arms) > 1:
        _price(ledger, spans, str(against))
    _unknown(ledger)


def _spans(ledger: pl.DataFrame, spans: Sequence[Span], arms: Sequence[str], seeds: int) -> None:
    table = _table(f"Found of inspected, and shares: mean over {seeds} seeds ± half of the 95 % interval", "span", arms)
    for span in spans:
        rows = figures(ledger, span)
        totals = {str(row["arm"]): row for row in rows.group_by("arm").agg(pl.col(COUNTS).sum()).to_dicts()}
        counts = [f"{totals[arm]['found']:,} of {totals[arm]['inspected']:,}" for arm in arms]
        table.add_row(span.name, *counts)
        for measure in MEASURES:
            table.add_row(f"  {WORDS[measure]}", *_row(over_seeds(rows, measure), arms))
    show.CONSOLE.print(table)


def _schemes(ledger: pl.DataFrame, spans: Sequence[Span], arms: Sequence[str], start_up: int) -> None:
    late = [span for span in spans if span.name.startswith("last")]
    span = late[-1] if late else spans[-1]
    rows, new = by_scheme(ledger, span), never_seen_before(ledger, start_up)
    table = _table(f"Recall by scheme, {span.name}", "scheme", arms)
    for (scheme,), part in rows.group_by("scheme", maintain_order=True):
        name = f"{scheme} (unknown at the start)" if scheme in new else str(scheme)
        table.add_row(name.replace("_", " "), *_row(over_seeds(part, "recall"), arms))
    show.CONSOLE.print(table)


def _price(ledger: pl.DataFrame, spans: Sequence[Span], against: str) -> None:
    """Print what each arm costs or gains against one of them, on the same seeds."""
    others = [arm for arm in ledger["arm"].unique(maintain_order=True).to_list() if arm != against]
    table = _table(f"Above or below {against} on the same seeds: precision ± half of the 95 % interval", "span", others)
    for span in spans:
        table.add_row(span.name, *_row(differences(figures(ledger, span), "precision", against), others, signed=True))
    show.CONSOLE.print(table)


def _unknown(ledger: pl.DataFrame) -> None:
    rows = ledger.group_by("arm", maintain_order=True).agg(pl.col(COUNTS).sum())
    for row in rows.filter(pl.col("unknown") > 0).to_dicts():
        low, high = row["found"] / row["inspected"], (row["found"] + row["unknown"]) / row["inspected"]
        show.line(
            f"{row['arm']}: {row['unknown']:,} of {row['inspected']:,} selected have no result in the archive; "
            f"precision lies between {low:.3f} and {high:.3f}"
        )


def _table(title: str, first: str, arms: Sequence[str]) -> Table:
    table = Table(title=f"\n{title}", title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column(first)
    for arm in arms:
        table.add_column(arm, justify="right")
    return table


def _row(of: Mapping[str, Interval], arms: Sequence[str], *, signed: bool = False) -> list[str]:
    return [_cell(of[arm], signed) if arm in of else "–" for arm in arms]


def _cell(value: Interval, signed: bool) -> str:
    if math.isnan(value.mean):
        return "–"
    mean = f"{value.mean:+.3f}" if signed else f"{value.mean:.3f}"
    return mean if math.isnan(value.half) else f"{mean} ± {value.half:.3f}"


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write `backtest.json` as a whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.writing")
    temporary.write_text(json.dumps(content, indent=1, default=str), encoding="utf-8")
    temporary.replace(path)
