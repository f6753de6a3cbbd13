"""IATA Cargo-XML: house waybills (XFZB-3) and master waybills (XFWB-3) to rows.

Element names are read without their namespace, for senders write `rsm:` and `ram:`, other prefixes, or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from features.messages.bounds import Bounds
from features.messages.code_lists import POUND, airport_country, waybill
from features.messages.format import Format
from features.messages.hardened import Element, child, children, local_name, read_xml, text
from features.messages.masses import UNKNOWN_UNIT, unit_of
from features.messages.raw import Lines, Raw
from features.messages.times import lodged

ROOTS = ("HouseWaybill", "Waybill")
PURPOSES = {"creation": "original", "original": "original", "update": "amendment", "deletion": "cancellation"}
TRADER, CONTACT_PHONE = "T", "CT"  # content codes of customs notes: trader identification, contact telephone
SUBJECTS = {"consignor": "SHP", "consignee": "CNE"}
DIFFERENCE = 0.02  # of masses: more than rounding


def read_cargo_xml(content: bytes, name: str, bounds: Bounds) -> Raw:
    """Read the rows of one waybill; raises UnreadableFile where the XML itself cannot be read."""
    root = read_xml(content, name, bounds, {})
    header, master = child(root, "MessageHeaderDocument"), child(root, "MasterConsignment")
    written = (text(header, "PurposeCode") or "").lower()
    lodged_at, notes = lodged(text(header, "IssueDateTime"))
    if written and written not in PURPOSES:
        notes.append(("purpose", "an unknown purpose; left out"))
    level = {
        "stream": "express",
        "lodged_at": lodged_at,
        "purpose": PURPOSES.get(written),
        "operator": _carrier(master),
    }
    lines = Lines(name, bounds)
    if local_name(root) == "HouseWaybill":
        houses = list(children(master, "IncludedHouseConsignment"))
        alone = text(root, "BusinessHeaderDocument", "ID") if len(houses) == 1 else None
        number = waybill(text(master, "TransportContractDocument", "ID"))
        for house in houses:
            numbers = {"consignment_id": text(house, "ID") or alone, "transport_id": number}
            items = list(children(house, "IncludedHouseConsignmentItem"))
            _add(lines, house, items, level | numbers, notes)
    elif master is not None:
        number = waybill(text(root, "BusinessHeaderDocument", "ID"))
        numbers = {"consignment_id": number, "transport_id": number}
        rated = [i for rating in children(master, "ApplicableRating") for i in _items(rating)]
        _add(lines, master, rated, level | numbers, notes + _consolidated(root))
    answer = {"message_id": text(header, "ID") or name, "waybill": number or ""} if len(lines) else {}
    return lines.raw("cargo-xml", text(header, "ID") or name, answer)


def _items(rating: Element) -> list[Element]:
    return [
        item for kind in ("IncludedMasterConsignmentItem", "IncludedConsignmentItem") for item in children(rating, kind)
    ]


def _consolidated(root: Element) -> list[tuple[str, str]]:
    notes = children(child(root, "BusinessHeaderDocument"), "IncludedHeaderNote")
    consolidated = any(text(note, "ContentCode") == "C" for note in notes)
    return [("description", "a consolidation; what is in it is declared by its house waybills")] if consolidated else []


def _add(
    lines: Lines, consignment: Element, items: Sequence[Element], level: dict[str, str | None], notes: list[Any]
) -> None:
    origin, destination = text(consignment, "OriginLocation", "ID"), text(consignment, "FinalDestinationLocation", "ID")
    gross, odd = _mass(child(consignment, "IncludedTareGrossWeightMeasure"), "gross_mass_kg")
    summary = text(consignment, "SummaryDescription")
    goods = [_line(item, summary) for item in items]
    if not goods and summary:
        goods = [{"description": summary}]
    _share_description(goods)
    amount = child(consignment, "DeclaredValueForCustomsAmount")
    if amount is not None and goods and not any(line.get("value") for line in goods):
        goods[0] |= {"value": text(amount), "currency": amount.get("currencyID")}  # of all lines: the first bears it
    stated = {
        "office": destination,
        "dispatch_country": airport_country(origin),
        "destination_country": airport_country(destination),
        "gross_mass_kg": gross,
        "packages": text(consignment, "TotalPieceQuantity"),
        **_party(consignment, "consignor", "ConsignorParty"),
        **_party(consignment, "consignee", "ConsigneeParty"),
    }
    lines.add(level | stated, goods, [*notes, *odd, *_disagreements(consignment, items, gross)])


def _carrier(master: Element | None) -> str | None:
    """Return the carrier's code: of the first flight, else the number that its waybills begin with."""
    flight = child(master, "SpecifiedLogisticsTransportMovement")
    number = waybill(text(master, "TransportContractDocument", "ID"))
    named = text(flight, "UsedLogisticsTransportMeans", "Name") or (text(flight, "ID") or "")[:2]
    return named or (number[:3] if number else None)


