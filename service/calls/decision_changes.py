"""Decisions in the order in which they came to count: for systems that ask what is new since they asked last.

The audit log is the order: whatever changes what counts of a consignment (a decision, a stricter one, an amendment, an
officer's lane, another office) stands on it, in the transaction that makes it so. Who goes on from the place where the
last answer ended misses nothing and gets nothing twice, whatever was written meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from service.access.principal import Principal
from service.officers.offices import unseen
from service.record.record_kind import RecordKind
from service.record.record_kinds import DECISION, OVERRIDE, TRANSFER
from service.record.settling import SEGMENT
from service.record.standing import standing_of
from service.store.database import Store
from service.store.queries import in_lists
from service.store.record_files import DECISION as DECISION_KEY
from service.store.settled_rows import decided_of, numbers_at, segments_listed
from service.store.tables import CHAIN, DECISIONS, OVERRIDES, TRANSFERS

AT_MOST = 500  # changes in one answer
LOOKED_AT = 20_000  # entries of the log for one answer, most of which may be of other kinds or other offices
WHY = {DECISION.name: "decided", OVERRIDE.name: "overridden", TRANSFER.name: "transferred"}
FILE_UNIT = 2**40  # more entries than a log will have: what is above it says how far a file was read
Row = dict[str, Any]


@dataclass(frozen=True, order=True, slots=True)
class Place:
    """A place on the audit log: after an entry, and after so many decisions of the file that the next one lists."""

    number: int
    within: int = 0

    @classmethod
    def of(cls, place: int) -> Place:
        """Read a place from one number."""
        return cls(place % FILE_UNIT, place // FILE_UNIT)

    def __int__(self) -> int:
        return self.within * FILE_UNIT + self.number


class Entry(NamedTuple):
    """An entry of the log, or one decision of a file that it lists."""

    number: int
    kind: str
    subject: str


@dataclass(frozen=True, slots=True)
class Changes:
    """Decisions as they stand, each with `change` (why it is here) and `at_entry` (its place on the audit log).

    next: the place from which to go on. more: whether the log goes on after it. A place is the number of an entry of
    the log; between the decisions of a file, which one entry vouches for, it says besides how many of them were given.
    """

    decisions: list[Row]
    next: int
    more: bool


def changes_since(
    store: Store, principal: Principal, place: int, at_most: int = AT_MOST, until: int | None = None
) -> Changes:
    """Return what came to count after a place on the audit log, as far as a caller sees every part of a consignment.

    until: the place to end at; the end of the log where absent.
    """
    begin = Place.of(place)
    with store.reading() as connection:
        last = Place(connection.execute(sa.select(sa.func.max(CHAIN.c.number))).scalar() or 0)
        end = min(last if until is None else Place.of(until), Place(begin.number + LOOKED_AT))
        page, reach = _page(connection, begin, max(begin, end), at_most)
        changes = _with_decisions(connection, page)
        hidden = unseen(store, principal, list({body["consignment_id"] for _, _, body in changes}))
        shown = [change for change in changes if change[2]["consignment_id"] not in hidden]
        stands = standing_of(connection, [body for _, _, body in shown])
    decisions = [
        {**body, **lane.as_json(), "change": why, "at_entry": number}
        for (number, why, body), lane in zip(shown, stands, strict=True)
    ]
    return Changes(decisions, int(reach), reach < last)


def comes_before(place: int, other: int) -> bool:
    """Say whether a place on the audit log is before another."""
    return Place.of(place) < Place.of(other)


def _page(connection: sa.Connection, begin: Place, end: Place, at_most: int) -> tuple[list[Entry], Place]:
    """Return up to so many entries between two places, those of a file one for each decision, and where they end."""
    entries = sa.select(CHAIN.c.number, CHAIN.c.kind, CHAIN.c.subject).where(
        CHAIN.c.number > begin.number,
        CHAIN.c.number <= end.number + (end.within > 0),
        CHAIN.c.kind.in_([*WHY, SEGMENT]),
    )
    found = [Entry(*row) for row in connection.execute(entries.order_by(CHAIN.c.number).limit(at_most))]
    page: list[Entry] = []
    for entry in found:
        if len(page) == at_most:
            return page, Place(entry.number - 1)
        if entry.kind != SEGMENT:
            page.append(entry)
            continue
        segment = next(one for one in segments_listed(connection) if one.segment_id == entry.subject)
        first = begin.within if entry.number == begin.number + 1 else 0
        until = end.within if entry.number > end.number else segment.rows
        places = range(first, min(until, first + at_most - len(page)))
        page += [Entry(entry.number, DECISION.name, number) for number in numbers_at(connection, segment, places)]
        if places.stop < segment.rows:
            return page, Place(entry.number - 1, places.stop)
    return page, Place(page[-1].number) if len(page) == at_most else end


def place_at(store: Store, moment: int) -> int:
    """Return the place on the audit log before the first entry of a moment (microseconds since 1970) or after it."""
    with store.reading() as connection:
        low, high = 0, connection.execute(sa.select(sa.func.max(CHAIN.c.number))).scalar() or 0
        while low < high:
            middle = (low + high + 1) // 2
            at = connection.execute(sa.select(CHAIN.c.at).where(CHAIN.c.number == middle)).scalar_one()
            low, high = (middle, high) if at < moment else (low, middle - 1)
    return low


def _with_decisions(connection: sa.Connection, entries: Sequence[Any]) -> list[tuple[int, str, Row]]:
    """Return the place and kind of each entry with the decision that counts since; without what was erased."""
    subjects: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        subjects[entry.kind].append(entry.subject)
    of_kind = {
        DECISION.name: {subject: subject for subject in subjects[DECISION.name]},
        OVERRIDE.name: _decisions_overridden(connection, subjects[OVERRIDE.name]),
        TRANSFER.name: _decisions_transferred(connection, subjects[TRANSFER.name]),
    }
    bodies = _bodies(connection, [decision for of_subject in of_kind.values() for decision in of_subject.values()])
    named = ((entry, of_kind[entry.kind].get(entry.subject, "")) for entry in entries)
    return [(entry.number, WHY[entry.kind], bodies[name]) for entry, name in named if name in bodies]


def _decisions_overridden(connection: sa.Connection, subjects: Sequence[str]) -> dict[str, str]:
    """Return the decision that each override was said of."""
    numbers = _numbers(OVERRIDE, subjects)
    rows = _rows(connection, OVERRIDES.c.override_id, OVERRIDES.c.decision_id, list(numbers))
    return {numbers[number]: decision for number, decision in rows}


def _decisions_transferred(connection: sa.Connection, subjects: Sequence[str]) -> dict[str, str]:
    """Return the decision that stands of each consignment that passed to another office."""
    numbers = _numbers(TRANSFER, subjects)
    moved = dict(_rows(connection, TRANSFERS.c.transfer_id, TRANSFERS.c.consignment_id, list(numbers)))
    order = (DECISIONS.c.version, DECISIONS.c.assessment)
    standing: dict[str, str] = {}
    for batch in in_lists(sorted(set(moved.values()))):
        query = sa.select(DECISIONS.c.consignment_id, DECISIONS.c.decision_id).where(
            DECISIONS.c.consignment_id.in_(batch), DECISIONS.c.stands
        )
        standing.update({row[0]: row[1] for row in connection.execute(query.order_by(*order))})
    return {numbers[number]: standing[of] for number, of in moved.items() if of in standing}


def _numbers(kind: RecordKind, subjects: Sequence[str]) -> dict[Any, str]:
    """Return the subjects by the number of the row that they name."""
    keys = ((kind.key_of(subject), subject) for subject in subjects)
    return {key[0]: subject for key, subject in keys if key is not None}


def _bodies(connection: sa.Connection, decision_ids: Sequence[str]) -> Mapping[str, Row]:
    bodies = dict(_rows(connection, DECISIONS.c.decision_id, DECISIONS.c.body, decision_ids))
    apart = [number for number in dict.fromkeys(decision_ids) if number not in bodies]
    settled = decided_of(connection, (DECISION_KEY, "body"), apart, DECISION_KEY)
    bodies |= {row[DECISION_KEY]: row["body"] for row in settled}
    return {name: body for name, body in bodies.items() if body}


def _rows(connection: sa.Connection, key: sa.Column[Any], value: sa.Column[Any], keys: Sequence[Any]) -> list[Any]:
    unique = list(dict.fromkeys(keys))
    return [
        row for batch in in_lists(unique) for row in connection.execute(sa.select(key, value).where(key.in_(batch)))
    ]
