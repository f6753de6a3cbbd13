"""Audits after clearance: opened at an operator of the list, and what came of them, beside it.

An audit is an investigation that names its operator: who opened it when, notes, tasks and documents are on the audit
log as those of any other. Its results are control results after clearance of its consignments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from features.fault import Fault
from features.money import EURO_PER_UNIT
from features.outcome import LABELLED
from service.officers.investigations import CONSIGNMENT, Investigation, Item, investigations, open_investigation
from service.oversight.operators_report import PERSONS, latest
from service.record.ownership import Sender, offices_on
from service.store.database import Store
from service.store.queries import in_lists
from service.store.tables import OUTCOMES

AFTER_CLEARANCE = "post_clearance"
Named = tuple[str, str]  # kind and name of an operator


@dataclass(frozen=True, slots=True)
class OperatorAudit:
    """An audit at an operator, and what came of it.

    consignments: how many it looks into. examined, found: of them, with a result after clearance since it was opened,
    and with a finding. value_found: euro. number: of its investigation. opened_at: microseconds since 1970.
    """

    number: str
    opened_at: int
    opened_by: str
    open: bool
    consignments: int
    examined: int
    found: int
    value_found: float


def open_audit(store: Store, reports: Path, operator: Named, reader: Sender, by: str, at: datetime) -> str:
    """Open an audit at an operator of the latest list, with the consignments behind it that the reader sees.

    Returns the number of its investigation. Raises Fault for an operator that is not on the list, whose audit is open
    already, or of whose consignments none is on record.
    """
    kind, name = operator
    listed = _listed(reports, kind)
    behind = next((one["behind"] for one in listed if one["name"] == name), None)
    if behind is None:
        raise Fault("name: no such operator is on the latest list")
    if any(one.open for one in audits_by_operator(store, reader).get(operator, ())):
        raise Fault("name: an audit of this operator is open already")
    with store.reading() as connection:
        offices = offices_on(connection, behind)
    seen = [number for number in behind if number in offices and reader.sees_every(offices[number])]
    if not seen:
        raise Fault("name: none of the consignments behind it is on record at your offices")
    items = [Item(CONSIGNMENT, number) for number in seen]
    return open_investigation(store, f"{kind}: {name}"[:200], items, reader, by, at, operator)


def _listed(reports: Path, kind: str) -> list[dict[str, Any]]:
    """Return the operators of a kind on the latest list; none of persons, whom it does not name."""
    report = latest(reports)
    listed: list[dict[str, Any]] = [] if report is None or kind == PERSONS else report["operators"].get(kind, [])
    return listed


def audits_by_operator(store: Store, reader: Sender) -> dict[Named, list[OperatorAudit]]:
    """Return the audits of each operator that a reader may see, the one noted in last first, open ones before it."""
    every = [one for one in investigations(store, reader) if one.operator is not None]
    numbers = list(dict.fromkeys(number for one in every for number in one.values(CONSIGNMENT)))
    results = _results(store, numbers)
    found: dict[Named, list[OperatorAudit]] = {}
    for one in every:
        if one.operator is not None:
            found.setdefault(one.operator, []).append(_audit(one, results))
    return found


def _audit(one: Investigation, results: Mapping[str, Sequence[Mapping[str, Any]]]) -> OperatorAudit:
    opened_at, numbers = int(one.entries[0]["at"]), one.values(CONSIGNMENT)
    since = [[row for row in results.get(number, ()) if row["known_at"] >= opened_at] for number in numbers]
    last = [rows[-1]["body"] for rows in since if rows]
    hits = [body for body in last if body["result"] == "non_compliant"]
    value = sum(map(_euro, hits))
    return OperatorAudit(
        one.number, opened_at, one.opened_by, one.open, len(numbers), len(last), len(hits), round(value, 2)
    )


def _euro(body: Mapping[str, Any]) -> float:
    rate = EURO_PER_UNIT.get(str(body.get("currency") or "EUR").upper(), 0.0)
    return float(body.get("value_found") or 0.0) * rate


def _results(store: Store, numbers: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the results after clearance of consignments, in order of time; none that was erased."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    columns = [OUTCOMES.c[name] for name in ("consignment_id", "known_at", "body")]
    with store.reading() as connection:
        for batch in in_lists(numbers):
            query = sa.select(*columns).where(OUTCOMES.c.consignment_id.in_(batch)).order_by(OUTCOMES.c.known_at)
            for row in connection.execute(query).mappings():
                if row["body"].get("stage") == AFTER_CLEARANCE and row["body"].get("result") in LABELLED:
                    found.setdefault(row["consignment_id"], []).append(dict(row))
    return found
