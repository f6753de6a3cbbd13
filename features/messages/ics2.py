"""ICS2 entry summary data as a risk analysis request carries them (IE4R05): house consignments to rows.

Namespace `urn:wco:datamodel:eu:ics2:2`. The pre-loading data (relatedPLACI, as in F32 and F43) and the full declaration
(relatedENS) may both describe a house; the fuller one, the declaration, is then read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from features.messages.codes import is_receptacle, is_s10, nature_of
from features.messages.hardened import Element, child, children, local_name, read_xml, text
from features.messages.raw import Lines, Raw
from features.messages.times import lodged

ROOT = "IE4R05"
HOUSE, MASTER = "consignmentHouseLevel", "consignmentMasterLevel"
DECLARED_IN = ("relatedPLACI", "relatedENS")  # a house elsewhere is only pointed at, by a recommendation or a result
IOSS_ROLE = "FR5"  # role of a vendor's import one-stop shop number among the additional fiscal references


@dataclass(frozen=True, slots=True)
class _House:
    """A house as read, beside where it was declared."""

    consignment: dict[str, str | None]
    goods: list[dict[str, str | None]]
    notes: list[tuple[str, str]]


def read_ics2(content: bytes, name: str) -> Raw:
    """Rows of one IE4R05 message; raises UnreadableFile where the XML itself cannot be read."""
    houses: list[tuple[str, _House]] = []

    def take(house: Element) -> None:
        master = house.getparent()
        above = master.getparent() if master is not None else None
        if above is not None and local_name(master) == MASTER and local_name(above) in DECLARED_IN:
            houses.append((local_name(above), _house(house)))

    root = read_xml(content, name, {HOUSE: take})
    message_id = text(root, "MessageHeader", "messageId") or name
    if not houses:  # a consignment without houses is declared at master level
        for part in _declared(root):
            houses += [(local_name(part), _house(master)) for master in children(part, MASTER)]
    lines = Lines()
    common = {part: _common(root, part) for part in DECLARED_IN}
    lodged_at, notes = lodged(_moment(root))
    for part, house in _fullest(houses):
        stated = {key: value for key, value in house.consignment.items() if value}
        level = {**common[part], **stated, "lodged_at": lodged_at}
        level["stream"] = _stream(level, common[part].get("circumstance"))
        if level["stream"] == "postal":
            level = _by_post(level)
        lines.add(level, house.goods, [*house.notes, *notes])
    return lines.raw("ics2", message_id, _header(root))


def _fullest(houses: list[tuple[str, _House]]) -> list[tuple[str, _House]]:
    """Each house once, as the full declaration has it where there is one; those without a number all stand."""
    best: dict[str, tuple[str, _House]] = {}
    for place, (part, house) in enumerate(houses):
        key = house.consignment.get("consignment_id") or f"#{place}"
        if key not in best or part == "relatedENS":
            best[key] = (part, house)
    return list(best.values())


def _declared(root: Element) -> Iterator[Element]:
    for part in DECLARED_IN:
        yield from children(root, part)


def _header(root: Element) -> dict[str, str]:
    """What an answer refers to."""
    told = {
        "functional_reference": text(root, "functionalReference"),
        "message_id": text(root, "MessageHeader", "messageId"),
        "sender": text(root, "MessageHeader", "messageSender"),
        "recipient": text(root, "MessageHeader", "messageRecipient"),
    }
    for part in _declared(root):
        analysis = child(part, "airPreloadingRiskAnalysis", "riskAnalysis")
        analysis = analysis if analysis is not None else child(part, "fullRiskAnalysis", "riskAnalysis")
        told["risk_analysis_reference"] = text(analysis, "riskAnalysisRequestReference") or told.get(
            "risk_analysis_reference"
        )
        told["member_state"] = text(analysis, "responsibleMemberState", "country") or told.get("member_state")
        told["mrn"] = text(part, "MRN") or text(part, "partialENSFilingHeader", "MRN") or told.get("mrn")
    return {key: value for key, value in told.items() if value}


def _moment(root: Element) -> str | None:
    """When the declaration was registered; the message's own time where that is not stated."""
    for part in _declared(root):
        filing = child(part, "partialENSFilingHeader")
        for path in (("registrationDate", "DateTime"), ("documentIssueDate", "DateTime")):
            if found := text(filing, *path):
                return found
        if found := text(part, "DocumentIssueDate", "DateTime"):
            return found
    return text(root, "MessageHeader", "messageTimestamp")


def _common(root: Element, part: str) -> dict[str, str | None]:
    """What holds for all houses of one part of the message."""
    declared = child(root, part)
    master = child(declared, MASTER)
    circumstance = text(declared, "SpecificCircumstanceIndicator") or text(
        declared, "partialENSFilingHeader", "SpecificCircumstanceIndicator"
    )
    transport = text(master, "transportDocumentMasterLevel", "documentNumber")
    receptacle = text(master, "receptacle", "receptacleIdentificationNumber")
    means = child(declared, "activeBorderTransportMeans")
    return {
        "circumstance": circumstance,
        "mail_class": circumstance,
        "transport_id": receptacle or transport or text(means, "conveyanceReferenceNumber"),
        "operator": text(master, "carrier", "identificationNumber"),
        "office": text(declared, "customsOfficeOfFirstEntry", "referenceNumber"),
        **_route(means, "countriesOfRoutingOfMeansOfTransport"),
    }


