"""Checking the record: the chain entry by entry, what it vouches for, and the signed checkpoints kept apart."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from features.consignment import VERSION_KEY
from features.outcome import STAGES
from service.cases import SUBJECT, note_content
from service.chain import START, hash_of, walked
from service.checkpoints import checkpoints
from service.lists import content_of
from service.overrides import SUBJECT as OVERRIDE
from service.overrides import override_content
from service.parties import judgement_content
from service.posting import in_lists
from service.records import decision_entry, outcome_entry, sha256_of_body
from service.scoring.signature import canonical
from service.store import Store
from service.tables import (
    CALLS,
    CASE_NOTES,
    CHAIN,
    DECISIONS,
    DECLARATIONS,
    JUDGEMENTS,
    LISTS,
    OUTCOMES,
    OVERRIDES,
    POLICIES,
)

AT_ONCE = 2_000
SHOWN = 20
Row = Mapping[str, Any]


@dataclass(slots=True)
class Verified:
    """What was checked, and what was found wrong: the first few faults in words, and how many there are."""

    entries: int = 0
    decisions: int = 0
    outcomes: int = 0
    erased: int = 0
    checkpoints: int = 0
    wrong: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return self.wrong == 0

    def fault(self, text: str) -> None:
        self.wrong += 1
        if len(self.faults) < SHOWN:
            self.faults.append(text)


def verify_record(store: Store, folder: Path, keys: Path) -> Verified:
    """Check everything; `folder` holds the checkpoints, `keys` the installation's public key."""
    told = Verified()
    marks: dict[int, str] = {}
    signed = {}
    for path, content in checkpoints(folder, keys):
        told.checkpoints += 1
        if content is None:
            told.fault(f"{path.name}: a checkpoint that the installation's key did not sign")
        else:
            signed[int(content["number"])] = str(content["hash"])
    with store.reading() as connection:
        for some in _batches(_linked(connection, told, signed, marks)):
            _contents(connection, some, told)
        _nothing_beside(connection, told)
    for number, expected in signed.items():
        if number not in marks:
            told.fault(f"checkpoint {number}: the chain ends before it; entries at its end were removed")
        elif marks[number] != expected:
            told.fault(f"checkpoint {number}: the chain has another hash there; it was rewritten")
    return told


def _batches(entries: Iterator[Row]) -> Iterator[Sequence[Row]]:
    waiting: list[Row] = []
    for entry in entries:
        waiting.append(entry)
        if len(waiting) == AT_ONCE:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _linked(
    connection: sa.Connection, told: Verified, signed: Mapping[int, str], marks: dict[int, str]
) -> Iterator[Row]:
    """The entries, once it is known of each that it follows the one before it."""
    before, number = START, 0
    for entry in walked(connection):
        number += 1
        told.entries += 1
        if entry["number"] != number:
            told.fault(f"entry {number}: missing; the next one is {entry['number']}")
            number = entry["number"]
        if hash_of(before, entry) != entry["hash"]:
            told.fault(f"entry {number}: its hash does not follow from it and from the entry before it")
        before = entry["hash"]
        if number in signed:
            marks[number] = before
        yield entry


def _contents(connection: sa.Connection, entries: Sequence[Row], told: Verified) -> None:
    """Whether what the entries vouch for is still what they vouch for."""
    by_kind: dict[str, dict[str, Row]] = {}
    for entry in entries:
        if entry["subject"] in by_kind.setdefault(entry["kind"], {}):
            told.fault(f"entry {entry['number']}: its {entry['kind']} stands on the chain twice")
        by_kind[entry["kind"]][entry["subject"]] = entry
    _decisions(connection, by_kind.get("decision", {}), told)
    _outcomes(connection, by_kind.get("outcome", {}), told)
    _lists(connection, by_kind.get("list", {}), told)
    _judgements(connection, by_kind.get("judgement", {}), told)
    _case_notes(connection, by_kind.get("case", {}), told)
    _overrides(connection, by_kind.get("override", {}), told)


def _decisions(connection: sa.Connection, entries: Mapping[str, Row], told: Verified) -> None:
    content = DECLARATIONS.c.content_sha256
    same = sa.and_(*(DECLARATIONS.c[n] == DECISIONS.c[n] for n in VERSION_KEY))
    beside = DECISIONS.outerjoin(DECLARATIONS, same).outerjoin(CALLS, CALLS.c.call_id == DECISIONS.c.call_id)
    wanted = sa.select(DECISIONS, content, DECLARATIONS.c.body.label("declared"), CALLS.c.basis).select_from(beside)
    policies: dict[str, bool] = {}
    bases: dict[str, str] = {}
    found = _by_subject(connection, wanted, DECISIONS.c.decision_id, entries)
    told.decisions += len(entries)
    for entry, row in _there(connection, entries, found, told):
        if row["content_sha256"] is None or row["basis"] is None:
            told.fault(f"entry {entry['number']}: the declaration or the call of its decision is not in the store")
        elif _vouched(row, bases) != entry["content"] or _copied(row):
            told.fault(f"entry {entry['number']}: its decision was changed")
        elif row["declared"] is not None and sha256_of_body(row["declared"]) != row["content_sha256"]:
            told.fault(f"entry {entry['number']}: the declaration of its decision was changed")
        elif not _policy_there(connection, row["basis"]["policy_sha256"], policies):
            told.fault(f"entry {entry['number']}: the policy of its decision was changed or removed")


