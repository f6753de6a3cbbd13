"""The record: declarations, decisions, rows as scored and facts in one transaction, acknowledged after it commits."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache, partial
from itertools import chain
from typing import Any

import polars as pl
import sqlalchemy as sa
import structlog

from features.consignment import VERSION_KEY, Consignments
from features.history.fact_columns import Facts, Versions
from features.history.facts import attributed, facts_of_outcomes
from features.history.totals import HistoryUnavailable
from features.model_rows import Rows
from features.moments import EPOCH, micros
from service.canonical import canonical
from service.history.compaction import Settled, settle
from service.history.posting import catch_up, facts_reattributed, facts_unposted, post, results_of, versions_on_record
from service.history.stored_history import StoredHistory
from service.orientation.decisions import Decisions
from service.orientation.periods import Period, Spent
from service.parties.linking_switch import LinkingSwitch
from service.parties.stored_graph import StoredGraph
from service.parties.stored_parties import grown_by, keep_addressees
from service.parties.stored_parties import keep as keep_links
from service.parties.watch_lists import lists_as_of
from service.record.audit_log import append, new_salt
from service.record.beside_record import decided_on, part_beside, refuse_changed
from service.record.campaign_checks import opened
from service.record.capacity_used import Tallies, count, taken_of
from service.record.claims import owners_beside
from service.record.consignment_versions import Key, Version, keep_bodies
from service.record.early_results import keep_early, part_early, take_early
from service.record.ownership import INSTALLATION, Sender
from service.record.reassessment_marks import mark_for_reassessment_after_findings, wake_unscreened
from service.record.record_rows import (
    decision_entry,
    decision_row,
    declarations_of,
    outcome_entry,
    outcome_row,
    parts_of,
    rows_scored,
    sha256_of_body,
)
from service.record.result_checks import several_of_a_stage
from service.record.transfers import pass_on
from service.settings import Settings
from service.store.bulk_rows import insert_many, insert_missing, update_rows
from service.store.database import Store, open_store
from service.store.queries import already, in_lists
from service.store.segment_files import SegmentGone
from service.store.tables import CALLS, DECISIONS, DECLARATIONS, OUTCOMES, POLICIES

LOG = structlog.get_logger("tamis.record")
SHARE_DECLARED, SHARE_LINKED = (
    0.25,
    0.45,
)  # progress, as shares of the time of recording a message
SUMMARY = pl.Schema(
    {
        "consignment_id": pl.String(),
        "day": pl.Int32(),
        "risk": pl.Float64(),
        "clearance": pl.String(),
        "selection": pl.String(),
        "mode": pl.String(),
        "selection_probability": pl.Float64(),
        "degraded": pl.Boolean(),
    }
)


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

    def record(
        self, decisions: Decisions, rows: Rows, consignments: Consignments, *, archived: bool = False
    ) -> Decisions:
        """Record everything durably and return the decisions on record.

        A version that was decided before with the same content keeps its first decision (idempotent); with other
        content the whole message is refused with Conflict, and with OfAnother where a consignment or its message
        belongs to another caller, and nothing is written; raises Overspent where another call took checks that these
        decisions had counted on.
        """
        self._tell(0.0)
        if self._rehearses:
            return self._foreseen(decisions, consignments)
        stated, grown = Versions.of(consignments), grown_by(consignments)
        declared = self._declared(consignments, stated)
        ahead = next(declared)  # that of a call, before it takes the write lock

        def write(connection: sa.Connection) -> tuple[list[Key], dict[Key, dict[str, Any]]]:
            every = chain([ahead], declared)
            versions = self._declare(connection, every, consignments, stated, archived=archived, grown=grown)
            keys = [version.key for version in versions]
            stored = decided_on(connection, versions)
            owners = owners_beside(versions, consignments.declared.values("office"))
            self._decide(connection, decisions, rows, versions, stored, owners)
            return keys, stored

        keys, stored = self.store.write(write)
        return decisions.as_recorded({i: stored[key] for i, key in enumerate(keys) if key in stored})

    def _foreseen(self, decisions: Decisions, consignments: Consignments) -> Decisions:
        """Return what `record` would, or raise what it would."""
        versions: list[Version] = []
        with self.store.reading() as connection:
            for declared in self._declared(consignments, Versions.of(consignments)):
                whole = partial(self._whole, consignments, len(versions))
                versions += part_beside(connection, declared, [self._sender] * len(declared), whole).versions
            refuse_changed(versions)
            stored = decided_on(connection, versions)
        keys = [version.key for version in versions]
        return decisions.as_recorded({i: stored[key] for i, key in enumerate(keys) if key in stored})

    def _decide(
        self,
        connection: sa.Connection,
        decisions: Decisions,
        rows: Rows,
        versions: Sequence[Version],
        stored: Mapping[Key, Mapping[str, Any]],
        owners: Mapping[str, Sequence[str | None]],
    ) -> None:
        """Record what was not decided before: the call, the capacity it uses, each decision and its audit entry."""
        new = [i for i, version in enumerate(versions) if version.key not in stored]
        if not new:
            return
        decided = [i for i, version in enumerate(versions) if version.key in stored]
        before = [
            {"place": i, "decision_id": stored[versions[i].key]["decision_id"], "row": row}
            for i, row in zip(decided, rows_scored(rows, decided), strict=True)
        ]
        call_id, basis = self.note_call(connection, decisions, before, owners)
        taken = taken_of(decisions)
        count(connection, taken.where(new))
        for batch in in_lists(new):  # a day of a million must not be in memory several times over
            given, first = decisions.rows[batch[0] : batch[-1] + 1], batch[0]
            counted = taken.where(batch).on_record()
            records = [
                decision_row(given[i - first], row, call_id, i, of_day)
                for i, row, of_day in zip(batch, rows_scored(rows, batch), counted, strict=True)
            ]
            insert_many(connection, DECISIONS, records)
            hashes = (versions[i].content_sha256 for i in batch)
            entries = [decision_entry(record, sha256, basis) for record, sha256 in zip(records, hashes, strict=True)]
            append(connection, entries, records[0]["decided_at"])
            self._tell(SHARE_LINKED + (1.0 - SHARE_LINKED) * (batch[-1] + 1) / len(versions))
        if self._linking is not None and (lists := lists_as_of(connection)) is not None and self._linking.on:
            wake_unscreened(connection, call_id, decisions.basis, lists)

    def note_call(
        self,
        connection: sa.Connection,
        decisions: Decisions,
        before: list[dict[str, Any]],
        owners: Mapping[str, Sequence[str | None]] | None = None,
    ) -> tuple[str, str]:
        """Record the circumstances of a call; returns its identifier and the hash of its basis.

        before: for consignments decided already: place, decision, and the row as scored this time. owners: by place,
        office and sender of consignments, where these are not the declared office and the installation.
        """
        call_id = uuid.uuid4().hex
        if decisions.basis is None:
            raise ValueError("decisions without their circumstances cannot be recorded")
        text = decisions.basis.policy_text
        sha256 = sha256_of_policy(text)
        insert_missing(connection, POLICIES, [{"sha256": sha256, "text": text}])
        basis = {**decisions.basis.as_json(sha256), "decided_before": before, **({"owners": owners} if owners else {})}
        insert_many(connection, CALLS, [{"call_id": call_id, "basis": basis}])
        return call_id, hashlib.sha256(canonical(basis)).hexdigest()

    def remember(self, consignments: Consignments) -> int:
        """Post the facts of archived consignments without a decision; returns the number of new ones."""

        stated = Versions.of(consignments)

        def write(connection: sa.Connection) -> int:
            declared = self._declared(consignments, stated, with_body=False)
            versions = self._declare(connection, declared, consignments, stated, archived=True)
            return sum(not version.known for version in versions)

        return self.store.write(write)

    def _declared(
        self, consignments: Consignments, stated: Versions, *, with_body: bool = True
    ) -> Iterator[list[dict[str, Any]]]:
        """Yield the rows of declarations in parts; one part at least."""
        first = 0
        for part in parts_of(consignments):
            of_part, first = stated.between(first, first + len(part)), first + len(part)
            yield declarations_of(part, of_part, self.store.pseudonyms, with_body=with_body)

    def _declare(
        self,
        connection: sa.Connection,
        declared: Iterable[list[dict[str, Any]]],
        consignments: Consignments,
        stated: Versions,
        *,
        archived: bool,
        grown: StoredGraph | None = None,
    ) -> list[Version]:
        """Record new declarations and post their facts; raises Conflict where a version has changed.

        declared: rows of the declarations in parts, as those of a day must not be in memory all at once. stated: what
        the consignments state. grown: the graph of senders as grown by these consignments, if they were just linked.
        """
        facts: Facts | None = None
        extra: dict[str, Any] = {}
        versions: list[Version] = []
        for rows in declared:
            whole = partial(self._whole, consignments, len(versions))
            part, of_part, absent, passing = part_beside(connection, rows, [self._sender] * len(rows), whole)
            versions += of_part
            lacking = [row for row, of in zip(part, of_part, strict=True) if of.lacks_body and not of.changed]
            keep_bodies(connection, [row for row in lacking if row["body"] is not None])
            if absent and not extra:  # before any of them is on record
                facts = self._facts(connection, stated)
                extra = {"archived": archived, "posted": facts is not None}
            for batch in in_lists(absent):
                insert_many(connection, DECLARATIONS, [row | extra for row in batch])
            for transfer in passing:
                pass_on(connection, transfer, micros(datetime.now(UTC)))
            self._tell(SHARE_DECLARED * len(versions) / max(1, len(consignments)))
        refuse_changed(versions)
        fresh = [i for i, version in enumerate(versions) if not version.known]
        if fresh:
            keys = [versions[i].key for i in fresh]
            take_early(connection, list(dict.fromkeys(key[1] for key in keys)), micros(datetime.now(UTC)))
            moved = facts_reattributed(connection, keys)
            post(self.store, connection, moved if facts is None else Facts.end_to_end([facts, moved]))
            all_new = len(fresh) == len(consignments)
            new = consignments if all_new else consignments.where(pl.col("row").is_in(fresh))
            if self._linking is not None and self._linking.on:
                keep_links(connection, new, grown if all_new else None)
            if self._addressees is not None and self._addressees.on:
                keep_addressees(connection, new)
        return versions

    def _whole(self, consignments: Consignments, first: int, places: Sequence[int]) -> list[dict[str, Any]]:
        """Return the declarations at some places of a part, which begins at a row, with their bodies."""
        chosen = consignments.where(pl.col("row").is_in([first + place for place in places]))
        return declarations_of(chosen, Versions.of(chosen), self.store.pseudonyms)

    def _facts(self, connection: sa.Connection, stated: Versions) -> Facts | None:
        """Return the facts to post; None while history cannot be read: then they wait, and the declaration is kept."""
        try:
            return facts_unposted(connection, stated, self.history.snapshot(connection))
        except (HistoryUnavailable, SegmentGone) as fault:
            LOG.warning("facts wait for the history", kind=type(fault).__name__)
            return None

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

    def unarchived(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Return declarations and outcomes that came by a call and are not in the archive yet."""
        body = DECLARATIONS.c.body
        declared = sa.select(body).where(~DECLARATIONS.c.archived, body.is_not(sa.null()))  # null: erased
        outcomes = sa.select(OUTCOMES.c.body).where(~OUTCOMES.c.archived)
        with self.store.reading() as connection:
            return list(connection.execute(declared).scalars()), list(connection.execute(outcomes).scalars())

    def mark_archived(self, declared: Sequence[dict[str, Any]], outcomes: Sequence[dict[str, Any]]) -> None:
        """Mark these as archived."""
        with self.store.writing() as connection:
            for body in declared:
                same = [DECLARATIONS.c[name] == body[name] for name in VERSION_KEY]
                update_rows(connection, DECLARATIONS, {"archived": True}, *same)
            ids = [sha256_of_body(body) for body in outcomes]
            for batch in in_lists(ids):
                update_rows(connection, OUTCOMES, {"archived": True}, OUTCOMES.c.outcome_id.in_(batch))

    def decisions_on(self, consignment_id: str) -> list[dict[str, Any]]:
        """Return all decisions on a consignment, newest first."""
        query = sa.select(DECISIONS.c.body).where(DECISIONS.c.consignment_id == consignment_id)
        with self.store.reading() as connection:
            rows = connection.execute(query.order_by(DECISIONS.c.decided_at.desc(), DECISIONS.c.version.desc()))
            return [dict(row[0]) for row in rows if row[0]]  # an erased one has no body

    def decided(self, first: date, last: date) -> pl.DataFrame:
        """Return the last decision on each consignment lodged from `first` to `last` (SUMMARY columns), by day."""
        columns = [DECISIONS.c[name] for name in SUMMARY if name != "degraded"]
        # rules that were let decide lack nothing; for want of a model all but the strictest is given again
        wanting = (DECISIONS.c.mode == "rules_only") & (DECISIONS.c.post_clearance == "reassess")
        degraded = (DECISIONS.c.mode == "degraded") | wanting
        since, until = ((day - EPOCH.date()).days for day in (first, last))
        query = sa.select(*columns, degraded).where(DECISIONS.c.day >= since, DECISIONS.c.day <= until)
        with self.store.reading() as connection:
            rows = connection.execute(query.order_by(DECISIONS.c.decided_at, DECISIONS.c.version)).all()
        frame = pl.DataFrame([tuple(row) for row in rows], schema=SUMMARY, orient="row")
        last_ones = frame.unique("consignment_id", keep="last", maintain_order=True)
        return last_ones.with_columns(pl.col("day").cast(pl.Date)).sort("day", maintain_order=True)

    def rows_as_scored(self, day: date, at_most: int) -> pl.DataFrame:
        """Return the model rows of up to `at_most` decisions on consignments lodged that day, with `consignment_id`.

        The identifier of a decision is a hash, so that the first ones of a day are as good as a random sample.
        """
        columns = sa.select(DECISIONS.c.consignment_id, DECISIONS.c.row_as_scored)
        query = columns.where(DECISIONS.c.day == (day - EPOCH.date()).days).order_by(DECISIONS.c.decision_id)
        with self.store.reading() as connection:
            scored = connection.execute(query.limit(at_most)).all()
        rows = [{"consignment_id": consignment_id, **row} for consignment_id, row in scored]
        return pl.DataFrame(rows, infer_schema_length=None)


def open_journal(settings: Settings) -> Journal:
    """Open the journal of an installation, for a command."""
    return Journal(open_store(settings), LinkingSwitch(settings.linking), LinkingSwitch(settings.linking_addressees))


@lru_cache(maxsize=16)
def sha256_of_policy(text: str) -> str:
    """Return the hash by which a policy is on record."""
    return hashlib.sha256(text.encode()).hexdigest()


def _no_progress(share: float) -> None:
    """Report progress to no listener."""
