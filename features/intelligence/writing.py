"""What is stated of subjects as FollowTheMoney entities, one JSON object a line: the inverse of reading such a list."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from features.intelligence.reading import TAG_SERVICE

OWN = {  # properties of a LegalEntity
    "name": "name", "email": "email", "phone": "phone", "address": "address", "country": "country", "id": "idNumber",
    "url": "website", "brand": "keywords", "title": "notes", "price": "notes",
}  # fmt: skip
HELD = {  # what is an entity of its own, and who holds it: schema, its property, the property of its holder
    "account": ("UserAccount", "username", "owner"),
    "tag": ("UserAccount", "username", "owner"),
    "wallet": ("CryptoWallet", "publicKey", "holder"),
    "iban": ("BankAccount", "iban", ""),  # whose it is, an Ownership tells
}
Entity = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tie:
    """Two subjects that have something in common, in words.

    conclusive: whether it says that one party stands behind both; else it only makes them alike. since: ISO 8601, the
    moment from which it was known, where it is.
    """

    one: str
    other: str
    evidence: str
    conclusive: bool = True
    since: str | None = None


def as_ftm(statements: pl.DataFrame, ties: Iterable[Tie] = ()) -> Iterator[str]:
    """Entities of subjects (STATEMENTS) as JSON lines: a LegalEntity each, what it holds, and what ties it to others.

    Conclusive ties are an UnknownLink, others a Similar, which joins nobody when it is read again.
    """
    for (subject,), told in statements.group_by("subject_id", maintain_order=True):
        yield from map(_line, _entities(str(subject), told.select("property", "text", "source").rows()))
    yield from (_line(_tie(tie)) for tie in ties)


def _entities(subject: str, told: Sequence[tuple[str, str, str]]) -> Iterator[Entity]:
    own: dict[str, list[str]] = {}
    for prop, text, source in told:
        if name := OWN.get(prop):
            _add(own, name, text.lower() if prop == "country" else text)
        _add(own, "publisher", source)
    yield {"id": subject, "schema": "LegalEntity", "properties": own}
    for prop, text, source in told:
        if prop in HELD:
            yield from _held(subject, prop, text, source)


def _held(subject: str, prop: str, text: str, source: str) -> Iterator[Entity]:
    schema, name, holder = HELD[prop]
    held = {name: [text], "publisher": [source]} | ({holder: [subject]} if holder else {})
    entity_id = _id_of(schema, prop, text, subject)
    yield {
        "id": entity_id,
        "schema": schema,
        "properties": held | ({"service": [TAG_SERVICE]} if prop == "tag" else {}),
    }
    if not holder:
        owned = {"owner": [subject], "asset": [entity_id]}
        yield {"id": _id_of("Ownership", subject, entity_id), "schema": "Ownership", "properties": owned}


def _tie(tie: Tie) -> Entity:
    names = (
        ("UnknownLink", "subject", "object", "role")
        if tie.conclusive
        else ("Similar", "candidate", "match", "criteria")
    )
    schema, one, other, why = names
    properties = {one: [tie.one], other: [tie.other], why: [tie.evidence]}
    if tie.since is not None and tie.conclusive:
        properties["startDate"] = [tie.since]
    return {"id": _id_of(schema, tie.one, tie.other), "schema": schema, "properties": properties}


def _add(properties: dict[str, list[str]], name: str, text: str) -> None:
    of = properties.setdefault(name, [])
    if text not in of:
        of.append(text)


def _id_of(*parts: str) -> str:
    return hashlib.sha1("\x1f".join(parts).encode(), usedforsecurity=False).hexdigest()  # as the exchange format does


def _line(entity: Entity) -> str:
    return json.dumps(entity, ensure_ascii=False, sort_keys=True)
