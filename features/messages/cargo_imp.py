"""IATA Cargo-IMP house manifests (FHL, versions 2 to 5): the text that airlines have long sent, to rows.

One message names its master waybill (MBI) and one or several houses (HBS), each followed by its free text (TXT),
tariff codes (HTS), customs information (OCI), shipper (SHP), consignee (CNE) and declared values (CVD).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from features.messages.bounds import Bounds
from features.messages.code_lists import POUND, airport_country, waybill
from features.messages.format import Format
from features.messages.masses import number_of
from features.messages.raw import Lines, Raw, UnreadableFile

LONGEST_LINE = 2_000  # characters; the format itself allows 70
START = re.compile(rb"^FHL/\d{1,2}\s*$", re.MULTILINE)
TAG = re.compile(r"^([A-Z]{3})(?:/(.*))?$")
ROUTE = re.compile(r"^(\S*?)([A-Z]{3})([A-Z]{3})$")
MASS = re.compile(r"^([KL])([0-9.,]{1,12})$")
NO_VALUE = {"", "NCV", "NVD", "XXX"}
TAGS = ("MBI", "HBS", "TXT", "HTS", "OCI", "SHP", "CNE", "CVD", "NAM", "ADR", "LOC")
OWNERS = {"SHP": "consignor", "CNE": "consignee"}


@dataclass(slots=True)
class _House:
    """One house while its lines are being read."""

    fields: dict[str, str | None]
    words: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    parties: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    notes: list[tuple[str, str]] = field(default_factory=list)
    customs: list[str] = field(default_factory=lambda: ["", "", ""])  # country, owner and kind of the last information
    pieces: str | None = None


def begins(content: bytes) -> bool:
    """Tell whether these bytes are an FHL, some lines of a teletype header before it allowed."""
    first = _one_end(content[:2_000])
    found = START.search(first)
    return found is not None and first[: found.start()].count(b"\n") <= 5


def _one_end(content: bytes) -> bytes:
    """Write the same text with one kind of line end."""
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def read_cargo_imp(content: bytes, name: str, bounds: Bounds) -> Raw:
    """Read the rows of one or several FHL messages; raises UnreadableFile where a line, or all, is longer than any."""
    bounds.check_size(len(content), name)
    lines, content = Lines(name, bounds), _one_end(content)
    bounds.check_signs(content.count(b"\n"), name)
    starts = [found.start() for found in START.finditer(content)]
    if not starts:
        raise UnreadableFile(f"{name}: no line that begins a message, such as FHL/4")
    first = ""
    for start, end in zip(starts, [*starts[1:], len(content)], strict=True):
        part = content[start:end]
        message_id = f"FHL-{hashlib.sha256(part.strip()).hexdigest()[:24]}"
        first = first or message_id
        _read_one(part.decode("utf-8", errors="replace").replace("\x00", " "), message_id, name, lines)
    return lines.raw("cargo-imp", first or name, {"message_id": first or name})


def _read_one(written: str, message_id: str, name: str, lines: Lines) -> None:
    master: dict[str, str | None] = {}
    houses: list[_House] = []
    for tag, rest in _segments(written, name):
        if tag == "MBI":
            master = _master(rest)
        elif tag == "HBS":
            houses.append(_house(rest))
        elif houses:
            _take(houses[-1], tag, rest)
    for house in houses:
        goods = _goods(house)
        level = {
            "stream": "express",
            "message_id": message_id,
            **master,
            **house.fields,
            **{k: v for role in ("consignor", "consignee") for k, v in _party(house, role).items()},
        }
        lines.add(level, goods, [*house.notes, ("lodged_at", "not stated; the time of arrival stands")])


def _segments(written: str, name: str) -> Iterator[tuple[str, str]]:
    """Split into tag and rest of each line; a line that begins with a stroke goes on with the tag before it."""
    tag = ""
    for number, line in enumerate(written.splitlines(), start=1):
        if len(line) > LONGEST_LINE:
            raise UnreadableFile(f"{name}: line {number} has more than {LONGEST_LINE} characters; no message has")
        line = line.strip()
        found = TAG.match(line)
        if line.startswith("/"):
            yield f"{tag}+", line[1:]
        elif found and (found.group(1) in TAGS or len(line) == 3):
            tag = found.group(1)
            yield tag, found.group(2) or ""


def _master(rest: str) -> dict[str, str | None]:
    parts = rest.split("/")
    found = ROUTE.match(parts[0])
    number = waybill(found.group(1) if found else parts[0])
    return {"transport_id": number, "operator": number[:3] if number else None}


def _house(rest: str) -> _House:
    parts = [part.strip() for part in rest.split("/")] + [""] * 6
    number, route, pieces, mass, units, words = parts[:6]
    house = _House({"consignment_id": number or None, "packages": pieces or None})
    if len(route) == 6:
        house.fields |= {
            "office": route[3:],
            "dispatch_country": airport_country(route[:3]),
            "destination_country": airport_country(route[3:]),
        }
    weighed = MASS.match(mass)
    amount = number_of(weighed[2]) if weighed else None
    if weighed and amount:
        kilograms = float(amount) * (POUND if weighed[1] == "L" else 1.0)
        house.fields["gross_mass_kg"] = f"{kilograms:.6g}"
    elif mass:
        house.notes.append(("gross_mass_kg", "not a mass in kilograms (K) or pounds (L); left out"))
    house.words, house.pieces = ([words] if words else []), units or None
    return house


def _take(house: _House, tag: str, rest: str) -> None:
    """Add what one line says of the house that it belongs to."""
    kind = tag.rstrip("+")
    if kind == "TXT":
        house.words = [*(house.words if tag.endswith("+") else []), rest.strip()]  # the full text replaces the short
    elif kind == "HTS":
        house.codes += [code for code in rest.split("/") if code.strip()]
    elif kind == "OCI":
        _customs(house, rest)
    elif kind in ("SHP", "CNE"):
        house.parties.setdefault(OWNERS[kind], []).append(("" if tag.endswith("+") else kind, rest))
    elif kind in ("NAM", "ADR", "LOC") and house.parties:
        house.parties[list(house.parties)[-1]].append((kind if not tag.endswith("+") else "", rest))
    elif kind == "CVD":
        parts = [part.strip() for part in rest.split("/")] + [""] * 5
        house.fields |= {"currency": parts[0] or None, "value": None if parts[3] in NO_VALUE else parts[3]}


def _customs(house: _House, rest: str) -> None:
    """Add customs information: country, whose it is, what it is, and the information.

    A field that is left empty repeats that of the line before: `OCI/CN/SHP/T/9133…`, then `///CT/86…`. Whose it is is
    stated anew with another country.
    """
    country, owner, stated, information = ([part.strip() for part in rest.split("/")] + [""] * 4)[:4]
    before = house.customs if not country or country == house.customs[0] else [country, "", ""]
    kind = stated or ("" if owner else before[2])
    house.customs = [country or before[0], owner or before[1], kind]
    role = OWNERS.get(house.customs[1])
    if role and kind == "T" and information and (stated or not house.fields.get(f"{role}_id")):
        house.fields[f"{role}_id"] = information
    elif role and kind == "CT" and information:
        house.fields.setdefault(f"{role}_phone", information)


def _party(house: _House, role: str) -> dict[str, str | None]:
    """Read name, street, place, country, postcode and contacts; by position, or by NAM, ADR and LOC."""
    written = house.parties.get(role, [])
    named = {kind: rest for kind, rest in written if kind in ("NAM", "ADR", "LOC")}
    if named:
        rows = [named.get("NAM", ""), named.get("ADR", ""), named.get("LOC", "")]
        rows += [rest for kind, rest in written if kind == ""][-1:]
    else:
        rows = [rest for _, rest in written]
    rows += [""] * (4 - len(rows))
    country, postcode, *contacts = [part.strip() for part in f"{rows[3]}/".split("/")]
    by_kind = dict(zip(contacts[0::2], contacts[1::2], strict=False))
    place = [part.strip() for part in rows[2].split("/")]
    fields = {
        f"{role}_name": rows[0].strip() or None,
        f"{role}_address": rows[1].strip() or None,
        f"{role}_city": " ".join(part for part in place if part) or None,
        f"{role}_country": country or None,
        f"{role}_postcode": postcode or None,
        f"{role}_email": by_kind.get("EM") or None,
    }
    return fields | ({f"{role}_phone": by_kind["TE"]} if by_kind.get("TE") else {})


def _goods(house: _House) -> list[dict[str, str | None]]:
    """Make one line a tariff code; the words hold for all of them, pieces and value are the first one's."""
    words = " ".join(word for word in house.words if word) or None
    currency, value = house.fields.pop("currency", None), house.fields.pop("value", None)
    first = {"hs_code": house.codes[0] if house.codes else None, "quantity": house.pieces, "value": value}
    first["currency"] = currency if value else None
    others: list[dict[str, str | None]] = [{"hs_code": code} for code in house.codes[1:]]
    lines = enumerate([first, *others], start=1)
    return [{"line_no": str(number), "description": words, **line} for number, line in lines]


FORMAT = Format(
    "cargo-imp",
    recognises=lambda opening, _: not (opening.is_xml or opening.is_json) and begins(opening.content),
    read=lambda content, name, _, bounds: read_cargo_imp(content, name, bounds),
)
