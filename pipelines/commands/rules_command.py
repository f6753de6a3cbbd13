"""`tamis rules`: what the rules of a policy would have held for on days gone by, and what was found of it.

A rule is tried on the consignments of the archive, each with what was known of it when it was lodged, before anybody
activates it: how many it holds for, how many of those no other rule holds for, what its office could open, and the hit
rate of those that were inspected for whatever reason, beside the hit rate of all that were.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl
from rich.table import Table

from features.assemble import assemble
from features.catalogue import INPUTS
from features.consignment import Consignments
from features.fault import Fault
from features.history.facts import facts_of, facts_of_outcomes, facts_registered
from features.history.totals import FactTable
from features.intervals import wilson
from features.outcome import LABELLED
from pipelines import show
from pipelines.batch.archive import Archive
from pipelines.training.training_frame import fit_goods, labelled_of, linked, refit_dates, with_entities_of
from service.orientation import Policy
from service.orientation.applications import Application, protected
from service.orientation.columns import Known
from service.orientation.list_reasons import columns_of
from service.orientation.rules import Rule

DAYS = 28  # that are tried where nobody says which


@dataclass(frozen=True, slots=True)
class Tried:
    """What one rule would have done.

    holds: consignments that it holds for. alone: those that no other rule of the policy holds for. a_day: the most on
    one day. inspected, hits: of those that it holds for and that have a result.
    """

    rule: Rule
    state: str
    holds: int
    alone: int
    a_day: int
    inspected: int
    hits: int

    @property
    def rate(self) -> tuple[float, float, float] | None:
        """The hit rate and its 95 % interval; none where nothing of it was inspected."""
        if not self.inspected:
            return None
        return self.hits / self.inspected, *wilson(self.hits, self.inspected)


@dataclass(frozen=True, slots=True)
class Trial:
    """Rules tried on some days; inspected, hits: of all consignments of those days."""

    first: date
    last: date
    consignments: int
    inspected: int
    hits: int
    rules: tuple[Tried, ...]


def dry_run(policy: Policy, archive: Archive, today: date, start: datetime | None, end: datetime | None) -> Trial:
    """Try the rules of a policy on archived days; raises Fault where the archive holds none of them.

    A rule is tried as if it held on any day: one that is to come, snoozed or expired too, and its state is told.
    """
    everything = archive.consignments(None, end)
    if not len(everything):
        raise Fault("the archive holds no consignments of these days")
    if archive.linking:
        everything = linked(everything, archive.meanwhile())
    last: datetime = everything.frame["lodged_at"].max()  # type: ignore[assignment]
    first = start or last - timedelta(days=DAYS)
    known = with_entities_of(archive.outcomes(end), everything)
    held = [rule.anew() for rule in policy.rules]
    shown = _days(everything, known, archive.registered(), policy.tracks.applications, first)
    days = [_held(declared, seen, held) for declared, seen in shown]
    if not days:
        raise Fault("the archive holds no consignments of these days")
    decided = pl.concat(days).join(_results(known), on="consignment_id", how="left", maintain_order="left")
    codes = [rule.code for rule in policy.rules]
    rules = tuple(_tried(rule, decided, codes, today) for rule in policy.rules)
    labelled = _labels(decided)
    return Trial(first.date(), last.date(), decided.height, len(labelled), int(labelled.sum()), rules)


def _days(
    everything: Consignments,
    known: pl.DataFrame,
    registry: pl.DataFrame,
    applications: Sequence[Application],
    first: datetime,
) -> Iterator[tuple[pl.DataFrame, Known]]:
    """Of each day what is declared, and what is known beside it, as a policy sees it."""
    begin: datetime = everything.frame["lodged_at"].min()  # type: ignore[assignment]
    last: datetime = everything.frame["lodged_at"].max()  # type: ignore[assignment]
    facts = [facts_of(everything), facts_of_outcomes(known), facts_registered(registry)]
    history = FactTable(pl.concat(facts), holds_all=True)
    fits = fit_goods(everything, labelled_of(everything, known, begin), refit_dates(begin, last))
    day = pl.col("lodged_at").dt.date()
    shown = everything.frame.filter(pl.col("lodged_at") >= first)
    for one in shown.select(day.unique().sort()).to_series():
        part = everything.where((day == one) & (pl.col("lodged_at") >= first))
        seen = Known(part.declared, columns=assemble(part, history, fits, INPUTS).columns)
        holder, authorised = protected(part, seen, applications)
        seen.add(right_holder=holder, sender_authorised=authorised, **columns_of({}, len(seen)))
        yield part.frame, seen


def _held(declared: pl.DataFrame, known: Known, rules: Sequence[Rule]) -> pl.DataFrame:
    kept = declared.select("consignment_id", pl.col("lodged_at").dt.date().alias("day"))
    return kept.with_columns(pl.Series(rule.code, rule.holds(known)) for rule in rules)


def _results(known: pl.DataFrame) -> pl.DataFrame:
    last = known.filter(pl.col("result").is_in(LABELLED)).unique("consignment_id", keep="last", maintain_order=True)
    return last.select("consignment_id", (pl.col("result") == "non_compliant").alias("hit"))


def _labels(decided: pl.DataFrame) -> pl.Series:
    """Whether each consignment with a result was found out, its versions as one."""
    return decided.unique("consignment_id", maintain_order=True)["hit"].drop_nulls()


def _tried(rule: Rule, decided: pl.DataFrame, codes: Sequence[str], today: date) -> Tried:
    selected = decided.filter(pl.col(rule.code))
    others = [code for code in codes if code != rule.code]
    alone = selected.filter(~pl.any_horizontal(others)).height if others else selected.height
    most = max(selected.group_by("day").len()["len"].to_list(), default=0)
    results = _labels(selected)
    return Tried(
        rule, rule.state(today), selected.height, alone, most, len(results), int(results.sum()),
    )  # fmt: skip


def tell(trial: Trial) -> None:
    """Print one line a rule."""
    base = f"{trial.hits / trial.inspected:.1%}" if trial.inspected else "–"
    show.line(
        f"{trial.consignments:,} consignments from {trial.first} to {trial.last}; {trial.inspected:,} have a result, "
        f"of which {base} were found out"
    )
    table = Table(box=None, pad_edge=False)
    for name in ("rule", "state", "lane", "holds for", "alone", "most a day", "inspected", "hit rate (95 %)"):
        table.add_column(name, justify="left" if name in ("rule", "state", "lane") else "right", no_wrap=name == "rule")
    for one in trial.rules:
        rate = "–" if one.rate is None else "{:.0%} ({:.0%} to {:.0%})".format(*one.rate)
        table.add_row(
            one.rule.code, one.state, one.rule.lane.name, f"{one.holds:,}", f"{one.alone:,}", f"{one.a_day:,}",
            f"{one.inspected:,}", rate,
        )  # fmt: skip
    show.CONSOLE.print(table)
    for one in trial.rules:
        if one.state in ("expired", "snoozed"):
            show.line(f"! {one.rule.code} is {one.state} and asks for nothing; written by {one.rule.author}")
