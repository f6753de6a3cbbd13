"""How a message comes on record: declarations, decisions, facts and links in one transaction, all of it or nothing."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from itertools import chain
from typing import Any

import numpy as np
import polars as pl
import sqlalchemy as sa
import structlog

from features.consignment import Consignments
from features.history.fact_columns import NO_FACTS, Facts, Versions
from features.history.totals import HistoryUnavailable
from features.model_rows import Rows
from features.moments import micros
from service.canonical import canonical
from service.history.posting import FactsAhead, facts_beside, facts_reattributed, post, write_ahead
from service.history.stored_history import StoredHistory
from service.orientation.decisions import Decisions
from service.parties.linking_switch import LinkingSwitch
from service.parties.stored_graph import StoredGraph
from service.parties.stored_parties import grown_by, keep_addressees
from service.parties.stored_parties import keep as keep_links
from service.parties.watch_lists import lists_as_of
from service.record.audit_log import append
from service.record.beside_record import decided_on, part_beside, refuse_changed
from service.record.capacity_used import count, taken_of
from service.record.claims import owners_beside
from service.record.consignment_versions import Key, Version, keep_bodies
from service.record.early_results import take_early
from service.record.lifting import lift
from service.record.ownership import Sender
from service.record.reassessment_marks import wake_unscreened, was_unscreened
from service.record.record_rows import decision_entry, decision_row, declarations_of, parts_of, rows_scored
from service.record.settling import Settled, Stale, drop_unlisted, list_segment, require_fresh, settle_quiet
from service.record.transfers import pass_on
from service.store.bulk_rows import insert_many, insert_missing
from service.store.database import Store
from service.store.queries import in_lists
from service.store.segment_files import SegmentGone
from service.store.tables import CALLS, DECISIONS, DECLARATIONS, POLICIES

LOG = structlog.get_logger("tamis.record")
SHARE_DECLARED, SHARE_LINKED = 0.25, 0.45  # progress, as shares of the time of recording a message
Stored = Mapping[Key, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class InRows:
    """Of a message, what goes into rows: all that is not settled in a file.

    places: of these consignments in the message, ascending. message: all of it, with what it states. facts_ahead: what
    it adds to history, written before.
    """

    consignments: Consignments
    stated: Versions
    places: Sequence[int]
    message: Consignments
    message_stated: Versions
    settled: Settled | None
    facts_ahead: FactsAhead | None = None

    @classmethod
    def of(
        cls, message: Consignments, stated: Versions, settled: Settled | None, ahead: FactsAhead | None = None
    ) -> InRows:
        """Part a message."""
        if settled is None:
            return cls(message, stated, range(len(message)), message, stated, None, ahead)
        places = np.setdiff1d(np.arange(len(message)), settled.places)
        rest = places.tolist()
        return cls(message.at(places), stated.where(rest), rest, message, stated, settled, ahead)

    @property
    def settled_places(self) -> Sequence[int]:
        """The places of what is settled."""
        return [] if self.settled is None else self.settled.places


@dataclass(frozen=True, slots=True)
class Recorder:
    """What records the messages of a sender. tell: of its progress, from 0 to 1."""

    store: Store
    history: StoredHistory
    linking: LinkingSwitch | None
    addressees: LinkingSwitch | None
    sender: Sender
    tell: Callable[[float], None]

    def record(self, decisions: Decisions, rows: Rows, consignments: Consignments) -> Decisions:
        """Record decisions as `Journal.record` says."""
        self.tell(0.0)
        stated, grown, call_id = Versions.of(consignments), grown_by(consignments), uuid.uuid4().hex
        settled = None
        if self.sender.name is None:  # of what a caller sends, it is on record row by row whose it is
            settled = settle_quiet(self.store, decisions, rows, consignments, stated, call_id)
        ahead = write_ahead(self.store, stated) if settled is not None else None
        if settled is not None:
            try:
                return self._record(decisions, rows, InRows.of(consignments, stated, settled, ahead), grown, call_id)
            except sa.exc.DBAPIError:
                raise  # whether it was committed is not known: a file that no list names is deleted as a stray
            except BaseException as fault:  # an interrupt too: it may come before the commit or right after it
                drop_unlisted(self.store, settled)
                if not isinstance(fault, Stale):
                    raise
        return self._record(decisions, rows, InRows.of(consignments, stated, None, ahead), grown, call_id)

    def foresee(self, decisions: Decisions, consignments: Consignments) -> Decisions:
        """Return what `record` would, or raise what it would; nothing is written."""
        self.tell(0.0)
        in_rows = InRows.of(consignments, Versions.of(consignments), None)
        versions: list[Version] = []
        with self.store.reading() as connection:
            for declared in self._declared(in_rows):
                whole = partial(self._whole, consignments, len(versions))
                versions += part_beside(connection, declared, [self.sender] * len(declared), whole).versions
            refuse_changed(versions)
            stored = decided_on(connection, versions)
        keys = [version.key for version in versions]
        return decisions.as_recorded({i: stored[key] for i, key in enumerate(keys) if key in stored})

    def remember(self, consignments: Consignments) -> int:
        """Post the facts of archived consignments without a decision; returns the number of new ones."""
        in_rows = InRows.of(consignments, Versions.of(consignments), None)

        def write(connection: sa.Connection) -> int:
            versions = self._declare(connection, self._declared(in_rows, with_body=False), in_rows, archived=True)
            return sum(not version.known for version in versions)

        return self.store.write(write)

    def _record(
        self, decisions: Decisions, rows: Rows, in_rows: InRows, grown: StoredGraph | None, call_id: str
    ) -> Decisions:
        declared = self._declared(in_rows)
        first = next(declared)  # that of a call, before it takes the write lock
        if grown is not None:
            grown.prepare()

        def write(connection: sa.Connection) -> dict[int, dict[str, Any]]:
            if in_rows.settled is not None:
                self._require_fresh(connection, in_rows.settled, decisions)
            versions = self._declare(connection, chain([first], declared), in_rows, archived=False, grown=grown)
            stored = decided_on(connection, versions)
            self._decide(connection, decisions, rows, in_rows, versions, stored, call_id)
            placed = zip(in_rows.places, versions, strict=True)
            return {place: stored[version.key] for place, version in placed if version.key in stored}

        return decisions.as_recorded(self.store.write(write))

    def _require_fresh(self, connection: sa.Connection, settled: Settled, decisions: Decisions) -> None:
        """Raise Stale where something has happened since that concerns what is settled."""
        if self._linking_on and was_unscreened(decisions.basis, lists_as_of(connection)):
            raise Stale
        require_fresh(connection, settled)

    def _decide(
        self,
        connection: sa.Connection,
        decisions: Decisions,
        rows: Rows,
        in_rows: InRows,
        versions: Sequence[Version],
        stored: Stored,
        call_id: str,
    ) -> None:
        """Record what was not decided before: the call, the capacity it uses, each decision and its audit entry."""
        new = [i for i, version in enumerate(versions) if version.key not in stored]
        if not new and not in_rows.settled_places:
            return
        before = _before(rows, in_rows, versions, stored)
        owners = owners_beside(versions, in_rows.consignments.declared.values("office"), in_rows.places)
        basis = note_call(connection, call_id, decisions, before, owners)
        taken, places = taken_of(decisions), [in_rows.places[i] for i in new]
        count(connection, taken.where(sorted([*places, *in_rows.settled_places])))
        for batch in in_lists(new):  # a day of a million must not be in memory several times over
            of_batch = [in_rows.places[i] for i in batch]
            given, counted = _given(decisions, in_rows.settled, of_batch), taken.where(of_batch).on_record()
            records = [
                decision_row(decision, row, call_id, place, of_day)
                for decision, place, row, of_day in zip(
                    given, of_batch, rows_scored(rows, of_batch), counted, strict=True
                )
            ]
            insert_many(connection, DECISIONS, records)
            hashes = (versions[i].content_sha256 for i in batch)
            entries = [decision_entry(record, sha256, basis) for record, sha256 in zip(records, hashes, strict=True)]
            append(connection, entries, records[0]["decided_at"])
            self.tell(SHARE_LINKED + (1.0 - SHARE_LINKED) * (batch[-1] + 1) / len(versions))
        if in_rows.settled is not None and decisions.basis is not None:
            list_segment(connection, in_rows.settled, micros(decisions.basis.decided_at), basis)
        if self._linking_on and (lists := lists_as_of(connection)) is not None:
            wake_unscreened(connection, call_id, decisions.basis, lists)

    def _declared(self, in_rows: InRows, *, with_body: bool = True) -> Iterator[list[dict[str, Any]]]:
        """Yield the rows of declarations in parts; one part at least."""
        first = 0
        for part in parts_of(in_rows.consignments):
            of_part, first = in_rows.stated.between(first, first + len(part)), first + len(part)
            yield declarations_of(part, of_part, self.store.pseudonyms, with_body=with_body)

    def _declare(
        self,
        connection: sa.Connection,
        declared: Iterable[list[dict[str, Any]]],
        in_rows: InRows,
        *,
        archived: bool,
        grown: StoredGraph | None = None,
    ) -> list[Version]:
        """Record new declarations and post their facts; raises Conflict where a version has changed.

        declared: rows of the declarations in parts, as those of a day must not be in memory all at once. grown: the
        graph of senders as grown by the message, if it was just linked.
        """
        facts, ahead = self._facts(connection, in_rows) if in_rows.settled is not None else (None, None)
        if in_rows.settled is not None and facts is None:
            raise Stale  # what waits to be posted stands in rows
        extra: dict[str, Any] = {"archived": archived, "posted": True} if facts is not None else {}
        versions: list[Version] = []
        for rows in declared:
            whole = partial(self._whole, in_rows.consignments, len(versions))
            part = part_beside(connection, rows, [self.sender] * len(rows), whole)
            versions += part.versions
            beside = zip(part.declared, part.versions, strict=True)
            lacking = [row for row, of in beside if of.lacks_body and not of.changed]
            keep_bodies(connection, [row for row in lacking if row["body"] is not None])
            lift(connection, part.amended)
            absent = part.absent
            if absent and not extra:  # before any of them is on record
                facts, ahead = self._facts(connection, in_rows)
                extra = {"archived": archived, "posted": facts is not None}
            for batch in in_lists(absent):
                insert_many(connection, DECLARATIONS, [row | extra for row in batch])
            for transfer in part.passing:
                pass_on(connection, transfer, micros(datetime.now(UTC)))
            self.tell(SHARE_DECLARED * len(versions) / max(1, len(in_rows.consignments)))
        refuse_changed(versions)
        if ahead is not None:
            ahead.list(connection)
        self._connect(connection, in_rows, versions, facts, grown)
        return versions

    def _connect(
        self,
        connection: sa.Connection,
        in_rows: InRows,
        versions: Sequence[Version],
        facts: Facts | None,
        grown: StoredGraph | None,
    ) -> None:
        """Post the facts of what is new, and link its parties."""
        fresh = [i for i, version in enumerate(versions) if not version.known]
        places = sorted([*(in_rows.places[i] for i in fresh), *in_rows.settled_places])
        if not places:
            return
        keys = [versions[i].key for i in fresh]
        take_early(connection, list(dict.fromkeys(key[1] for key in keys)), micros(datetime.now(UTC)))
        moved = facts_reattributed(connection, keys) if keys else NO_FACTS
        post(self.store, connection, moved if facts is None else Facts.end_to_end([facts, moved]))
        all_new = len(places) == len(in_rows.message)
        new = in_rows.message if all_new else in_rows.message.where(pl.col("row").is_in(places))
        if self._linking_on:
            keep_links(connection, new, grown if all_new else None)
        if self.addressees is not None and self.addressees.on:
            keep_addressees(connection, new)

    @property
    def _linking_on(self) -> bool:
        return self.linking is not None and self.linking.on

    def _whole(self, consignments: Consignments, first: int, places: Sequence[int]) -> list[dict[str, Any]]:
        """Return the declarations at some places of a part, which begins at a row, with their bodies."""
        chosen = consignments.where(pl.col("row").is_in([first + place for place in places]))
        return declarations_of(chosen, Versions.of(chosen), self.store.pseudonyms)

    def _facts(self, connection: sa.Connection, in_rows: InRows) -> tuple[Facts | None, FactsAhead | None]:
        """Return the facts to post; none while history cannot be read: then they wait, and the declaration is kept."""
        history = self.history.snapshot(connection)
        try:
            return facts_beside(connection, in_rows.message_stated, history, in_rows.facts_ahead)
        except (HistoryUnavailable, SegmentGone) as fault:
            LOG.warning("facts wait for the history", kind=type(fault).__name__)
            return None, None


def note_call(
    connection: sa.Connection,
    call_id: str,
    decisions: Decisions,
    before: Sequence[Mapping[str, Any]],
    owners: Mapping[str, Sequence[str | None]] | None = None,
) -> str:
    """Record the circumstances of a call; returns the hash of its basis.

    before: for consignments decided already: place, decision, and the row as scored this time. owners: by place,
    office and sender of consignments, where these are not the declared office and the installation.
    """
    if decisions.basis is None:
        raise ValueError("decisions without their circumstances cannot be recorded")
    text = decisions.basis.policy_text
    sha256 = sha256_of_policy(text)
    insert_missing(connection, POLICIES, [{"sha256": sha256, "text": text}])
    basis = {**decisions.basis.as_json(sha256), "decided_before": before, **({"owners": owners} if owners else {})}
    insert_many(connection, CALLS, [{"call_id": call_id, "basis": basis}])
    return hashlib.sha256(canonical(basis)).hexdigest()


def _before(rows: Rows, in_rows: InRows, versions: Sequence[Version], stored: Stored) -> list[dict[str, Any]]:
    """Return of what was decided before its place, its decision and the row as scored this time."""
    decided = [i for i, version in enumerate(versions) if version.key in stored]
    places = [in_rows.places[i] for i in decided]
    return [
        {"place": place, "decision_id": stored[versions[i].key]["decision_id"], "row": row}
        for i, place, row in zip(decided, places, rows_scored(rows, places), strict=True)
    ]


def _given(decisions: Decisions, settled: Settled | None, places: Sequence[int]) -> list[dict[str, Any]]:
    """Return the decisions at ascending places."""
    if settled is not None:
        return [settled.given[place] for place in places]
    given, first = decisions.rows[places[0] : places[-1] + 1], places[0]
    return [given[place - first] for place in places]


@lru_cache(maxsize=16)
def sha256_of_policy(text: str) -> str:
    """Return the hash by which a policy is on record."""
    return hashlib.sha256(text.encode()).hexdigest()
