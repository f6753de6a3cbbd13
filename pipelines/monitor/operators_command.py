"""`tamis report --operators`: who is worth an audit after clearance, from the archive and its results."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
from rich.table import Table

from features.fault import Fault
from features.hs_codes import hs_plain
from features.money import in_euro
from features.outcome import LABELLED
from pipelines import show
from pipelines.batch.archive import Archive
from pipelines.batch.archive_calls import sweep
from pipelines.monitor.monitor_evidence import last_day, midnight
from service.journal import Journal
from service.oversight.operators import FOUND, KINDS, LINES, Operator, operators_of
from service.oversight.operators_report import FOLDER, Ranking, write
from service.oversight.rates import load_rates
from service.settings import Settings
from service.store.database import open_store

DAYS, AT_MOST, SHOWN = 90, 100, 10
NAMES = {
    "importer": "importers (registered number of the addressee)",
    "consignee": "addressees (name and postcode)",
    "ioss": "IOSS numbers",
    "platform": "platforms",
    "declarant": "declarants (carrier or postal operator)",
}


def run(settings: Settings, first: date | None, before: date, out: Path | None, rates: Path | None = None) -> Ranking:
    """Rank the operators of what was lodged from `first` (by default ninety days) until before `before`."""
    archive, store = Archive(settings.archive), open_store(settings)
    sweep(Journal(store), archive)
    store.close()
    last = last_day(archive, before)
    first = first or last - timedelta(days=DAYS - 1)
    if first > last:
        raise Fault(f"--from: after {last}, the last day that the archive holds")
    lines, found, at = lines_between(archive, first, last), found_of(archive), load_rates(rates)
    ranked = {kind: operators_of(lines, found, at, kind, AT_MOST) for kind in KINDS}
    ranking = Ranking(first, last, lines["consignment_id"].n_unique(), at.neutral, ranked)
    for kind, operators in ranked.items():
        if operators:
            show.CONSOLE.print(_table(NAMES[kind], operators))
    if at.neutral:
        show.line("amounts by neutral rates (no duty, VAT of 20 %): state those of your tariff with --rates FILE")
    folder = out or settings.reports / FOLDER / last.isoformat()
    show.line(f"written to {write(ranking, folder, persons=out is not None)}")
    if out is None:
        show.line("addressees are written only to a folder that --out names: who is erased would stay in a report")
    return ranking


def lines_between(archive: Archive, first: date, last: date) -> pl.DataFrame:
    """Return the goods lines (LINES) of what was lodged on these days, day by day, of each version the last."""
    days = [_lines(archive, first + timedelta(days=nth)) for nth in range((last - first).days + 1)]
    every = pl.concat(days)
    latest = every.group_by("consignment_id").agg(pl.col("version").max())
    return every.join(latest, on=["consignment_id", "version"], how="semi", maintain_order="left").select(LINES.names())


def _lines(archive: Archive, day: date) -> pl.DataFrame:
    lodged = archive.consignments(midnight(day), midnight(day + timedelta(days=1)))
    person = pl.concat_str(
        pl.col("consignee_name").str.to_lowercase().str.strip_chars(), pl.col("consignee_postcode"), separator=", "
    )
    parties = lodged.frame.select(
        "row", "consignment_id", "version", pl.col("consignee_id").alias("importer"), person.alias("consignee"),
        "ioss", "platform", pl.col("operator").alias("declarant"),
    )  # fmt: skip
    goods = lodged.goods.select(
        "row", hs_plain(pl.col("hs_code")).alias("hs_code"), pl.col("goods_origin_country").alias("origin"), "quantity",
        pl.col("net_mass_kg").alias("mass"), pl.col("line_value_eur").alias("value"),
    )  # fmt: skip
    return goods.join(parties, on="row", maintain_order="left").select(*LINES.names(), "version").cast(dict(LINES))  # type: ignore[arg-type]


def found_of(archive: Archive) -> pl.DataFrame:
    """Return what controls and audits said last of each consignment (FOUND), values in euro."""
    judged = archive.outcomes().filter(pl.col("result").is_in(LABELLED))
    last = judged.unique("consignment_id", keep="last", maintain_order=True)
    return last.select(
        "consignment_id", (pl.col("result") == "non_compliant").alias("hit"),
        (pl.col("stage") == "post_clearance").fill_null(value=False).alias("audited"),
        in_euro(pl.col("value_found"), pl.col("currency")).alias("value_found"),
    ).cast(dict(FOUND))  # type: ignore[arg-type]  # fmt: skip


def _table(name: str, operators: list[Operator]) -> Table:
    table = Table(title=name, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for heading in ("", "came", "declared €", "below", "at stake €", "controls", "audits", "found"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=bool(heading))
    for one in operators[:SHOWN]:
        table.add_row(
            one.name, f"{one.consignments:,}", f"{one.declared:,.0f}", f"{one.below:.0%}", f"{one.at_stake:,.0f}",
            f"{one.controlled:,}", f"{one.audited:,}", f"{one.found:,}",
        )  # fmt: skip
    return table
