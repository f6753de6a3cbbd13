"""Postal item data (the content of ITMATT and CUSITM) and dispatch lists (PREDES), as XML or JSON, to rows.

Where each thing stands is said by a map (`postal.toml`), so that another operator's dialect needs no code.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import polars as pl

from features.consignment import NATURES
from features.contract import no_quarantine
from features.item_numbers import item_number
from features.messages.bounds import Bounds
from features.messages.code_lists import nature_of
from features.messages.format import Format, Opening
from features.messages.hardened import Element, local_name, read_xml
from features.messages.mapping import Mapping
from features.messages.postal_map import PostalMap, plain
from features.messages.postal_mass import general_unit, mass_at
from features.messages.postal_nodes import TEXT, Node, everywhere, first_at, node_of, texts_at, tree_of
from features.messages.raw import NOTED, STOWED, Lines, Raw
from features.messages.strict_json import read_json
from features.messages.times import lodged

NAMES = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")


def read_postal_xml(content: bytes, name: str, places: PostalMap, bounds: Bounds) -> Raw:
    """Read the rows of a postal message in XML; raises UnreadableFile where the XML itself cannot be read."""
    reading = _Reading(places, name, bounds)
    written = {found.decode("ascii", "replace") for found in set(NAMES.findall(content))}
    wanted = places.names("items") | places.names("receptacles")

    def take(element: Element) -> None:
        if plain(local_name(element)) in places.names("receptacles"):
            reading.receptacle(tree_of(element))
        elif not any(plain(local_name(above)) in wanted for above in element.iterancestors()):
            reading.item(tree_of(element))

    keep = {local for local in written if plain(local) in places.names("receptacles")}
    each = {local: take for local in written if plain(local) in wanted}
    root = read_xml(content, name, bounds, each, within=keep)
    return reading.raw(tree_of(root), content)


def read_postal_json(content: bytes, name: str, places: PostalMap, bounds: Bounds) -> Raw:
    """Read the rows of a postal message in JSON; raises UnreadableFile where the JSON itself cannot be read."""
    reading, root = _Reading(places, name, bounds), node_of(read_json(content, name, bounds))
    for receptacle in everywhere(root, places.names("receptacles")):
        reading.receptacle(receptacle)
    for item in everywhere(root, places.names("items"), outside=places.names("receptacles")):
        reading.item(item)
    return reading.raw(root, content)


def is_postal(names: Sequence[str], places: PostalMap) -> bool:
    """Tell whether a root element, or the keys of a JSON object, are those of a postal message."""
    known = [places.names(key) for key in ("item_matter", "dispatch", "items", "receptacles")]
    return any(plain(name) in group or plain(name).removesuffix("s") in group for name in names for group in known)


class _Reading:
    """Items and receptacles as they are met; the message around them is known only at its end."""

    def __init__(self, places: PostalMap, name: str, bounds: Bounds) -> None:
        self._map = places
        self._lines, self._name, self._bounds = Lines(name, bounds), name, bounds
        self._items: list[tuple[Node, list[Node]]] = []
        self._stowed: list[tuple[str, str]] = []
        self._unnamed = 0
        self._unit: str | None = None  # of the masses of the whole message, where it states one
        self._usual: str = places.tables["units"]["mass"]

    def item(self, node: Node) -> None:
        self._bounds.check_rows(len(self._items) + 1, 1, self._name)
        self._items.append((node, list(everywhere(node, self._map.names("pieces")))))

    def receptacle(self, node: Node) -> None:
        found = self._text(node, "receptacle", "receptacle_id")
        items = list(everywhere(node, self._map.names("items")))
        if found is None:
            self._unnamed += len(items)
            return
        stowed = (self._text(item, "receptacle", "item_id") for item in items)
        self._stowed += [(item_number(item), found) for item in stowed if item]

    def raw(self, root: Node, content: bytes) -> Raw:
        """Return all of it as rows; what holds for the message is stated for each item that does not say so itself."""
        message = self._message(root)
        self._unit = general_unit(message)
        message_id = self._text(message, "message", "message_id") or _by_content(content)
        lines = self._lines
        sent = self._text(message, "message", "sent_at")
        function = self._text(message, "message", "function")
        operator = self._text(message, "message", "operator")
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
        """Find the node that the message itself is: the root, or the only thing in it."""
        named = self._map.names("item_matter") | self._map.names("dispatch")
        return next((nodes[0] for key, nodes in root.items() if key in named), root)

    def _add(
        self, lines: Lines, node: Node, pieces: list[Node], sent: str | None, function: str | None, operator: str | None
    ) -> None:
        level = {key: self._text(node, "item", key) for key in self._map.tables["item"]}
        lodged_at, notes = lodged(level["lodged_at"] or sent)
        written = level.pop("function") or function
        purpose = self._map.word("function", written) if written else None
        if written and purpose is None:
            notes.append(("purpose", "an unknown function of the message; left out"))
        parties = {k: v for role in ("consignor", "consignee") for k, v in self._party(node, role).items()}
        gross = mass_at(node, self._map.places("item", "gross_mass_kg"), self._unit, self._usual)
        odd = gross.told("gross_mass_kg")
        nature, what = self._nature(level["nature"])
        level |= {
            "stream": "postal",
            "lodged_at": lodged_at,
            "purpose": purpose,
            "operator": level["operator"] or operator,
            "gross_mass_kg": gross.kilograms,
            "packages": level["packages"] or "1",  # an item is one package unless it says otherwise
            "nature": nature,
            "dispatch_country": _country(level["dispatch_country"]) or _country(parties["consignor_country"]),
            "destination_country": _country(level["destination_country"]) or _country(parties["consignee_country"]),
            **parties,
        }
        goods = []
        for piece in pieces:
            line = {key: self._text(piece, "piece", key) for key in self._map.tables["piece"]}
            net = mass_at(piece, self._map.places("piece", "net_mass_kg"), gross.unit, self._usual)
            line["net_mass_kg"] = net.kilograms
            odd += net.told("net_mass_kg")
            goods.append(line)
        lines.add(level, goods, [*notes, *odd, *what])

    def _nature(self, written: str | None) -> tuple[str | None, list[tuple[str, str]]]:
        if written is None:
            return None, []
        known = self._map.word("nature", written)
        if known in NATURES:
            return known, []
        nature = nature_of(written)
        odd = nature == "other" and written.strip() not in ("99", "999")
        return nature, [("nature", "an unknown nature of the transaction; taken for other")] if odd else []

    def _party(self, node: Node, role: str) -> dict[str, str | None]:
        keys = [key for key in self._map.tables[role] if key != "within"]
        within = (first_at(node, parts[0]) for parts in self._map.places(role, "within"))
        party = next((found for found in within if found), None)
        return {f"{role}_{key}": self._text(party, role, key) if party else None for key in keys}

    def _text(self, node: Node, table: str, key: str) -> str | None:
        """Return the text at the first place that has one."""
        for parts in self._map.places(table, key):
            if parts[0][0] not in node and len(parts) == 1:
                continue
            if key == "address":  # a list of lines is one address
                written = " ".join(text for path in parts for text in texts_at(node, path))
            elif len(parts) == 1:
                found = first_at(node, parts[0])
                written = found.get(TEXT, "") if found else ""
            else:
                nodes = [first_at(node, path) for path in parts]
                written = " ".join(part[TEXT] for part in nodes if part and part.get(TEXT))
            if written:
                return written
        return None


def _no_rows() -> pl.DataFrame:
    return pl.DataFrame(schema={"line": pl.Int64})


def _by_content(content: bytes) -> str:
    return f"postal-{hashlib.sha256(content).hexdigest()[:24]}"


def _country(written: str | None) -> str | None:
    """Return the country of a place: of an exchange office's code its first two letters."""
    return written[:2] if written and len(written) == 6 else written


def _recognised(opening: Opening, mapping: Mapping) -> bool:
    return is_postal([opening.root] if opening.is_xml else opening.keys, mapping.postal)


def _read(content: bytes, name: str, mapping: Mapping, bounds: Bounds) -> Raw:
    read = read_postal_xml if Opening(content).is_xml else read_postal_json
    return read(content, name, mapping.postal, bounds)


FORMAT = Format("postal", recognises=_recognised, read=_read)
