"""What if: more or fewer checks at an office, and what that would have found or missed, by kind of finding.

Fewer checks: the least risky that rank had chosen on each day would not have been opened, and what was found in them is
on record. More checks: the riskiest that were passed by would have been; nobody knows what is in them, so that their
calibrated risks are counted, corrected by how the risks of the last ones opened have held. What rules and chance ask
for stays.

Two intervals: of the change itself, with the days drawn again, the correction with them, and the count left to chance;
and of what one would see, were the same span lived through again with the other number: there everything else that is
found comes anew too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl
import sqlalchemy as sa

from features.fault import Fault
from features.outcome import FINDINGS, LABELLED, NAMED
from service.record.days_on_record import days_of, settled_on
from service.store.database import Store
from service.store.tables import DECISIONS, OUTCOMES

Floats = npt.NDArray[np.float64]
ALL = "all"
RANKED = ("risk", "campaign")  # what a rank has chosen; the rest was asked for by rules and chance
DRAWS, SEED, TAILS = 4_000, 11, (0.025, 0.975)
RECORD = pl.Schema(
    {
        "consignment_id": pl.String(),
        "day": pl.Date(),
        "risk": pl.Float64(),
        "checked": pl.Boolean(),
        "selection": pl.String(),
        "hit": pl.Boolean(),
        "findings": pl.String(),
    }
)


SETTLED = pl.Schema(
    {
        "consignment_id": pl.String(),
        "day": pl.Int32(),
        "risk": pl.Float64(),
        "checked": pl.String(),
        "selection": pl.String(),
    }
)


@dataclass(frozen=True, slots=True)
class Change:
    """Findings more or, below 0, fewer: in the mean, and between what bounds 95 times in a hundred.

    low, high: of the change itself. least, most: of what would be seen, all other findings coming anew.
    """

    mean: float
    low: float
    high: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What another number of checks would have changed over some days.

    checks: a day, on average, as they were. other: a day, as they would be. moved: consignments that would no longer,
    or newly, have been opened. found: by kind, as it was, with what is expected of opened ones without a result.
    awaited: that part of it. change: by kind; below 0 is missed, and never more than was found.
    """

    days: int
    checks: float
    other: int
    moved: int
    found: Mapping[str, float]
    change: Mapping[str, Change]
    awaited: Mapping[str, float] = field(default_factory=dict)


def what_if(record: pl.DataFrame, other: int, least_risk: float = 0.0) -> WhatIf:
    """What `other` checks a day would have changed, from a RECORD of one office; raises Fault for an empty one."""
    if record.is_empty():
        raise Fault("no decisions of this office are on record for these days")
    ranked = record.with_columns(
        pl.col("checked").sum().over("day").alias("opened"),
        (pl.col("checked") & pl.col("selection").is_in(RANKED)).alias("by_rank"),
    )
    cut = _last_opened(ranked, other)
    added = _first_passed_by(ranked, other, least_risk)
    held = _held(ranked)
    days = record["day"].unique().sort()
    rng = np.random.default_rng(SEED)
    drawn, redrawn = (rng.integers(0, len(days), (DRAWS, len(days))) for _ in range(2))
    correction = rng.gamma(held.hits + 0.5, 1.0 / (held.expected + 0.5), DRAWS)
    opened = ranked.filter(pl.col("checked"))
    pending = _risk_by_day(days, opened.filter(pl.col("hit").is_null())).sum() * float(correction.mean())
    change: dict[str, Change] = {}
    found: dict[str, float] = {}
    awaited: dict[str, float] = {}
    for kind in (ALL, *_kinds(record)):
        known, risked = _by_day(days, cut, kind), _risk_by_day(days, cut.filter(pl.col("hit").is_null()))
        share = 1.0 if kind == ALL else _share(opened, kind)
        awaited[kind] = share * pending
        found[kind] = float(_by_day(days, opened, kind).sum()) + awaited[kind]
        newly = _risk_by_day(days, added)
        lost = known[drawn].sum(axis=1) + correction * share * risked[drawn].sum(axis=1)
        won = correction * share * newly[drawn].sum(axis=1)
        come = rng.poisson(won) - rng.poisson(lost)
        kept = _by_day(days, opened, kind) - known
        anew = kept[redrawn].sum(axis=1) - kept.sum()
        bounds = (
            [*np.quantile(come, TAILS), *np.quantile(come + anew, TAILS)] if cut.height + added.height else [0.0] * 4
        )
        changes = (float(won.mean() - lost.mean()), *map(float, bounds))
        change[kind] = Change(*(max(value, -found[kind]) for value in changes))
    return WhatIf(len(days), opened.height / len(days), other, cut.height + added.height, found, change, awaited)


def _kinds(record: pl.DataFrame) -> list[str]:
    """The kinds that a change is estimated of: those that history counts, and what else was found, by its frequency."""
    named = record.select(NAMED.alias("kind")).explode("kind").drop_nulls()
    counted = named.group_by("kind").len().sort("len", "kind", descending=[True, False])["kind"]
    return list(dict.fromkeys([*FINDINGS, *counted]))


