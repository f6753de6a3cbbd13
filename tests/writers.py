"""Consignments written in every format that is read: what the tests of readers send, made apart from the readers.

A consignment is a mapping of manifest columns with `goods`, a list of mappings of goods columns; all text.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from lxml import etree

from features.consignment import CONSIGNMENT_COLUMNS, GOODS_COLUMNS

Consignment = Mapping[str, Any]
ICS2 = "urn:wco:datamodel:eu:ics2:2"
PARTY = ("name", "address", "city", "postcode", "country", "phone", "email", "id")
COLUMNS = [c.name for c in (*CONSIGNMENT_COLUMNS, *GOODS_COLUMNS)]
TRANSACTIONS = {"sale": "11", "returned": "21", "gift": "31", "sample": "32", "documents": "91", "other": "99"}


def grow(parent: Any, name: str, text: str | None = None, **attributes: str) -> Any:
    """A child element; in the namespace of its parent."""
    namespace = etree.QName(parent).namespace
    child = etree.SubElement(parent, etree.QName(namespace, name) if namespace else name, attributes)
    child.text = text
    return child


def maybe(parent: Any, name: str, text: str | None, **attributes: str) -> None:
    if text is not None:
        grow(parent, name, text, **attributes)


def xml(root: Any) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


# --- flat ---------------------------------------------------------------------------------------------------------


def as_flat(consignments: Sequence[Consignment], message_id: str) -> bytes:
    """A CSV manifest."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for consignment in consignments:
        level = {k: v for k, v in consignment.items() if k != "goods"}
        writer.writerows({**level, "message_id": message_id, **line} for line in consignment["goods"])
    return text.getvalue().encode()


# --- ICS2 ---------------------------------------------------------------------------------------------------------


def as_ics2(consignments: Sequence[Consignment], message_id: str, part: str = "relatedENS", **header: str) -> bytes:
    """An IE4R05 whose houses are the consignments, elements in the order of the schema."""
    root = etree.Element(etree.QName(ICS2, "IE4R05"), nsmap={None: ICS2})
    head = grow(root, "MessageHeader")
    grow(head, "messageId", message_id)
    grow(head, "messageTimestamp", header.get("sent_at", "2026-03-01T08:15:00Z"))
    grow(head, "messageSender", "CR")
    grow(head, "messageRecipient", "NES.FR")
    grow(root, "functionalReference", "RA-1")
    declared = grow(root, part)
    if part == "relatedENS":
        grow(grow(declared, "DocumentIssueDate"), "DateTime", header.get("sent_at", "2026-03-01T08:15:00Z"))
        maybe(declared, "SpecificCircumstanceIndicator", header.get("circumstance"))
        maybe(declared, "MRN", header.get("mrn"))
        analysis = grow(grow(declared, "fullRiskAnalysis"), "riskAnalysis")
        grow(analysis, "riskAssessmentType", "FU")
        grow(analysis, "riskAnalysisRequestReference", "RAR-7")
        grow(grow(analysis, "responsibleMemberState"), "country", "FR")
    master = grow(declared, "consignmentMasterLevel")
    for consignment in consignments:
        _ics2_house(master, consignment, full=part == "relatedENS")
    return xml(root)


