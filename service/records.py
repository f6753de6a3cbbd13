"""The rows that the record is made of: declarations, decisions, results, and what the chain holds of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from features.consignment import CONSIGNMENT_COLUMNS, EXTRA, GOODS_COLUMNS, VERSION_KEY, Consignments
from features.facts import stated
from features.outcome import STAGES
from service.chain import Entry, new_salt, salted
from service.orientation.decisions import iso, written
from service.orientation.moment import GIVEN_AGAIN
from service.scoring.signature import canonical

PART = 5_000  # declarations that stand in memory at once, as the rows of a table
UNSCORED = -1  # the band of what no model has scored
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parts_of(consignments: Consignments) -> list[Consignments]:
    """Consignments in parts that are recorded one after another; one part at least."""
    if len(consignments) <= PART:
        return [consignments]
    return [consignments.between(start, start + PART) for start in range(0, len(consignments), PART)]


def declarations_of(consignments: Consignments, *, with_body: bool = True) -> list[dict[str, Any]]:
    """One record a consignment version: its key, the hash of its content, what facts are made of, the declaration."""
    goods = consignments.goods.select(c.name for c in GOODS_COLUMNS)
    lines: list[list[dict[str, Any]]] = [[] for _ in range(len(consignments))]
    for row, line in zip(consignments.goods["row"], goods.to_dicts(), strict=True):
        lines[row].append(line)
    level = [c.name for c in CONSIGNMENT_COLUMNS] + [c for c in consignments.frame.columns if c.startswith(EXTRA)]
    said = stated(consignments).drop(*VERSION_KEY, "lodged_at").to_dicts()
    return [
        _declaration(declared, of_row, facts, with_body)
        for declared, of_row, facts in zip(consignments.frame.select(level).to_dicts(), lines, said, strict=True)
    ]


def _declaration(
    declared: dict[str, Any], lines: list[dict[str, Any]], said: dict[str, Any], with_body: bool
) -> dict[str, Any]:
    lodged_at: datetime = declared["lodged_at"]
    body = {**{k: v for k, v in declared.items() if v is not None}, "lodged_at": iso(lodged_at)}
    body["goods"] = [{k: v for k, v in line.items() if v is not None} for line in lines]
    return {
        **{name: declared[name] for name in VERSION_KEY},
        "lodged_at": micros(lodged_at),
        "content_sha256": sha256_of_body(body),
        "stated": said,
        "body": body if with_body else None,
    }


def sha256_of_body(body: Mapping[str, Any]) -> str:
    """The hash of what was declared, or of what a result says: by it the same content is known again."""
    return hashlib.sha256(canonical(body)).hexdigest()


def micros(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def decision_entry(record: Mapping[str, Any], declaration_sha256: str, basis_sha256: str) -> Entry:
    """The entry of the chain for a decision (a row of its table): with its row as scored, declaration and basis."""
    told = {"body": record["body"], "row": record["row_as_scored"], "declaration": declaration_sha256}
    told |= {"call": record["call_id"], "place": record["place"], "basis": basis_sha256}
    return Entry("decision", record["decision_id"], salted(record["salt"], told))


def outcome_entry(record: Mapping[str, Any]) -> Entry:
    """The entry of the chain for an inspection result (a row of its table)."""
    return Entry("outcome", record["outcome_id"], salted(record["salt"], {"body": record["body"]}))


def decision_row(
    decision: dict[str, Any], scored: dict[str, Any], call_id: str, place: int, counted: Mapping[str, Any]
) -> dict[str, Any]:
    """A decision as its table keeps it, with a salt of its own.

    counted: the `band` of its score among those of an ordinary day, the moment (`at`) whose hands it takes, its
        `network`, and whether it is `held` for it.
    """
    lodged_at: datetime = decision["lodged_at"]
    return {
        "call_id": call_id,
        "place": place,
        "salt": new_salt(),
        **{name: decision[name] for name in ("decision_id", *VERSION_KEY, "assessment", "risk", *STAGES)},
        "decided_at": micros(decision["decided_at"]),
        "office": decision["office"] or "unknown",
        "day": (lodged_at.date() - EPOCH.date()).days,
        "hour": (counted["at"] - EPOCH) // timedelta(hours=1),
        "band": UNSCORED if counted["band"] is None else counted["band"],
        "checked": decision["check"],
        "network": counted["network"],
        "held": counted["held"],
        "body": written(decision),
        "row_as_scored": scored,
        "stands": True,
        "waits": bool(GIVEN_AGAIN & {*decision["degraded_reasons"]}),
    }


def outcome_row(row: dict[str, Any]) -> dict[str, Any]:
    """An inspection result as its table keeps it, less what the journal adds."""
    known_at: datetime = row["known_at"]
    body = {name: value for name, value in row.items() if value is not None} | {"known_at": iso(known_at)}
    return {
        "outcome_id": sha256_of_body(body),
        "consignment_id": row["consignment_id"],
        "known_at": micros(known_at),
        "body": body,
    }
