"""Four eyes: what one person proposes and another decides, and what came of it. All of it is on the audit chain."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

import sqlalchemy as sa

from features.fault import Fault
from features.moments import micros
from service.canonical import canonical
from service.orientation import load_policy
from service.record.audit_log import Entry, append
from service.store.bulk_rows import insert_row, update_rows
from service.store.database import Store
from service.store.tables import PROPOSALS

ProposalKind = Literal["policy", "promotion"]
LONGEST_REASON, LONGEST_TRIAL = 500, 10_000
STUCK = timedelta(minutes=15)  # after it, what was begun and never ended can be begun again


def propose(store: Store, kind: str, content: str, reason: str, by: str, at: datetime, although: str = "") -> int:
    """Put forward the text of a policy, or the number of a registered version; raises Fault for what cannot be.

    although: why a version should serve that did worse than the champion, or was never compared with it.
    """
    if kind not in get_args(ProposalKind):
        raise Fault("kind: policy or promotion")
    if not reason.strip() or max(len(reason), len(although)) > LONGEST_REASON:
        raise Fault(f"reason: say why, in at most {LONGEST_REASON} characters")
    if kind == "policy":
        content = content.replace("\r\n", "\n")
        load_policy(content)
    elif not content.isdecimal():
        raise Fault("version: the number of a registered version")
    row = {"kind": kind, "content": content, "reason": reason.strip(), "proposed_by": by, "proposed_at": micros(at),
           "state": "waiting", "told": "", "although": although.strip(), "tried": ""}  # fmt: skip

    def work(connection: sa.Connection) -> int:
        number = insert_row(connection, PROPOSALS, row)["proposal_id"]
        _note(connection, number, "proposed", {"kind": kind, "content_sha256": _sha256(content), "by": by,
                                               "reason": reason.strip()}, at)  # fmt: skip
        return int(number)

    return store.write(work)


def decide(store: Store, number: int, approved: bool, by: str, at: datetime) -> dict[str, Any]:
    """Another person's word on a proposal, which is then under way or refused; raises Fault."""

    def work(connection: sa.Connection) -> dict[str, Any]:
        row = _of(connection, number)
        stuck = row["state"] == "under way" and row["decided_at"] < micros(at - STUCK)
        if row["state"] not in ("waiting", "failed") and not stuck:
            raise Fault("this proposal has already been decided")
        if row["proposed_by"] == by:
            raise Fault("four-eyes rule: whoever proposed it cannot approve it; ask a colleague")
        now = {"state": "under way" if approved else "refused", "decided_by": by, "decided_at": micros(at), "told": ""}
        update_rows(connection, PROPOSALS, now, PROPOSALS.c.proposal_id == number)
        _note(connection, number, "approved" if approved else "refused", {"by": by}, at)
        return row | now

    return store.write(work)


def conclude(store: Store, number: int, done: bool, outcome: str, at: datetime) -> None:
    """What came of an approved proposal."""
    state = "done" if done else "failed"

    def work(connection: sa.Connection) -> None:
        update_rows(connection, PROPOSALS, {"state": state, "told": outcome[:1000]}, PROPOSALS.c.proposal_id == number)
        _note(connection, number, state, {}, at)

    store.write(work)


def note_trial(store: Store, number: int, tried: str) -> None:
    """Put beside a proposed policy what its rules would have done."""
    beside = {"tried": tried[:LONGEST_TRIAL]}
    store.write(lambda connection: update_rows(connection, PROPOSALS, beside, PROPOSALS.c.proposal_id == number))


def proposals(store: Store, kind: ProposalKind, at_most: int = 20) -> list[dict[str, Any]]:
    """Proposals of a kind, newest first."""
    query = sa.select(PROPOSALS).where(PROPOSALS.c.kind == kind).order_by(PROPOSALS.c.proposal_id.desc())
    with store.reading() as connection:
        return [dict(row) for row in connection.execute(query.limit(at_most)).mappings()]


def _of(connection: sa.Connection, number: int) -> dict[str, Any]:
    row = connection.execute(sa.select(PROPOSALS).where(PROPOSALS.c.proposal_id == number)).mappings().first()
    if row is None:
        raise Fault("no such proposal is on record")
    return dict(row)


def _note(connection: sa.Connection, number: int, what: str, facts: dict[str, Any], at: datetime) -> None:
    content = canonical({"what": what, **facts}).decode()
    subject = f"proposal-{number}-{what}-{secrets.token_hex(4)}"
    append(connection, [Entry("proposal", subject, content)], micros(at))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
