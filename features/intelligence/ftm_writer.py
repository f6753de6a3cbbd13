"""Writing statements on subjects as FollowTheMoney entities, one JSON object a line: the inverse of reading them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

TAG_SERVICE = "payment or analytics"  # of a user account: its name is a number that ties shops together
PSEUDONYM_SERVICE = "pseudonym on any platform"  # of one whose name is a rare pseudonym

OWN = {  # properties of a LegalEntity
    "name": "name", "email": "email", "phone": "phone", "address": "address", "country": "country", "id": "idNumber",
    "url": "website", "brand": "keywords", "title": "notes", "price": "notes",
}  # fmt: skip
HELD = {  # entities of their own: schema, its property, the property that names the holder
    "account": ("UserAccount", "username", "owner"),
    "tag": ("UserAccount", "username", "owner"),
    "pseudonym": ("UserAccount", "username", "owner"),
    "wallet": ("CryptoWallet", "publicKey", "holder"),
    "iban": ("BankAccount", "iban", ""),  # its holder is named by an Ownership
}
SERVICE = {"tag": TAG_SERVICE, "pseudonym": PSEUDONYM_SERVICE}
Entity = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tie:
    """Two subjects that have something in common, in words.

    conclusive: whether it shows the same party behind both; else they are only similar. since: ISO 8601, the moment
    from which it was known, if any.
    """

    first: str
    second: str
    evidence: str
    conclusive: bool = True
    since: str | None = None


def as_ftm(statements: pl.DataFrame, ties: Iterable[Tie] = ()) -> Iterator[str]:
    """Yield entities of subjects (STATEMENTS) as JSON lines: a LegalEntity each, its accounts, and its ties.

    Conclusive ties are an UnknownLink, others a Similar, which links nothing when it is read again.
    """
    for (subject,), statements_of in statements.group_by("subject_id", maintain_order=True):
        yield from map(_line, _entities(str(subject), statements_of.select("property", "text", "source").rows()))
    yield from (_line(_tie(tie)) for tie in ties)


def _entities(subject: str, statements: Sequence[tuple[str, str, str]]) -> Iterator[Entity]:
    properties: dict[str, list[str]] = {}
    for prop, text, source in statements:
        if name := OWN.get(prop):
            _add(properties, name, text.lower() if prop == "country" else text)
        _add(properties, "publisher", source)
    yield {"id": subject, "schema": "LegalEntity", "properties": properties}
    for prop, text, source in statements:
        if prop in HELD:
            yield from _held(subject, prop, text, source)
        elif prop == "counterparty":
            yield from _payment(subject, text, source)


def _payment(subject: str, paid: str, source: str) -> Iterator[Entity]:
    """Yield a payment, and the account of nobody in the list that was paid into."""
    account, payment = _id_of("BankAccount", "counterparty", paid), _id_of("Payment", subject, paid)
    yield {"id": account, "schema": "BankAccount", "properties": {"name": [paid], "publisher": [source]}}
    yield {"id": payment, "schema": "Payment", "properties": {"payer": [subject], "beneficiaryAccount": [account]}}


def _held(subject: str, prop: str, text: str, source: str) -> Iterator[Entity]:
    schema, name, holder = HELD[prop]
    held = {name: [text], "publisher": [source]} | ({holder: [subject]} if holder else {})
    entity_id = _id_of(schema, prop, text, subject)
    yield {
        "id": entity_id,
        "schema": schema,
        "properties": held | ({"service": [SERVICE[prop]]} if prop in SERVICE else {}),
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
    schema, first, second, evidence_property = names
    properties = {first: [tie.first], second: [tie.second], evidence_property: [tie.evidence]}
    if tie.since is not None and tie.conclusive:
        properties["startDate"] = [tie.since]
    return {"id": _id_of(schema, tie.first, tie.second), "schema": schema, "properties": properties}


def _add(properties: dict[str, list[str]], name: str, text: str) -> None:
    of = properties.setdefault(name, [])
    if text not in of:
        of.append(text)


def _id_of(*parts: str) -> str:
    return hashlib.sha1("\x1f".join(parts).encode(), usedforsecurity=False).hexdigest()  # as the exchange format does


def _line(entity: Entity) -> str:
    return json.dumps(entity, ensure_ascii=False, sort_keys=True)
