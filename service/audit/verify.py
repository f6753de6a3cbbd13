"""Verification of the record: the log entry by entry, what it vouches for, and the signed checkpoints kept apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from service.audit.verified_point import Point, Seen
from service.audit.verify_settled import Files
from service.audit.verify_tables import faults_of_counts, faults_of_list, faults_of_tables
from service.record.audit_log import START, hash_of, walked
from service.record.checkpoint_places import Place
from service.record.checkpoints import checkpoints, content_of
from service.record.record_kind import Examine, RecordKind, is_erased
from service.record.record_kinds import KINDS
from service.store.database import Store
from service.store.queries import in_lists
from service.store.settled_rows import segments_listed
from service.store.tables import CHAIN

ENTRIES_PER_BATCH = 2_000
SHOWN = 20
Row = Mapping[str, Any]


@dataclass(slots=True)
class Verified:
    """What was checked, and what was found wrong: the first few faults in words, and how many there are.

    since: the point that it went on from; None where everything was looked at. number, last: the last entry and its
    hash. files: those of settled decisions as they are. unread: of these, how many are by their hash what they were.
    """

    since: Point | None = None
    number: int = 0
    last: str = START
    files: Mapping[str, Seen] = field(default_factory=dict)
    unread: int = 0
    entries: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)
    erased: int = 0
    settled: int = 0
    checkpoints: int = 0
    wrong: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing was found wrong."""
        return self.wrong == 0

    @property
    def decisions(self) -> int:
        """How many decisions are vouched for, by entries of their own and by those of files."""
        return self.by_kind["decision"] + self.settled

    @property
    def outcomes(self) -> int:
        """How many entries vouch for inspection results."""
        return self.by_kind["outcome"]

    def point(self, now: datetime) -> Point:
        """Say how far the record was verified, for the next time."""
        whole_at = self.since.whole_at if self.since else now.isoformat()
        return Point(self.number, self.last, now.isoformat(), whole_at, dict(self.files))

    def fault(self, text: str) -> None:
        """Note one fault."""
        self.wrong += 1
        if len(self.faults) < SHOWN:
            self.faults.append(text)


def verify_record(
    store: Store, folder: Path, keys: Path, against: Place | None = None, since: Point | None = None
) -> Verified:
    """Check everything; `folder` holds the checkpoints, `keys` the installation's public key.

    against: a second place whose copies of checkpoints are compared too; raises PlaceFault where it cannot be read.
    since: go on from a point. What entries before it vouch for, the digests of tables and files that are by their hash
    what they were then are not looked at again.
    """
    verification = Verified()
    marks: dict[int, str] = {}
    signed: dict[int, Row] = {}
    for name, content in _checkpoints(folder, keys, against):
        verification.checkpoints += 1
        if content is None:
            verification.fault(f"{name}: a checkpoint that the installation's key did not sign")
        elif signed.setdefault(int(content["number"]), content)["hash"] != content["hash"]:
            verification.fault(f"{name}: the second place has another checkpoint {content['number']}")
    with store.reading() as connection:
        verification.since = _stands(connection, since, verification)
        marks |= _hashes_before(connection, signed, verification.since)
        examiners = {kind.name: kind.examiner() for kind in KINDS.values()}
        for batch in _batches(_linked(connection, verification, signed, marks)):
            _contents(connection, batch, examiners, verification)
        _nothing_beside(connection, verification)
        files = Files(store, connection, verification.since.files if verification.since else {})
        tables = faults_of_list(connection) if verification.since else faults_of_tables(store, connection)
        for fault in chain(tables, files.faults()):
            verification.fault(fault)
        verification.files, verification.unread = files.seen, files.unread
        verification.settled = sum(segment.rows for segment in segments_listed(connection))
        for number, content in signed.items():
            for fault in faults_of_counts(connection, f"checkpoint {number}", content.get("tables", {})):
                verification.fault(fault)
    for number, content in signed.items():
        if number not in marks:
            verification.fault(f"checkpoint {number}: the chain ends before it; entries at its end were removed")
        elif marks[number] != content["hash"]:
            verification.fault(f"checkpoint {number}: the chain has another hash there; it was rewritten")
    return verification


def _stands(connection: sa.Connection, since: Point | None, verification: Verified) -> Point | None:
    """Return a point to go on from where the log up to there is what it was; else None: everything is looked at."""
    if since is None:
        return None
    upto = sa.select(sa.func.count(), sa.func.max(CHAIN.c.number)).where(CHAIN.c.number <= since.number)
    last = connection.execute(sa.select(CHAIN.c.hash).where(CHAIN.c.number == since.number)).scalar()
    if last == since.hash and tuple(connection.execute(upto).one()) == (since.number, since.number):
        return since
    verification.fault(f"entry {since.number}: the log up to it is not the one that was verified at {since.at}")
    return None


