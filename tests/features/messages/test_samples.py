"""Real messages beside the checkout, read to frames whose every field was looked up in the file by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from features.messages.formats import read_file
from features.messages.raw import UnreadableFile
from tests.features.messages.samples import SAMPLES, needs_samples
from tests.writers import as_ics2

XFWB: dict[str, Any] = {
    "message_id": "888-11111111_6c763819-1067-43fe-acf7-db4daf4f77cf",
    "consignment_id": "888-11111111",
    "purpose": "original",
    "stream": "express",
    "lodged_at": "2021-03-10T11:00:00.000000+01:00",
    "office": "PVG",
    "operator": "XX",
    "transport_id": "888-11111111",
    "dispatch_country": "IE",
    "destination_country": "CN",
    "gross_mass_kg": "1042.0",
    "packages": "3",
    "consignor_name": "FORWARDER COMPANY IRELAND LTD",
    "consignor_address": "HARBOUR POINT BUSINESS PARK",
    "consignor_city": "LITTLE CITY",
    "consignor_postcode": "ABCD",
    "consignor_country": "IE",
    "consignor_phone": "353123456789",
    "consignor_id": "IE1234567N",
    "consignee_name": "FORWARDER COMPANY SHANGHAI LTD ROOM 123 SPECIAL BUILDING. NR 987",
    "consignee_address": "SUHANG RD. PUDONG AIRPORT AIRPORT ROAD",
    "consignee_city": "SHANGHAI",
    "consignee_country": "CN",
    "consignee_phone": "861234567890",
    "consignee_id": "USCI1234567812345678X7",
    "line_no": "1",
    "description": "CONSOLIDATION AS PER ATTACHED MANIFEST SECURE CARGO NOT RESTRICTED AIRLINE PHARMA SERVICE",
    "hs_code": "000111",
    "quantity": "333",
}
CONSOLIDATED = (1, "description", "a consolidation; what is in it is declared by its house waybills")
XFZB: dict[str, Any] = {
    "message_id": "SEL22222222_888-11111111_285472ed-0059-4004-9590-8a1fbab07421",
    "consignment_id": "SEL22222222",
    "purpose": "original",
    "stream": "express",
    "lodged_at": "2022-04-29T10:10:00.000000+02:00",
    "office": "FDH",
    "operator": "888",
    "transport_id": "888-11111111",
    "dispatch_country": "KR",
    "destination_country": "DE",
    "gross_mass_kg": "134.0",
    "packages": "10",
    "consignor_name": "SPARE PART LTD.",
    "consignor_address": "42. GONGDAN SEONGSAN",
    "consignor_city": "CHANGWON-SI. KYUN",
    "consignor_postcode": "12345",
    "consignor_country": "KR",
    "consignor_phone": "055281234567890",
    "consignor_id": "5432109876",
    "consignee_name": "REPAIR DIENST GMBH",
    "consignee_address": "SPEZIAL-STR. 13",
    "consignee_city": "FRIEDRICHSHAFEN",
    "consignee_postcode": "87654",
    "consignee_country": "DE",
    "consignee_id": "DE3056777000",
    "line_no": "1",
    "description": "SPARE PARTS",
    "hs_code": "1133557799",
    "quantity": "100",
}
HOUSE: dict[str, Any] = {
    "message_id": "r05@held-out.example",
    "consignment_id": "LX123456785CN",
    "stream": "postal",
    "lodged_at": "2026-11-01T10:00:00.000000+00:00",
    "dispatch_country": "CN",
    "destination_country": "NL",
    "gross_mass_kg": "0.9",
    "packages": "1",
    "consignor_name": "EXAMPLE SELLER CO",
    "consignor_address": "INDUSTRIAL ROAD",
    "consignor_city": "PUTIAN",
    "consignor_postcode": "351100",
    "consignor_country": "CN",
    "consignor_email": "seller@shop.example",
    "consignee_name": "EXAMPLE CONSIGNEE",
    "consignee_address": "DAMRAK",
    "consignee_city": "AMSTERDAM",
    "consignee_postcode": "1012LG",
    "consignee_country": "NL",
    "consignee_email": "buyer@mail.example",
    "line_no": "1",
    "description": "sports shoes",
    "hs_code": "640411",
}
GIFT = {k: v for k, v in HOUSE.items() if k != "hs_code"} | {
    "consignment_id": "LX123456799CN",
    "gross_mass_kg": "0.3",
    "description": "gift",
}
SECOND_LINE = {k: v for k, v in XFWB.items() if k != "quantity"} | {"line_no": "2", "hs_code": "000222"}
READ = {
    "cargoxml/888-11111111_XFWB.xml": ([XFWB], [CONSOLIDATED]),
    "cargoxml/888-11111111_XFWB_ACAS_US.xml": ([XFWB], [CONSOLIDATED]),
    "cargoxml/888-11111111_XFWB_multipleULD_multipleHTS.xml": ([XFWB, SECOND_LINE], [CONSOLIDATED]),
    "cargoxml/SEL22222222_XFZB.xml": ([XFZB], [(1, "packages", "the total and its lines disagree")]),
    "ics2_instances/IE4R05_PLACI_two_postal_houses.xml": ([HOUSE, GIFT], []),
}


@needs_samples
@pytest.mark.parametrize("file", READ)
def test_a_real_message_is_read_to_what_stands_in_it(file: str) -> None:
    raw = read_file(SAMPLES / file)
    rows = [{k: v for k, v in row.items() if v is not None and k != "line"} for row in raw.rows.to_dicts()]
    assert (rows, raw.noted.rows()) == READ[file]


@needs_samples
def test_every_sample_of_a_message_is_read_or_refused_for_what_it_is() -> None:
    files = {
        str(file.relative_to(SAMPLES))
        for kind in ("cargoxml", "ics2_instances")
        for file in (SAMPLES / kind).glob("*.xml")
    }
    answers = files - set(READ)
    assert {Path(file).name[:6] for file in answers} == {"IE4Q04", "IE4S02"}
    for file in answers:
        with pytest.raises(UnreadableFile, match=r"declares nothing; .*IE4R05 are read"):
            read_file(SAMPLES / file)


@needs_samples
@pytest.mark.parametrize("part", ["relatedENS", "relatedPLACI"])
def test_what_the_tests_write_for_a_request_is_valid(part: str) -> None:
    schema = etree.XMLSchema(etree.parse(SAMPLES / "ics2_xsd" / "IE4R05.xsd"))
    told = {**GIFT, "nature": "gift", "transport_id": "CNPVGAFRCDGAAUN12345678901234", "ioss": "IM2760000011",
            "seller_account": "shop-7", "operator": "CNBJSA", "postage": "3.20", "circumstance": "F43",
            "goods": [{"line_no": "1", "description": "gift", "hs_code": "42022100", "value": "3.00", "currency": "EUR",
                       "net_mass_kg": "0.2", "goods_origin_country": "CN"}]}  # fmt: skip
    document = etree.fromstring(as_ics2([told], "M1", part))
    assert schema.validate(document), schema.error_log