def _vouched(row: Row, bases: dict[str, str]) -> str:
    """What the chain must hold of a decision; `bases`: hashes of calls, each made once."""
    if row["call_id"] not in bases:
        bases[row["call_id"]] = hashlib.sha256(canonical(row["basis"])).hexdigest()
    return decision_entry(row, row["content_sha256"], bases[row["call_id"]]).content


def _copied(row: Row) -> bool:
    """Whether a column that repeats the decision says something else."""
    names = ("decision_id", "message_id", "consignment_id", "version", "risk", *STAGES)
    return any(row[name] != row["body"].get(name) for name in names)


def _policy_there(connection: sa.Connection, sha256: str, known: dict[str, bool]) -> bool:
    if sha256 not in known:
        text = connection.execute(sa.select(POLICIES.c.text).where(POLICIES.c.sha256 == sha256)).scalar()
        known[sha256] = text is not None and hashlib.sha256(text.encode()).hexdigest() == sha256
    return known[sha256]


def _outcomes(connection: sa.Connection, entries: Mapping[str, Row], told: Verified) -> None:
    found = _by_subject(connection, sa.select(OUTCOMES), OUTCOMES.c.outcome_id, entries)
    told.outcomes += len(entries)
    for entry, row in _there(connection, entries, found, told):
        if outcome_entry(row).content != entry["content"]:
            told.fault(f"entry {entry['number']}: its outcome was changed")


def _lists(connection: sa.Connection, entries: Mapping[str, Row], told: Verified) -> None:
    for subject, entry in entries.items():
        named = json.loads(subject)
        own = (LISTS.c.list_id == named["list"], LISTS.c.version == named["version"])
        row = connection.execute(sa.select(LISTS).where(*own)).first()
        if row is None or content_of(row) != entry["content"]:
            told.fault(f"entry {entry['number']}: its watch list was changed or removed")


def _judgements(connection: sa.Connection, entries: Mapping[str, Row], told: Verified) -> None:
    for subject, entry in entries.items():
        found = connection.execute(sa.select(JUDGEMENTS).where(JUDGEMENTS.c.judgement_id == int(subject)))
        row = found.mappings().first()
        if row is None or judgement_content(dict(row)) != entry["content"]:
            told.fault(f"entry {entry['number']}: its judgement was changed or removed")


def _case_notes(connection: sa.Connection, entries: Mapping[str, Row], told: Verified) -> None:
    for subject, entry in entries.items():
        mine = sa.select(CASE_NOTES).where(CASE_NOTES.c.note_id == int(subject.removeprefix(SUBJECT)))
        row = connection.execute(mine).mappings().first()
        if row is not None and row["salt"] is None:
            _erased(connection, entry, told)
        elif row is None or note_content(dict(row)) != entry["content"]:
            told.fault(f"entry {entry['number']}: its note of a case was changed or removed")


def _overrides(connection: sa.Connection, entries: Mapping[str, Row], told: Verified) -> None:
    for subject, entry in entries.items():
        mine = sa.select(OVERRIDES).where(OVERRIDES.c.override_id == int(subject.removeprefix(OVERRIDE)))
        row = connection.execute(mine).mappings().first()
        if row is not None and row["salt"] is None:
            _erased(connection, entry, told)
        elif row is None or override_content(dict(row)) != entry["content"]:
            told.fault(f"entry {entry['number']}: its override was changed or removed")


def _there(
    connection: sa.Connection, entries: Mapping[str, Row], found: Mapping[str, Row], told: Verified
) -> Iterator[tuple[Row, Row]]:
    """Entries with what they vouch for, where that is in the store and was not erased."""
    for subject, entry in entries.items():
        row = found.get(subject)
        if row is None:
            told.fault(f"entry {entry['number']}: its {entry['kind']} is not in the store")
        elif row["salt"] is None:
            _erased(connection, entry, told)
        else:
            yield entry, row


def _erased(connection: sa.Connection, entry: Row, told: Verified) -> None:
    """What was erased must have been erased by the command for it, which says so on the chain."""
    told.erased += 1
    mine = (CHAIN.c.kind == "erasure") & (CHAIN.c.subject == entry["subject"]) & (CHAIN.c.number > entry["number"])
    if connection.execute(sa.select(sa.func.count()).select_from(CHAIN).where(mine)).scalar_one() == 0:
        told.fault(f"entry {entry['number']}: its content was removed and no erasure is on the chain")


def _by_subject(
    connection: sa.Connection, query: sa.Select[Any], key: sa.Column[str], entries: Mapping[str, Row]
) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for some in in_lists(list(entries)):
        for row in connection.execute(query.where(key.in_(some))).mappings():
            found[row[key.name]] = dict(row)
    return found


def _nothing_beside(connection: sa.Connection, told: Verified) -> None:
    """Decisions and outcomes that no entry vouches for were put there by somebody else."""
    for table, key, kind in (
        (DECISIONS, DECISIONS.c.decision_id, "decision"),
        (OUTCOMES, OUTCOMES.c.outcome_id, "outcome"),
        (CASE_NOTES, SUBJECT + sa.cast(CASE_NOTES.c.note_id, sa.String), "case"),
        (OVERRIDES, OVERRIDE + sa.cast(OVERRIDES.c.override_id, sa.String), "override"),
        (JUDGEMENTS, sa.cast(JUDGEMENTS.c.judgement_id, sa.String), "judgement"),
    ):
        vouched = sa.select(CHAIN.c.subject).where(CHAIN.c.kind == kind)
        beside = sa.select(sa.func.count()).select_from(table).where(key.not_in(vouched))
        if count := connection.execute(beside).scalar_one():
            told.fault(f"{count} {kind}s of the store are not on the chain")
