"""ICS2 entry summary data: filings of operators (IE3F32, IE3F43 and their family) and risk analysis requests (IE4R05).

Namespace `urn:wco:datamodel:eu:ics2:2`. In a request, the pre-loading data (relatedPLACI, as in F32 and F43) and the
full declaration (relatedENS) may both describe a house; the fuller one, the declaration, is then read. A filing, or its
amendment (IE3A…), has the same elements directly below its root, by the tables of the harmonised trader interface
(ICS2-HTI, version 2.02); their schemas are not public, so that places are inferred from these tables and from IE4R05.
Filings of a part that holds no goods, such as receptacles alone, are named and not read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from features.item_numbers import item_number
from features.messages.bounds import Bounds
from features.messages.code_lists import is_receptacle, is_s10, nature_of
from features.messages.format import Format
from features.messages.hardened import Element, child, children, local_name, read_xml, root_name, text
from features.messages.raw import Lines, Raw, UnreadableFile
from features.messages.times import lodged

ROOT = "IE4R05"
MESSAGE = re.compile(r"^IE\d[A-Z]\d{2}$")  # the root of any message of ICS2
FILING = re.compile(r"^IE3[FA]\d{2}$")  # a filing of an operator, or an amendment of one
READ = f"the filings of operators (IE3F…, IE3A…) and {ROOT} are read"
HOUSE, MASTER = "consignmentHouseLevel", "consignmentMasterLevel"
DECLARED_IN = ("relatedPLACI", "relatedENS")  # a house elsewhere is only pointed at, by a recommendation or a result
IOSS_ROLE = "FR5"  # role of a vendor's import one-stop shop number among the additional fiscal references


@dataclass(frozen=True, slots=True)
class _House:
    """A house as read."""

    consignment: dict[str, str | None]
    goods: list[dict[str, str | None]]
    notes: list[tuple[str, str]]


def read_ics2(content: bytes, name: str, bounds: Bounds) -> Raw:
    """Read the rows of one request (IE4R05) or filing (IE3F…, IE3A…).

    Raises UnreadableFile where the XML itself cannot be read, or is a message of ICS2 that declares no goods.
    """
    kind = root_name(content)
    if MESSAGE.match(kind) and kind != ROOT and not FILING.match(kind):
        raise UnreadableFile(f"{name}: an ICS2 message that declares nothing; {READ}")
    parts = (kind,) if FILING.match(kind) else DECLARED_IN
    houses: list[tuple[str, _House]] = []

    def take(house: Element) -> None:
        above = house.getparent()
        if above is not None and local_name(above) == MASTER:
            above = above.getparent()
        elif kind not in parts:
            return
        if above is not None and local_name(above) in parts:
            houses.append((local_name(above), _house(house)))

    root = read_xml(content, name, bounds, {HOUSE: take})
    if not houses:  # a consignment without houses is declared at master level
        for part in _declared(root):
            houses += [(local_name(part), _house(master)) for master in children(part, MASTER)]
    if kind in parts and not any(house.goods for _, house in houses):
        raise UnreadableFile(f"{name}: {kind}, a filing without goods; send the one that declares them. {READ}")
    message_id = text(root, "MessageHeader", "messageId") or _filed_as(root, kind, content) or name
    lines = Lines(name, bounds)
    common = {part: _common(root, part) for part in parts}
    lodged_at, notes = lodged(_moment(root))
    purpose = {"purpose": "amendment"} if kind.startswith("IE3A") else {}
    for part, house in _fullest(houses):
        stated = {key: value for key, value in house.consignment.items() if value}
        level = {**common[part], **stated, "lodged_at": lodged_at, **purpose}
        level["stream"] = _stream(level, common[part].get("circumstance"))
        if level["stream"] == "postal":
            level = _by_post(level)
        lines.add(level, house.goods, [*house.notes, *notes])
    return lines.raw("ics2", message_id, _header(root))


def _fullest(houses: list[tuple[str, _House]]) -> list[tuple[str, _House]]:
    """Keep each house once, as the full declaration has it where there is one; those without a number all stand."""
    best: dict[str, tuple[str, _House]] = {}
    for place, (part, house) in enumerate(houses):
        key = house.consignment.get("consignment_id") or f"#{place}"
        if key not in best or part == "relatedENS":
            best[key] = (part, house)
    return list(best.values())


def _declared(root: Element) -> Iterator[Element]:
    """Yield the parts that declare goods: a filing is one itself."""
    if FILING.match(local_name(root)):
        yield root
    for part in DECLARED_IN:
        yield from children(root, part)


def _filed_as(root: Element, kind: str, content: bytes) -> str | None:
    """Name a filing by its own reference; an amendment, of which there may be several, by its content too."""
    if not FILING.match(kind):
        return None
    reference = text(root, "LRN") or text(root, "MRN")
    if reference and kind.startswith("IE3F"):
        return f"{kind}-{reference}"
    return f"{kind}-{reference or 'unnumbered'}-{hashlib.sha256(content).hexdigest()[:16]}"


def _header(root: Element) -> dict[str, str]:
    """Return what an answer refers to."""
    references = {
        "functional_reference": text(root, "functionalReference") or text(root, "LRN"),
        "message_id": text(root, "MessageHeader", "messageId"),
        "sender": text(root, "MessageHeader", "messageSender"),
        "recipient": text(root, "MessageHeader", "messageRecipient"),
    }
    for part in _declared(root):
        analysis = child(part, "airPreloadingRiskAnalysis", "riskAnalysis")
        analysis = analysis if analysis is not None else child(part, "fullRiskAnalysis", "riskAnalysis")
        references["risk_analysis_reference"] = text(analysis, "riskAnalysisRequestReference") or references.get(
            "risk_analysis_reference"
        )
        state = text(analysis, "responsibleMemberState", "country") or text(part, "addressedMemberState", "country")
        references["member_state"] = state or references.get("member_state")
        references["mrn"] = text(part, "MRN") or text(part, "partialENSFilingHeader", "MRN") or references.get("mrn")
    return {key: value for key, value in references.items() if value}


def _moment(root: Element) -> str | None:
    """Return when the declaration was registered; the message's own time where that is not stated."""
    for part in _declared(root):
        filing = child(part, "partialENSFilingHeader")
        for path in (("registrationDate", "DateTime"), ("documentIssueDate", "DateTime")):
            if found := text(filing, *path):
                return found
        for name in ("DocumentIssueDate", "documentIssueDate"):
            if found := text(part, name, "DateTime") or text(part, name):
                return found
    return text(root, "MessageHeader", "messageTimestamp")