def _ics2_house(master: Any, told: Consignment, *, full: bool) -> None:
    house = grow(master, "consignmentHouseLevel")
    maybe(house, "totalGrossMass", told.get("gross_mass_kg"))
    if full and told.get("ioss"):
        fiscal = grow(house, "additionalFiscalReferences")
        grow(fiscal, "VATIdentificationNumber", told["ioss"])
        grow(fiscal, "role", "FR5")
    if full and told.get("transport_id"):
        grow(grow(house, "receptacle"), "receptacleIdentificationNumber", told["transport_id"])
    if full and told.get("dispatch_country"):
        grow(grow(grow(house, "placeOfAcceptance"), "address"), "country", told["dispatch_country"])
    if full:
        maybe_party = told.get("operator")
        if maybe_party:
            grow(grow(house, "carrier"), "identificationNumber", maybe_party)
    _ics2_party(house, told, "consignee")
    for number, line in enumerate(told["goods"]):
        item = grow(house, "goodsItem")
        if full and line.get("value") and told["stream"] != "postal":
            grow(item, "itemAmountInvoiced", None, value=line["value"], currency=line["currency"])
        grow(item, "goodsItemNumber", line["line_no"])
        if full and line.get("value") and told["stream"] == "postal":
            grow(item, "postalValue", None, value=line["value"], currency=line["currency"])
        if full and told.get("nature"):
            grow(item, "typeOfGoods", TRANSACTIONS[told["nature"]])
        commodity = grow(item, "commodity")
        grow(commodity, "descriptionOfGoods", line["description"])
        if line.get("hs_code"):
            code = grow(commodity, "commodityCode")
            grow(code, "harmonizedSystemSubHeadingCode", line["hs_code"][:6])
            if len(line["hs_code"]) == 8:
                grow(code, "combinedNomenclatureCode", line["hs_code"][6:])
        if full and line.get("net_mass_kg"):
            grow(grow(item, "weight"), "netMass", line["net_mass_kg"])
        if full and line.get("goods_origin_country"):
            grow(grow(item, "countryOfOrigin"), "country", line["goods_origin_country"])
        if number == 0 and told.get("packages"):
            grow(grow(item, "packaging"), "numberOfPackages", told["packages"])
    _ics2_party(house, told, "consignor")
    if full and told.get("postage"):
        grow(grow(house, "postalCharges"), "postalCharges", None, value=told["postage"], currency="EUR")
    if full and told.get("destination_country"):
        grow(grow(grow(house, "placeOfDelivery"), "address"), "country", told["destination_country"])
    if full and told.get("seller_account"):
        grow(grow(grow(house, "goodsShipment"), "seller"), "identificationNumber", told["seller_account"])
    document = grow(house, "transportDocumentHouseLevel")
    grow(document, "documentNumber", told["consignment_id"])
    grow(document, "type", "N750")


def _ics2_party(house: Any, told: Consignment, role: str) -> None:
    party = grow(house, role)
    maybe(party, "name", told.get(f"{role}_name"))
    maybe(party, "identificationNumber", told.get(f"{role}_id"))
    address = grow(party, "address")
    for name, key in (("city", "city"), ("country", "country"), ("street", "address"), ("postCode", "postcode")):
        maybe(address, name, told.get(f"{role}_{key}"))
    for kind, key in (("TE", "phone"), ("EM", "email")):
        if told.get(f"{role}_{key}"):
            contact = grow(party, "communication")
            grow(contact, "identifier", told[f"{role}_{key}"])
            grow(contact, "type", kind)


# --- Cargo-XML ----------------------------------------------------------------------------------------------------


