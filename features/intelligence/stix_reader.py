"""STIX 2.0 and 2.1 bundles: what belongs to a suspect is listed; victims, authors, witnesses and lenders are not."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from features.intelligence.contacts_in_text import contacts_in
from features.intelligence.statements import Reading, Row
from features.intelligence.stix_patterns import UNREAD, NotSimple, Paths, alternatives
from features.intelligence.stix_roles import Roles, texts
from features.intelligence.web_identities import placed

MEANINGS = Path(__file__).with_name("stix.toml")
Item: TypeAlias = dict[str, Any]
PLACE = frozenset(("country",))  # what a suspect may share with its victim


@cache
def meanings() -> dict[str, Any]:
    """Return what objects and relations mean (stix.toml)."""
    return tomllib.loads(MEANINGS.read_text(encoding="utf-8"))


def read_bundle(objects: Any, reading: Reading) -> Iterator[Row]:
    """Yield the statements of a bundle's objects on the suspects that they belong to."""
    items = _items(objects if isinstance(objects, list) else [], reading)
    roles = Roles(items, meanings(), reading)
    for item_id, item in items.items():
        if item.get("revoked") is True:
            reading.leave_out("object", "it was revoked")
        else:
            yield from _of_item(item_id, item, items, roles, reading)


def _items(objects: list[Any], reading: Reading) -> dict[str, Item]:
    """Return the newest version of each object, and the observables inside observed data."""
    items: dict[str, Item] = {}
    for item in objects:
        if not isinstance(item, dict) or not isinstance(item.get("id"), str):
            reading.problem(1, "objects without an identifier", "every object of a bundle has an id")
            continue
        known = items.get(item["id"])
        if known is None or str(known.get("modified", "")) <= str(item.get("modified", "")):
            items[item["id"]] = item
    for item_id, item in list(items.items()):
        if item.get("type") == "observed-data" and isinstance(item.get("objects"), dict):
            items |= _embedded(item_id, item["objects"])
    return items


def _embedded(observed: str, objects: Item) -> dict[str, Item]:
    """Return the observables of observed data of STIX 2.0, with references among them made whole."""
    embedded = {}
    for key, inner in objects.items():
        if isinstance(inner, dict):
            named = {
                name: [f"{observed}#{ref}" for ref in texts(value)] if name.endswith("_refs") else f"{observed}#{value}"
                for name, value in inner.items()
                if name.endswith(("_ref", "_refs"))
            }
            embedded[f"{observed}#{key}"] = {**inner, **named}
    return embedded


def _of_item(item_id: str, item: Item, items: dict[str, Item], roles: Roles, reading: Reading) -> Iterator[Row]:
    kind = kind_of(item)
    if kind in meanings()["silent"]["kinds"]:
        reading.leave_out(kind, "it states nothing that is compared")
        return
    if kind == "indicator":
        yield from _of_indicator(item_id, item, items, roles, reading)
        return
    if kind in ("relationship", "sighting", "observed-data"):
        return
    stated = list(_stated(kind, item))
    if kind not in meanings()["parties"] and kind not in meanings()["observables"]:
        reading.leave_out("object", "its type is not known")
        return
    if reason := roles.innocent.get(item_id):
        reading.leave_out(kind, reason)
        return
    yield from _on_heads(item_id, kind, stated, items, roles, reading)


def _on_heads(
    item_id: str, kind: str, stated: list[tuple[str, str]], items: dict[str, Item], roles: Roles, reading: Reading,
) -> Iterator[Row]:  # fmt: skip
    """Yield statements on each suspect that an object belongs to; where it is a victim's too, its country alone."""
    heads = roles.owners.heads(item_id)
    guilty = [head for head in heads if head not in roles.innocent]
    if len(guilty) < len(heads):
        reading.leave_out(kind, next(roles.innocent[head] for head in heads if head in roles.innocent))
        stated = [(prop, text) for prop, text in stated if prop in PLACE]
    if heads == (item_id,) and kind == "location":
        reading.leave_out(kind, "a place that belongs to nobody in the list")
        return
    for head in guilty:
        label = _label(items.get(head, {}), head)
        yield from ((head, label, prop, text) for prop, text in stated)


def _label(item: Item, item_id: str) -> str:
    name = item.get("name")
    return name if isinstance(name, str) and name else item_id


def _stated(kind: str, item: Item) -> Iterator[tuple[str, str]]:
    for name in meanings()["parties"].get(kind, ()):
        yield from (("name", text) for text in texts(item.get(name)))
    for name, prop in meanings()["observables"].get(kind, {}).items():
        if not (name == "user_id" and item.get("account_login")):
            platform = next(iter(texts(item.get("account_type"))), "")
            yield from placed(((prop, text) for text in texts(item.get(name))), platform)
    if kind == "location":
        parts = [text for name in meanings()["location"]["parts"] for text in texts(item.get(name))]
        yield from [("address", ", ".join(parts))] if texts(item.get("street_address")) else []
    if kind in ("identity", "persona"):
        for text in texts(item.get("contact_information")):
            yield from contacts_in(text)


def _of_indicator(item_id: str, item: Item, items: dict[str, Item], roles: Roles, reading: Reading) -> Iterator[Row]:
    """Yield the values of a pattern: on whom it indicates; else each alternative is a subject of its own."""
    kinds = {*texts(item.get("indicator_types")), *texts(item.get("labels"))}
    if kinds & set(meanings()["patterns"]["innocent"]):
        reading.leave_out("indicator", "it accuses nobody")
        return
    pattern = item.get("pattern")
    if item.get("pattern_type", "stix") != "stix" or not isinstance(pattern, str):
        reading.leave_out("indicator", "its pattern is in another language than STIX")
        return
    try:
        ways, left_out = alternatives(pattern, _paths())
    except NotSimple as fault:
        reading.leave_out("indicator", str(fault))
        return
    if left_out:
        reading.leave_out("alternative of an indicator" if ways else "indicator", UNREAD, left_out if ways else 1)
    owned = roles.owners.is_owned(item_id)
    for number, way in enumerate(ways):
        subject = item_id if len(ways) == 1 or owned else f"{item_id}#{number}"
        if owned:
            yield from _on_heads(item_id, "indicator", way, items, roles, reading)
        else:
            label = str(item.get("name") or way[0][1])
            yield from ((subject, label, prop, text) for prop, text in way)


@cache
def _paths() -> Paths:
    observables = meanings()["observables"]
    values = {
        f"{kind}:{name}": prop
        for kind, names in observables.items()
        for name, prop in names.items()
        if prop not in ("name", "country")
    }
    return Paths(values, frozenset(meanings()["patterns"]["qualifying"]))


def kind_of(item: Item) -> str:
    """Return the type of an object."""
    kind = item.get("type")
    return kind if isinstance(kind, str) else ""
