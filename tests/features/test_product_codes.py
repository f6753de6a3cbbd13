"""GTINs and serial numbers as senders write them, and the same serial number in two places."""

from __future__ import annotations

import time

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.contract import gate_manifest
from features.messages import read
from features.product_codes import gtin_fails, gtin_of, serial_of
from pipelines.synthetic.declaration import gtin
from tests.features.conftest import frame_of, row
from tests.service.building import declared, message

GTIN = "09506000134352"  # the example of the Digital Link standard


def told(code: str | None) -> tuple[str | None, bool | None, str | None]:
    frame = pl.DataFrame({"c": [code]}, schema={"c": pl.String})
    c = pl.col("c")
    row: tuple[str | None, bool | None, str | None] = frame.select(
        gtin_of(c).alias("gtin"), gtin_fails(c).alias("fails"), serial_of(c).alias("serial")
    ).row(0)
    return row


@pytest.mark.parametrize(
    ("code", "gtin", "fails", "serial"),
    [
        (None, None, None, None),
        ("9506000134352", GTIN, False, None),
        ("9506000134353", GTIN[:-1] + "3", True, None),
        ("950600 013435-2", GTIN, False, None),
        ("96385074", "00000096385074", False, None),
        ("https://id.gs1.org/01/09506000134352/21/AB-12%2F3?17=271200", GTIN, False, f"{GTIN}|AB123"),
        ("https://shop.example/path/gtin/9506000134352/ser/ab123", GTIN, False, f"{GTIN}|AB123"),
        ("HTTPS://ID.GS1.ORG/01/09506000134352/10/LOT", GTIN, False, None),
        ("(01)09506000134352(17)271200(21)AB 123", GTIN, False, f"{GTIN}|AB123"),
        ("SN: 83911-A", None, None, "?|83911A"),
        ("serial no. 83911a", None, None, "?|83911A"),
        ("83911-A", None, None, None),
        ("(01)09506000134352(21)0000", GTIN, False, None),
        ("ABCDEF", None, None, None),
        ("N/A", None, None, None),
        ("12345", None, None, None),
        ("https://shop.example/offer/123456789012", None, None, None),
        # as a scanner gives it
        ("010950600013435221A-1001", GTIN, False, f"{GTIN}|A1001"),
        ("]C1010950600013435221A-1001", GTIN, False, f"{GTIN}|A1001"),
        ("]d2010950600013435221A-1001\x1d10LOT7", GTIN, False, f"{GTIN}|A1001"),
        ("]d201095060001343521726123110LOT7<GS>21A-1001", GTIN, False, f"{GTIN}|A1001"),
        ("]Q3\x1d010950600013435221A1001", GTIN, False, f"{GTIN}|A1001"),
        ("0109506000134352{FNC1}21A1001", GTIN, False, f"{GTIN}|A1001"),
        ("01095060001343521726123121A-1001", GTIN, False, f"{GTIN}|A1001"),
        ("21A1001␝0109506000134352", GTIN, False, f"{GTIN}|A1001"),
        ("0109506000134352 21A1001", GTIN, False, f"{GTIN}|A1001"),
        ("010950600013435231030012502112345X", GTIN, False, f"{GTIN}|12345X"),
        ("0109506000134352", GTIN, False, None),
        ("]E09506000134352", GTIN, False, None),
        ("]Q1https://id.gs1.org/01/09506000134352/21/A-1001", GTIN, False, f"{GTIN}|A1001"),
        ("id.gs1.org/01/09506000134352/21/A-1001", GTIN, False, f"{GTIN}|A1001"),
        ("]C1010950600013435321A-1001", GTIN[:-1] + "3", True, f"{GTIN[:-1]}3|A1001"),
        # what only looks like it
        ("0109506000134353", None, None, None),  # digits, and no check digit that is right
        ("010950600013435", None, None, None),
        ("0109506000134352XY12", None, None, None),
        ("01095060001343521", None, None, None),
        ("]C1", None, None, None),
        # serial numbers that say nothing
        ("S/N unknown", None, None, None),
        ("S/N: see box", None, None, None),
        ("SN: NOTAVAILABLE", None, None, None),
        ("S/N: n/a n/a", None, None, None),
        ("Serial number: 000000", None, None, None),
        ("S/N: refer to packaging", None, None, None),
        ("N° de série : inconnu", None, None, None),
        ("https://id.gs1.org/01/09506000134352/21/unknown", GTIN, False, None),
        ("https://id.gs1.org/01/09506000134352/21/0000", GTIN, False, None),
        ("(01)09506000134352(21)NONE", GTIN, False, None),
        ("010950600013435221TBA", GTIN, False, None),
        ("0000000000000", None, None, None),
        ("00000000000000", None, None, None),
        # and some that do
        ("S/N UNK-48213", None, None, "?|UNK48213"),
        ("N° de série: 83911A", None, None, "?|83911A"),
        ("序列号：83911A", None, None, "?|83911A"),
        ("https://id.gs1.org/01/09506000134352/21/KVXQPT", GTIN, False, f"{GTIN}|KVXQPT"),
    ],
)
def test_codes_are_read_as_they_are_written(
    code: str | None, gtin: str | None, fails: bool | None, serial: str | None
) -> None:
    assert told(code) == (gtin, fails, serial)


@given(st.integers(1, 10**12 - 1), st.integers(0, 12), st.integers(1, 9))
def test_one_wrong_digit_is_always_seen(stem: int, place: int, more: int) -> None:
    right = gtin(pl.Series([stem]).to_numpy())[0].zfill(13)
    wrong = right[:place] + str((int(right[place]) + more) % 10) + right[place + 1 :]
    assert told(right)[1] is False
    assert told(wrong)[1] is True


@given(st.text(max_size=60))
def test_any_text_is_read_or_left(code: str) -> None:
    gtin, fails, _ = told(code)
    assert (gtin is None) == (fails is None)


def test_a_wrong_check_digit_is_a_problem_of_its_field() -> None:
    goods = [{"description": "cotton shirts", "product_code": "9506000134353", "value": 20, "currency": "EUR"}]
    _, problems = read(message(declared(1, goods=goods)))
    assert ("product_code", "the check digit of the GTIN is wrong") in problems.found.select("field", "problem").rows()


def test_the_separator_of_a_scanner_passes_the_gate_and_no_other_control_character_does() -> None:
    code = "]d2010950600013435210LOT7\x1d21A-1001"
    gated = gate_manifest(frame_of(row(product_code=code), row(consignment_id="C2", product_code="A\x1e1")), "f")
    assert gated.accepted["product_code"].to_list() == ["]d2010950600013435210LOT7<GS>21A-1001"]
    assert gated.refused["field"].to_list() == ["product_code"]
    assert told(gated.accepted["product_code"][0])[2] == f"{GTIN}|A1001"


@pytest.mark.parametrize(
    "hostile", ["01" * 5_000, "]C1" * 2_000, "10" + "\x1d10" * 3_000, "/01" * 5_000, "21" + " " * 9_000]
)
def test_hostile_codes_take_no_time(hostile: str) -> None:
    started = time.perf_counter()
    told(hostile)
    assert time.perf_counter() - started < 0.2
