"""What lacked its past, its model, a network's result or a watch list is decided again with it: only upwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.assemble import Rows
from features.consignment import Consignments
from features.messages import Message
from service.bulk import insert_many
from service.campaigns import found
from service.chain import append
from service.desk import Desk, networks_of
from service.orientation import Decisions
from service.orientation.decisions import given_again
from service.orientation.lanes import Lane, PreArrival
from service.posting import in_lists
from service.records import decision_entry, decision_row, micros
from service.replaying import Call, NotReplayable, consignments_of, problems_of
from service.store import Store
from service.tables import DECISIONS
from service.tallies import Overspent, recount, taken_of

AT_ONCE = 50  # calls; the rest waits for the next time


def reassess(desk: Desk, now: datetime) -> int:
    """Decide again what waits for it, call by call; how many decisions turned out stricter and were amended.

    Nothing is done while the desk still lacks what was lacking then.
    """
    if desk.lacking or not desk.history.readable():
        return 0
    amended = 0
    for call_id in _waiting(desk.journal.store):
        try:
            amended += _again(desk, call_id, now)
        except Overspent:  # calls go first; it waits for the next time
            continue
    return amended


def _waiting(store: Store) -> list[str]:
    query = sa.select(DECISIONS.c.call_id).where(DECISIONS.c.waits).distinct().limit(AT_ONCE)
    with store.reading() as connection:
        return list(connection.execute(query).scalars())


def _again(desk: Desk, call_id: str, now: datetime) -> int:
    """Decide a call again, all its consignments together, as they competed; how many turned out stricter."""
    store = desk.journal.store
    try:
        with store.reading() as connection:
            call = Call(connection, call_id)
    except NotReplayable:  # erased meanwhile: there is nothing left to decide on
        store.write(lambda connection: _done(connection, call_id))
        return 0
    consignments = desk.parties.link(consignments_of(call), lists_at=micros(now))
    rows, lost = desk.rows(consignments)
    if lost:
        return 0
    message = Message(pl.DataFrame(), name=call_id, received_at=now, competing=call.basis["competing"])
    opened = tuple(place for place, body in enumerate(call.bodies) if body["clearance"] == Lane.red.name)
    found_out = _found(store, consignments)
    moment = desk.moment(message, consignments, anew=True, found=found_out, settled=opened)
    given = desk.policy.orient(consignments, desk.model.score(rows), problems_of(call), moment)
    return store.write(lambda connection: _amend(desk, connection, call, given, rows))


def _found(store: Store, consignments: Consignments) -> tuple[str, ...]:
    """Networks of some consignments that were found out since the first of them was lodged."""
    first: datetime = consignments.frame["lodged_at"].min()  # type: ignore[assignment]
    with store.reading() as connection:
        return found(connection, networks_of(consignments), micros(first))


def _amend(desk: Desk, connection: sa.Connection, call: Call, given: Decisions, rows: Rows) -> int:
    """Record what is stricter than what stands as the next assessment, in one transaction with all that it rests on."""
    own = {body["decision_id"] for body, new in zip(call.bodies, call.is_new, strict=True) if new}
    standing = _standing(connection, sorted(own))
    overtaken = _overtaken(connection, call.bodies)
    stricter = [
        place
        for place, (body, row) in enumerate(zip(call.bodies, given.rows, strict=True))
        if body["decision_id"] in standing
        and body["consignment_id"] not in overtaken
        and strictness(row) > strictness(body)
    ]
    _done(connection, call.call_id)
    if not stricter:
        return 0
    scored, held = rows.frame.drop("row").to_dicts(), taken_of(given).select("at", "network", "held").to_dicts()
    before = [
        {"place": place, "decision_id": body["decision_id"], "row": scored[place]}
        for place, body in enumerate(call.bodies)
        if place not in stricter
    ]
    recount(desk.journal.store, connection, taken_of(given)[stricter], [call.counted[place] for place in stricter])
    call_id, basis = desk.journal.note_call(connection, given, before)
    records = []
    for place in stricter:
        body = call.bodies[place]
        row = given_again(given.rows[place], body["assessment"] + 1)
        counted = {**held[place], "band": call.counted[place]["band"]}
        records.append(decision_row(row, scored[place], call_id, place, counted))
        former = DECISIONS.c.decision_id == body["decision_id"]
        connection.execute(sa.update(DECISIONS).where(former).values(stands=False))
    insert_many(connection, DECISIONS, records)
    declared = [call.content_sha256[place] for place in stricter]
    entries = [decision_entry(record, sha256, basis) for record, sha256 in zip(records, declared, strict=True)]
    append(connection, entries, records[0]["decided_at"])
    return len(records)


def strictness(decision: Any) -> tuple[int, int]:
    """What a decision asks for, in order: its lane, then what to do before arrival."""
    return int(Lane[decision["clearance"]]), int(PreArrival[decision["pre_arrival"]])


def _standing(connection: sa.Connection, decision_ids: Sequence[str]) -> set[str]:
    """Those that still wait: another process may have decided them again meanwhile."""
    found: set[str] = set()
    for some in in_lists(decision_ids):
        query = sa.select(DECISIONS.c.decision_id).where(DECISIONS.c.decision_id.in_(some), DECISIONS.c.waits)
        found.update(connection.execute(query).scalars())
    return found


def _overtaken(connection: sa.Connection, bodies: Sequence[dict[str, Any]]) -> set[str]:
    """Consignments of which a later version was decided: that one counts."""
    versions = {body["consignment_id"]: body["version"] for body in bodies}
    found: set[str] = set()
    for some in in_lists(sorted(versions)):
        last = sa.select(DECISIONS.c.consignment_id, sa.func.max(DECISIONS.c.version)).where(
            DECISIONS.c.consignment_id.in_(some)
        )
        for consignment_id, version in connection.execute(last.group_by(DECISIONS.c.consignment_id)):
            if version > versions[consignment_id]:
                found.add(consignment_id)
    return found


def _done(connection: sa.Connection, call_id: str) -> int:
    connection.execute(sa.update(DECISIONS).where(DECISIONS.c.call_id == call_id).values(waits=False))
    return 0