def _line(item: Element, summary: str | None) -> dict[str, str | None]:
    amount = child(item, "DeclaredValueForCustomsAmount")
    return {
        "line_no": text(item, "SequenceNumeric"),
        "description": text(item, "NatureIdentificationTransportCargo", "Identification") or summary,
        "hs_code": text(item, "TypeCode"),
        "quantity": text(item, "PackageQuantity") or text(item, "PieceQuantity"),
        "net_mass_kg": _mass(child(item, "NetWeightMeasure"), "net_mass_kg")[0],
        "value": text(amount),
        "currency": amount.get("currencyID") if amount is not None else None,
        "goods_origin_country": text(item, "OriginCountry", "ID"),
    }


def _share_description(goods: list[dict[str, str | None]]) -> None:
    """Describe lines without words by those before them: a waybill may give further codes so."""
    last: str | None = None
    for line in goods:
        last = line["description"] = line.get("description") or last


def _mass(measure: Element | None, field: str) -> tuple[str | None, list[tuple[str, str]]]:
    written = text(measure)
    if measure is None or written is None:
        return None, []
    unit = measure.get("unitCode") or "KGM"
    kilograms = POUND if unit.upper() == "L" else unit_of(unit)
    if kilograms is None:
        return None, [(field, UNKNOWN_UNIT)]
    return written if kilograms == 1.0 else _times(written, kilograms), []


def _times(written: str, factor: float) -> str:
    try:
        return f"{float(written) * factor:.6g}"
    except ValueError:
        return written  # the gate says what is wrong with it


def _party(consignment: Element, role: str, name: str) -> dict[str, str | None]:
    party = child(consignment, name)
    address, contact = child(party, "PostalStructuredAddress"), child(party, "DefinedTradeContact")
    notes = [
        (text(note, "ContentCode"), text(note, "Content"))
        for note in children(consignment, "IncludedCustomsNote")
        if text(note, "SubjectCode") == SUBJECTS[role]
    ]
    of_customs = dict(reversed(notes))
    return {
        f"{role}_name": text(party, "Name"),
        f"{role}_address": text(address, "StreetName") or text(address, "PostOfficeBox"),
        f"{role}_city": text(address, "CityName"),
        f"{role}_postcode": text(address, "PostcodeCode"),
        f"{role}_country": text(address, "CountryID"),
        f"{role}_phone": text(contact, "DirectTelephoneCommunication", "CompleteNumber")
        or of_customs.get(CONTACT_PHONE),
        f"{role}_email": text(contact, "URIEmailCommunication", "URIID"),
        f"{role}_id": of_customs.get(TRADER) or text(party, "AccountID"),
    }


def _disagreements(consignment: Element, items: Sequence[Element], gross: str | None) -> list[tuple[str, str]]:
    """Find totals that their lines do not come to."""
    found = []
    pieces = [_number(text(item, "PieceQuantity")) for item in items]
    total = _number(text(consignment, "TotalPieceQuantity"))
    stated = [n for n in pieces if n is not None]
    if total is not None and stated and sum(stated) != total:
        found.append(("packages", "the total and its lines disagree"))
    masses = [_number(_mass(child(item, "GrossWeightMeasure"), "")[0]) for item in items]
    known, whole = [mass for mass in masses if mass is not None], _number(gross)
    if whole and known and abs(sum(known) - whole) > DIFFERENCE * whole:
        found.append(("gross_mass_kg", "the total and its lines disagree"))
    return found


def _number(written: str | None) -> float | None:
    try:
        return float(written) if written is not None else None
    except ValueError:
        return None


FORMAT = Format(
    "cargo-xml",
    recognises=lambda opening, _: opening.root in ROOTS,
    read=lambda content, name, _, bounds: read_cargo_xml(content, name, bounds),
)