def _common(root: Element, part: str) -> dict[str, str | None]:
    """Return what holds for all houses of one part of the message."""
    declared = root if local_name(root) == part else child(root, part)
    master = child(declared, MASTER)
    circumstance = text(declared, "SpecificCircumstanceIndicator") or text(
        declared, "partialENSFilingHeader", "SpecificCircumstanceIndicator"
    )
    if circumstance is None and FILING.match(part):
        circumstance = f"F{part[-2:]}"  # an amendment, IE3A32, is of such a filing
    transport = text(master, "transportDocumentMasterLevel", "documentNumber")
    receptacle = text(master, "receptacle", "receptacleIdentificationNumber")
    means = child(declared, "activeBorderTransportMeans")
    return {
        "circumstance": circumstance,
        "mail_class": circumstance,
        "transport_id": receptacle or transport or text(means, "conveyanceReferenceNumber"),
        "operator": text(master, "carrier", "identificationNumber")
        or (text(declared, "declarant", "identificationNumber") if FILING.match(part) else None),
        "office": text(declared, "customsOfficeOfFirstEntry", "referenceNumber"),
        **_route(means, "countriesOfRoutingOfMeansOfTransport"),
    }


def _route(element: Element | None, name: str) -> dict[str, str | None]:
    """Return the countries of routing, in order: the first is that of dispatch, the last that of destination."""
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
    number = document or text(house, "transportDocumentMasterLevel", "documentNumber")
    level = {
        "consignment_id": item_number(number) if number else None,
        "gross_mass_kg": text(house, "totalGrossMass"),
        "packages": str(sum(int(n) for n in packages)) if packages and all(map(_whole, packages)) else None,
        "postage": _amount(charges, "value"),
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
        of_all = {name: _amount(invoiced, name) for name in ("value", "currency")}
        goods[0] |= of_all  # the first bears it
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
        "value": _amount(amount, "value"),
        "currency": _amount(amount, "currency"),
        "goods_origin_country": text(item, "countryOfOrigin", "country"),
    }


def _amount(amount: Element | None, name: str) -> str | None:
    """Return value or currency of an amount, an attribute of it in the schemas and an element in the tables."""
    return None if amount is None else amount.get(name) or text(amount, name)


def _by_post(level: dict[str, str | None]) -> dict[str, str | None]:
    """Fill in countries that no route states: an S10 identifier ends in that of posting, and the addressee has one."""
    item = level.get("consignment_id") or ""
    return level | {
        "dispatch_country": level.get("dispatch_country") or (item[-2:] if is_s10(item) else None),
        "destination_country": level.get("destination_country") or level.get("consignee_country"),
    }


def _stream(level: dict[str, str | None], circumstance: str | None) -> str:
    """Return postal where the item, the receptacle or the kind of filing (F4…) says so, express otherwise."""
    item, transport = level.get("consignment_id") or "", level.get("transport_id") or ""
    postal = is_s10(item) or is_receptacle(transport) or (circumstance or "").startswith("F4")
    return "postal" if postal else "express"


FORMAT = Format(
    "ics2",
    recognises=lambda opening, _: bool(MESSAGE.match(opening.root)),
    read=lambda content, name, _, bounds: read_ics2(content, name, bounds),
)
