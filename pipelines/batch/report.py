"""The report of a scored manifest: one page that stands alone, for those who answer for the day's selection."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
import polars as pl

from features.consignment import VERSION_KEY
from pipelines.batch import charts
from pipelines.batch.charts import LANES, Plot
from pipelines.batch.expectations import Judgement
from pipelines.batch.refusals import refusals_in_words

TOP = 25
REASONS = 3
OFFICES = 20  # beyond these the rest is one line
REFUSALS = 30  # kinds of refusal, and
REFUSED = 10  # lines named
BINS = 20
INSPECTING_LANES = ("red", "yellow")
SELECTIONS = ("risk", "rule", "campaign", "random", "exploration", "none")
NOT_STATED = "not stated"
NOTHING_DECIDED = "Nothing was decided: no row was accepted."
TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")  # hides what is written: a name read backwards
QUANTILES = (("half of them are below", 0.5), ("nine in ten below", 0.9), ("ninety-nine in a hundred below", 0.99))


@dataclass(frozen=True, slots=True)
class Report:
    """What one report is made of.

    orientations: the decisions, as service.orientation.decisions.frame_of gives them.
    declared: one row a consignment version: its key, stream, office, dispatch_country, consignor_name, value_eur,
        gross_mass_kg and the description of its main line.
    received: rows read, whether accepted or not.
    model: facts by name; under `metrics` the figures by which it was evaluated.
    """

    title: str
    made_at: datetime
    orientations: pl.DataFrame
    declared: pl.DataFrame
    received: int
    quarantine: pl.DataFrame
    judgement: Judgement | None
    model: Mapping[str, Any]


def write_report(path: Path, report: Report) -> None:
    """Write the page; it refers to nothing outside itself and holds no script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page_of(report), encoding="utf-8", newline="\n")


def page_of(report: Report) -> str:
    """The page as text."""
    lanes = _parts(report.orientations, "clearance", LANES)
    return _template().render(
        report=report,
        headline=_headline(report),
        alerts=_alerts(report),
        lanes=lanes,
        lane_strip=charts.lane_bar({r["name"]: r["count"] for r in lanes}, report.orientations.height),
        kinds=_kinds(report.orientations),
        selections=_parts(report.orientations, "selection", SELECTIONS),
        top=_top(report),
        most=TOP,
        spread=_spread(report.orientations),
        offices=_offices(report.orientations),
        refusals=_refusals(report.quarantine),
        refused=report.quarantine.head(REFUSED).to_dicts(),
        facts=_facts(report),
        metrics=dict(report.model.get("metrics") or {}),
        patterns=charts.PATTERNS,
    )


def _template() -> jinja2.Template:
    return environment().get_template("report.html.j2")


@lru_cache(maxsize=1)
def environment() -> jinja2.Environment:
    """Return what the templates of pages are made with."""
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("pipelines.batch", "templates"),
        autoescape=True,  # whoever fills in a declaration writes in this page
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    particular = {
        "percent": percent,
        "number": number,
        "money": money,
        "moment": moment,
        "cut": cut,
        "tied": tied,
        "bar": charts.share_bar,
    }
    templates.filters |= particular
    return templates


def percent(share: float | None) -> str:
    """A share with as many digits as say something."""
    if share is None or math.isnan(share):
        return "not known"
    if 0 < share < 0.001:
        return "<\u00a00.1\u00a0%"
    return f"{share * 100:.1f}\u00a0%" if share < 0.0995 else f"{share * 100:.0f}\u00a0%"


def number(value: object) -> str:
    """A number with its thousands apart, three significant digits at least; anything else as it is written."""
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "not known" if value is None else str(value)
    if isinstance(value, int) or abs(value) >= 1_000:
        return f"{value:,.0f}"
    return "not known" if math.isnan(value) else f"{value:,.3g}"


def money(value: float) -> str:
    """An amount, with cents where they matter."""
    return f"{value:,.2f}" if value < 100 else f"{value:,.0f}"


