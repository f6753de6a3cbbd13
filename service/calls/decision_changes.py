"""Decisions in the order in which they came to count: for systems that ask what is new since they asked last.

The audit log is the order: whatever changes what counts of a consignment (a decision, a stricter one, an amendment, an
officer's lane, another office) stands on it, in the transaction that makes it so. Who goes on from the place where the
last answer ended misses nothing and gets nothing twice, whatever was written meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from service.access.principal import Principal
from service.officers.offices import unseen
from service.record.record_kind import RecordKind
from service.record.record_kinds import DECISION, OVERRIDE, TRANSFER
from service.record.standing import standing_of
from service.store.database import Store
from service.store.queries import in_lists
from service.store.tables import CHAIN, DECISIONS, OVERRIDES, TRANSFERS

AT_MOST = 500  # changes in one answer
LOOKED_AT = 20_000  # entries of the log for one answer, most of which may be of other kinds or other offices
WHY = {DECISION.name: "decided", OVERRIDE.name: "overridden", TRANSFER.name: "transferred"}
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Changes:
    """Decisions as they stand, each with `change` (why it is here) and `at_entry` (its place on the audit log).

    next: the place from which to go on. more: whether the log goes on after it.
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
    with store.reading() as connection:
        last = connection.execute(sa.select(sa.func.max(CHAIN.c.number))).scalar() or 0
        reach = min(last if until is None else until, place + LOOKED_AT)
        entries = sa.select(CHAIN.c.number, CHAIN.c.kind, CHAIN.c.subject).where(
            CHAIN.c.number > place, CHAIN.c.number <= reach, CHAIN.c.kind.in_(list(WHY))
        )
        page = connection.execute(entries.order_by(CHAIN.c.number).limit(at_most)).all()
        reach = page[-1].number if len(page) == at_most else max(reach, place)
        changes = _with_decisions(connection, page)
        hidden = unseen(store, principal, list({body["consignment_id"] for _, _, body in changes}))
        shown = [change for change in changes if change[2]["consignment_id"] not in hidden]
        stands = standing_of(connection, [body for _, _, body in shown])
    decisions = [
        {**body, **lane.as_json(), "change": why, "at_entry": number}
        for (number, why, body), lane in zip(shown, stands, strict=True)
    ]
    return Changes(decisions, reach, reach < last)


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
    return {
        name: body for name, body in _rows(connection, DECISIONS.c.decision_id, DECISIONS.c.body, decision_ids) if body
    }


def _rows(connection: sa.Connection, key: sa.Column[Any], value: sa.Column[Any], keys: Sequence[Any]) -> list[Any]:
    unique = list(dict.fromkeys(keys))
    return [
        row for batch in in_lists(unique) for row in connection.execute(sa.select(key, value).where(key.in_(batch)))
    ]
