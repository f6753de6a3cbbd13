"""The replay desk: history, journal and archive in memory, so that `target()` decides past days as of their time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import polars as pl

from features.assemble import Rows
from features.consignment import TIME, Consignments
from features.history.fact_columns import Facts
from features.history.facts import FACT_SCHEMA, facts_of_outcomes, facts_that_are, with_entities
from features.history.queries import HistoryQuery, Totals
from features.history.totals import FactTable, first_seen, together
from features.moments import EPOCH
from features.outcome import OUTCOME_COLUMNS
from features.parties import GraphTimeline, Linked, Parties, Unlinked
from features.parties.graph import Graph
from pipelines.batch.archive import Archive
from pipelines.training.training_frame import with_entities_of
from service.journal import Journal
from service.orientation import Decisions
from service.orientation.periods import CHECKS, MICROSECOND, Period, Spent
from service.parties.replayed_lists import ReplayedLists, ScreenedInReplay
from service.record.campaign_checks import AWAITED_HOURS
from service.record.standing import OPENED

SETTLED = 4  # recent facts are merged when they are a fourth of the settled ones: each is sorted a few times only
TEXTS = ("consignment_id", "network", "office", "check")
GIVEN = pl.Schema({**dict.fromkeys(TEXTS, pl.String()), "lodged_at": TIME})


class ReplayHistory:
    """Facts posted so far, in two layers: many settled ones and few recent ones."""

    def __init__(self) -> None:
        self._settled, self._recent = FACT_SCHEMA.to_frame(), FACT_SCHEMA.to_frame()
        self._below, self._above = FactTable(self._settled), FactTable(self._recent)
        self._latest: datetime | None = None

    def post(self, facts: pl.DataFrame) -> None:
        """Add facts (FACT_SCHEMA)."""
        self._recent = pl.concat([self._recent, facts])
        if self._recent.height * SETTLED > self._settled.height:
            self._settled, self._recent = pl.concat([self._settled, self._recent]), FACT_SCHEMA.to_frame()
            self._below = FactTable(self._settled)
        self._above = FactTable(self._recent)
        latest: datetime | None = facts["known_at"].max()  # type: ignore[assignment]
        self._latest = max(filter(None, (self._latest, latest)), default=None)

    def totals_before(self, asked: HistoryQuery) -> Totals:
        """Return the answer to a query."""
        return together((self._below, self._above), asked)

    def unposted(self, consignments: Consignments) -> Facts:
        """Return all facts of consignments: a day's own facts are posted when it is over."""
        return facts_that_are(consignments, partial(first_seen, self))

    def readable(self) -> bool:
        """Return true: it is in memory."""
        return True

    def as_of(self) -> int | None:
        """Return the latest moment that any fact was known at, microseconds since 1970."""
        return None if self._latest is None else int(pl.Series([self._latest], dtype=TIME).dt.epoch("us")[0])


class ReplayJournal(Journal):
    """A journal that remembers given checks and writes nothing."""

    def __init__(self) -> None:
        self._given = GIVEN.to_frame()
        self._known = pl.DataFrame(schema={"consignment_id": pl.String})

    def spent(self, periods: Sequence[Period]) -> list[Spent]:
        """Return checks given in these days or shifts; a replay has no pacing."""
        found = []
        for office, begins, lasts, _ in periods:
            start = EPOCH + begins * MICROSECOND
            within = pl.col("lodged_at").is_between(start, start + timedelta(hours=lasts), closed="left")
            given = self._given.filter(pl.col("office") == office, within)["check"].to_list()
            if given:
                found.append(Spent(office, begins, {kind: given.count(kind) for kind in CHECKS}))
        return found

    def opened(self, networks: Sequence[str], hour: int) -> Mapping[str, int]:
        """Count the pending checks of networks at an hour."""
        since = EPOCH + timedelta(hours=hour - AWAITED_HOURS)
        awaited = self._given.filter(
            pl.col("network").is_in(networks), pl.col("check").is_in(OPENED), pl.col("lodged_at") >= since
        )
        unknown = awaited.join(self._known, on="consignment_id", how="anti").group_by("network")
        return dict(unknown.agg(pl.len()).sort("network").iter_rows())

    def hear(self, outcomes: pl.DataFrame) -> None:
        """Mark results that became known as no longer pending."""
        self._known = pl.concat([self._known, outcomes.select("consignment_id")])

    def record(
        self,
        decisions: Decisions,
        rows: Rows,  # noqa: ARG002 - as the journal that it stands for
        consignments: Consignments,  # noqa: ARG002
        *,
        archived: bool = False,  # noqa: ARG002
    ) -> Decisions:
        """Return the decisions unchanged; their checks are remembered."""
        checks = [
            (row["consignment_id"], row["network_id"] or row["party_id"], row["office"] or "unknown",
             row["check"], row["lodged_at"])
            for row in decisions.rows
        ]  # fmt: skip
        given = pl.DataFrame(checks, schema=GIVEN, orient="row").filter(pl.col("check") != "none")
        self._given = pl.concat([self._given, given])
        return decisions


