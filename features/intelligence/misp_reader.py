"""MISP events: attributes and objects of suspects; victims, the event's organisations and explanations are left out."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from features.intelligence.ownership import Ownership
from features.intelligence.statements import Reading, Row
from features.intelligence.stix_reader import meanings
from features.intelligence.web_identities import placed

MEANINGS = Path(__file__).with_name("misp.toml")
Item: TypeAlias = dict[str, Any]
VICTIM = "a victim, a recipient, or an explanation"


@cache
def _meanings() -> dict[str, Any]:
    return tomllib.loads(MEANINGS.read_text(encoding="utf-8"))


def is_misp(content: Any) -> bool:
    """Return whether a JSON document is one event of MISP, several, or an answer with some."""
    return any(True for _ in _events(content))


def _events(content: Any) -> Iterator[Item]:
    """Yield events: alone, in a list, in a `response`; of an answer with attributes alone, one event of them."""
    for part in content if isinstance(content, list) else [content]:
        if not isinstance(part, dict):
            continue
        if isinstance(part.get("Event"), dict):
            yield part["Event"]
        elif "response" in part and part["response"] is not content:
            yield from _events(part["response"])
        elif (
            ("Attribute" in part or "Object" in part)
            and ("info" in part or "Attribute" in part)
            and "properties" not in part
        ):
            yield part


def read_misp(content: Any, reading: Reading) -> Iterator[Row]:
    """Yield statements: an object is one subject, with what it refers to as its own; a loose attribute is one alone."""
    for event in _events(content):
        for _ in (name for name in ("Org", "Orgc") if event.get(name)):
            reading.leave_out("organisation", "an author of the list")
        for _ in (*_items(event, "Galaxy"), *_items(event, "Tag")):
            reading.leave_out("tag or galaxy", "it states nothing that is compared")
        for attribute in _items(event, "Attribute"):
            stated = _stated(attribute, "", reading)
            subject = _id(attribute)
            yield from ((subject, stated[0][1], prop, text) for prop, text in stated)
        yield from _of_objects(_items(event, "Object"), reading)


def _of_objects(objects: list[Item], reading: Reading) -> Iterator[Row]:
    by_id = {_id(item): item for item in objects if not _is_deleted(item)}
    innocent = {item_id for item_id, item in by_id.items() if _is_innocent(item)}
    owners = _owners(by_id, innocent)
    stated_of = {item_id: _stated_in(item, reading) for item_id, item in by_id.items()}
    for item_id, stated in stated_of.items():
        heads = owners.heads(item_id)
        if any(head in innocent for head in heads):
            reading.leave_out("object", VICTIM)
            continue
        for head in heads:
            names = [text for prop, text in stated_of.get(head, []) if prop == "name"]
            label = (names or [text for _, text in stated_of.get(head) or stated] or [head])[0]
            yield from ((head, label, prop, text) for prop, text in stated)


def _is_innocent(item: Item) -> bool:
    roles = {str(part.get("value")).lower() for part in _items(item, "Attribute") if _name(part) == "role"}
    innocent = _meanings()["innocent"]
    return item.get("name") in innocent["objects"] or bool(roles & set(innocent["roles"]))


def _stated_in(item: Item, reading: Reading) -> list[tuple[str, str]]:
    of_party = item.get("name") in _meanings()["parties"]["objects"]
    attributes = _items(item, "Attribute")
    stated = [pair for part in attributes for pair in _stated(part, _name(part), reading, of_party=of_party)]
    of_kind = (
        str(part.get("value")) for part in attributes if _name(part) in ("account_type", "account-type", "platform")
    )
    return list(placed(stated, next(of_kind, str(item.get("name")).removesuffix("-account")), reading))


def _owners(by_id: dict[str, Item], innocent: set[str]) -> Ownership:
    """Return what belongs to whom by references between objects, in the words of STIX relations."""
    relations = meanings()["relations"]
    owners = Ownership()
    for item_id, item in by_id.items():
        for reference in _items(item, "ObjectReference"):
            target, name = str(reference.get("referenced_uuid")), str(reference.get("relationship_type")).lower()
            if target in by_id and target not in innocent:
                if name in relations["target"] or name in relations["related"]:
                    owners.add(item_id, target)
                elif name in relations["source"]:
                    owners.add(target, item_id)
    return owners


def _stated(attribute: Item, relation: str, reading: Reading, *, of_party: bool = False) -> list[tuple[str, str]]:
    """Return what an attribute states; relation: its place in an object, if any; of_party: that describes a party."""
    kind, value = attribute.get("type"), attribute.get("value")
    if not isinstance(kind, str) or not isinstance(value, str) or _is_deleted(attribute):
        reading.leave_out("attribute", "it was deleted, or has no value")
        return []
    innocent = _meanings()["innocent"]
    if attribute.get("category") in innocent["categories"] or kind in innocent["types"]:
        reading.leave_out("attribute", VICTIM)
        return []
    if kind in _meanings()["composite"]:
        parts = zip(_meanings()["composite"][kind], value.split("|"), strict=False)
        return [(prop, part) for prop, part in parts if prop] if of_party or _is_detected(attribute, reading) else []
    if prop := _meanings()["detected"].get(kind):
        return [(prop, value)] if of_party or _is_detected(attribute, reading) else []
    prop = _meanings()["described"].get(kind) or (_meanings()["relations"].get(relation) if kind == "text" else None)
    if prop is None:
        reading.leave_out("attribute", "its type states nothing that is compared")
        return []
    return [(prop, value)]


def _is_detected(attribute: Item, reading: Reading) -> bool:
    if attribute.get("to_ids") in (True, "1", 1):
        return True
    reading.leave_out("attribute", "it is not marked for detection (to_ids)")
    return False


def _is_deleted(item: Item) -> bool:
    return item.get("deleted") in (True, "1", 1)


def _name(attribute: Item) -> str:
    return str(attribute.get("object_relation") or "")


def _id(item: Item) -> str:
    return str(item.get("uuid") or item.get("id") or item.get("value") or "")


def _items(item: Item, name: str) -> list[Item]:
    value = item.get(name)
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []
