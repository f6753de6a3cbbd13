"""Postal item data (the content of ITMATT and CUSITM) and dispatch lists (PREDES), as XML or JSON, to rows.

Where each thing stands is said by a map (`postal.toml`), so that another operator's dialect needs no code.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import polars as pl

from features.consignment import NATURES
from features.contract import no_quarantine
from features.fault import Fault
from features.messages.codes import nature_of
from features.messages.hardened import Element, local_name, read_json, read_xml
from features.messages.raw import NOTED, STOWED, Lines, Raw
from features.messages.times import lodged

STANDARD = Path(__file__).with_name("postal.toml")
TABLES = ("message", "item", "consignor", "consignee", "piece", "receptacle", "words", "units")
KILOGRAMS = {"kg": 1.0, "kgm": 1.0, "k": 1.0, "g": 0.001, "grm": 0.001, "gram": 0.001, "grams": 0.001}
NAMES = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")
OWN = ""  # the key of a node's own text
UNIT = ("unit", "unitcode", "uom")
Node = dict[str, Any]  # name → list of nodes; OWN → text
Steps = tuple[str, ...]
Places = tuple[tuple[Steps, ...], ...]
PLACED = ("message", "item", "consignor", "consignee", "piece", "receptacle")


class PostalMapFault(Fault):
    """A map that cannot be used; names the table and key at fault."""


@dataclass(frozen=True, slots=True)
class PostalMap:
    """Where things stand in one operator's messages; the tables of `postal.toml`."""

    tables: Mapping[str, Mapping[str, Any]]
    paths: Mapping[tuple[str, str], Places]

    def places(self, table: str, key: str) -> Places:
        return self.paths[table, key]

    def names(self, key: str) -> frozenset[str]:
        """Names of the message table, as they are compared; and their plural, which an array may bear."""
        return frozenset(path[0] for parts in self.places("message", key) for path in parts)

    def word(self, kind: str, written: str) -> str | None:
        found: str | None = self.tables["words"][kind].get(" ".join(written.lower().split()))
        return found


def postal_map(own: Mapping[str, Any] | None = None) -> PostalMap:
    """The standard map, with the places of an operator's own where it states any; raises PostalMapFault."""
    standard = _standard()
    for table, keys in (own or {}).items():
        if table not in TABLES or not isinstance(keys, Mapping):
            raise PostalMapFault(f"postal.{table}: unknown; one of {', '.join(TABLES)}")
        for key, places in keys.items():
            _check(standard, table, key, places)
    merged = {table: {**standard[table], **(own or {}).get(table, {})} for table in TABLES}
    merged["words"] = {k: {**w, **(own or {}).get("words", {}).get(k, {})} for k, w in standard["words"].items()}
    paths = {
        (table, key): tuple(_parts(place) for place in places)
        for table in PLACED
        for key, places in merged[table].items()
    }
    return PostalMap(merged, paths)


def _parts(place: str) -> tuple[Steps, ...]:
    """`a/b + c` as paths of names: those that stand beside one another, each step by step."""
    return tuple(tuple(map(_plain, part.split("/"))) for part in place.split("+"))


@lru_cache(maxsize=1)
def _standard() -> dict[str, Any]:
    return tomllib.loads(STANDARD.read_text(encoding="utf-8"))


def _check(standard: Mapping[str, Any], table: str, key: str, places: Any) -> None:
    if key not in standard[table]:
        raise PostalMapFault(f"postal.{table}.{key}: unknown; one of {', '.join(standard[table])}")
    if table == "words":
        if not isinstance(places, Mapping) or not all(isinstance(word, str) for word in places.values()):
            raise PostalMapFault(f"postal.words.{key}: needs words, each with ours")
    elif table == "units":
        if places not in ("kg", "g"):
            raise PostalMapFault("postal.units.mass: needs kg or g")
    elif not isinstance(places, list) or not all(isinstance(place, str) and place.strip() for place in places):
        raise PostalMapFault(f'postal.{table}.{key}: needs a list of places such as ["itemId"]')


def read_postal_xml(content: bytes, name: str, places: PostalMap) -> Raw:
    """Rows of a postal message in XML; raises UnreadableFile where the XML itself cannot be read."""
    reading = _Reading(places)
    written = {found.decode("ascii", "replace") for found in set(NAMES.findall(content))}
    wanted = places.names("items") | places.names("receptacles")

    def take(element: Element) -> None:
        if _plain(local_name(element)) in places.names("receptacles"):
            reading.receptacle(_tree(element))
        elif not any(_plain(local_name(above)) in wanted for above in element.iterancestors()):
            reading.item(_tree(element))

    keep = {local for local in written if _plain(local) in places.names("receptacles")}
    each = {local: take for local in written if _plain(local) in wanted}
    root = read_xml(content, name, each, within=keep)
    return reading.raw(_tree(root), content)


def read_postal_json(content: bytes, name: str, places: PostalMap) -> Raw:
    """Rows of a postal message in JSON; raises UnreadableFile where the JSON itself cannot be read."""
    reading, root = _Reading(places), _node(read_json(content, name))
    for receptacle in _everywhere(root, places.names("receptacles")):
        reading.receptacle(receptacle)
    for item in _everywhere(root, places.names("items"), outside=places.names("receptacles")):
        reading.item(item)
    return reading.raw(root, content)


def is_postal(names: Sequence[str], places: PostalMap) -> bool:
    """Whether a root element, or the keys of a JSON object, are those of a postal message."""
    known = [places.names(key) for key in ("item_matter", "dispatch", "items", "receptacles")]
    return any(_plain(name) in some or _plain(name).removesuffix("s") in some for name in names for some in known)


class _Reading:
    """Items and receptacles as they are met; the message around them is known only at its end."""

    def __init__(self, places: PostalMap) -> None:
        self._map = places
        self._items: list[tuple[Node, list[Node]]] = []
        self._stowed: list[tuple[str, str]] = []
        self._unnamed = 0

    def item(self, node: Node) -> None:
        self._items.append((node, list(_everywhere(node, self._map.names("pieces")))))

    def receptacle(self, node: Node) -> None:
        found = self._told(node, "receptacle", "receptacle_id")
        items = list(_everywhere(node, self._map.names("items")))
        if found is None:
            self._unnamed += len(items)
            return
        stowed = (self._told(item, "receptacle", "item_id") for item in items)
        self._stowed += [(item, found) for item in stowed if item]

    def raw(self, root: Node, content: bytes) -> Raw:
        """All of it as rows; what holds for the message is stated beside each item that does not say so itself."""
        message = self._message(root)
        message_id = self._told(message, "message", "message_id") or _by_content(content)
        lines = Lines()
        sent = self._told(message, "message", "sent_at")
        function = self._told(message, "message", "function")
        operator = self._told(message, "message", "operator")
        for node, pieces in self._items:
            self._add(lines, node, pieces, sent, function, operator)
        if not len(lines):
            raw = Raw(_no_rows(), no_quarantine(), "postal", header={"message_id": message_id})
        else:
            raw = lines.raw("postal", message_id, {"message_id": message_id})
        lost = [(1, "transport_id", "items in a receptacle without a number")] if self._unnamed else []
        noted = pl.concat([raw.noted, pl.DataFrame(lost, schema=NOTED, orient="row")])
        stowed = pl.DataFrame(sorted(set(self._stowed)), schema=STOWED, orient="row")
        return Raw(raw.rows, raw.broken, "postal", noted, raw.header, stowed)

    def _message(self, root: Node) -> Node:
        """The node that the message itself is: the root, or the only thing in it."""
        named = self._map.names("item_matter") | self._map.names("dispatch")
        return next((nodes[0] for key, nodes in root.items() if key in named), root)

    def _add(
        self, lines: Lines, node: Node, pieces: list[Node], sent: str | None, function: str | None, operator: str | None
    ) -> None:
        level = {key: self._told(node, "item", key) for key in self._map.tables["item"]}
        lodged_at, notes = lodged(level["lodged_at"] or sent)
        written = level.pop("function") or function
        purpose = self._map.word("function", written) if written else None
        if written and purpose is None:
            notes.append(("purpose", "an unknown function of the message; left out"))
        parties = {k: v for role in ("consignor", "consignee") for k, v in self._party(node, role).items()}
        mass, odd = self._mass(node, "item", "gross_mass_kg")
        nature, what = self._nature(level["nature"])
        level |= {
            "stream": "postal",
            "lodged_at": lodged_at,
            "purpose": purpose,
            "operator": level["operator"] or operator,
            "gross_mass_kg": mass,
            "packages": level["packages"] or "1",  # an item is one package unless it says otherwise
            "nature": nature,
            "dispatch_country": _country(level["dispatch_country"]) or _country(parties["consignor_country"]),
            "destination_country": _country(level["destination_country"]) or _country(parties["consignee_country"]),
            **parties,
        }
        goods = []
        for piece in pieces:
            line = {key: self._told(piece, "piece", key) for key in self._map.tables["piece"]}
            line["net_mass_kg"], strange = self._mass(piece, "piece", "net_mass_kg")
            odd += strange
            goods.append(line)
        lines.add(level, goods, [*notes, *odd, *what])

    def _nature(self, written: str | None) -> tuple[str | None, list[tuple[str, str]]]:
        if written is None:
            return None, []
        own = self._map.word("nature", written)
        if own in NATURES:
            return own, []
        nature = nature_of(written)
        odd = nature == "other" and written.strip() not in ("99", "999")
        return nature, [("nature", "an unknown nature of the transaction; taken for other")] if odd else []

    def _mass(self, node: Node, table: str, key: str) -> tuple[str | None, list[tuple[str, str]]]:
        found = self._found(node, table, key)
        if found is None:
            return None, []
        written = found[OWN]
        unit = next((found[name][0][OWN].lower() for name in UNIT if name in found), self._map.tables["units"]["mass"])
        if unit not in KILOGRAMS:
            return None, [(key, "an unknown unit of mass; left out")]
        try:
            return (written if KILOGRAMS[unit] == 1.0 else f"{float(written) * KILOGRAMS[unit]:.9g}"), []
        except ValueError:
            return written, []  # the gate says what is wrong with it

    def _party(self, node: Node, role: str) -> dict[str, str | None]:
        keys = [key for key in self._map.tables[role] if key != "within"]
        within = (_at(node, parts[0]) for parts in self._map.places(role, "within"))
        party = next((found for found in within if found), None)
        return {f"{role}_{key}": self._told(party, role, key) if party else None for key in keys}

    def _told(self, node: Node, table: str, key: str) -> str | None:
        """The text at the first place that has one."""
        for parts in self._map.places(table, key):
            if len(parts) == 1:
                found = _at(node, parts[0])
                told = found.get(OWN) if found else None
            else:
                beside = [_at(node, path) for path in parts]
                told = " ".join(part[OWN] for part in beside if part and part.get(OWN))
            if told:
                return str(told)
        return None

    def _found(self, node: Node, table: str, key: str) -> Node | None:
        found = (_at(node, parts[0]) for parts in self._map.places(table, key))
        return next((one for one in found if one and one.get(OWN)), None)


