"""Reassessment: what lacked its past, its model, a result of its network or a watch list is decided again with it.

Only upwards, and an officer's override is never dropped (service.record.standing)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.assemble import Rows
from features.consignment import Consignments
from features.messages import Message
from features.moments import micros
from service.audit.replay import Call, NotReplayable, consignments_of, problems_of
from service.desk import Desk, networks_of
from service.orientation import Decisions
from service.orientation.decisions import given_again
from service.orientation.lanes import Lane, PreArrival
from service.record.audit_log import append
from service.record.campaign_checks import found
from service.record.capacity_used import Overspent, recount, taken_of
from service.record.record_rows import decision_entry, decision_row
from service.record.standing import standing_of
from service.recording import note_call
from service.store.bulk_rows import insert_many, update_rows
from service.store.database import Store
from service.store.queries import in_lists
from service.store.tables import DECISIONS

CALLS_PER_PASS = 50  # calls; the rest waits for the next time


def reassess(desk: Desk, now: datetime) -> int:
    """Decide again what waits for it, call by call; return how many decisions turned out stricter and were amended.

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
    query = sa.select(DECISIONS.c.call_id).where(DECISIONS.c.waits).distinct().limit(CALLS_PER_PASS)
    with store.reading() as connection:
        return list(connection.execute(query).scalars())


def _again(desk: Desk, call_id: str, now: datetime) -> int:
    """Decide a call again, all its consignments together, as they competed; return how many turned out stricter."""
    store = desk.journal.store
    try:
        with store.reading() as connection:
            call = Call(connection, call_id)
    except NotReplayable:  # erased timeline: there is nothing left to decide on
        store.write(lambda connection: _done(connection, call_id))
        return 0
    consignments, lists = desk.screened(consignments_of(call))
    rows, lost = desk.rows(consignments)
    if lost:
        return 0
    message = Message(pl.DataFrame(), name=call_id, received_at=now, competing=call.basis["competing"])
    with store.reading() as connection:
        stands = standing_of(connection, call.bodies)
    opened = tuple(place for place, lane in enumerate(stands) if lane.clearance == Lane.red.name)
    found_out = _found(store, consignments)
    context = desk.context(message, consignments, lists_as_of=lists, anew=True, found=found_out, settled=opened)
    given = desk.policy.orient(consignments, desk.model.score(rows), problems_of(call), context)
    return store.write(lambda connection: _amend(connection, call, given, rows))


def _found(store: Store, consignments: Consignments) -> tuple[str, ...]:
    """Choose the networks of consignments that were found out since the first of them was lodged."""
    first: datetime = consignments.frame["lodged_at"].min()  # type: ignore[assignment]
    with store.reading() as connection:
        return found(connection, networks_of(consignments), micros(first))


def _amend(connection: sa.Connection, call: Call, given: Decisions, rows: Rows) -> int:
    """Record what is stricter than what stands as the next assessment, in one transaction with all that it rests on.

    An officer's override remains in force on the next assessment, and so does the check that it takes: such an
    assessment takes no check of its own.
    """
    given_here = {body["decision_id"] for body, new in zip(call.bodies, call.is_new, strict=True) if new}
    waiting = _still_waiting(connection, sorted(given_here))
    overtaken = _overtaken(connection, call.bodies)
    stricter = [
        place
        for place, (body, row) in enumerate(zip(call.bodies, given.rows, strict=True))
        if body["decision_id"] in waiting
        and body["consignment_id"] not in overtaken
        and strictness(row) > strictness(body)
    ]
    _done(connection, call.call_id)
    if not stricter:
        return 0
    scored, held = rows.frame.drop("row").to_dicts(), taken_of(given).on_record()
    before = [
        {"place": place, "decision_id": body["decision_id"], "row": scored[place]}
        for place, body in enumerate(call.bodies)
        if place not in stricter
    ]
    stands = standing_of(connection, call.bodies)
    counted_anew = [place for place in stricter if stands[place].override is None]
    former = [call.counted[place] for place in counted_anew]
    recount(connection, taken_of(given).where(counted_anew), former)
    call_id = uuid.uuid4().hex
    basis = note_call(connection, call_id, given, before)
    records = []
    for place in stricter:
        body = call.bodies[place]
        row = given_again(given.rows[place], body["assessment"] + 1)
        counted = {**held[place], "band": call.counted[place]["band"]}
        records.append(decision_row(row, scored[place], call_id, place, counted))
        update_rows(connection, DECISIONS, {"stands": False}, DECISIONS.c.decision_id == body["decision_id"])
    insert_many(connection, DECISIONS, records)
    declared = [call.content_sha256[place] for place in stricter]
    entries = [decision_entry(record, sha256, basis) for record, sha256 in zip(records, declared, strict=True)]
    append(connection, entries, records[0]["decided_at"])
    return len(records)


def strictness(decision: Any) -> tuple[int, int]:
    """Rank what a decision asks for: by its lane, then by what to do before arrival."""
    return int(Lane[decision["clearance"]]), int(PreArrival[decision["pre_arrival"]])


def _still_waiting(connection: sa.Connection, decision_ids: Sequence[str]) -> set[str]:
    """Choose those that still wait: another process may have decided them again meanwhile."""
    found: set[str] = set()
    for batch in in_lists(decision_ids):
        query = sa.select(DECISIONS.c.decision_id).where(DECISIONS.c.decision_id.in_(batch), DECISIONS.c.waits)
        found.update(connection.execute(query).scalars())
    return found


def _overtaken(connection: sa.Connection, bodies: Sequence[dict[str, Any]]) -> set[str]:
    """Find the consignments of which a later version was decided: that one counts."""
    versions = {body["consignment_id"]: body["version"] for body in bodies}
    found: set[str] = set()
    for batch in in_lists(sorted(versions)):
        last = sa.select(DECISIONS.c.consignment_id, sa.func.max(DECISIONS.c.version)).where(
            DECISIONS.c.consignment_id.in_(batch)
        )
        for consignment_id, version in connection.execute(last.group_by(DECISIONS.c.consignment_id)):
            if version > versions[consignment_id]:
                found.add(consignment_id)
    return found


def _done(connection: sa.Connection, call_id: str) -> int:
    update_rows(connection, DECISIONS, {"waits": False}, DECISIONS.c.call_id == call_id, DECISIONS.c.waits)
    return 0
