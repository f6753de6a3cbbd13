"""Filings of operators to ICS2: their houses are read as those of a request; what holds no goods is named."""

from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from features.messages.formats import read_content
from features.messages.raw import Raw, UnreadableFile
from tests.features.messages.parcels import HOUSE, ITEM, SHOES, house
from tests.writers import ICS2, _ics2_house, grow, xml

READ_ALIKE = (
    "consignment_id", "consignor_name", "consignor_address", "consignor_country", "consignee_name",
    "consignee_postcode", "consignor_email", "gross_mass_kg", "packages", "description", "hs_code",
    "value", "currency", "stream",
)  # fmt: skip


def filing(kind: str, *houses: dict[str, Any], full: bool = True, **head: str) -> bytes:
    """A filing with the elements of the trader interface below its root."""
    root = etree.Element(etree.QName(ICS2, kind), nsmap={None: ICS2})
    for name, value in {"LRN": "LRN-7", **head}.items():
        if name in ("documentIssueDate",):
            grow(grow(root, name), "DateTime", value)
        elif value:
            grow(root, name, value)
    grow(grow(root, "addressedMemberState"), "country", "FR")
    master = grow(root, "consignmentMasterLevel")
    for told in houses:
        _ics2_house(master, told, full=full)
    declarant = grow(root, "declarant")
    grow(declarant, "identificationNumber", "FR00012345678")
    return xml(root)


def read(content: bytes) -> Raw:
    return read_content(content, "m")


def cells(raw: Raw, *names: str) -> list[tuple[Any, ...]]:
    return raw.rows.select(names).rows()


@pytest.mark.parametrize("kind", ["IE3F32", "IE3F42", "IE3F43", "IE3F26", "IE3F22", "IE3F33"])
@pytest.mark.parametrize("full", [True, False])
def test_a_filing_says_of_its_houses_what_a_request_says(kind: str, full: bool) -> None:
    told = [house(), ITEM if kind.startswith("IE3F4") else house(consignment_id="HAWB2")]
    raw = read(filing(kind, *told, full=full, documentIssueDate="2026-03-01T08:15:00Z"))
    root = etree.Element(etree.QName(ICS2, "IE4R05"), nsmap={None: ICS2})
    declared = grow(root, "relatedENS")
    grow(declared, "SpecificCircumstanceIndicator", f"F{kind[-2:]}")
    master = grow(declared, "consignmentMasterLevel")
    for one in told:
        _ics2_house(master, one, full=full)
    assert cells(raw, *READ_ALIKE) == cells(read(xml(root)), *READ_ALIKE)
    assert set(raw.rows["lodged_at"]) == {"2026-03-01T08:15:00.000000+00:00"}
    assert raw.format == "ics2"
    assert raw.rows["message_id"].to_list()[0] == f"{kind}-LRN-7"
    assert raw.header["functional_reference"] == "LRN-7"
    assert raw.header["member_state"] == "FR"


def test_a_postal_filing_is_post_and_an_express_one_is_not() -> None:
    assert cells(read(filing("IE3F43", house())), "stream", "mail_class")[0] == ("postal", "F43")
    assert cells(read(filing("IE3F32", house())), "stream", "mail_class")[0] == ("express", "F32")
    stated = read(filing("IE3F43", house(), SpecificCircumstanceIndicator="F42"))
    assert stated.rows["mail_class"][0] == "F42"


def test_an_amendment_is_one_and_each_has_a_name_of_its_own() -> None:
    first = read(filing("IE3A32", house(), MRN="26FR00000000000AB1", LRN=""))
    second = read(filing("IE3A32", house(goods=[{**SHOES, "value": "31.00"}]), MRN="26FR00000000000AB1", LRN=""))
    assert {first.rows["purpose"][0], second.rows["purpose"][0]} == {"amendment"}
    assert first.rows["message_id"][0] != second.rows["message_id"][0]
    assert first.header["mrn"] == "26FR00000000000AB1"
    assert read(filing("IE3F32", house())).rows["purpose"][0] is None


def test_a_filing_sent_again_has_the_same_name_even_without_a_reference() -> None:
    content = filing("IE3F32", house(), LRN="")
    assert read(content).rows["message_id"].to_list() == read(content).rows["message_id"].to_list()


def test_a_house_below_the_root_and_an_issue_date_without_an_element_of_its_own_are_read() -> None:
    content = filing("IE3F43", house(), documentIssueDate="2026-03-01T08:15:00Z").decode()
    content = content.replace("<DateTime>", "").replace("</DateTime>", "")
    content = content.replace("<consignmentMasterLevel>", "").replace("</consignmentMasterLevel>", "")
    raw = read(content.encode())
    assert cells(raw, "consignment_id", "lodged_at") == [(HOUSE["consignment_id"], "2026-03-01T08:15:00.000000+00:00")]


def test_amounts_are_read_as_elements_too() -> None:
    content = filing("IE3F32", house()).decode()
    written = f'<itemAmountInvoiced value="{SHOES["value"]}" currency="{SHOES["currency"]}"/>'
    assert written in content
    inner = f"<value>{SHOES['value']}</value><currency>{SHOES['currency']}</currency>"
    raw = read(content.replace(written, f"<itemAmountInvoiced>{inner}</itemAmountInvoiced>").encode())
    assert cells(raw, "value", "currency") == [(SHOES["value"], SHOES["currency"])]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (f'<IE3F32 xmlns="{ICS2}"><LRN>1</LRN></IE3F32>', "IE3F32, a filing without goods"),
        (f'<IE3F44 xmlns="{ICS2}"><consignmentMasterLevel><consignmentHouseLevel><receptacle/></consignmentHouseLevel>'
         "</consignmentMasterLevel></IE3F44>", "IE3F44, a filing without goods; send the one that declares them"),
        (f'<IE3F20 xmlns="{ICS2}"><consignmentMasterLevel/></IE3F20>', "IE3F20, a filing without goods"),
        (f'<IE3A32 xmlns="{ICS2}"/>', "IE3A32, a filing without goods"),
        (f'<IE3N01 xmlns="{ICS2}"/>', "declares nothing; the filings of operators"),
        (f'<IE4S02 xmlns="{ICS2}"/>', "declares nothing; .*IE4R05 are read"),
    ],
)  # fmt: skip
def test_what_holds_no_goods_is_named_with_what_to_send(content: str, says: str) -> None:
    with pytest.raises(UnreadableFile, match=says):
        read(content.encode())