def _route(element: Element | None, name: str) -> dict[str, str | None]:
    """Countries of routing, in order: the first is that of dispatch, the last that of destination."""
    countries = [country for step in children(element, name) if (country := text(step, "country"))]
    return {
        "dispatch_country": countries[0] if len(countries) > 1 else None,
        "destination_country": countries[-1] if len(countries) > 1 else None,
        "transit_countries": ";".join(countries[1:-1]) or None,
    }


def _house(house: Element) -> _House:
    route = _route(house, "countriesOfRoutingOfConsignment")
    accepted, delivered = _place(house, "placeOfAcceptance"), _place(house, "placeOfDelivery")
    charges = child(house, "postalCharges", "postalCharges")
    items = list(children(house, "goodsItem"))
    packages = [n for item in items for pack in children(item, "packaging") if (n := text(pack, "numberOfPackages"))]
    seller = child(house, "goodsShipment", "seller")
    document = text(house, "transportDocumentHouseLevel", "documentNumber")
    level = {
        "consignment_id": document or text(house, "transportDocumentMasterLevel", "documentNumber"),
        "gross_mass_kg": text(house, "totalGrossMass"),
        "packages": str(sum(int(n) for n in packages)) if packages and all(map(_whole, packages)) else None,
        "postage": charges.get("value") if charges is not None else None,
        "operator": text(house, "carrier", "identificationNumber"),
        "transport_id": text(house, "receptacle", "receptacleIdentificationNumber")
        or text(house, "transportDocumentMasterLevel", "documentNumber"),
        "dispatch_country": accepted or route["dispatch_country"],
        "destination_country": delivered or route["destination_country"],
        "transit_countries": route["transit_countries"],
        "ioss": _ioss(house),
        "seller_account": text(seller, "identificationNumber") or text(seller, "name"),
        "nature": next((nature_of(kind) for item in items if (kind := text(item, "typeOfGoods"))), None),
        **_party(child(house, "consignor"), "consignor"),
        **_party(child(house, "consignee"), "consignee"),
    }
    notes = [] if len(packages) == len(items) or not packages else [("packages", "not stated for every goods item")]
    goods = [_line(item) for item in items]
    invoiced = child(house, "totalAmountInvoiced")
    if invoiced is not None and goods and not any(line["value"] for line in goods):
        goods[0] |= {"value": invoiced.get("value"), "currency": invoiced.get("currency")}  # of all: the first bears it
    return _House(level, goods, notes)


def _whole(written: str) -> bool:
    return written.isascii() and written.isdigit() and len(written) <= 8


def _place(house: Element, name: str) -> str | None:
    code = text(house, name, "UNLOCODE")
    return text(house, name, "address", "country") or (code[:2] if code else None)


def _ioss(house: Element) -> str | None:
    for reference in children(house, "additionalFiscalReferences"):
        if text(reference, "role") == IOSS_ROLE:
            return text(reference, "VATIdentificationNumber")
    return None


def _party(party: Element | None, role: str) -> dict[str, str | None]:
    address = child(party, "address")
    street = [text(address, name) for name in ("street", "number", "streetAdditionalLine", "poBox")]
    contacts = {text(one, "type"): text(one, "identifier") for one in children(party, "communication")}
    return {
        f"{role}_name": text(party, "name"),
        f"{role}_address": " ".join(part for part in street if part) or None,
        f"{role}_city": text(address, "city"),
        f"{role}_postcode": text(address, "postCode"),
        f"{role}_country": text(address, "country"),
        f"{role}_phone": contacts.get("TE"),
        f"{role}_email": contacts.get("EM"),
        f"{role}_id": text(party, "identificationNumber"),
    }


def _line(item: Element) -> dict[str, str | None]:
    commodity = child(item, "commodity")
    code = child(commodity, "commodityCode")
    heading, more = text(code, "harmonizedSystemSubHeadingCode"), text(code, "combinedNomenclatureCode")
    amount = child(item, "itemAmountInvoiced")
    amount = amount if amount is not None else child(item, "postalValue")
    return {
        "line_no": text(item, "goodsItemNumber"),
        "description": text(commodity, "descriptionOfGoods"),
        "hs_code": f"{heading}{more or ''}" if heading else None,
        "net_mass_kg": text(item, "weight", "netMass"),
        "value": amount.get("value") if amount is not None else None,
        "currency": amount.get("currency") if amount is not None else None,
        "goods_origin_country": text(item, "countryOfOrigin", "country"),
    }


def _by_post(level: dict[str, str | None]) -> dict[str, str | None]:
    """Where no route is stated: an S10 identifier ends in the country of posting, and the addressee has one."""
    item = level.get("consignment_id") or ""
    return level | {
        "dispatch_country": level.get("dispatch_country") or (item[-2:] if is_s10(item) else None),
        "destination_country": level.get("destination_country") or level.get("consignee_country"),
    }


def _stream(level: dict[str, str | None], circumstance: str | None) -> str:
    """Post where the item, the receptacle or the kind of filing (F4…) says so, express otherwise."""
    item, transport = level.get("consignment_id") or "", level.get("transport_id") or ""
    postal = is_s10(item) or is_receptacle(transport) or (circumstance or "").startswith("F4")
    return "postal" if postal else "express"
