"""All that stands on the audit log about one consignment, in order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from features.moments import EPOCH, iso
from service.parties.seen_parties import judgements_seen
from service.record.ownership import EVERY_OFFICE
from service.record.record_kind import RecordKind, Row, Words, entries_about, is_erased
from service.record.record_kinds import DECISION, JUDGEMENT, KINDS
from service.record.settled_proof import ERASURE, erasures_of_files, proofs_of
from service.store.database import Store
from service.store.settled_rows import decided_of
from service.store.tables import DECISIONS


@dataclass(frozen=True, slots=True)
class Event:
    """One entry about a consignment.

    number, at: of the entry. subject: which record it vouches for. entries: how many entries of the log one act made.
    details: what it says, without what was erased since.
    """

    number: int
    at: int
    kind: str
    subject: str
    title: Words
    details: Mapping[str, Any]
    erased: bool = False
    entries: int = 1

    def as_json(self) -> dict[str, Any]:
        """Write it for a dossier."""
        return {
            "number": self.number, "at": iso(EPOCH + timedelta(microseconds=self.at)), "kind": self.kind,
            "subject": self.subject, "title": self.title["en"], "details": dict(self.details), "erased": self.erased,
            "entries": self.entries,
        }  # fmt: skip


def timeline(store: Store, consignment_id: str, offices: Collection[str] = (EVERY_OFFICE,)) -> list[Event]:
    """Give every entry about a consignment in the order of the log, as callers of some offices see it.

    An override belongs to the version that it was said of: through reassessments of that version it remains in force,
    and the decision on an amendment says that it does not carry over.
    """
    with store.reading() as connection:
        return timeline_of(connection, consignment_id, offices)


def timeline_of(connection: sa.Connection, consignment_id: str, offices: Collection[str]) -> list[Event]:
    """Give every entry about a consignment, as `timeline`, in a transaction that is open."""
    events: list[Event] = []
    for kind in KINDS.values():
        events += _of_rows(connection, kind, consignment_id, offices)
    subjects = [event.subject for event in events]
    erased = [event.subject for event in events if event.erased and event.kind == DECISION.name]
    for kind in KINDS.values():
        if kind.follows:
            entries = entries_about(connection, kind.name, subjects)
            entries += erasures_of_files(connection, erased) if kind.name == ERASURE else []
            events += _following(kind, entries)
    return sorted(events, key=lambda event: event.number)


def rows_seen(connection: sa.Connection, kind: RecordKind, consignment_id: str, offices: Collection[str]) -> list[Row]:
    """Look up the rows of a kind about a consignment: of its sender and another one, those seen by who sees both."""
    rows = kind.rows_about(connection, consignment_id)
    if kind is DECISION:
        rows += decided_of(connection, DECISIONS.c.keys(), [consignment_id])
    return judgements_seen(connection, rows, offices) if kind is JUDGEMENT else rows


def _of_rows(
    connection: sa.Connection, kind: RecordKind, consignment_id: str, offices: Collection[str]
) -> Iterator[Event]:
    rows = {kind.subject_of(row): row for row in rows_seen(connection, kind, consignment_id, offices)}
    entries = entries_about(connection, kind.name, list(rows))
    if kind is DECISION:
        entries += [proof.as_entry() for proof in proofs_of(connection, list(rows))]
    for entry in entries:
        row = rows[entry["subject"]]
        yield _event(entry, kind.title(row), kind.details_left(row), erased=is_erased(row))


def _following(kind: RecordKind, entries: Sequence[Row]) -> Iterator[Event]:
    """Give one event for each act: an erasure makes an entry for everything that it takes."""
    acts: dict[tuple[int, str], list[Row]] = {}
    for entry in entries:
        acts.setdefault((entry["at"], entry["content"]), []).append(entry)
    for act in acts.values():
        first = min(act, key=lambda entry: int(entry["number"]))
        yield _event(first, kind.title(first), kind.details(first), entries=len(act))


def _event(entry: Row, title: Words, details: Mapping[str, Any], *, erased: bool = False, entries: int = 1) -> Event:
    return Event(entry["number"], entry["at"], entry["kind"], entry["subject"], title, details, erased, entries)
