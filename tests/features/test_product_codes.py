"""GTINs and serial numbers as senders write them, and the same serial number in two places."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.messages import read
from features.product_codes import gtin_fails, gtin_of, serial_of
from pipelines.synthetic.declaration import gtin
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
    ],
)
def test_codes_are_read_as_they_are_written(
    code: str | None, gtin: str | None, fails: bool | None, serial: str | None
) -> None:
    assert told(code) == (gtin, fails, serial)


@given(st.integers(0, 10**12 - 1), st.integers(0, 12), st.integers(1, 9))
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