def moment(value: datetime | None) -> str:
    """A time to the minute, in UTC."""
    return "not known" if value is None else value.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def counted(count: int, what: str) -> str:
    """A number of things, in the singular where it is one."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def tied(sentence: str) -> str:
    """A sentence in which no line ends between a number and its unit."""
    return re.sub(r"(?<=\d) (?=[%€]|kg\b)", "\u00a0", sentence)


def cut(text: str | None, longest: int) -> str:
    """A text no longer than a cell can hold; marks that would turn the order of letters show as �."""
    text = TURNING.sub("\ufffd", text or NOT_STATED)
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _headline(report: Report) -> dict[str, Any]:
    frame = report.orientations
    checked = frame.filter(pl.col("clearance").is_in(INSPECTING_LANES))
    return {
        "consignments": frame.select("consignment_id").n_unique() if frame.height else 0,
        "versions": frame.height,
        "offices": frame["office"].n_unique(),
        "checked": checked.height,
        "share": checked.height / frame.height if frame.height else None,
        "expected": checked["risk"].sum(),
        "yield": checked["risk"].mean(),
        "base": frame["risk"].mean(),
        "accepted": report.received - report.quarantine.height,
        "held": sum(e.held for e in report.judgement.expectations) if report.judgement else 0,
    }


def _alerts(report: Report) -> list[str]:
    """What a reader must know before the figures."""
    frame = report.orientations
    alerts = (
        [] if frame.height else ["Nothing was decided: no row was accepted.", *refusals_in_words(report.quarantine)]
    )
    for mode, count in frame.filter(pl.col("mode") != "full")["mode"].value_counts().sort("mode").iter_rows():
        causes = frame.filter(pl.col("mode") == mode)["degraded_reasons"].explode().drop_nulls().unique().sort()
        why = f" ({', '.join(causes)})" if len(causes) else ""
        alerts.append(f"Decided in {mode.replace('_', ' ')} mode: {counted(count, 'consignment')}{why}.")
    if report.judgement and not report.judgement.held:
        failed = sum(not e.held for e in report.judgement.expectations)
        alerts.append(
            f"Expectations of the manifest that did not hold: {failed} of {len(report.judgement.expectations)}."
        )
    if report.quarantine.height:
        share = percent(report.quarantine.height / report.received) if report.received else "all"
        alerts.append(f"Refused at the gate and not ranked here: {counted(report.quarantine.height, 'row')} ({share}).")
    return alerts


def _parts(frame: pl.DataFrame, by: str, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """One row a name, in the given order, whether anything bears it or not."""
    sums = frame.group_by(by).agg(pl.len().alias("count"), pl.col("risk").mean())
    found = {name: (count, risk) for name, count, risk in sums.iter_rows()}
    rows = [(name, *found.get(name, (0, None))) for name in names]
    return [
        {"name": name, "count": count, "risk": risk, "share": count / frame.height if frame.height else None}
        for name, count, risk in rows
    ]


def _kinds(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """One row a kind of finding, the most expected first: findings expected of all and of what is checked.

    None where the model states no chances by kind.
    """
    checked = pl.col("clearance").is_in(INSPECTING_LANES)
    each = frame.select("risk_by_kind", checked.alias("checked")).explode("risk_by_kind").unnest("risk_by_kind")
    sums = each.filter(pl.col("kind").is_not_null()).group_by("kind")
    expected = sums.agg(pl.col("chance").sum().alias("all"), pl.col("chance").filter("checked").sum().alias("checked"))
    return expected.sort("all", "kind", descending=[True, False]).to_dicts()


def _top(report: Report) -> list[dict[str, Any]]:
    """The riskiest first; of equals the better rank. Only these rows are ever read in full."""
    order = report.orientations.select("risk", "rank").with_row_index("at")
    first = order.sort("risk", "rank", descending=[True, False], nulls_last=True).head(TOP)["at"]
    key = list(VERSION_KEY)
    wanted = report.orientations[first]
    beside = report.declared.drop("office", strict=False).join(wanted.select(key), on=key, how="semi")
    beside = beside.unique(key, keep="first", maintain_order=True)
    rows = wanted.join(beside, on=key, how="left", maintain_order="left").to_dicts()
    return [{**row, "strongest": row["reasons"][:REASONS]} for row in rows]


def _spread(frame: pl.DataFrame) -> dict[str, Any]:
    """The distribution of risk: for a wide page in twenty bins, for a narrow one in ten."""
    known = frame.filter(pl.col("risk").is_not_null())
    every, checked = _counts(known), _counts(known.filter(pl.col("clearance").is_in(INSPECTING_LANES)))
    title = f"Histogram of the risk of {known.height:,} consignments, counts on a logarithmic scale"
    return {
        "wide": charts.histogram(every, checked, Plot(1000), title),
        "narrow": charts.histogram(_by_two(every), _by_two(checked), Plot(360), title),
        "known": known.height,
        "unknown": frame.height - known.height,
        "quantiles": [(name, known["risk"].quantile(q, "nearest")) for name, q in QUANTILES],
    }


def _counts(frame: pl.DataFrame) -> list[int]:
    bins = frame.select((pl.col("risk") * BINS).floor().clip(0, BINS - 1).cast(pl.Int64).alias("bin"))
    found = dict(bins["bin"].value_counts().iter_rows())
    return [found.get(i, 0) for i in range(BINS)]


def _by_two(counts: list[int]) -> list[int]:
    return [a + b for a, b in zip(counts[::2], counts[1::2], strict=True)]


def _offices(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """One row an office, most checks first, with its bar; the small ones together at the end."""
    named = frame.select(pl.col("office").fill_null(NOT_STATED), "clearance", "risk")
    sums = named.group_by("office").agg(
        *(pl.col("clearance").eq(lane).sum().alias(lane) for lane in LANES),
        pl.len().alias("count"),
        pl.col("risk").filter(pl.col("clearance").is_in(INSPECTING_LANES)).sum().alias("expected"),
    )
    ranked = sums.sort(-(pl.col("red").cast(pl.Int64) + pl.col("yellow")), "office")
    rest = ranked[OFFICES:]
    if rest.height:
        others = rest.sum().with_columns(pl.lit(f"{rest.height} other offices").alias("office"))
        ranked = pl.concat([ranked[:OFFICES], others])
    rows = ranked.to_dicts()
    most = max((sum(row[lane] for lane in LANES[:3]) for row in rows), default=0)
    return [{**row, "bar": charts.lane_bar(row, most, LANES[:3])} for row in rows]


def _refusals(quarantine: pl.DataFrame) -> list[dict[str, Any]]:
    """Kinds of refusal, most frequent first, with the first lines of each."""
    kinds = quarantine.group_by("field", "reason", "remedy").agg(
        pl.len().alias("count"), pl.col("line").sort().head(5).alias("lines")
    )
    return kinds.sort(-pl.col("count").cast(pl.Int64), "field", "reason").head(REFUSALS).to_dicts()


def _facts(report: Report) -> dict[str, Any]:
    """What decided: from the decisions themselves, then what else is told of the model."""
    versions = {name: report.orientations[name].drop_nulls().unique().sort() for name in ("model_id", "policy_id")}
    facts = {name: ", ".join(values) for name, values in versions.items() if len(values)}
    return {**facts, **{name: value for name, value in report.model.items() if name != "metrics"}}