def _no_rows() -> pl.DataFrame:
    return pl.DataFrame(schema={"line": pl.Int64})


def _by_content(content: bytes) -> str:
    return f"postal-{hashlib.sha256(content).hexdigest()[:24]}"


def _country(written: str | None) -> str | None:
    """The country of a place: of an exchange office's code its first two letters."""
    return written[:2] if written and len(written) == 6 else written


@lru_cache(maxsize=4096)
def _plain(name: str) -> str:
    """A name as it is compared."""
    return re.sub(r"[-_\s.]", "", name).lower()


def _tree(element: Element) -> Node:
    """An element as a node: attributes and children by name, its own text."""
    node: Node = {}
    for key, value in element.attrib.items():
        node.setdefault(_plain(str(key).rpartition("}")[2]), []).append({OWN: str(value).strip()})
    for child in element:
        if isinstance(child.tag, str):
            node.setdefault(_plain(local_name(child)), []).append(_tree(child))
    if text := " ".join((element.text or "").split()):
        node[OWN] = text
    return node


def _node(value: Any) -> Node:
    """A JSON value as a node."""
    if isinstance(value, dict):
        node: Node = {}
        for key, one in value.items():
            members = one if isinstance(one, list) else [one]
            node.setdefault(_plain(key) or "unnamed", []).extend(_node(member) for member in members)
        return node
    if isinstance(value, list):
        return {"unnamed": [_node(member) for member in value]}
    if value is None or value == "":
        return {}
    text = str(value).lower() if isinstance(value, bool) else " ".join(str(value).split())
    return {OWN: text.encode("utf-8", "replace").decode()}  # half a character is none


def _at(node: Node, path: Steps) -> Node | None:
    """The first node along a path of names."""
    for step in path:
        found = node.get(step)
        if not found:
            return None
        node = found[0]
    return node


def _everywhere(node: Node, names: frozenset[str], outside: frozenset[str] = frozenset()) -> Iterator[Node]:
    """All nodes of those names, or of their plural, at any depth; not those within one another, nor within `outside`.

    A plural that holds nodes of the name itself is only what they stand in.
    """
    for key, members in node.items():
        if key == OWN or _is_one_of(key, outside):
            continue
        for member in members:
            if key in names or (key.removesuffix("s") in names and not any(name in member for name in names)):
                yield member
            else:
                yield from _everywhere(member, names, outside)


def _is_one_of(key: str, names: frozenset[str]) -> bool:
    return key in names or key.removesuffix("s") in names
