"""Lists in: FollowTheMoney, STIX 2.1, CSV and captured web shops, told apart by their content; bytes in, frame out."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from features.fault import Fault
from features.intelligence.storefronts import is_captured, read_captured

STATEMENTS = pl.Schema(
    {
        "subject_id": pl.String(),
        "label": pl.String(),
        "property": pl.String(),
        "text": pl.String(),
        "source": pl.String(),
    }
)
PROPERTIES = {  # of a subject, and the column of a consignment that each is compared with; none where there is none
    "name": "consignor_name",
    "email": "consignor_email",
    "phone": "consignor_phone",
    "address": "consignor_address",
    "country": "consignor_country",
    "id": "consignor_id",
    "account": "seller_account",
    "url": "seller_url",
    "wallet": "wallet",
    "tag": "tag",
    "iban": None,
    "title": None,
    "brand": None,
    "price": None,
}
FTM = {
    "name": "name", "alias": "name", "weakAlias": "name", "previousName": "name", "email": "email", "phone": "phone",
    "address": "address", "full": "address", "country": "country", "nationality": "country", "jurisdiction": "country",
    "idNumber": "id", "registrationNumber": "id", "taxNumber": "id", "vatCode": "id", "eoriNumber": "id",
    "username": "account", "website": "url", "url": "url", "publicKey": "wallet", "iban": "iban",
}  # fmt: skip
FTM_OWNERS = ("owner", "holder", "person", "entity")  # properties that say whose an account, a wallet, an address is
FTM_EDGES = {
    "Ownership": ("owner", "asset"),
    "UnknownLink": ("subject", "object"),
    "Representation": ("agent", "client"),
}
TAG_SERVICE = "payment or analytics"  # of a user account: its name is a number that ties shops together
STIX = {
    "identity": ("name", "name"), "email-addr": ("value", "email"), "user-account": ("account_login", "account"),
    "domain-name": ("value", "url"), "url": ("value", "url"), "threat-actor": ("name", "name"),
    "location": ("country", "country"),
}  # fmt: skip
CSV = {
    **{name: name for name in PROPERTIES}, "alias": "name", "names": "name", "e-mail": "email", "mail": "email",
    "telephone": "phone", "tel": "phone", "tax_id": "id", "eori": "id", "number": "id", "username": "account",
    "seller_account": "account", "website": "url", "domain": "url", "storefront": "url",
}  # fmt: skip
CSV_KEYS = ("subject_id", "entity_id", "report_id", "key")
LONGEST, MOST_PROBLEMS = 2_000, 1_000
LARGEST = 256 * 1024**2  # bytes of a list


class Unreadable(Fault):
    """A list of which nothing can be read; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A list as read: what it states (STATEMENTS), one row each; and what could not be read, by line, with a remedy."""

    format: str
    statements: pl.DataFrame
    problems: list[dict[str, Any]]


Row = tuple[str, str, str, str]  # subject, label, property, text


def read_list(content: bytes, source: str) -> Listed:
    """A list from its bytes; raises Unreadable where nothing of it can be read. Nothing sent is told back."""
    if len(content) > LARGEST:
        raise Unreadable(f"the list is larger than {LARGEST // 1024**2} MiB; split it")
    problems: list[dict[str, Any]] = []
    if is_captured(content):
        return _listed("storefronts", read_captured(content, problems), source, problems)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("the list is not UTF-8; save it as UTF-8") from None
    start = text.lstrip()[:1]
    kind = "csv" if start != "{" else "stix" if _is_bundle(text) else "ftm"
    return _listed(kind, {"csv": _csv, "stix": _stix, "ftm": _ftm}[kind](text, problems), source, problems)


def _listed(kind: str, rows: Iterable[Row], source: str, problems: list[dict[str, Any]]) -> Listed:
    told = [(s, label[:LONGEST], p, value.strip()[:LONGEST], source) for s, label, p, value in rows if value.strip()]
    if not told:
        raise Unreadable("no name, e-mail, telephone, address, number, account or storefront stands in the list")
    frame = pl.DataFrame(told, schema=STATEMENTS, orient="row").unique(maintain_order=True)
    return Listed(kind, frame, problems[:MOST_PROBLEMS])


def _is_bundle(text: str) -> bool:
    try:
        return bool(json.loads(text).get("type") == "bundle")
    except (ValueError, AttributeError, RecursionError):
        return False


def _problem(problems: list[dict[str, Any]], line: int, reason: str, remedy: str) -> None:
    problems.append({"line": line, "reason": reason, "remedy": remedy})


def _texts(value: Any) -> Iterator[str]:
    """Texts of a property, one or a list of them; anything else states nothing."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            yield item


