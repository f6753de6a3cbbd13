"""Messages with the faults that real ones have: what can be read is read, and the rest is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from features.messages.formats import read_content
from features.messages.mapping_file import load_mapping
from features.messages.postal_map import PostalMapFault, postal_map
from features.messages.raw import NOT_STATED, Raw
from tests.features.messages.parcels import FHL, HOUSE, ITEM, PREDES, PREDES_XML, SHOES, house
from tests.writers import as_cargo_xml, as_fhl, as_ics2, as_postal


def waybill(**changes: Any) -> bytes:
    return as_cargo_xml(house(**changes), "M1")


def read(content: bytes | str, **how: Any) -> Raw:
    return read_content(content.encode() if isinstance(content, str) else content, "m", **how)


def cells(raw: Raw, *names: str) -> list[tuple[Any, ...]]:
    return raw.rows.select(names).rows()


def noted(raw: Raw) -> set[tuple[str, str]]:
    return {(field, problem) for _, field, problem in raw.noted.rows()}


# --- Cargo-XML ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", [("rsm:", "ram:"), ("", ""), ("a:", "b:")])
def test_names_are_known_with_any_prefix_or_none(prefix: tuple[str, str]) -> None:
    outer, inner = prefix
    text = waybill().decode()
    text = text.replace("rsm:", outer).replace("ram:", inner)
    for before, after in (("xmlns:rsm", outer), ("xmlns:ram", inner)):
        text = text.replace(f"{before}=", f"xmlns:{after.rstrip(':')}=" if after else f"data-{before[-3:]}=", 1)
    assert cells(read(text), "consignment_id", "hs_code") == [("HAWB1", "640411")]


@pytest.mark.parametrize("written", ["888-11111111", "88811111111", "888 1111 1111", "888-1111 1111"])
def test_a_master_waybill_number_has_one_form_however_it_is_written(written: str) -> None:
    assert cells(read(waybill(transport_id=written)), "transport_id", "operator") == [("888-11111111", "888")]


def test_a_house_without_its_number_is_called_by_that_of_the_message() -> None:
    text = waybill().decode().replace("<ram:ID>HAWB1</ram:ID><ram:IncludedTare", "<ram:IncludedTare")
    assert cells(read(text), "consignment_id") == [("HAWB1",)]


def test_a_house_without_any_number_keeps_its_lines_together_and_says_so() -> None:
    text = waybill(goods=[SHOES, {**SHOES, "line_no": "2"}]).decode().replace("<ram:ID>HAWB1</ram:ID>", "")
    raw = read(text)
    assert cells(raw, "consignment_id", "line_no") == [("M1#1", "1"), ("M1#1", "2")]
    assert ("consignment_id", "missing; called by its place in the message") in noted(raw)


@pytest.mark.parametrize(
    ("written", "lodged_at", "problem"),
    [
        ("2026-03-01T08:15:00+01:00", "2026-03-01T08:15:00.000000+01:00", None),
        ("2026-03-01T08:15:00", "2026-03-01T08:15:00.000000+00:00", "without a zone; taken for UTC"),
        ("2026-03-01", "2026-03-01T00:00:00.000000+00:00", "without a zone; taken for UTC"),
        ("20260301081500Z", "2026-03-01T08:15:00.000000+00:00", None),
        ("2026-03-01T08:15:00.5Z", "2026-03-01T08:15:00.500000+00:00", None),
        ("yesterday", None, "not a time; the time of arrival stands"),
        ("2026-02-31T08:15:00Z", None, "not a time; the time of arrival stands"),
        ("", None, "not stated; the time of arrival stands"),
    ],
)
def test_times_are_read_as_far_as_they_are_times(written: str, lodged_at: str | None, problem: str | None) -> None:
    raw = read(waybill(lodged_at=written))
    assert cells(raw, "lodged_at") == [(lodged_at,)]
    assert [p for field, p in noted(raw) if field == "lodged_at"] == ([problem] if problem else [])


@pytest.mark.parametrize("code", ["6404", "640411", "64041100", "6404110090", "6404.11", None])
def test_tariff_codes_of_any_length_are_kept_as_they_are(code: str | None) -> None:
    assert cells(read(waybill(goods=[{**SHOES, "hs_code": code}])), "hs_code") == [(code,)]


@pytest.mark.parametrize(("unit", "kilograms"), [("KGM", "1.5"), ("LBR", "0.680389"), ("GRM", "0.0015"), ("XYZ", None)])
def test_masses_are_in_kilograms_whatever_their_unit(unit: str, kilograms: str | None) -> None:
    raw = read(waybill().replace(b'unitCode="KGM"', f'unitCode="{unit}"'.encode()))
    assert cells(raw, "gross_mass_kg") == [(kilograms,)]
    assert (("gross_mass_kg", "an unknown unit of mass; left out") in noted(raw)) == (unit == "XYZ")


@pytest.mark.parametrize(
    ("written", "purpose"),
    [("Creation", "original"), ("Update", "amendment"), ("Deletion", "cancellation"), ("Party", None)],
)
def test_the_purpose_of_a_waybill(written: str, purpose: str | None) -> None:
    raw = read(as_cargo_xml(HOUSE, "M1", written))
    assert cells(raw, "purpose") == [(purpose,)]
    assert (("purpose", "an unknown purpose; left out") in noted(raw)) == (purpose is None)


def test_a_description_that_is_missing_does_not_lose_the_consignment() -> None:
    raw = read(waybill(goods=[{**SHOES, "description": None}]))
    assert cells(raw, "consignment_id", "description") == [("HAWB1", NOT_STATED)]
    assert ("description", "missing") in noted(raw)


def test_a_number_given_to_two_lines_is_counted_anew() -> None:
    raw = read(waybill(goods=[SHOES, {**SHOES, "hs_code": "420221"}]))
    assert cells(raw, "line_no", "hs_code") == [(None, "640411"), (None, "420221")]
    assert ("line_no", "the same number twice; counted anew") in noted(raw)


# --- ICS2 ---------------------------------------------------------------------------------------------------------


def test_a_house_in_both_parts_is_read_once_as_the_declaration_has_it() -> None:
    early = as_ics2([house(goods=[{**SHOES, "description": "shoes"}])], "M1", "relatedPLACI").decode()
    full = as_ics2([HOUSE, house(consignment_id="HAWB2")], "M1").decode()
    part = early[early.index("<relatedPLACI>") : early.index("</IE4R05>")]
    raw = read(full.replace("<relatedENS>", part + "<relatedENS>"))
    assert cells(raw, "consignment_id", "description") == [("HAWB1", "running shoes"), ("HAWB2", "running shoes")]


def test_a_master_without_houses_is_a_consignment() -> None:
    text = as_ics2([HOUSE], "M1").decode().replace("consignmentMasterLevel>", "x>")
    text = text.replace("consignmentHouseLevel>", "consignmentMasterLevel>").replace("<x>", "").replace("</x>", "")
    text = text.replace("transportDocumentHouseLevel", "transportDocumentMasterLevel")
    assert cells(read(text), "consignment_id", "consignor_name") == [("HAWB1", "Yiwu Bright")]


def test_houses_that_a_result_only_points_at_are_no_declarations() -> None:
    pointed = (
        "<controlRecommendations><controlSubject><consignmentMasterLevel><consignmentHouseLevel>"
        "<transportDocumentHouseLevel><documentNumber>OTHER</documentNumber></transportDocumentHouseLevel>"
        "</consignmentHouseLevel></consignmentMasterLevel></controlSubject></controlRecommendations>"
    )
    text = as_ics2([HOUSE], "M1").decode().replace("</fullRiskAnalysis>", pointed + "</fullRiskAnalysis>")
    assert cells(read(text), "consignment_id") == [("HAWB1",)]


def test_an_invoice_for_all_lines_is_borne_by_the_first() -> None:
    lines = [{**SHOES, "value": None}, {**SHOES, "value": None, "line_no": "2"}]
    text = as_ics2([house(goods=lines)], "M1").decode()
    text = text.replace("<totalGrossMass>", '<totalAmountInvoiced value="80.5" currency="USD"/><totalGrossMass>')
    assert cells(read(text), "value", "currency") == [("80.5", "USD"), (None, None)]


def test_what_an_answer_needs_is_in_the_header() -> None:
    header = read(as_ics2([HOUSE], "M1", mrn="26FR00000000000AB1")).header
    assert dict(header) == {
        "functional_reference": "RA-1", "message_id": "M1", "sender": "CR", "recipient": "NES.FR",
        "risk_analysis_reference": "RAR-7", "member_state": "FR", "mrn": "26FR00000000000AB1",
    }  # fmt: skip


@pytest.mark.parametrize(("circumstance", "stream"), [("F43", "postal"), ("F32", "express"), (None, "express")])
def test_the_kind_of_filing_tells_post_from_express(circumstance: str | None, stream: str) -> None:
    how = {"circumstance": circumstance} if circumstance else {}
    assert cells(read(as_ics2([HOUSE], "M1", **how)), "stream") == [(stream,)]


# --- FHL ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_house_manifest_in_text(end: str) -> None:
    raw = read(FHL.replace("\n", end))
    assert raw.format == "cargo-imp"
    assert cells(raw, "consignment_id", "line_no", "hs_code", "description", "value", "currency", "quantity") == [
        ("FF100", "1", "640411", "RUNNING SHOES WITH A LONGER DESCRIPTION ON TWO LINES", "420.50", "EUR", "4"),
        ("FF100", "2", "64041990", "RUNNING SHOES WITH A LONGER DESCRIPTION ON TWO LINES", None, None, None),
        ("FF101", "1", None, "BAG", None, None, "1"),
    ]
    party = [
        "consignor_name", "consignor_address", "consignor_city", "consignor_country", "consignor_postcode",
        "consignor_phone", "consignor_id", "consignee_name", "consignee_phone",
    ]  # fmt: skip
    assert cells(raw, *party)[0] == (
        "MILLER GMBH", "MAIN STREET 1", "FRANKFURT HE", "DE", "60549", "49691234", "DE123", "SHANGHAI RUN LTD",
        "8613900000",
    )  # fmt: skip
    assert cells(raw, "transport_id", "gross_mass_kg", "dispatch_country", "office")[1:] == [
        ("888-11111111", "245", "DE", "PVG"), ("888-11111111", "4.53592", "DE", "PVG"),
    ]  # fmt: skip


def test_a_teletype_header_before_it_does_not_hide_it() -> None:
    assert read("QK PVGFFXX\n.FRAFFXX 010815\n" + FHL).rows.height == 3


def test_two_messages_in_one_file_are_two_messages() -> None:
    raw = read(FHL + FHL.replace("FF10", "FG10"))
    assert raw.rows["message_id"].n_unique() == 2
    assert raw.rows.height == 6


def test_an_unknown_mass_and_a_line_of_nothing_known_are_told_or_passed_by() -> None:
    raw = read(FHL.replace("/K245/4/SHOES", "/Q245/4/SHOES").replace("/NSC/EAW", "ZZZ/WHAT"))
    assert ("gross_mass_kg", "not a mass in kilograms (K) or pounds (L); left out") in noted(raw)


def test_a_house_manifest_sent_again_is_the_same_message() -> None:
    again = [read(as_fhl([HOUSE])).rows["message_id"][0] for _ in range(2)]
    assert again[0] == again[1]
    assert again[0] != read(as_fhl([house(packages="2")])).rows["message_id"][0]


# --- postal -------------------------------------------------------------------------------------------------------

DIALECT = """
[postal.message]
item_matter = ["Sendungen"]
items = ["Sendung"]
pieces = ["Inhalt"]
[postal.item]
consignment_id = ["Nummer"]
gross_mass_kg = ["Gewicht"]
nature = ["Art"]
[postal.consignor]
within = ["Absender"]
name = ["Vorname + Nachname"]
[postal.piece]
description = ["Ware"]
[postal.words.nature]
"geschenk" = "gift"
[postal.units]
mass = "g"
"""


def test_another_operators_dialect_needs_a_map_and_no_code(tmp_path: Path) -> None:
    path = tmp_path / "dialect.toml"
    path.write_text(DIALECT)
    text = (
        "<Sendungen><Sendung><Nummer>RR123456785DE</Nummer><Gewicht>750</Gewicht><Art>Geschenk</Art>"
        "<Absender><Vorname>Eva</Vorname><Nachname>Roth</Nachname></Absender>"
        "<Inhalt><Ware>Buch</Ware></Inhalt></Sendung></Sendungen>"
    )
    raw = read(text, mapping=load_mapping(path))
    told = ("consignment_id", "gross_mass_kg", "nature", "consignor_name", "description", "stream")
    assert cells(raw, *told) == [("RR123456785DE", "0.75", "gift", "Eva Roth", "Buch", "postal")]


@pytest.mark.parametrize(
    ("own", "where"),
    [
        ({"itemz": {}}, "postal.itemz"),
        ({"item": {"weigth": ["w"]}}, "postal.item.weigth"),
        ({"item": {"nature": "Art"}}, "postal.item.nature"),
        ({"units": {"mass": "stone"}}, "postal.units.mass"),
        ({"words": {"nature": ["gift"]}}, "postal.words.nature"),
    ],
)
def test_a_fault_in_a_dialect_names_its_key(own: dict[str, Any], where: str) -> None:
    with pytest.raises(PostalMapFault, match=f"^{where}: "):
        postal_map(own)


@pytest.mark.parametrize(
    ("code", "nature", "known"),
    [("11", "sale", True), ("21", "returned", True), ("31", "gift", True), ("32", "sample", True),
     ("91", "documents", True), ("999", "other", True), ("Sale of goods", "sale", True), ("gift", "gift", True),
     ("77", "other", False), ("bribe", "other", False)],
)  # fmt: skip
def test_natures_of_the_transaction(code: str, nature: str, known: bool) -> None:
    told = as_postal([ITEM], "M1", "2026-03-01T08:15:00Z")
    told["itemMatter"]["items"][0]["natureOfTransaction"] = code
    raw = read(json.dumps(told))
    assert cells(raw, "nature") == [(nature,)]
    assert (("nature", "an unknown nature of the transaction; taken for other") in noted(raw)) != known


@pytest.mark.parametrize(
    ("function", "purpose"), [("9", "original"), ("4", "amendment"), ("1", "cancellation"), ("77", None)]
)
def test_functions_of_a_postal_message(function: str, purpose: str | None) -> None:
    raw = read(json.dumps(as_postal([ITEM], "M1", "2026-03-01T08:15:00Z", function)))
    assert cells(raw, "purpose") == [(purpose,)]


def test_an_item_list_at_the_top_numbers_and_masses_with_units() -> None:
    item = {"item_id": "LX123456785CN", "gross-weight": {"unit": "g", "value": 1}, "content": []}
    item["grossWeight"] = {"unit": "g", "": 1}
    text = '[{"itemId": "LX123456785CN", "messageId": "no", "weight": 0.750, "sender": {"name": "A", "country": "CN"}, '
    text += '"contentPieces": [{"description": "shoes", "value": 12.50, "currency": "EUR"}, {"description": "belt"}]}]'
    raw = read('{"items": ' + text + "}")
    told = ("consignment_id", "gross_mass_kg", "value", "description", "dispatch_country", "packages")
    assert cells(raw, *told) == [
        ("LX123456785CN", "0.750", "12.50", "shoes", "CN", "1"), ("LX123456785CN", "0.750", None, "belt", "CN", "1"),
    ]  # fmt: skip


STOWED = [
    ("B", "CNPVGAFRCDGAAUN12345678901234"), ("C", "CNPVGAFRCDGAAUN12345678901235"),
    ("LX123456785CN", "CNPVGAFRCDGAAUN12345678901234"),
]  # fmt: skip


@pytest.mark.parametrize("content", [json.dumps(PREDES), PREDES_XML])
def test_a_dispatch_list_says_what_lies_in_which_receptacle(content: str) -> None:
    raw = read(content)
    assert (raw.format, raw.rows.height, raw.stowed.rows()) == ("postal", 0, STOWED)
    assert noted(raw) == {("transport_id", "items in a receptacle without a number")}
