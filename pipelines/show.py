"""What the command prints: lines, progress, tables that fit a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    import polars as pl

CONSOLE = Console(highlight=False, soft_wrap=True)
SHOWN_FAULTS = 5


def line(text: str) -> None:
    """One line."""
    CONSOLE.print(Text(text))


def counted(number: int, singular: str, plural: str = "") -> str:
    """A number with its noun, in the singular where it is one."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def heading(text: str) -> None:
    """One line that begins a step."""
    CONSOLE.print(Text(f"\n{text}", style="bold"))


class Advance:
    """A bar that goes on when a work is done, and meanwhile by the share of it that is."""

    def __init__(self, bar: Progress, what: str, total: int) -> None:
        self._bar, self._few = bar, total <= 10
        self._task, self._done = bar.add_task(what, total=total), 0
        self.last = ""

    def __call__(self, text: str, *, always: bool = False) -> None:
        """One more is done; what was done is printed where there are few, or `always`."""
        self._done += 1
        self._bar.update(self._task, completed=self._done)
        self.last = text
        if self._few or always:
            self._bar.console.print(Text(text))

    def part(self, share: float) -> None:
        """So much of the present one is done, from 0 to 1."""
        self._bar.update(self._task, completed=self._done + min(max(share, 0.0), 1.0))


@contextmanager
def progress(what: str, total: int) -> Iterator[Advance]:
    """A bar while work goes on, with the time spent and an estimate of what is left."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=CONSOLE, transient=True, disable=not CONSOLE.is_terminal) as bar:
        advance = Advance(bar, what, total)
        yield advance
    if total > 10 and advance.last:
        line(f"{total} {what}; the last: {advance.last}")


def problems(listed: Sequence[Mapping[str, Any]]) -> None:
    """The first of what could not be read, by line, reason and remedy, and how many more there are."""
    for problem in listed[:SHOWN_FAULTS]:
        line(f"  line {problem['line']}: {problem['reason']}; {problem['remedy']}")
    if len(listed) > SHOWN_FAULTS:
        line(f"  and {len(listed) - SHOWN_FAULTS:,} more")


STRICTNESS = {"green": 0, "blue": 1, "yellow": 2, "red": 3}


def riskiest_first(orientations: pl.DataFrame) -> pl.DataFrame:
    """Sort decisions by risk; where no model states one by the strictest lane, after all that have a risk."""
    import polars as pl

    strictness = pl.col("clearance").replace_strict(STRICTNESS, return_dtype=pl.Int8)
    lane = pl.when(pl.col("risk").is_null()).then(strictness)
    return orientations.sort(
        pl.col("risk"), lane, pl.col("decision_id"), descending=[True, True, False], nulls_last=True
    )


def top(orientations: pl.DataFrame, declared: pl.DataFrame, count: int) -> None:
    """The riskiest consignments with their reasons in words."""
    first = riskiest_first(orientations).head(count)
    goods = declared.select("message_id", "consignment_id", "version", "description", "consignor_name")
    rows = first.join(goods, on=["message_id", "consignment_id", "version"], how="left", maintain_order="left")
    for place, row in enumerate(rows.to_dicts(), start=1):
        what = f"{row['description'] or '?'}, from {row['consignor_name'] or 'nobody named'}"
        risk = "     ?" if row["risk"] is None else f"{row['risk']:>6.1%}"
        head = f"{place:>3}. {risk}  {row['clearance']:<6} {row['consignment_id']}  {what}"
        line(head[:150])
        for reason in row["reasons"][:3]:
            line(f"       · {reason['text']}")


def figures(title: str, rankings: Mapping[str, Mapping[str, float]]) -> None:
    """Measures against rankings."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    table.add_column("measure")
    for ranking in rankings:
        table.add_column(ranking, justify="right")
    measures = dict.fromkeys(name for of in rankings.values() for name in of)
    for measure in measures:
        table.add_row(measure.replace("_", " "), *(_figure(of.get(measure)) for of in rankings.values()))
    CONSOLE.print(table)


def _figure(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "–"
    return f"{value:,.0f}" if value > 1 else f"{value:.3f}"