# FollowTheMoney


def _ftm(text: str, problems: list[dict[str, Any]]) -> Iterable[Row]:
    entities: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            entity = json.loads(line)
            if not isinstance(entity["properties"], dict) or not isinstance(entity["id"], str):
                raise TypeError
        except (ValueError, KeyError, TypeError, RecursionError):
            _problem(problems, number, "not an entity", "one JSON object a line with id, schema and properties")
        else:
            entities[entity["id"]] = entity
    whose = _owners(entities)
    for entity_id, entity in entities.items():
        subject = _root(entity_id, whose)
        label = next(_texts(entities.get(subject, entity)["properties"].get("name", [])), subject)
        is_tag = TAG_SERVICE in _texts(entity["properties"].get("service", []))
        for name, value in entity["properties"].items():
            if isinstance(name, str) and name in FTM:
                prop = "tag" if is_tag and name == "username" else FTM[name]
                yield from ((subject, label, prop, said) for said in _texts(value))


def _owners(entities: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Whose each entity is: an account its owner's, an asset whoever's owns it."""
    whose: dict[str, str] = {}
    for entity_id, entity in entities.items():
        told = entity["properties"]
        for name in FTM_OWNERS:
            for owner in _texts(told.get(name, [])):
                if owner in entities and owner != entity_id and entity.get("schema") not in FTM_EDGES:
                    whose[entity_id] = owner
        one, other = FTM_EDGES.get(str(entity.get("schema")), ("", ""))
        for owner in _texts(told.get(one, [])):
            whose.update(
                {asset: owner for asset in _texts(told.get(other, [])) if asset in entities and owner in entities}
            )
    return whose


def _root(entity_id: str, whose: dict[str, str]) -> str:
    seen = {entity_id}
    while (owner := whose.get(entity_id)) is not None and owner not in seen:
        entity_id = owner
        seen.add(owner)
    return entity_id


# STIX


def _stix(text: str, problems: list[dict[str, Any]]) -> Iterable[Row]:
    objects = json.loads(text).get("objects")
    listed = objects if isinstance(objects, list) else []
    known = {o["id"]: o for o in listed if isinstance(o, dict) and isinstance(o.get("id"), str)}
    if len(known) < len(listed):
        _problem(problems, 1, "objects without an identifier", "every object of a bundle has an id")
    whose: dict[str, str] = {}
    for relation in (o for o in known.values() if o.get("type") == "relationship"):
        one, other = relation.get("source_ref"), relation.get("target_ref")
        if one in known and other in known and one != other:
            whose[str(other)] = str(one)
    for object_id, told in known.items():
        name, prop = STIX.get(str(told.get("type")), ("", ""))
        subject = _root(object_id, whose)
        label = str(known[subject].get("name") or subject)
        for value in _texts(told.get(name, [])):
            yield subject, label, prop, value
        if told.get("type") == "identity":
            for value in _texts(told.get("contact_information", [])):
                yield subject, label, "email" if "@" in value else "phone", value
        if told.get("type") == "user-account":
            yield from ((subject, label, "name", value) for value in _texts(told.get("display_name", [])))


# CSV


def _csv(text: str, problems: list[dict[str, Any]]) -> Iterable[Row]:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    first = text.split("\n", 1)[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=max(",;\t", key=first.count))
    try:
        names = {name: CSV.get((name or "").strip().lower()) for name in reader.fieldnames or []}
    except csv.Error:
        raise Unreadable("the first line is no CSV; name the columns there") from None
    if not any(names.values()):
        raise Unreadable(f"no column of the list is known; name columns as in {', '.join(PROPERTIES)}")
    rows = iter(reader)
    while True:
        try:
            row = next(rows, None)
        except csv.Error:
            _problem(problems, reader.line_num, "a line that is no CSV", "check its quotes and its length")
            continue
        if row is None:
            return
        stated = [
            (prop, part.strip())
            for name, value in row.items()
            if (prop := names.get(name)) and isinstance(value, str)
            for part in value.split("|")
            if part.strip()
        ]
        label = next((text for prop, text in stated if prop == "name"), f"line {reader.line_num}")
        named = next((row[name] for name in row if (name or "").strip().lower() in CSV_KEYS and row[name]), None)
        subject = named or "\x1f".join(text for _, text in sorted(stated))  # the same line is the same subject
        yield from ((subject, label, prop, text) for prop, text in stated)
        if not stated:
            _problem(problems, reader.line_num, "a line that states nothing", f"fill one of {', '.join(PROPERTIES)}")
