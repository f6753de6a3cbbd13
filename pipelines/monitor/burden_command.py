"""`tamis report --burden`: declared origins from the archive, what was looked at from the record, tables and a file."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
from rich.table import Table

from features.fault import Fault
from pipelines import show
from pipelines.batch.archive import Archive
from pipelines.batch.archive_calls import sweep
from pipelines.monitor.monitor_evidence import last_day, midnight
from service.audit.replay import Bundles
from service.journal import Journal
from service.oversight.burden import ORIGINS, Group, Share
from service.oversight.burden_report import FOLDER, Burden, report_of, write
from service.oversight.feature_gaps import Explained
from service.settings import Settings
from service.store.database import open_store

DAYS = 28
SHOWN_PARTS = 3
NAMES = {
    "goods_origin_country": "country of origin",
    "dispatch_country": "country of dispatch",
    "stream": "stream",
    "platform": "platform",
    "ioss": "IOSS number",
    "office": "office",
}
VERDICTS = {
    "none": "",
    "less": "less",
    "more_finds_more": "more, and more is found",
    "more_finds_less": "MORE, and less is found",
    "more_not_shown": "MORE, no more is found for sure",
}


def run(settings: Settings, first: date | None, before: date, out: Path | None) -> Burden:
    """Report on what was lodged from `first` (by default four weeks) until before `before`; print and write it."""
    archive, store = Archive(settings.archive), open_store(settings)
    sweep(Journal(store), archive)
    last = last_day(archive, before)
    first = first or last - timedelta(days=DAYS - 1)
    if first > last:
        raise Fault(f"--from: after {last}, the last day that the archive holds")
    declared = declared_between(archive, first, last)
    burden = report_of(store, Bundles(settings.bundles, settings.keys), declared, first, last)
    store.close()
    tell(burden)
    show.line(f"\nwritten to {write(burden, out or settings.reports / FOLDER / last.isoformat())}")
    return burden


def declared_between(archive: Archive, first: date, last: date) -> pl.DataFrame:
    """Return identifiers and ORIGINS of what was lodged on these days, day by day; the origin of the first line."""
    days = [origins_of(archive, first + timedelta(days=nth)) for nth in range((last - first).days + 1)]
    return pl.concat(days)


def origins_of(archive: Archive, day: date) -> pl.DataFrame:
    """Return identifiers and ORIGINS of what was lodged on a day."""
    lodged = archive.consignments(midnight(day), midnight(day + timedelta(days=1)))
    first_line = lodged.goods.unique("row", keep="first", maintain_order=True).select("row", "goods_origin_country")
    with_ioss = pl.when(pl.col("ioss").is_null()).then(pl.lit("without")).otherwise(pl.lit("with")).alias("ioss")
    frame = lodged.frame.join(first_line, on="row", how="left", maintain_order="left").with_columns(with_ioss)
    return frame.select("consignment_id", *ORIGINS)


def tell(burden: Burden) -> None:
    """Print a table for each origin, then what adds to the gaps that stand."""
    show.heading(
        f"{burden.first} to {burden.last}: {burden.consignments:,} consignments, {burden.looked_at:,} looked at; "
        f"{burden.decided:,} decided here"
    )
    for origin, groups in burden.tables.items():
        show.CONSOLE.print(_table(NAMES[origin], groups))
    for origin, groups in burden.tables.items():
        for group in groups:
            if group.name in burden.inputs[origin]:
                _tell_gap(f"{NAMES[origin]} {group.name}", group, burden.inputs[origin][group.name])


def _table(name: str, groups: list[Group]) -> Table:
    table = Table(title=name, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for heading in ("", "came", "looked at", "hits", "compliant held up", "× others", "burdened"):
        table.add_column(heading, justify="right" if heading not in ("", "burdened") else "left", no_wrap=True)
    for group in groups:
        hits = "–" if group.hit_rate.value is None else f"{group.hit_rate.value:.1%}"
        table.add_row(
            group.name, f"{group.consignments:,}", f"{group.looked_at:,}", hits, _share(group.burden),
            _ratio(group.ratio), VERDICTS[group.verdict],
        )  # fmt: skip
    return table


def _tell_gap(name: str, group: Group, inputs: Explained) -> None:
    """Print what adds to a gap: choosers and rules in points of a hundred, inputs in log-odds."""
    show.heading(f"What adds to the gap of {name}")
    for chooser, points in list(group.parts.items())[:SHOWN_PARTS]:
        show.line(f"  {chooser}: {points * 100:+.2f} of a hundred consignments")
    for one in inputs.inputs[:SHOWN_PARTS]:
        rests = f"; {one.checks:,} of {inputs.checks:,} checks by risk rest on it" if inputs.checks else ""
        show.line(f"  {one.meaning}: {one.adds:+.2f} log-odds{rests}")
    if inputs.why:
        show.line(f"  inputs of the model: {inputs.why}")


def _share(share: Share) -> str:
    if share.value is None:
        return "–"
    return f"{share.value:.1%} ({100 * share.low:.1f}–{100 * share.high:.1f})"


def _ratio(share: Share) -> str:
    return "–" if share.value is None else f"{share.value:.2f} ({share.low:.2f}–{share.high:.2f})"
