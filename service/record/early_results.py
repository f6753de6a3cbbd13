"""Results that come before their consignment: each is its sender's, and counts if one of his offices lodges it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from service.record.audit_log import append, new_salt
from service.record.ownership import OfAnother, Sender, offices_on
from service.record.record_kind import sign
from service.record.record_kinds import EARLY_RESULT
from service.record.record_rows import found_of, outcome_entry
from service.store.bulk_rows import insert_many, update_rows
from service.store.driver import Prepared, among
from service.store.queries import already, in_lists
from service.store.tables import EARLY_RESULTS, OUTCOMES

RESULT = ("outcome_id", "consignment_id", "known_at", "body")
WAITING = Prepared(
    sa.select(EARLY_RESULTS)
    .where(among(EARLY_RESULTS.c.consignment_id), ~EARLY_RESULTS.c.taken, EARLY_RESULTS.c.salt.is_not(None))
    .order_by(EARLY_RESULTS.c.early_id)
)


def part_early(
    connection: sa.Connection, sender: Sender, results: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Part the results that count from those that wait for their consignment; raises OfAnother for another's."""
    if sender.sees_all:
        return results, []
    offices = offices_on(connection, [result["consignment_id"] for result in results])
    if hidden := [number for number, of_parts in offices.items() if not sender.sees_every(of_parts)]:
        raise OfAnother(hidden)
    lodged = [result for result in results if result["consignment_id"] in offices]
    return lodged, [result for result in results if result["consignment_id"] not in offices]


def keep_early(connection: sa.Connection, results: Sequence[dict[str, Any]], sender: Sender, at: int) -> int:
    """Keep results (rows of outcomes) of what is not lodged, as their sender's; returns how many are new.

    at: microseconds since 1970.
    """
    if not results:
        return 0
    among_his = EARLY_RESULTS.c.sender == sender.name
    named = [result["outcome_id"] for result in results]
    known: set[str] = set()
    for batch in in_lists(named):
        query = sa.select(EARLY_RESULTS.c.outcome_id).where(among_his, EARLY_RESULTS.c.outcome_id.in_(batch))
        known.update(connection.execute(query).scalars())
    new = [result for result in results if result["outcome_id"] not in known]
    for result in new:
        kept = {name: result[name] for name in RESULT}
        of_sender = {"sender": sender.name, "offices": list(sender.offices), "taken": False}
        sign(connection, EARLY_RESULT, kept | of_sender, at)
    return len(new)


def take_early(connection: sa.Connection, consignment_ids: Sequence[str], at: int) -> None:
    """Let results count whose consignments were just lodged, where their senders see all of these. at: microseconds."""
    waiting: list[dict[str, Any]] = []
    for batch in in_lists(consignment_ids):
        waiting += [
            dict(zip(EARLY_RESULTS.c.keys(), row, strict=True)) for row in WAITING.rows(connection, among=batch)
        ]
    if not waiting:
        return
    offices = offices_on(connection, [row["consignment_id"] for row in waiting])
    taken = [row for row in waiting if _speaks_for(row, offices[row["consignment_id"]])]
    by_id = {row["outcome_id"]: row for row in taken}
    known = already(connection, OUTCOMES.c.outcome_id, list(by_id))
    fresh = {"posted": False, "archived": False}
    new = [
        {**{name: row[name] for name in RESULT}, **found_of(row["body"]), **fresh, "salt": new_salt()}
        for outcome_id, row in by_id.items()
        if outcome_id not in known
    ]
    if new:
        insert_many(connection, OUTCOMES, new)
        append(connection, [outcome_entry(outcome) for outcome in new], at)
    for batch in in_lists([row["early_id"] for row in taken]):
        update_rows(connection, EARLY_RESULTS, {"taken": True}, EARLY_RESULTS.c.early_id.in_(batch))


def _speaks_for(row: dict[str, Any], offices: set[str | None]) -> bool:
    return Sender(row["sender"], tuple(row["offices"])).sees_every(offices)