def as_cargo_xml(told: Consignment, message_id: str, purpose: str = "Creation") -> bytes:
    """An XFZB-3 house waybill."""
    rsm, ram = "iata:housewaybill:1", "iata:datamodel:3"
    root = etree.Element(etree.QName(rsm, "HouseWaybill"), nsmap={"rsm": rsm, "ram": ram})

    def inner(parent: Any, name: str, text: str | None = None, **attributes: str) -> Any:
        child = etree.SubElement(parent, etree.QName(ram, name), attributes)
        child.text = text
        return child

    head = etree.SubElement(root, etree.QName(rsm, "MessageHeaderDocument"))
    inner(head, "ID", message_id)
    inner(head, "IssueDateTime", told["lodged_at"])
    inner(head, "PurposeCode", purpose)
    inner(etree.SubElement(root, etree.QName(rsm, "BusinessHeaderDocument")), "ID", told["consignment_id"])
    master = etree.SubElement(root, etree.QName(rsm, "MasterConsignment"))
    if told.get("transport_id"):
        inner(inner(master, "TransportContractDocument"), "ID", told["transport_id"])
    house = inner(master, "IncludedHouseConsignment")
    inner(house, "ID", told["consignment_id"])
    if told.get("gross_mass_kg"):
        inner(house, "IncludedTareGrossWeightMeasure", told["gross_mass_kg"], unitCode="KGM")
    if told.get("packages"):
        inner(house, "TotalPieceQuantity", told["packages"])
    for role, name in (("consignor", "ConsignorParty"), ("consignee", "ConsigneeParty")):
        party = inner(house, name)
        for tag, key in (("Name", "name"), ("AccountID", "id")):
            if told.get(f"{role}_{key}"):
                inner(party, tag, told[f"{role}_{key}"])
        address = inner(party, "PostalStructuredAddress")
        pairs = (
            ("PostcodeCode", "postcode"),
            ("StreetName", "address"),
            ("CityName", "city"),
            ("CountryID", "country"),
        )
        for tag, key in pairs:
            if told.get(f"{role}_{key}"):
                inner(address, tag, told[f"{role}_{key}"])
        contact = inner(party, "DefinedTradeContact")
        if told.get(f"{role}_phone"):
            inner(inner(contact, "DirectTelephoneCommunication"), "CompleteNumber", told[f"{role}_phone"])
        if told.get(f"{role}_email"):
            inner(inner(contact, "URIEmailCommunication"), "URIID", told[f"{role}_email"])
    for name, key in (("OriginLocation", "origin_airport"), ("FinalDestinationLocation", "office")):
        if told.get(key):
            inner(inner(house, name), "ID", told[key])
    for line in told["goods"]:
        item = inner(house, "IncludedHouseConsignmentItem")
        inner(item, "SequenceNumeric", line["line_no"])
        if line.get("hs_code"):
            inner(item, "TypeCode", line["hs_code"])
        if line.get("net_mass_kg"):
            inner(item, "NetWeightMeasure", line["net_mass_kg"], unitCode="KGM")
        if line.get("quantity"):
            inner(item, "PackageQuantity", line["quantity"])
        inner(inner(item, "NatureIdentificationTransportCargo"), "Identification", line["description"])
        if line.get("value"):
            inner(item, "DeclaredValueForCustomsAmount", line["value"], currencyID=line["currency"])
        if line.get("goods_origin_country"):
            inner(inner(item, "OriginCountry"), "ID", line["goods_origin_country"])
    return xml(root)


# --- Cargo-IMP ----------------------------------------------------------------------------------------------------


def as_fhl(consignments: Sequence[Consignment], master: str = "888-11111111", end: str = "\r\n") -> bytes:
    """An FHL/4 text with one house a consignment; tariff codes are those of the goods lines."""
    lines = ["FHL/4", f"MBI/{master}CDGPVG/T99K999"]
    for told in consignments:
        first = told["goods"][0]
        pieces = first.get("quantity") or ""
        lines.append(
            f"HBS/{told['consignment_id']}/{told['origin_airport']}{told['office']}/{told['packages']}"
            f"/K{told['gross_mass_kg']}/{pieces}/{first['description'][:15]}"
        )
        lines.append(f"TXT/{first['description']}")
        lines += [f"{'HTS' if n == 0 else ''}/{line['hs_code']}" for n, line in enumerate(told["goods"])]
        for role, tag in (("consignor", "SHP"), ("consignee", "CNE")):
            if told.get(f"{role}_id"):
                lines.append(f"OCI/{told[f'{role}_country']}/{tag}/T/{told[f'{role}_id']}")
        for role, tag in (("consignor", "SHP"), ("consignee", "CNE")):
            contacts = "".join(f"/{k}/{told[f'{role}_{key}']}" for k, key in (("TE", "phone"), ("EM", "email"))
                               if told.get(f"{role}_{key}"))  # fmt: skip
            lines += [
                f"{tag}/{told[f'{role}_name']}", f"/{told[f'{role}_address']}", f"/{told[f'{role}_city']}",
                f"/{told[f'{role}_country']}/{told[f'{role}_postcode']}{contacts}",
            ]  # fmt: skip
        if first.get("value"):
            lines.append(f"CVD/{first['currency']}/CC/NVD/{first['value']}/XXX")
    return end.join([*lines, ""]).encode()


