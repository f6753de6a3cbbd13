"""The rows that the record is made of: declarations, decisions, results, and what the chain holds of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from features.consignment import CONSIGNMENT_COLUMNS, EXTRA, GOODS_COLUMNS, VERSION_KEY, Consignments
from features.moments import EPOCH, iso, micros
from features.outcome import STAGES
from service.canonical import canonical
from service.orientation.context import GIVEN_AGAIN
from service.orientation.decisions import written
from service.store.pseudonyms import Pseudonyms
from tests.oracle.record.audit_log import Entry, new_salt, salted
from tests.oracle.record.facts import ENTITIES, stated

PART = 5_000  # declarations that stand in memory at once, as the rows of a table
UNSCORED = -1  # the band of what no model has scored


def parts_of(consignments: Consignments) -> list[Consignments]:
    """Consignments in parts that are recorded one after another; one part at least."""
    if len(consignments) <= PART:
        return [consignments]
    return [consignments.between(start, start + PART) for start in range(0, len(consignments), PART)]


def declarations_of(
    consignments: Consignments, pseudonyms: Pseudonyms, *, with_body: bool = True
) -> list[dict[str, Any]]:
    """One record a consignment version: its key, the hash of its content, what facts are made of, the declaration.

    The entities that facts are of are keyed.
    """
    goods = consignments.goods.select(c.name for c in GOODS_COLUMNS)
    lines: list[list[dict[str, Any]]] = [[] for _ in range(len(consignments))]
    for row, line in zip(consignments.goods["row"], goods.to_dicts(), strict=True):
        lines[row].append(line)
    level = [c.name for c in CONSIGNMENT_COLUMNS] + [c for c in consignments.frame.columns if c.startswith(EXTRA)]
    entities = pseudonyms.keyed_columns(stated(consignments).drop(*VERSION_KEY, "lodged_at"), *ENTITIES).to_dicts()
    return [
        _declaration(declared, of_row, facts, with_body)
        for declared, of_row, facts in zip(consignments.frame.select(level).to_dicts(), lines, entities, strict=True)
    ]


def _declaration(
    declared: dict[str, Any], lines: list[dict[str, Any]], entities: dict[str, Any], with_body: bool
) -> dict[str, Any]:
    lodged_at: datetime = declared["lodged_at"]
    body = {**{k: v for k, v in declared.items() if v is not None}, "lodged_at": iso(lodged_at)}
    body["goods"] = [{k: v for k, v in line.items() if v is not None} for line in lines]
    return {
        **{name: declared[name] for name in VERSION_KEY},
        "lodged_at": micros(lodged_at),
        "content_sha256": sha256_of_body(body),
        "office": declared["office"],
        "stated": entities,
        "body": body if with_body else None,
    }


def sha256_of_body(body: Mapping[str, Any]) -> str:
    """The hash of what was declared, or of what a result says: by it the same content is known again."""
    return hashlib.sha256(canonical(body)).hexdigest()


def decision_entry(record: Mapping[str, Any], declaration_sha256: str, basis_sha256: str) -> Entry:
    """The entry of the chain for a decision (a row of its table): with its row as scored, declaration and basis."""
    content = {"body": record["body"], "row": record["row_as_scored"], "declaration": declaration_sha256}
    content |= {"call": record["call_id"], "place": record["place"], "basis": basis_sha256}
    return Entry("decision", record["decision_id"], salted(record["salt"], content))


def outcome_entry(record: Mapping[str, Any]) -> Entry:
    """The entry of the chain for an inspection result (a row of its table)."""
    return Entry("outcome", record["outcome_id"], salted(record["salt"], {"body": record["body"]}))


def repeats_its_body(outcome: Mapping[str, Any]) -> bool:
    """Say whether the columns of an inspection result (a row of its table) say what its body says."""
    body = outcome["body"]
    known_at = micros(datetime.fromisoformat(body["known_at"]))
    identity = (sha256_of_body(body), body["consignment_id"], known_at)
    return identity == tuple(outcome[name] for name in ("outcome_id", "consignment_id", "known_at"))


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
        "day": day_of(lodged_at),
        "hour": (counted["at"] - EPOCH) // timedelta(hours=1),
        "band": counted["band"],
        "checked": decision["check"],
        "network": counted["network"],
        "held": counted["held"],
        "body": written(decision),
        "row_as_scored": scored,
        "stands": True,
        "waits": bool(GIVEN_AGAIN & {*decision["degraded_reasons"]}),
    }


def day_of(moment: datetime) -> int:
    """Return the day of a moment in UTC, counted from 1970-01-01."""
    return (moment.date() - EPOCH.date()).days


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