def _last_opened(ranked: pl.DataFrame, other: int) -> pl.DataFrame:
    """What rank chose last on each day, as many as there are checks too many."""
    place = pl.col("risk").rank("ordinal").over("day")
    chosen = ranked.filter("by_rank").with_columns(place.alias("place"))
    return chosen.filter(pl.col("place") <= pl.col("opened").cast(pl.Int64) - other)


def _first_passed_by(ranked: pl.DataFrame, other: int, least_risk: float) -> pl.DataFrame:
    """The riskiest of each day that were not opened, as many as there are checks more."""
    passed = ranked.filter(~pl.col("checked") & (pl.col("risk") >= least_risk))
    place = pl.col("risk").rank("ordinal", descending=True).over("day")
    return passed.with_columns(place.alias("place")).filter(pl.col("place") <= other - pl.col("opened").cast(pl.Int64))


@dataclass(frozen=True, slots=True)
class Held:
    """How risks held: findings, and how many their risks had promised."""

    hits: float
    expected: float


def _held(ranked: pl.DataFrame) -> Held:
    """Of the less risky half of what rank chose and whose result is known: the nearest to what was passed by."""
    known = ranked.filter(pl.col("by_rank") & pl.col("hit").is_not_null())
    nearest = known.sort("risk").head((known.height + 1) // 2)
    return Held(float(nearest["hit"].sum()), float(nearest["risk"].sum()))


def _is(kind: str) -> pl.Expr:
    if kind == ALL:
        return pl.col("hit").fill_null(False)
    return pl.col("hit").fill_null(False) & pl.col("findings").fill_null("").str.split(";").list.contains(kind)


def _share(opened: pl.DataFrame, kind: str) -> float:
    """The share of findings that are of a kind."""
    hits = opened.filter(_is(ALL))
    return float(hits.select(_is(kind).mean()).item() or 0.0) if hits.height else 0.0


def _by_day(days: pl.Series, rows: pl.DataFrame, kind: str) -> Floats:
    return _laid(days, rows.group_by("day").agg(_is(kind).sum().alias("n")))


def _risk_by_day(days: pl.Series, rows: pl.DataFrame) -> Floats:
    return _laid(days, rows.group_by("day").agg(pl.col("risk").sum().alias("n")))


def _laid(days: pl.Series, counted: pl.DataFrame) -> Floats:
    beside = days.to_frame("day").join(counted, on="day", how="left", maintain_order="left")
    return beside["n"].fill_null(0).cast(pl.Float64).to_numpy()


def record_of(store: Store, office: str, first: date, last: date) -> pl.DataFrame:
    """The RECORD of an office: its decisions that stand on what was lodged from `first` to `last`, with results."""
    since, until = days_of(first, last)
    columns = [DECISIONS.c[name] for name in ("consignment_id", "day", "risk", "checked", "selection")]
    chosen = sa.select(*columns).where(
        DECISIONS.c.office == office, DECISIONS.c.day >= since, DECISIONS.c.day <= until, DECISIONS.c.stands
    )
    body = OUTCOMES.c.body
    results = sa.select(OUTCOMES.c.consignment_id, OUTCOMES.c.result, body["findings"].as_string()).order_by(
        OUTCOMES.c.known_at
    )
    wanted = sa.select(DECISIONS.c.consignment_id).where(
        DECISIONS.c.office == office, DECISIONS.c.day >= since, DECISIONS.c.day <= until
    )
    with store.reading() as connection:
        decided = [tuple(row) for row in connection.execute(chosen)]
        settled = settled_on(connection, SETTLED, days_of(first, last), office)
        known = [tuple(row) for row in connection.execute(results.where(OUTCOMES.c.consignment_id.in_(wanted)))]
    every = pl.concat([settled, pl.DataFrame(decided, schema=SETTLED, orient="row")])
    rows = every.unique("consignment_id", keep="last", maintain_order=True)
    checked = pl.DataFrame(
        known, schema={"consignment_id": pl.String, "result": pl.String, "findings": pl.String}, orient="row"
    )
    return with_results(
        rows.with_columns(pl.col("day").cast(pl.Date), pl.col("checked").is_in(["physical", "scan"])), checked
    )


def with_results(decided: pl.DataFrame, results: pl.DataFrame) -> pl.DataFrame:
    """A RECORD of decisions and of results in order of time: the last one that says anything counts."""
    last = results.filter(pl.col("result").is_in(LABELLED)).unique("consignment_id", keep="last", maintain_order=True)
    hit = (pl.col("result") == "non_compliant").alias("hit")
    beside = decided.join(last.select("consignment_id", hit, "findings"), on="consignment_id", how="left")
    return beside.select(RECORD.names()).cast(dict(RECORD))  # type: ignore[arg-type]
