"""A message read: what is odd in it, and when it is refused as a whole."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.history.facts import KEYS
from features.messages import Message, Problems, Refused, read
from features.messages.mapping_file import load_mapping
from features.messages.quality import LOST_ZERO, s10_fails
from tests.features.conftest import LODGED_AT, frame_of, row

NO_RECEPTACLE = "not the form of a receptacle identifier"


def message(*rows: dict[str, object], complete: bool = False) -> Message:
    return Message(frame_of(*rows), "hand", LODGED_AT, complete=complete)


def found(*rows: dict[str, object]) -> list[tuple[object, ...]]:
    """The oddities of rows as (row, field, problem)."""
    return read(message(*rows))[1].found.rows()


def check_digit(serial: str) -> int:
    """UPU S10: the weighted sum of eight digits, from eleven; ten is written 0 and eleven 5."""
    total = sum(int(digit) * weight for digit, weight in zip(serial, [8, 6, 4, 2, 3, 5, 9, 7], strict=True))
    return {10: 0, 11: 5}.get(11 - total % 11, 11 - total % 11)


@settings(max_examples=60, deadline=None)
@given(st.from_regex(r"\A[0-9]{8}\Z"), st.integers(0, 9))
def test_s10_check_digits_agree_with_an_independent_count(serial: str, digit: int) -> None:
    assert s10_fails(f"RR{serial}{digit}CN") == (digit != check_digit(serial))


def test_known_s10_identifiers_hold() -> None:
    ids = ["RR473124829GB", "RR473124828GB", "EE123456785JP"]  # the first is the standard's own
    assert list(map(s10_fails, ids)) == [False, True, False]


def test_what_is_no_s10_identifier_is_not_judged_as_one() -> None:
    assert not any(map(s10_fails, ["123-45678901", "RR12345678CN", "rr123456785cn", "RR١٢٣٤٥٦٧٨٥CN", ""]))


@pytest.mark.parametrize(
    "changes",
    [
        {"transport_id": "CNPVGAFRCDGAAUN" + "1" * 14}, {"ioss": "IM2760000011"}, {"hs_code": "9901"},
        {"hs_code": "39.26.90"}, {"office": "CDG"}, {"office": "PAR"}, {"office": "FRPAR"}, {"office": "FRCDGA"},
        {"office": "FR000740"}, {"operator": "CNPOST"}, {"consignor_phone": "+86 (573) 8888-1234"},
        {"consignor_phone": "0033.1.44.55.66.77"}, {"consignor_email": "a.b+c@shop.example"},
        {"consignor_country": "XK"}, {"description": "gift box with perfume"}, {"description": "T恤"},
    ],
)  # fmt: skip
def test_known_codes_and_forms_are_no_problem(changes: dict[str, object]) -> None:
    assert found(row(**changes)) == []


def test_a_good_row_has_no_problem() -> None:
    assert found(row()) == []


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"consignment_id": "RR123456784CN"}, "consignment_id", "the S10 check digit is wrong"),
        ({"consignor_name": None}, "consignor_name", "missing"),
        ({"consignor_address": None}, "consignor_address", "missing"),
        ({"consignee_name": None}, "consignee_name", "missing"),
        ({"consignee_address": None}, "consignee_address", "missing"),
        ({"gross_mass_kg": None}, "gross_mass_kg", "missing"),
        ({"packages": None}, "packages", "missing"),
        ({"gross_mass_kg": "0.39"}, "gross_mass_kg", "less than the net mass"),
        ({"dispatch_country": "CHN"}, "dispatch_country", "not a country code of ISO 3166"),
        ({"consignor_country": "C1"}, "consignor_country", "not a country code of ISO 3166"),
        ({"goods_origin_country": "CHINA"}, "goods_origin_country", "not a country code of ISO 3166"),
        ({"hs_code": None}, "hs_code", "missing"),
        ({"hs_code": "phone"}, "hs_code", "not 2 to 10 digits"),
        ({"value": None}, "value", "missing"),
        ({"currency": None}, "currency", "missing beside a value"),
        ({"currency": "XTS"}, "currency", "a currency without a rate"),
        ({"currency": "AAA"}, "currency", "not a currency code of ISO 4217"),
        ({"consignor_country": "XZ"}, "consignor_country", "not a country code of ISO 3166"),
        ({"consignee_country": "ZZ"}, "consignee_country", "not a country code of ISO 3166"),
        ({"destination_country": "EU"}, "destination_country", "not a country code of ISO 3166"),
        ({"hs_code": "1133557799"}, "hs_code", "no heading of HS 2022"),
        ({"hs_code": "8803"}, "hs_code", "no heading of HS 2022"),  # it was one until 2021
        ({"description": "gift"}, "description", "says nothing about the goods"),
        ({"description": "Divers cadeaux"}, "description", "says nothing about the goods"),
        ({"description": "礼品"}, "description", "says nothing about the goods"),
        ({"description": "420231"}, "description", "says nothing about the goods"),
        ({"office": "QQQ"}, "office", "no place is known by this code"),
        ({"office": "ZZPAR"}, "office", "no place is known by this code"),
        ({"office": "ZZPARA"}, "office", "no place is known by this code"),
        ({"transport_id": "CNPVGAFRCDGAXUN" + "1" * 14}, "transport_id", NO_RECEPTACLE),
        ({"ioss": "FR12345678901"}, "ioss", "not the form of an IOSS number (IM and ten digits)"),
        ({"consignor_phone": "call me"}, "consignor_phone", "not the form of a telephone number"),
        ({"consignee_phone": "1"}, "consignee_phone", "not the form of a telephone number"),
        ({"consignor_email": "nobody"}, "consignor_email", "not the form of an e-mail address"),
        ({"consignee_email": "a@b"}, "consignee_email", "not the form of an e-mail address"),
    ],
)
def test_each_oddity_is_told_of_its_consignment(changes: dict[str, object], field: str, problem: str) -> None:
    assert found(row(consignment_id="FIRST1"), row(**changes)) == [(1, field, problem)]


@pytest.mark.parametrize("changes", [{"hs_code": "4202.31"}, {"hs_code": "4202 31 00 10"}, {"dispatch_country": "cn"}])
def test_harmless_spellings_are_no_problem(changes: dict[str, object]) -> None:
    assert found(row(**changes)) == []


def test_a_problem_of_several_lines_is_told_once_and_in_order_of_consignments() -> None:
    places = (("A", "1"), ("B", "1"), ("A", "2"))
    rows = [row(consignment_id=c, line_no=n, hs_code=None, net_mass_kg=None) for c, n in places]
    assert found(*rows, row(consignment_id="A", line_no="3", value=None)) == [
        (0, "hs_code", "missing"), (0, "value", "missing"), (1, "hs_code", "missing"),
    ]  # fmt: skip


def test_a_complete_message_with_a_malformed_row_is_refused_as_a_whole() -> None:
    with pytest.raises(Refused, match="1 malformed row") as refused:
        read(message(row(), row(consignment_id="B", value="-1"), complete=True))
    assert refused.value.faults.select("line", "field", "reason").rows() == [(3, "value", "negative")]
    assert "RR123456785CN" not in str(refused.value)


def test_a_complete_message_without_fault_is_read() -> None:
    consignments, problems = read(message(row(), complete=True))
    assert len(consignments) == 1
    assert problems.refused.is_empty()


def test_without_completeness_the_good_rows_are_read_and_the_bad_ones_told() -> None:
    consignments, problems = read(message(row(), row(consignment_id="B", value="-1")))
    assert consignments.frame["consignment_id"].to_list() == ["RR123456785CN"]
    assert problems.refused["line"].to_list() == [3]
    assert problems.found.is_empty()


def of_goods(problems: Problems) -> list[tuple[object, ...]]:
    return problems.found.filter(pl.col("field") == "goods").rows()


def test_a_refused_line_is_told_of_the_rest_of_its_consignment() -> None:
    rows = [row(consignment_id="A"), row(consignment_id="B"), row(consignment_id="B", line_no="2", value="many")]
    assert of_goods(read(message(*rows))[1]) == [(1, "goods", "a goods line was refused by the gate")]


def test_a_refused_line_is_not_told_of_another_version() -> None:
    rows = [row(version="1"), row(version="2"), row(version="2", line_no="2", value="many")]
    assert of_goods(read(message(*rows))[1]) == [(1, "goods", "a goods line was refused by the gate")]


def test_rows_without_message_take_the_name_of_the_message_and_entities_are_found() -> None:
    consignments, _ = read(message(row(message_id=None)))
    assert consignments.frame["message_id"].to_list() == ["hand"]
    assert {key.column for key in KEYS} <= set(consignments.frame.columns)


def test_a_mapping_is_applied_before_the_gate(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text('[manifest.rename]\nconsignment_id = "No"\n[manifest.default]\nstream = "express"\n'
                    'lodged_at = "2026-03-01T00:00:00Z"\ndescription = "belt"\n')  # fmt: skip
    told = Message(frame_of({"No": "C1"}), "hand", LODGED_AT, mapping=load_mapping(path))
    assert read(told)[0].frame.select("consignment_id", "stream").rows() == [("C1", "express")]


@pytest.mark.parametrize("code", ["90111", "901.11", "9 01 11", "9011100", "640", "1", "901110000", "0901.1"])
def test_an_odd_number_of_digits_is_told_as_a_lost_zero_and_no_other_heading_is_looked_for(code: str) -> None:
    problems = [problem for _, field, problem in found(row(hs_code=code)) if field == "hs_code"]
    assert problems == (["not 2 to 10 digits"] if len(code) == 1 else [LOST_ZERO])


@pytest.mark.parametrize("code", ["090111", "0901.11", "09 01 11", "64", "6404", "64041190", "6404119000"])
def test_an_even_number_of_digits_lost_no_zero(code: str) -> None:
    assert [problem for _, field, problem in found(row(hs_code=code)) if field == "hs_code"] == []