# --- postal -------------------------------------------------------------------------------------------------------


def as_postal(
    consignments: Sequence[Consignment], message_id: str, sent_at: str, function: str = "9"
) -> dict[str, Any]:
    """A postal message as JSON has it."""
    items = []
    for told in consignments:
        item = {
            "itemId": told["consignment_id"],
            "mailClass": told.get("mail_class"),
            "receptacleId": told.get("transport_id"),
            "destinationOffice": told.get("office"),
            "originCountry": told.get("dispatch_country"),
            "transitCountries": told.get("transit_countries"),
            "destinationCountry": told.get("destination_country"),
            "natureOfTransaction": TRANSACTIONS[told["nature"]] if told.get("nature") else None,
            "ioss": told.get("ioss"),
            "grossWeight": told.get("gross_mass_kg"),
            "packages": told.get("packages"),
            "postage": told.get("postage"),
            "platform": told.get("platform"),
            "sellerAccount": told.get("seller_account"),
            "sellerUrl": told.get("seller_url"),
            "sender": _postal_party(told, "consignor"),
            "addressee": _postal_party(told, "consignee"),
            "contentPieces": [
                {
                    "number": line["line_no"],
                    "description": line["description"],
                    "hsCode": line.get("hs_code"),
                    "quantity": line.get("quantity"),
                    "netWeight": line.get("net_mass_kg"),
                    "value": line.get("value"),
                    "currency": line.get("currency"),
                    "origin": line.get("goods_origin_country"),
                    "productCode": line.get("product_code"),
                }
                for line in told["goods"]
            ],
        }
        items.append(_filled(item))
    header = {"messageId": message_id, "messageTime": sent_at, "function": function}
    return {"itemMatter": {"header": {**header, "operator": consignments[0].get("operator")}, "items": items}}


def _postal_party(told: Consignment, role: str) -> dict[str, Any]:
    names = dict(
        zip(PARTY, ("name", "street", "city", "postcode", "country", "phone", "email", "reference"), strict=True)
    )
    return _filled({theirs: told.get(f"{role}_{ours}") for ours, theirs in names.items()})


def _filled(told: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if value is not None}


def as_postal_json(consignments: Sequence[Consignment], message_id: str, sent_at: str, function: str = "9") -> bytes:
    return json.dumps(as_postal(consignments, message_id, sent_at, function), ensure_ascii=False).encode()


def as_postal_xml(consignments: Sequence[Consignment], message_id: str, sent_at: str, function: str = "9") -> bytes:
    """The same content as XML: names with hyphens, lists as repeated elements in one that has the plural."""
    ((name, content),) = as_postal(consignments, message_id, sent_at, function).items()
    root = etree.Element(_hyphens(name), nsmap={"p": "urn:example:post"})
    _as_xml(root, content)
    return xml(root)


def _as_xml(parent: Any, content: Mapping[str, Any]) -> None:
    for key, value in content.items():
        if isinstance(value, list):
            within = etree.SubElement(parent, _hyphens(key))
            for one in value:
                _as_xml(etree.SubElement(within, _hyphens(key).removesuffix("s")), one)
        elif isinstance(value, Mapping):
            _as_xml(etree.SubElement(parent, _hyphens(key)), value)
        elif value is not None:
            etree.SubElement(parent, _hyphens(key)).text = value


def _hyphens(name: str) -> str:
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name)
