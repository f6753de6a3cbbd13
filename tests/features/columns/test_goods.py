"""The goods lines: codes, wording and values worked out by hand."""

from __future__ import annotations

import math

import pytest

from tests.features.conftest import feature


@pytest.mark.parametrize(
    ("code", "six", "digits"),
    [
        ("420231", "420231", 6.0),
        ("4202.31", "420231", 6.0),
        ("4202 31 00 10", "420231", 10.0),
        ("4202310010", "420231", 10.0),
        ("4202", None, 4.0),
        ("42", None, 2.0),
        ("phone", None, 0.0),
        (None, None, 0.0),
    ],
)
def test_hs_codes(code: str | None, six: str | None, digits: float) -> None:
    assert feature("hs6", hs_code=code) == six
    assert feature("hs_digits", hs_code=code) == digits


def test_masses_and_logarithms() -> None:
    assert feature("line_mass_kg", net_mass_kg=0.0) is None
    assert feature("line_mass_kg", net_mass_kg=0.2) == 0.2
    assert feature("line_value_per_kg_log", line_value_eur=20.0, line_mass_kg=0.5) == pytest.approx(math.log(40))
    assert feature("line_value_per_kg_log", line_value_eur=0.0, line_mass_kg=1.0) == pytest.approx(math.log(0.01))
    assert feature("line_value_per_piece_log", line_value_eur=20.0, quantity=4.0) == pytest.approx(math.log(5))
    assert feature("line_value_per_piece_log", line_value_eur=20.0, quantity=0.0) == pytest.approx(math.log(20))


def test_deviations_are_counted_in_spreads() -> None:
    told = feature(
        "line_value_per_kg_deviation", line_value_per_kg_log=2.0, value_per_kg_norm=3.0, value_per_kg_spread=0.5
    )
    assert told == -2.0
    told = feature(
        "line_value_per_piece_deviation",
        line_value_per_piece_log=2.0,
        value_per_piece_norm=None,
        value_per_piece_spread=None,
    )
    assert told is None


@pytest.mark.parametrize(
    ("description", "words"),
    [("leather phone case", 3), ("T-shirt, 2 pcs.", 4), ("étui cuir", 2), ("手机壳", 1), ("-", 0)],
)
def test_words(description: str, words: int) -> None:
    assert feature("line_words", description=description) == words


@pytest.mark.parametrize(
    ("description", "words", "share"),
    [
        ("gift", 1.0, 1.0),
        ("Gifts for you", 3.0, 1 / 3),
        ("GENERAL MERCHANDISE", 2.0, 1.0),
        ("leather phone case", 3.0, 0.0),
        ("cadeau", 1.0, 1.0),
        ("Pièces auto", 2.0, 0.5),
        ("échantillons", 1.0, 1.0),
        ("effets personnels", 2.0, 1.0),
        ("礼品", 1.0, 1.0),
        ("手机配件", 1.0, 1.0),
        ("手机壳", 1.0, 0.0),
        ("department", 1.0, 0.0),  # holds "part", is not it
        ("", 0.0, 0.0),
    ],
)
def test_vague_words_in_three_languages(description: str, words: float, share: float) -> None:
    assert feature("line_vague_share", description=description, line_words=words) == pytest.approx(share)


def test_the_line_of_the_highest_value_speaks_for_the_consignment() -> None:
    values = [5.0, 9.0, 9.0, None]
    assert feature("main_hs6", hs6=["1", "2", "3", "4"], line_value_eur=values) == "2"
    assert feature("main_origin", goods_origin_country=["CN", None, "HK", "US"], line_value_eur=values) is None
    assert feature("main_hs6", hs6=["1", "2"], line_value_eur=[None, None]) == "1"


def test_shares_and_counts_of_lines() -> None:
    assert feature("lines_without_value", line_value_eur=[1.0, None, None, 0.0]) == 0.5
    assert feature("product_codes_share", product_code=["x", None]) == 0.5
    assert feature("hs_digits_least", hs_digits=[6.0, 4.0]) == 4.0
    assert feature("hs_chapters", hs6=["420231", "420299", "610910"]) == 2.0


def test_a_missing_code_is_no_chapter() -> None:
    assert feature("hs_chapters", hs6=["420231", None]) == 1.0


def test_the_oddest_line_speaks() -> None:
    assert feature("value_per_kg_deviation", line_value_per_kg_deviation=[-2.0, None, 1.0]) == -2.0
    assert feature("value_per_piece_deviation", line_value_per_piece_deviation=[3.0, 1.0]) == 1.0
    assert feature("norm_lines", value_per_kg_norm_lines=[40.0, 20.0]) == 20.0
    assert feature("wording_words", line_words=[3.0, 1.0]) == 1.0
    assert feature("wording_vague_share", line_vague_share=[0.5, 1.0, 0.0]) == 1.0
    assert feature("wording_likeness", line_wording_likeness=[-1.0, None, 0.5]) == 0.5


def test_shares_of_digits_and_chinese() -> None:
    assert feature("wording_digit_share", description=["A123", "ab"]) == 0.75
    assert feature("wording_chinese_share", description=["手机a壳", "case"]) == 0.75
