"""Whether a decision on record is the one that its entry on the audit log vouches for, with all that it rests on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from features.consignment import VERSION_KEY
from features.moments import micros
from service.canonical import canonical
from service.record.record_kind import Row
from service.record.record_rows import REPEATED, day_of, decision_entry, leaf_of, sha256_of_body
from service.store.packed import Unreadable
from service.store.tables import CALLS, DECISIONS, DECLARATIONS, POLICIES, TRANSFERS


def decisions_with_basis() -> sa.Select[Any]:
    """Select decisions with their declaration and the circumstances of their call."""
    same = sa.and_(*(DECLARATIONS.c[name] == DECISIONS.c[name] for name in VERSION_KEY))
    joined = DECISIONS.outerjoin(DECLARATIONS, same).outerjoin(CALLS, CALLS.c.call_id == DECISIONS.c.call_id)
    owner = (DECLARATIONS.c.office.label("owner_office"), DECLARATIONS.c.sender.label("owner_sender"))
    declared = (DECLARATIONS.c.content_sha256, DECLARATIONS.c.body.label("declared"), *owner)
    return sa.select(DECISIONS, *declared, CALLS.c.basis).select_from(joined)


class DecisionCheck:
    """Compares decisions with their entries; hashes each call and each policy once."""

    def __init__(self) -> None:
        self._bases: dict[str, str] = {}
        self._policies: dict[str, bool] = {}
        self._passed_on: dict[str, tuple[str | None, str | None]] | None = None

    def __call__(self, connection: sa.Connection, row: Row, content: str) -> str | None:
        """Name what differs from the entry of a decision; None where nothing does."""
        return self.differs(connection, row, content)

    def differs(self, connection: sa.Connection, row: Row, content: str, *, settled: bool = False) -> str | None:
        """Name what differs; None where nothing does. settled: whether the content is that of a file's tree."""
        if row["content_sha256"] is None or row["basis"] is None:
            return "the declaration or the call of its decision is not in the store"
        if any(isinstance(row[name], Unreadable) for name in ("body", "row_as_scored")):
            return "its decision cannot be read: it was changed"
        if isinstance(row["basis"], Unreadable):
            return "the call of its decision cannot be read: it was changed"
        if isinstance(row["declared"], Unreadable):
            return "the declaration of its decision cannot be read: it was changed"
        vouched = leaf_of(row, row["content_sha256"]) if settled else self._vouched(row)
        if vouched != content or _copied(row) != _said(row["body"]):
            return "its decision was changed"
        if row["declared"] is not None and sha256_of_body(row["declared"]) != row["content_sha256"]:
            return "the declaration of its decision was changed"
        if not self.policy_holds(connection, row["basis"]["policy_sha256"]):
            return "the policy of its decision was changed or removed"
        if row["assessment"] == 1 and not self._belongs(connection, row):
            return "whose its consignment is was changed"
        return None

    def _belongs(self, connection: sa.Connection, row: Row) -> bool:
        """Say whether its declaration is of whom the log says: who lodged it, or to whom it was last passed on."""
        first = row["basis"].get("owners", {}).get(str(row["place"]), (row["body"].get("office"), None))
        office, sender = self.passed_on(connection).get(row["consignment_id"], first)
        return bool(row["owner_office"] == office and row["owner_sender"] == sender)

    def passed_on(self, connection: sa.Connection) -> Mapping[str, tuple[str | None, str | None]]:
        """Return by consignment to whom it was last passed on: office and sender."""
        if self._passed_on is None:
            columns = [TRANSFERS.c[name] for name in ("consignment_id", "office", "sender")]
            found = connection.execute(sa.select(*columns).order_by(TRANSFERS.c.transfer_id))
            self._passed_on = {number: (office, sender) for number, office, sender in found}
        return self._passed_on

    def _vouched(self, row: Row) -> str:
        call_id = row["call_id"]
        if call_id not in self._bases:
            self._bases[call_id] = hashlib.sha256(canonical(row["basis"])).hexdigest()
        return decision_entry(row, row["content_sha256"], self._bases[call_id]).content

    def policy_holds(self, connection: sa.Connection, sha256: str) -> bool:
        """Say whether a policy is in the store as its hash has it."""
        if sha256 not in self._policies:
            text = connection.execute(sa.select(POLICIES.c.text).where(POLICIES.c.sha256 == sha256)).scalar()
            self._policies[sha256] = text is not None and hashlib.sha256(text.encode()).hexdigest() == sha256
        return self._policies[sha256]


def _copied(row: Row) -> tuple[Any, ...]:
    """What the columns say that queues, tallies and queries read."""
    return (*(row[name] for name in (*REPEATED, "office", "checked", "decided_at", "day")),)


def _said(body: Row) -> tuple[Any, ...]:
    """What the body of the decision says, as the columns would have it."""
    decided_at, lodged_at = (datetime.fromisoformat(body[name]) for name in ("decided_at", "lodged_at"))
    repeated = (body.get(name) for name in REPEATED)
    return (*repeated, body["office"] or "unknown", body["check"], micros(decided_at), day_of(lodged_at))
