"""The consignment as declared: values worked out by hand."""

from __future__ import annotations

import pytest

from tests.features.conftest import feature


def test_values_and_masses_by_kilogram_and_piece() -> None:
    assert feature("value_per_kg", value_eur=30.0, gross_mass_kg=1.5) == 20.0
    assert feature("value_per_kg", value_eur=30.0, gross_mass_kg=0.0) is None
    assert feature("value_per_kg", value_eur=None, gross_mass_kg=1.5) is None
    assert feature("value_per_piece", value_eur=30.0, pieces=4.0) == 7.5
    assert feature("value_per_piece", value_eur=30.0, pieces=0.0) == 30.0
    assert feature("mass_per_piece", gross_mass_kg=1.5, pieces=6.0) == 0.25
    assert feature("net_to_gross", net_mass_total_kg=1.5, gross_mass_kg=2.0) == 0.75
    assert feature("net_to_gross", net_mass_total_kg=1.5, gross_mass_kg=0.0) is None


@pytest.mark.parametrize(("value", "short"), [(149.5, 0.5), (150.0, 0.0), (150.01, None), (0.0, 150.0), (None, None)])
def test_shortfall_of_low_value(value: float | None, short: float | None) -> None:
    assert feature("short_of_low_value", value_eur=value) == short


@pytest.mark.parametrize(
    ("value", "nature", "short"),
    [(44.0, "gift", 1.0), (45.0, "gift", 0.0), (45.5, "gift", None), (44.0, "sale", None), (44.0, None, None)],
)
def test_shortfall_of_the_gift_relief(value: float, nature: str | None, short: float | None) -> None:
    assert feature("short_of_gift_relief", value_eur=value, nature=nature) == short


def test_round_values_are_round_in_the_currency_declared() -> None:
    assert feature("value_is_round", value_eur=9.0, value_declared=10.0) == 1.0
    assert feature("value_is_round", value_eur=9.0, value_declared=10.5) == 0.0
    assert feature("value_is_round", value_eur=None, value_declared=10.0) is None


def test_gifts_of_many_pieces_and_gifts_from_shops() -> None:
    assert feature("gift_pieces", nature="gift", pieces=12.0) == 12.0
    assert feature("gift_pieces", nature="sample", pieces=3.0) == 3.0
    assert feature("gift_pieces", nature="sale", pieces=12.0) == 0.0
    assert feature("gift_pieces", nature=None, pieces=12.0) == 0.0
    none = {"seller_account": None, "seller_url": None, "platform": None}
    for shop in none:
        assert feature("gift_from_shop", nature="gift", **{**none, shop: "x"}) == 1.0
        assert feature("gift_from_shop", nature="sale", **{**none, shop: "x"}) == 0.0
    assert feature("gift_from_shop", nature="gift", **none) == 0.0
    assert feature("gift_from_shop", nature=None, **{**none, "platform": "x"}) == 0.0


def test_postage_to_value() -> None:
    assert feature("postage_to_value", postage=5.0, value_declared=20.0) == 0.25
    assert feature("postage_to_value", postage=5.0, value_declared=0.0) is None


def test_missing_elements_are_counted() -> None:
    stated = {
        "hs_digits_least": 6.0,
        "packages": 1.0,
        "gross_mass_kg": 1.0,
        "consignor_name": "a",
        "consignor_address": "b",
        "consignee_name": "c",
        "consignee_address": "d",
    }
    assert feature("missing_elements", **stated) == 0.0
    for element in stated:
        gone = 4.0 if element == "hs_digits_least" else None
        assert feature("missing_elements", **{**stated, element: gone}) == 1.0
    assert feature("missing_elements", **{**dict.fromkeys(stated), "hs_digits_least": 0.0}) == 7.0


def test_missing_contacts_and_ioss() -> None:
    assert feature("missing_contacts", consignor_phone=None, consignor_email="a@b") == 1.0
    assert feature("missing_contacts", consignor_phone=None, consignor_email=None) == 2.0
    assert feature("missing_contacts", consignor_phone="1", consignor_email="a@b") == 0.0
    assert feature("has_ioss", ioss="IM123") == 1.0
    assert feature("has_ioss", ioss=None) == 0.0


def test_chapter_and_digits() -> None:
    assert feature("hs_chapter", main_hs6="420231") == "42"
    assert feature("hs_chapter", main_hs6=None) is None
    assert feature("sender_address_digits", consignor_address="12 Road, 518000") == 8.0
    assert feature("sender_address_digits", consignor_address=None) is None


@pytest.mark.parametrize(
    ("email", "name", "fit"),
    [
        ("Sunrise.shop@x.cn", "SUNRISE Trading", 1.0),
        ("shop8@sunrise.cn", "Sunrise Trading", 0.0),
        ("li.wei@x.cn", "Li Wei", 1.0),  # the first word of three letters
        ("li.wu@x.cn", "Li Wu", None),
        (None, "Sunrise", None),
        ("a@b", None, None),
        ("élodie@x.fr", "M. Élodie Roux", 1.0),
    ],
)
def test_mailbox_and_name(email: str | None, name: str | None, fit: float | None) -> None:
    assert feature("mailbox_name_fit", consignor_email=email, consignor_name=name) == fit
