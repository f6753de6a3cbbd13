"""The record: declarations, decisions, rows as scored and facts in one transaction, acknowledged after it commits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.consignment import VERSION_KEY, Consignments
from features.history.facts import attributed, facts_of_outcomes
from features.model_rows import Rows
from features.moments import micros
from service.history.compaction import Settled, settle
from service.history.posting import catch_up, post, results_of, versions_on_record
from service.history.stored_history import StoredHistory
from service.orientation.decisions import Decisions
from service.orientation.periods import Period, Spent
from service.parties.linking_switch import LinkingSwitch
from service.record.audit_log import append, new_salt
from service.record.blanking import blank_erased
from service.record.campaign_checks import opened
from service.record.capacity_used import Tallies
from service.record.days_on_record import decided_between, scored_on
from service.record.early_results import keep_early, part_early
from service.record.lifting import lift
from service.record.ownership import INSTALLATION, Sender
from service.record.reassessment_marks import mark_for_reassessment_after_findings
from service.record.record_rows import (
    outcome_entry,
    outcome_row,
    sha256_of_body,
)
from service.record.result_checks import several_of_a_stage
from service.record.settling import mark_archived
from service.recording import Recorder
from service.settings import Settings
from service.store.bulk_rows import insert_many, update_rows
from service.store.database import Store, open_store
from service.store.queries import already, in_lists
from service.store.settled_rows import decided_of, declared_in, segments_listed
from service.store.tables import DECISIONS, DECLARATIONS, OUTCOMES


@dataclass(frozen=True, slots=True)
class Received:
    """The result of posting control results: numbers of new and known ones, and of those for unknown consignments.

    superseding: new ones that count in place of another of the same consignment and stage, or that one on record does.
    """

    recorded: int
    repeated: int
    unknown: int
    superseding: int = 0


class Journal:
    """The durable record of a desk: what it writes and what it has written."""

    def __init__(
        self, store: Store, linking: LinkingSwitch | None = None, addressees: LinkingSwitch | None = None
    ) -> None:
        """Open the journal over a store.

        linking: while it is on, declared data on senders is kept so that they can be linked. addressees: the same of
        addressees.
        """
        self.store, self.history, self._linking = store, StoredHistory(store), linking
        self._addressees = addressees
        self._tallies = Tallies(store)
        self._tell: Callable[[float], None] = _no_progress
        self._sender, self._rehearses = INSTALLATION, False

    def telling(self, tell: Callable[[float], None]) -> Journal:
        """Return the same journal reporting its progress, from 0 to 1, while it records a message."""
        reporting = copy(self)
        reporting._tell = tell
        return reporting

    def sent_by(self, sender: Sender) -> Journal:
        """Return the same journal for what a caller sends."""
        of_caller = copy(self)
        of_caller._sender = sender
        return of_caller

    def rehearsing(self) -> Journal:
        """Return the same journal that writes nothing: it answers as if it had recorded."""
        rehearsing = copy(self)
        rehearsing._rehearses = True
        return rehearsing

    def spent(self, periods: Sequence[Period]) -> list[Spent]:
        """Return the checks given and the usual traffic of each period."""
        return self._tallies.spent(periods)

    def opened(self, networks: Sequence[str], hour: int) -> Mapping[str, int]:
        """Count the pending checks of networks at an hour."""
        with self.store.reading() as connection:
            return opened(connection, networks, hour)

    def record(self, decisions: Decisions, rows: Rows, consignments: Consignments) -> Decisions:
        """Record everything durably and return the decisions on record.

        A version that was decided before with the same content keeps its first decision (idempotent); with other
        content the whole message is refused with Conflict, and with OfAnother where a consignment or its message
        belongs to another caller, and nothing is written; raises Overspent where another call took checks that these
        decisions had counted on.
        """
        recorder = self._recorder()
        return (
            recorder.foresee(decisions, consignments)
            if self._rehearses
            else recorder.record(decisions, rows, consignments)
        )

    def remember(self, consignments: Consignments) -> int:
        """Post the facts of archived consignments without a decision; returns the number of new ones."""
        return self._recorder().remember(consignments)

    def _recorder(self) -> Recorder:
        return Recorder(self.store, self.history, self._linking, self._addressees, self._sender, self._tell)

    def learn(self, outcomes: pl.DataFrame, *, archived: bool = False) -> Received:
        """Record control results (OUTCOME_COLUMNS) and post their facts; the same result twice counts once.

        Of several results of one consignment at one stage, the one known last says what was found; all stay on record.
        Raises OfAnother where the caller does not see every part of a consignment. What he reports of one that is not
        lodged yet counts once an office that he speaks for has lodged it.
        """
        sender = self._sender
        listed = [outcome_row(row) for row in outcomes.select(pl.exclude("line")).to_dicts()]
        by_id = {outcome["outcome_id"]: outcome for outcome in listed}

        def write(connection: sa.Connection) -> tuple[list[dict[str, Any]], int, int]:
            known = already(connection, OUTCOMES.c.outcome_id, list(by_id))
            lift(connection, sorted({outcome["consignment_id"] for key, outcome in by_id.items() if key not in known}))
            new, early = part_early(connection, sender, [o for key, o in by_id.items() if key not in known])
            kept_early = keep_early(connection, early, sender, micros(datetime.now(UTC)))
            versions = versions_on_record(connection, sorted({outcome["consignment_id"] for outcome in new}))
            declared = set(versions["consignment_id"])
            kept = {"archived": archived}
            new = [o | kept | {"posted": o["consignment_id"] in declared, "salt": new_salt()} for o in new]
            superseding = several_of_a_stage(connection, new)
            if new:
                insert_many(connection, OUTCOMES, new)
                append(connection, [outcome_entry(outcome) for outcome in new], micros(datetime.now(UTC)))
                post(self.store, connection, facts_of_outcomes(attributed(results_of(new), versions)))
                mark_for_reassessment_after_findings(connection, new)
            return new, superseding, kept_early

        new, superseding, early = self.store.write(write)
        unknown = sum(not outcome["posted"] for outcome in new)
        return Received(len(new) + early, len(listed) - len(new) - early, unknown + early, superseding)

    def settle(self) -> Settled:
        """Post waiting facts, and compact history into few small files; for commands, never for a call."""
        self.catch_up()
        blank_erased(self.store)
        return settle(self.store)

    def catch_up(self) -> int:
        """Post the facts that waited while history could not be read; returns the number of declarations."""
        if not self.history.readable():
            return 0
        caught = 0
        while posted := self.store.write(lambda connection: self._caught(connection)):
            caught += posted
        return caught

    def _caught(self, connection: sa.Connection) -> int:
        return catch_up(self.store, connection, self.history.snapshot(connection))

    def unarchived(self) -> Iterator[list[dict[str, Any]]]:
        """Yield declarations that came by a message and are not in the archive yet, so many at a time; each is marked.

        A part that has been yielded counts as archived once the next is asked for: whoever ends before that gets it
        again. A file of the settled record is such a part, and all that stands in rows another.
        """
        body = DECLARATIONS.c.body
        declared = sa.select(body).where(~DECLARATIONS.c.archived, body.is_not(sa.null()))  # null: erased
        with self.store.reading() as connection:
            in_rows = list(connection.execute(declared).scalars())
            files = [segment for segment in segments_listed(connection) if not segment.archived]
        if in_rows:
            yield in_rows
            self._mark_archived(in_rows)
        for segment in files:
            with self.store.reading() as connection:
                yield declared_in(connection, segment)
            self.store.write(partial(mark_archived, segment))

    def _mark_archived(self, declared: Sequence[dict[str, Any]]) -> None:
        with self.store.writing() as connection:
            for body in declared:
                same = [DECLARATIONS.c[name] == body[name] for name in VERSION_KEY]
                update_rows(connection, DECLARATIONS, {"archived": True}, *same)

    def outcomes_unarchived(self) -> list[dict[str, Any]]:
        """Return outcomes that came by a call and are not in the archive yet."""
        with self.store.reading() as connection:
            return list(connection.execute(sa.select(OUTCOMES.c.body).where(~OUTCOMES.c.archived)).scalars())

    def mark_outcomes_archived(self, outcomes: Sequence[dict[str, Any]]) -> None:
        """Mark these as archived."""
        with self.store.writing() as connection:
            for batch in in_lists([sha256_of_body(body) for body in outcomes]):
                update_rows(connection, OUTCOMES, {"archived": True}, OUTCOMES.c.outcome_id.in_(batch))

    def decisions_on(self, consignment_id: str) -> list[dict[str, Any]]:
        """Return all decisions on a consignment, newest first."""
        query = sa.select(DECISIONS.c.body).where(DECISIONS.c.consignment_id == consignment_id)
        with self.store.reading() as connection:
            rows = connection.execute(query.order_by(DECISIONS.c.decided_at.desc(), DECISIONS.c.version.desc()))
            settled = [row["body"] for row in decided_of(connection, ["body"], [consignment_id])]
            return [dict(body) for body in [*(row[0] for row in rows), *settled] if body]  # an erased one has none

    def decided(self, first: date, last: date) -> pl.DataFrame:
        """Return the last decision on each consignment lodged from `first` to `last` (SUMMARY columns), by day."""
        with self.store.reading() as connection:
            return decided_between(connection, first, last)

    def rows_as_scored(self, day: date, at_most: int) -> pl.DataFrame:
        """Return the model rows of up to `at_most` decisions on consignments lodged that day, with `consignment_id`.

        The identifier of a decision is a hash, so that the first ones of a day are as good as a random sample.
        """
        with self.store.reading() as connection:
            return scored_on(connection, day, at_most)


def open_journal(settings: Settings) -> Journal:
    """Open the journal of an installation, for a command."""
    return Journal(open_store(settings), LinkingSwitch(settings.linking), LinkingSwitch(settings.linking_addressees))


def _no_progress(share: float) -> None:
    """Report progress to no listener."""
