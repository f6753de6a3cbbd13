"""Telephones: one key for each way of writing a number, none for a number that is nobody's."""

from __future__ import annotations

import pytest

from features.identifiers.telephones import telephone, telephones


@pytest.mark.parametrize(
    ("written", "country"),
    [
        ("+86 138 0571 2846", "CN"),
        ("0086-138-0571-2846", "CN"),
        ("8613805712846", "CN"),
        ("138 0571 2846", "CN"),
        ("+86 (0) 13805712846", None),
        ("Tel.: +86 138.0571.2846", "FR"),
        ("手机：13805712846", "CN"),
        ("１３８０５７１２８４６", "CN"),
        ("138O57l2846", "CN"),
        ("+86 138\u200b0571\u00ad2846", "CN"),
        ("https://wa.me/8613805712846", "FR"),
        ("https://api.whatsapp.com/send?phone=8613805712846&text=hi", None),
        ("tel:+86-138-0571-2846", None),
        ("viber://chat?number=%2B8613805712846", None),
        ("+86 138 0571 2846 ext. 22", "CN"),
        ("13805712846转801", "CN"),
        ("13805712846 / 13905712847", "CN"),
    ],
)
def test_all_ways_of_writing_a_number_are_one(written: str, country: str | None) -> None:
    assert telephone(written, country) == "+8613805712846"


@pytest.mark.parametrize(
    ("international", "national", "country"),
    [
        ("+852 2345 6789", "2345 6789", "HK"),
        ("+65 6123 4587", "6123 4587", "SG"),
        ("+853 2871 2345", "2871 2345", "MO"),
        ("+47 2123 4567", "21 23 45 67", "NO"),
        ("+45 3212 3456", "32 12 34 56", "DK"),
        ("+49 (0)209 958712", "0209/958712", "DE"),
        ("+7 495 123-45-67", "8 (495) 123-45-67", "RU"),
        ("+39 06 6982 1234", "06 69821234", "IT"),
        ("+33 1 44 55 66 77", "01.44.55.66.77", "FR"),
        ("+44 20 7123 1234", "(020) 7123 1234", "GB"),
        ("+1 212 736 5000", "1-212-736-5000", "US"),
        ("+81 90 1234 5678", "090-1234-5678", "JP"),
        ("+90 532 123 45 67", "0532 123 45 67", "TR"),
    ],
)
def test_a_national_number_is_the_international_one(international: str, national: str, country: str) -> None:
    assert telephone(international, None) == telephone(national, country)
    assert telephones(international, country) == telephones(national, country)


@pytest.mark.parametrize(
    ("international", "bare"),
    [("+852 2345 6789", "2345 6789"), ("+65 6123 4587", "61234587"), ("+853 2871 2345", "2871 2345"),
     ("+47 2123 4567", "21234567"), ("+45 3212 3456", "32123456"), ("+34 612 345 978", "612345978")],
)  # fmt: skip
def test_a_number_without_code_from_another_country_is_compared_in_the_plans_that_know_it(
    international: str, bare: str
) -> None:
    assert set(telephones(international, "CN")) & set(telephones(bare, "CN"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+8610123456789", "8610123456789"),
        ("+86 148 3153 2702", "14831532702"),
        ("008614831532702", "+86 (0)14831532702"),
        ("+86 1483153270", "86 148 315 3270"),
        ("+33 148 3153 2702", "+86 148 3153 2702"),
        ("+44 14831532702", "14831532702"),
    ],
)
def test_a_number_that_no_plan_knows_is_compared_by_its_digits(one: str, other: str) -> None:
    assert set(telephones(one, "CN")) & set(telephones(other, "CN"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("+852 9123 4587", "HK"), ("+65 9123 4587", "SG")),
        (("+852 6123 4587", "CN"), ("+65 6123 4587", "CN")),
        (("6123 4587", "HK"), ("6123 4587", "SG")),
        (("+33 6 12 34 59 78", "FR"), ("+34 612 345 978", "ES")),
        (("+86 138 0571 2846", "CN"), ("+86 138 0571 2847", "CN")),
        (("0209 958712", "DE"), ("0208 958712", "DE")),
        (("+1 212 736 5000", "US"), ("+1 312 736 5000", "US")),
    ],
)
def test_numbers_of_two_people_share_nothing(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert telephones(*one)
    assert telephones(*other)
    assert not set(telephones(*one)) & set(telephones(*other))


@pytest.mark.parametrize(
    "text",
    ["", "0000000000", "123456789", "1234567890", "0", "000-000-0000", "123-456-7890", "999999", "1", "10086", "n/a",
     "+86 11111111111", "+1 202 555 0123", "+1 (202) 555-0199", "+", "tel:", "wa.me/message/ABCDEF", "+8600000000000",
     "+86 138 0000 0000", "13888888888", "+1-800-225-5345", "+852 2921 2222", "9" * 40, "无", "+0000", "555-0123"],
)  # fmt: skip
@pytest.mark.parametrize("country", ["CN", "US", None])
def test_a_number_of_nobody_is_none(text: str, country: str | None) -> None:
    assert telephones(text, country) == ()
    assert telephone(text, country) is None


@pytest.mark.parametrize("country", ["", "?", "XX", "cn", "12", "中国"])
def test_any_country_can_be_stated(country: str) -> None:
    assert telephone("+33 1 44 55 66 77", country) == "+33144556677"


def test_several_numbers_are_each_compared() -> None:
    assert telephones("+86 138 0571 2846; +33 1 44 55 66 77", "CN") == ("+8613805712846", "+33144556677")
