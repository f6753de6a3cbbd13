"""What search shows of the consignments that it finds, and of whom and what they have to do with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from features.moments import EPOCH, iso
from service.officers.cases import cases_of
from service.record.standing import standing_of
from service.store.queries import in_lists
from service.store.settled_rows import decided_of, declared_of
from service.store.tables import DECISIONS, DECLARATIONS, OUTCOMES

GOODS_LINES = 3
LARGEST_GROUP = 20  # parties, networks, shops or cases that are shown
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Details:
    """A consignment as its latest declaration and decision have it; None where it was never decided, or was erased.

    clearance: the lane that stands after an officer's word. archived: its declaration stands in the archive alone.
    """

    consignment_id: str
    message_id: str
    lodged_at: str
    office: str | None
    archived: bool
    clearance: str | None
    risk: float | None
    result: str | None
    sender: str | None
    addressee: str | None
    goods: str
    platform: str | None
    seller_account: str | None
    seller_url: str | None
    party_id: str | None
    network_id: str | None

    def as_json(self) -> Row:
        """Write it as the API has it."""
        return asdict(self)


def details_of(connection: sa.Connection, numbers: Sequence[str]) -> dict[str, Details]:
    """Look up what is shown of consignments on record, in their order."""
    declared = _latest(connection, numbers, DECLARATIONS, "version")
    decided = {number: row["body"] for number, row in _latest(connection, numbers, DECISIONS, "version").items()}
    decided = {number: body for number, body in decided.items() if body}
    stands = dict(zip(decided, standing_of(connection, list(decided.values())), strict=True))
    results = _latest(connection, numbers, OUTCOMES, "known_at")
    return {
        number: _details(
            declared[number],
            decided.get(number) or {},
            stands[number].clearance if number in stands else None,
            (results[number]["body"] if number in results else {}).get("result"),
        )
        for number in numbers
        if number in declared
    }


def _latest(connection: sa.Connection, numbers: Sequence[str], table: sa.Table, order: str) -> dict[str, Row]:
    """Look up the latest row of each consignment; of decisions that which stands."""
    names = ("consignment_id", "message_id", "lodged_at", "office", "body", order)
    columns = [table.c[name] for name in dict.fromkeys(names) if name in table.c]
    stands = [table.c.stands] if "stands" in table.c else []
    found: dict[str, Row] = {}
    for batch in in_lists(numbers):
        query = sa.select(*columns).where(table.c.consignment_id.in_(batch), *stands).order_by(table.c[order])
        for row in connection.execute(query).mappings():
            found[row["consignment_id"]] = dict(row)
    if table is not OUTCOMES:
        columns_read = [column.name for column in columns]
        read = declared_of if table is DECLARATIONS else decided_of
        found |= {row["consignment_id"]: row for row in read(connection, columns_read, list(numbers))}
    return found


def _details(declared: Row, decided: Row, clearance: str | None, result: str | None) -> Details:
    body = declared["body"] or {}
    lines = body.get("goods") or []
    return Details(
        consignment_id=declared["consignment_id"],
        message_id=declared["message_id"],
        lodged_at=iso(EPOCH + timedelta(microseconds=declared["lodged_at"])),
        office=declared["office"],
        archived=not body and not decided,
        clearance=clearance,
        risk=decided.get("risk"),
        result=result,
        sender=body.get("consignor_name"),
        addressee=body.get("consignee_name"),
        goods="; ".join(str(line["description"]) for line in lines[:GOODS_LINES] if line.get("description")),
        platform=body.get("platform"),
        seller_account=body.get("seller_account"),
        seller_url=body.get("seller_url"),
        party_id=decided.get("party_id"),
        network_id=decided.get("network_id"),
    )


def grouped(found: Sequence[Details]) -> tuple[list[Row], list[Row], list[Row]]:
    """Return the parties, the networks and the shops of consignments, each with how many of these are its own."""
    parties = _counted(found, lambda one: (one.party_id,), ("party_id",), ("network_id", "sender"))
    networks = _counted(found, lambda one: (one.network_id,), ("network_id",), ())
    names = ("platform", "seller_account", "seller_url")
    shops = _counted([of for of in found if of.seller_account or of.seller_url], _shop, names, ())
    return parties, networks, shops


def _shop(one: Details) -> tuple[str | None, ...]:
    return one.platform, one.seller_account, one.seller_url


def _counted(
    found: Sequence[Details],
    key: Callable[[Details], tuple[str | None, ...]],
    names: Sequence[str],
    beside: Sequence[str],
) -> list[Row]:
    """Count consignments by a key, the most first, with what the newest of each says beside it."""
    rows: dict[tuple[str | None, ...], Row] = {}
    for one in found:
        value = key(one)
        if any(value):
            stated = dict(zip(names, value, strict=True)) | {name: getattr(one, name) for name in beside}
            row = rows.setdefault(value, stated | {"consignments": 0})
            row["consignments"] += 1
    return sorted(rows.values(), key=lambda row: -int(row["consignments"]))[:LARGEST_GROUP]


def cases_among(connection: sa.Connection, numbers: Sequence[str]) -> list[Row]:
    """Return the cases of some consignments, the newest first."""
    return [
        {
            "consignment_id": case.consignment_id,
            "track": case.track.name,
            "open": case.open,
            "detained": case.noted["detained"].isoformat(),
            "right_holder": case.right_holder,
            "due": due.due.isoformat() if (due := case.due()) is not None else None,
        }
        for case in cases_of(connection, numbers)[:LARGEST_GROUP]
    ]