class ReplayArchive(Archive):
    """An archive in memory: the days that a replay has seen, and the results of its own selections."""

    def __init__(self, *, linking: bool, lists: ReplayedLists | None = None) -> None:
        super().__init__(Path(), linking=linking)
        self._lists = lists
        self._frames: list[pl.DataFrame] = []
        self._goods: list[pl.DataFrame] = []
        self._outcomes = pl.DataFrame(schema={c.name: c.dtype for c in OUTCOME_COLUMNS})
        self._rows = 0

    def meanwhile(self) -> GraphTimeline:
        """Return what lists and officers said in the past that is replayed, each in its time."""
        return GraphTimeline() if self._lists is None else self._lists.timeline()

    def show(self, consignments: Consignments) -> None:
        """Keep the consignments of a day that is over."""
        shown = with_entities(consignments)
        self._frames.append(shown.frame.with_columns(pl.col("row") + self._rows))
        self._goods.append(shown.goods.with_columns(pl.col("row") + self._rows))
        self._rows += len(shown)

    def reveal(self, outcomes: pl.DataFrame) -> None:
        """Keep results that have become known."""
        self._outcomes = pl.concat([self._outcomes, outcomes.select(self._outcomes.columns)])

    def consignments(self, start: datetime | None = None, end: datetime | None = None) -> Consignments:
        """Return all consignment versions shown, lodged from `start` until before `end`."""
        if not self._frames:
            return super().consignments(start, end)
        self._frames, self._goods = [pl.concat(self._frames)], [pl.concat(self._goods)]
        shown = Consignments(self._frames[0], self._goods[0])
        bounds = [pl.col("lodged_at") >= start] if start else []
        bounds += [pl.col("lodged_at") < end] if end else []
        kept = pl.all_horizontal(bounds) if bounds else pl.lit(True)
        return shown if shown.frame.select(kept.all()).item() else shown.where(kept)

    def outcomes(self, end: datetime | None = None) -> pl.DataFrame:
        """Return all results known before `end`, in order of time."""
        known = self._outcomes if end is None else self._outcomes.filter(pl.col("known_at") < end)
        return known.unique(maintain_order=True).sort("known_at", "consignment_id")


class Past:
    """Everything that one arm of a replay may know: its archive, and the history that its desk reads."""

    def __init__(self, *, linking: bool = True, lists: ReplayedLists | None = None) -> None:
        """lists: of the past that is replayed; none in a world that has none."""
        screened = Linked(Graph()) if lists is None else ScreenedInReplay(Graph(), lists)
        self.parties: Parties = screened if linking else Unlinked()
        self.archive, self.history = ReplayArchive(linking=linking, lists=lists), ReplayHistory()
        self.journal = ReplayJournal()
        self._waiting: list[pl.DataFrame] = []

    def show(self, consignments: Consignments) -> None:
        """Keep the consignments of a finished day and post their facts."""
        self.archive.show(consignments)
        self.history.post(self.history.unposted(consignments).frame())

    def reveal(self, outcomes: pl.DataFrame, of: Consignments) -> None:
        """Hold back results of inspections of these consignments until each becomes known."""
        self._waiting.append(with_entities_of(outcomes, with_entities(of)))

    def until(self, moment: datetime) -> None:
        """Release everything that became known before `moment`."""
        if not self._waiting:
            return
        waiting = pl.concat(self._waiting)
        known = waiting.filter(pl.col("known_at") < moment)
        self._waiting = [waiting.filter(pl.col("known_at") >= moment)]
        if known.height:
            self.archive.reveal(known)
            self.journal.hear(known)
            self.history.post(facts_of_outcomes(known))
