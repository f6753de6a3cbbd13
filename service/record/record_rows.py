"""The rows that the record is made of: declarations, decisions, results, and what the chain holds of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from features.algebra import Text
from features.algebra.tables import Table
from features.consignment import CONSIGNMENT_COLUMNS, EXTRA, GOODS_COLUMNS, VERSION_KEY, Consignments
from features.history.fact_columns import Versions
from features.history.facts import DECLARATION_FACTS, ENTITIES
from features.model_rows import Rows
from features.moments import EPOCH, iso, micros
from features.outcome import STAGES
from service.canonical import canonical
from service.orientation.context import GIVEN_AGAIN
from service.orientation.decisions import written
from service.record.audit_log import Entry, new_salt, salted
from service.store.pseudonyms import Pseudonyms

PART = 5_000  # declarations that stand in memory at once, as the rows of a table
LEVEL, GOODS = (tuple(column.name for column in columns) for columns in (CONSIGNMENT_COLUMNS, GOODS_COLUMNS))
CARD = "card_entity"
FOUND = ("result", "selection")  # columns of an inspection result that repeat its content
SELECTED = ("selection", "mode", "selection_probability")
REPEATED = ("decision_id", *VERSION_KEY, "assessment", "risk", *STAGES, *SELECTED)  # columns that repeat the decision
UNSCORED = -1  # the band of what no model has scored


def parts_of(consignments: Consignments) -> list[Consignments]:
    """Consignments in parts that are recorded one after another; one part at least."""
    if len(consignments) <= PART:
        return [consignments]
    return [consignments.between(start, start + PART) for start in range(0, len(consignments), PART)]


def declarations_of(
    consignments: Consignments, versions: Versions, pseudonyms: Pseudonyms, *, with_body: bool = True
) -> list[dict[str, Any]]:
    """One record a consignment version: its key, the hash of its content, what facts are made of, the declaration.

    versions: what the same consignments state. The entities that facts are of are keyed.
    """
    lines: list[list[dict[str, Any]]] = [[] for _ in range(len(consignments))]
    for row, line in zip(consignments.lines.values("row"), _stated_in(consignments.lines, GOODS), strict=True):
        lines[row].append(line)
    extra = (name for name in consignments.declared.kinds if name.startswith(EXTRA))
    bodies = _stated_in(consignments.declared, (*LEVEL, *extra))
    lodged = np.datetime_as_string(versions.lodged_at.view("datetime64[us]"), "us").tolist()
    columns = (bodies, lines, lodged, versions.lodged_at.tolist(), stated_rows(versions, pseudonyms))
    return [_declaration(*row, with_body) for row in zip(*columns, strict=True)]


def _stated_in(table: Table, names: Sequence[str]) -> list[dict[str, Any]]:
    """Return of each row what it states of these columns, in their order."""
    columns = [table.values(name) for name in names]
    return [
        {name: value for name, value in zip(names, row, strict=True) if value is not None}
        for row in zip(*columns, strict=True)
    ]


def _declaration(
    body: dict[str, Any], lines: list[dict[str, Any]], lodged: str, at: int, stated: dict[str, Any], with_body: bool
) -> dict[str, Any]:
    body["lodged_at"], body["goods"] = f"{lodged}Z", lines
    return {
        **{name: body[name] for name in VERSION_KEY},
        "lodged_at": at,
        "content_sha256": sha256_of_body(body),
        "office": body.get("office"),
        "stated": stated,
        "card": stated[CARD],
        "body": body if with_body else None,
    }


def stated_rows(versions: Versions, pseudonyms: Pseudonyms) -> list[dict[str, Any]]:
    """Return of each version what its facts are made of: its entities, keyed, and amounts."""
    keyed = pseudonyms.keyed(versions.entities.ravel()).reshape(versions.entities.shape)
    entities: Any = keyed.T.astype(object)
    entities[~versions.known.T] = None
    amounts = versions.amounts.T.tolist()
    names = (*ENTITIES, *DECLARATION_FACTS)
    return [dict(zip(names, (*of, *facts), strict=True)) for of, facts in zip(entities.tolist(), amounts, strict=True)]


def rows_scored(rows: Rows, places: Sequence[int]) -> list[dict[str, Any]]:
    """Return model rows at some places, ascending, by name; None where unknown."""
    if not places:
        return []
    names, nothing = list(rows.columns), np.zeros(len(places))
    at = slice(None) if len(places) == len(rows) else np.array(places)
    texts = {place: column for place, column in enumerate(rows.columns.values()) if isinstance(column, Text)}
    numbers = [nothing if isinstance(column, Text) else column[at] for column in rows.columns.values()]
    chosen = np.concatenate(numbers).reshape(len(names), len(places))
    scored: list[list[Any]] = [[None if n != n else n for n in row] for row in chosen.T.tolist()]
    for place, text in texts.items():
        for row, code in zip(scored, text.codes[places].tolist(), strict=True):
            row[place] = text.words[code]
    return [dict(zip(names, row, strict=True)) for row in scored]


def sha256_of_body(body: Mapping[str, Any]) -> str:
    """The hash of what was declared, or of what a result says: by it the same content is known again."""
    return hashlib.sha256(canonical(body)).hexdigest()


def decision_entry(record: Mapping[str, Any], declaration_sha256: str, basis_sha256: str) -> Entry:
    """The entry of the chain for a decision (a row of its table): with its row as scored, declaration and basis."""
    content = {"body": record["body"], "row": record["row_as_scored"], "declaration": declaration_sha256}
    content |= {"call": record["call_id"], "place": record["place"], "basis": basis_sha256}
    return Entry("decision", record["decision_id"], salted(record["salt"], content))


def leaf_of(decision: Mapping[str, Any], declaration_sha256: str) -> str:
    """Return what the tree over a file holds of a decision (a row of its table).

    The circumstances of the call are vouched for by the entry of the file.
    """
    content = {"body": decision["body"], "row": decision["row_as_scored"], "declaration": declaration_sha256}
    return salted(decision["salt"], content | {"call": decision["call_id"], "place": decision["place"]})


def outcome_entry(record: Mapping[str, Any]) -> Entry:
    """The entry of the chain for an inspection result (a row of its table)."""
    return Entry("outcome", record["outcome_id"], salted(record["salt"], {"body": record["body"]}))


def repeats_its_body(outcome: Mapping[str, Any]) -> bool:
    """Say whether the columns of an inspection result (a row of its table) say what its body says."""
    body = outcome["body"]
    known_at = micros(datetime.fromisoformat(body["known_at"]))
    repeated = (sha256_of_body(body), body["consignment_id"], known_at, *found_of(body).values())
    return repeated == tuple(outcome[name] for name in ("outcome_id", "consignment_id", "known_at", *FOUND))


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
        **{name: decision[name] for name in REPEATED},
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
        **found_of(body),
    }


def found_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of an inspection result that repeat its content."""
    return {name: body.get(name) for name in FOUND}