def _hashes_before(connection: sa.Connection, numbers: Collection[int], since: Point | None) -> dict[int, str]:
    """Return the hashes of entries that are not walked, up to a point."""
    found: dict[int, str] = {}
    for batch in in_lists([number for number in numbers if since is not None and number <= since.number]):
        query = sa.select(CHAIN.c.number, CHAIN.c.hash).where(CHAIN.c.number.in_(batch))
        found |= {row.number: row.hash for row in connection.execute(query)}
    return found


def _checkpoints(folder: Path, keys: Path, against: Place | None) -> Iterator[tuple[str, Row | None]]:
    """Yield the checkpoints of the home, and those of a second place."""
    for path, content in checkpoints(folder, keys):
        yield path.name, content
    for name, signed in () if against is None else against.signed():
        yield f"{name} of the second place", content_of(signed, keys)


def _batches(entries: Iterator[Row]) -> Iterator[Sequence[Row]]:
    waiting: list[Row] = []
    for entry in entries:
        waiting.append(entry)
        if len(waiting) == ENTRIES_PER_BATCH:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _linked(
    connection: sa.Connection, verification: Verified, signed: Mapping[int, Row], marks: dict[int, str]
) -> Iterator[Row]:
    """Yield the entries, once it is known of each that it follows the one before it."""
    since = verification.since
    number, before = (since.number, since.hash) if since else (0, START)
    for entry in walked(connection, number):
        number += 1
        verification.entries += 1
        if entry["number"] != number:
            verification.fault(f"entry {number}: missing; the next one is {entry['number']}")
            number = entry["number"]
        if hash_of(before, entry) != entry["hash"]:
            verification.fault(f"entry {number}: its hash does not follow from it and from the entry before it")
        before = entry["hash"]
        if number in signed:
            marks[number] = before
        yield entry
    verification.number, verification.last = number, before


def _contents(
    connection: sa.Connection, entries: Sequence[Row], examiners: Mapping[str, Examine], verification: Verified
) -> None:
    """Check that what the entries vouch for is still what they vouch for."""
    by_kind: dict[str, dict[str, Row]] = {}
    for entry in entries:
        if entry["subject"] in by_kind.setdefault(entry["kind"], {}):
            verification.fault(f"entry {entry['number']}: its {entry['kind']} stands on the chain twice")
        by_kind[entry["kind"]][entry["subject"]] = entry
    for name, of_kind in by_kind.items():
        verification.by_kind[name] += len(of_kind)
        if name not in KINDS:
            first = min(int(entry["number"]) for entry in of_kind.values())
            verification.fault(f"entry {first}: of a kind that this version does not know; verify with a later one")
        elif KINDS[name].table is not None:
            _rows(connection, KINDS[name], of_kind, examiners[name], verification)


def _rows(
    connection: sa.Connection,
    kind: RecordKind,
    entries: Mapping[str, Row],
    examine: Examine,
    verification: Verified,
) -> None:
    """Compare the rows of a kind with their entries."""
    rows = kind.rows(connection, entries)
    for subject, entry in entries.items():
        row = rows.get(subject)
        if row is None:
            verification.fault(f"entry {entry['number']}: its {kind.noun} is not in the store")
        elif is_erased(row):
            _erased(connection, kind, row, entry, verification)
        elif fault := examine(connection, row, entry["content"]):
            verification.fault(f"entry {entry['number']}: {fault}")


def _erased(connection: sa.Connection, kind: RecordKind, row: Row, entry: Row, verification: Verified) -> None:
    """Demand of content that was erased that nothing is left, and that the log says who erased it."""
    verification.erased += 1
    if any(row[name] != (None if isinstance(value, sa.Null) else value) for name, value in kind.erased.items()):
        verification.fault(f"entry {entry['number']}: content stands in its {kind.noun}, which was erased")
    later = (CHAIN.c.kind == "erasure") & (CHAIN.c.subject == entry["subject"]) & (CHAIN.c.number > entry["number"])
    if connection.execute(sa.select(sa.func.count()).select_from(CHAIN).where(later)).scalar_one() == 0:
        verification.fault(f"entry {entry['number']}: its content was removed and no erasure is on the chain")


def _nothing_beside(connection: sa.Connection, verification: Verified) -> None:
    """Find rows that no entry vouches for: they were put there by somebody else."""
    for kind in KINDS.values():
        if count := kind.unvouched(connection):
            verification.fault(f"{count} {kind.name}s of the store are not on the chain")
