"""Registered numbers: one key however they are spaced, labelled and prefixed, none for a placeholder."""

from __future__ import annotations

import pytest

from features.identifiers.accounts import account
from features.identifiers.registered_numbers import registered_number


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("GB 123 4567 89", "CN"), ("GB123456789", "CN")),
        (("CHE-123.456.789", "CH"), ("CHE123456789", None)),
        (("CHE-123.456.789 MWST", "FR"), ("che 123 456 789 TVA", "CH")),
        (("VAT no. GB 874 6543 21", "CN"), ("gb-874654321", "HK")),
        (("874 6543 21", "GB"), ("GB874654321", "CN")),
        (("EORI GB874654321000", "GB"), ("GB 874 6543 21", "GB")),
        (("XI874654321000", "GB"), ("GB874654321000", "GB")),
        (("FR 83 404 833 048", "FR"), ("404833048", "FR")),
        (("FR40483304800022", None), ("SIRET 404 833 048 00022", "FR")),
        (("PL526000124600000", "PL"), ("NIP 526-000-12-46", "PL")),
        (("BE 0403.019.261", "BE"), ("BE0403019261", None)),
        (("EL 123456783", "GR"), ("GR123456783", None)),
        (("ATU 12345678", "AT"), ("atu12345678", None)),
        (("统一社会信用代码：91110000600037341L", "CN"), ("CN91110000600037341L", None)),
        (("91110000-600037341-L", None), ("91110000600037341l", "CN")),
        (("CN\u200b 295\u00ad900214", "CN"), ("cn295900214", "CN")),
        (("ＤＥ１２３４５６７８８", "DE"), ("DE 123 456 788", "FR")),
        (("S-88123", "CN"), ("s 88123", "FR")),
    ],
)
def test_signs_labels_and_prefixes_are_no_part_of_a_number(
    one: tuple[str, str | None], other: tuple[str, str | None]
) -> None:
    assert registered_number(*one) == registered_number(*other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("GB874654321", "GB"), ("DE874654321", "DE")),
        (("874654321012", "GB"), ("874654321012", "DE")),
        (("GB 874 6543 21", "GB"), ("GB 874 6543 22", "GB")),
        (("CHE-123.456.789", "CH"), ("CHE-123.456.788", "CH")),
        (("FR40483304800022", "FR"), ("FR55208131766522", "FR")),
        (("NL123456789B01", "NL"), ("NL123456789B02", "NL")),
        (("S-88123", "CN"), ("S-88124", "CN")),
        (("91110000600037341L", "CN"), ("91330200MA2AF1234X", "CN")),
    ],
)
def test_numbers_of_two_firms_are_two(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert None is not registered_number(*one) != registered_number(*other) is not None


@pytest.mark.parametrize(
    "text",
    ["", "N/A", "n/a", "0", "000000000", "TBA", "NOT PROVIDED", "GB000000000", "VAT: none", "VAT 000000000", "无", "-",
     "123456789", "x", "XXXXXXX", "EORI unknown", "no VAT number", "税号：无", "test123"],
)  # fmt: skip
def test_a_placeholder_is_no_number(text: str) -> None:
    assert registered_number(text, "GB") is None


@pytest.mark.parametrize(
    ("one", "other"),
    [("best\u200bkicks2024", "bestkicks2024"), ("Jade_Sport", "jade sport"), ("bést.kicks", "BEST KICKS"),
     ("best\ufe0fkicks", "bestkicks"), ("\u202ebestkicks\u202c", "bestkicks"), ("ｂｅｓｔkicks", "bestkicks"),
     ("bеstkicks", "bestkicks")],
)  # fmt: skip
def test_an_account_is_what_people_see(one: str, other: str) -> None:
    assert account(one) == account(other) is not None


@pytest.mark.parametrize(
    "text", ["none", "UNKNOWN", "n/a", "seller", "Guest", "没有", "xxx", "000000", "shop", "@", "?"]
)
def test_a_placeholder_is_no_account(text: str) -> None:
    assert account(text) is None
