"""Numbers of items in their one form, however people write them; other references stay as they are."""

from __future__ import annotations

import time

import polars as pl
import pytest

from features.contract import gate_manifest
from features.item_numbers import in_one_form, item_number
from features.messages.quality import oddities
from tests.features.conftest import consignments_of, frame_of, row

S10 = "RB123456785CN"
WRITTEN = [
    "RB 123 456 785 CN", "rb123456785cn", "RB-123-456-785-CN", "RB\u00a0123456785\u00a0CN", "RB 12345678 5 CN",
    "Rb.123.456.785.Cn", "ＲＢ１２３４５６７８５ＣＮ", "RB\u200b123456785CN", "RB–123456785–CN",
]  # fmt: skip
OTHERS = [
    ("1z 999 aa1 01 2345 6784", "1Z999AA10123456784"),
    ("(00) 3 4012345 000000001 8", "00340123450000000018"),
    ("00 34012345 00000000 18", "00340123450000000018"),
]
AS_THEY_ARE = [
    "HAWB-2026-001", "hawb0001", "888-11111111", "1234 5678 9012", "RB 123 456 785", "RB1234567855CN", "RB12345678CN",
    "R1 123456785 CN", "CX0000001", "", "-", "M1#2", "1Z999", "a" * 100,
]  # fmt: skip


@pytest.mark.parametrize(("written", "number"), [*((one, S10) for one in WRITTEN), *OTHERS])
def test_a_number_has_one_form(written: str, number: str) -> None:
    assert item_number(written) == number == item_number(number)
    assert in_one_form(pl.Series([written, None, "HAWB-1"])).to_list() == [number, None, "HAWB-1"]


@pytest.mark.parametrize("written", AS_THEY_ARE)
def test_other_references_stay_as_they_are_written(written: str) -> None:
    assert item_number(written) == written
    assert in_one_form(pl.Series([written])).to_list() == [written]


@pytest.mark.parametrize("written", WRITTEN)
def test_the_gate_brings_a_number_into_its_form_and_its_digit_is_judged_there(written: str) -> None:
    accepted = gate_manifest(frame_of(row(consignment_id=written)), "f").accepted
    assert accepted["consignment_id"].to_list() == [S10]
    assert gate_manifest(frame_of(row(consignment_id=written)), "f", recorded=True).accepted[
        "consignment_id"
    ].to_list() == [written]  # what is on record stands
    wrong = oddities(consignments_of(row(consignment_id=written.replace("5", "4").replace("５", "４"))))
    assert ("consignment_id", "the S10 check digit is wrong") in wrong.select("field", "problem").rows()


def test_lines_of_one_item_are_one_consignment_however_each_is_written() -> None:
    both = consignments_of(row(consignment_id=S10, line_no="1"), row(consignment_id=WRITTEN[0], line_no="2"))
    assert (len(both), both.goods.height) == (1, 2)


def test_many_numbers_take_no_time_worth_speaking_of() -> None:
    numbers = pl.Series([f"HAWB-{n}" for n in range(200_000)])
    started = time.perf_counter()
    assert in_one_form(numbers).equals(numbers)
    assert time.perf_counter() - started < 2.0
