"""Addresses: one house in every writing of its town, and no house of a street that every town has."""

from __future__ import annotations

import time

import pytest

from features.identifiers.addresses import address_to_unit, building, is_no_house, place_of, street, town_of

Stated = tuple[str | None, str | None, str | None, str | None]  # address, city, postcode, country


@pytest.mark.parametrize(
    "writings",
    [
        [
            ("No.34 Dongfeng Road #12", "Ningbo", None, "CN"),
            ("宁波市东风路34号", None, None, "CN"),
            ("Warehouse 41, No.34 Dongfeng Road", "NINGBO CITY, ZHEJIANG", None, "CN"),
            ("东风路34号", "宁波", "315000", "CN"),
            ("No. 34, Dongfeng Road", None, "315800", "CN"),
            ("浙江省宁波市鄞州区东风路３４号", "浙江", None, "CN"),
        ],
        [
            ("人民路1号", "深圳市", None, "CN"),
            ("No 1 Renmin Rd", "SHEN ZHEN", None, "CN"),
            ("No 1 Renmin Rd", None, "518101", "CN"),
            ("广东省深圳市宝安区人民路1号", None, None, "CN"),
            ("人民路1號", "深圳", None, "CN"),
        ],
        [
            ("稠州路12号", "义乌市", None, "CN"),
            ("浙江省金华市义乌市稠州路12号", None, None, "CN"),
            ("No. 12 Chouzhou Road", "Jinhua Yiwu", None, "CN"),
            ("No. 12 Chouzhou Road", None, "322000", "CN"),
        ],
        [
            ("1 High Street", "Leeds", None, "GB"),
            ("1 High Street, Leeds", None, None, "GB"),
            ("1 HIGH STREET", "Leeds", "LS1 4AP", "GB"),
        ],
        [
            ("12 rue Lumière", "Lyon", "69001", "FR"),
            ("12 Rue Lumiere, 69001 Lyon", None, None, "FR"),
            ("12 rue Lumière 69001 LYON", "LYON CEDEX 02", None, "FR"),
        ],
        [("Тверская улица 1", "Москва", None, "RU"), ("Tverskaya ulitsa 1", "Moskva", None, "RU")],
        [("Flat 126, Tai Shing Building", None, None, "HK"), ("Tai Shing Building, 5/F", "Kowloon", None, "HK")],
        [
            ("7 Dock St, Unit 5", "Dover", None, "GB"),
            ("7 dock st", "Dover", None, "GB"),
            ("Unit 12B 7 Dock St", "Dover", None, "GB"),
        ],
        [("Flat 6-20, 220 Test Street", "Derby", None, "GB"), ("220 Test Street", "Derby", None, "GB")],
    ],
)
def test_one_house_has_one_key(writings: list[Stated]) -> None:
    assert len({building(*stated) for stated in writings}) == 1
    assert building(*writings[0]) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("人民路1号", "北京市", None, "CN"), ("人民路1号", "广州市", None, "CN")),
        (("北京市朝阳区人民路1号", None, None, "CN"), ("广东省广州市人民路1号", None, None, "CN")),
        (("No 1 Renmin Road", None, "100000", "CN"), ("No 1 Renmin Road", None, "510000", "CN")),
        (("1 High Street", "Leeds", None, "GB"), ("1 High Street", "Truro", None, "GB")),
        (("1 High Street, Leeds", None, None, "GB"), ("1 High Street, Truro", None, None, "GB")),
        (("1 High Street", None, "LS1 4AP", "GB"), ("1 High Street", None, "TR1 2AA", "GB")),
        (("12 rue de la Paix", "Lyon", None, "FR"), ("12 rue de la Paix", "Nice", None, "FR")),
        (("Hauptstraße 5", "Köln", None, "DE"), ("Hauptstr. 5", "Bonn", None, "DE")),
        (("Calle Mayor 3", "Madrid", None, "ES"), ("Calle Mayor 3", "Murcia", None, "ES")),
        (("No.34 Dongfeng Road", "Ningbo", None, "CN"), ("No.35 Dongfeng Road", "Ningbo", None, "CN")),
        (("Main St 1", "Springfield", None, "US"), ("Main St 1", "Springfield", None, "CA")),
    ],
)
def test_a_street_of_every_town_is_another_house_in_each(one: Stated, other: Stated) -> None:
    assert None not in (building(*one), building(*other))
    assert building(*one) != building(*other)


@pytest.mark.parametrize(
    "stated",
    [
        ("1 High Street", None, None, "GB"),
        ("人民路1号", None, None, "CN"),
        ("No 4 Main Road", "Guangdong", None, "CN"),
        ("12 rue de la Paix", "N/A", None, "FR"),
        ("Hauptstraße 5", None, "00000", "DE"),
        ("Calle Mayor 3", "-", "", "ES"),
    ],
)
def test_a_street_without_its_town_names_no_house_and_is_weak_evidence(stated: Stated) -> None:
    assert building(*stated) is None
    assert address_to_unit(*stated) is None
    assert street(*stated) is not None


@pytest.mark.parametrize(
    "address",
    [
        "PO Box 12",
        "P.O. Box 12",
        "BP 123",
        "Postfach 10 20",
        "Apartado de Correos 5",
        "邮政信箱12",
        "а/я 7",
        "CS 40001",
        "Poste restante",
        "General Delivery",
        "Lista de Correos",
        "留局自取",
        "Same as above",
        "SAME AS CONSIGNEE",
        "see invoice",
        "As per invoice",
        "同上",
        "voir facture",
        "siehe oben",
        "n/a",
        "Unknown",
        "无",
        "sans adresse",
        "Packstation 145",
        "Parcel Locker 3, Mall",
        "Relais Colis 77",
        "Mondial Relay - Tabac",
        "Paczkomat WAW12A",
        "InPost locker",
        "菜鸟驿站",
        "深圳市宝安区丰巢快递柜12号",
        "постамат 5",
        "c/o Smith, 1 Quay",
        "Amazon Hub Locker - Lime",
        "DHL ServicePoint, Main St 4",
        "",
        "***",
    ],
)
def test_what_is_no_house_gives_no_key(address: str) -> None:
    assert is_no_house(address)
    for key in (building, street, address_to_unit):
        assert key(address, "Leeds", "LS1 4AP", "GB") is None


@pytest.mark.parametrize(
    "address",
    [
        "Boxer Street 12",
        "12 Locker Lane",
        "Ditton Road 4",
        "Nana Road 5",
        "驿站路12号",
        "Unknown Soldier Street 4",
        "BP Tower, 4 Quay",
    ],
)
def test_a_house_that_sounds_like_none_is_one(address: str) -> None:
    assert building(address, "Leeds", None, "GB") is not None


@pytest.mark.parametrize("address", ["Shenzhen", "Guangdong, China", "Yiwu City", "深圳市", "London", "Nowhere"])
def test_a_town_alone_is_no_house(address: str) -> None:
    assert street(address, "Shenzhen", None, "CN") is None


@pytest.mark.parametrize(
    ("city", "country", "town"),
    [
        ("深圳市", "CN", "shenzhen"),
        ("SHENZHEN CITY", "CN", "shenzhen"),
        ("Shen Zhen", "CN", "shenzhen"),
        ("Guangdong, Shenzhen", "CN", "shenzhen"),
        ("Baoan District, Shenzhen", "CN", "shenzhen"),
        ("广东深圳", "CN", "shenzhen"),
        ("Lishi", "CN", "lishi"),
        ("Paris 9e", "FR", "paris"),
        ("75009 PARIS", "FR", "paris"),
        ("São Paulo", "BR", "saopaulo"),
        ("Zhejiang", "CN", None),
        ("unknown", "GB", None),
        ("12345", "DE", None),
        ("Austin, TX 78701", "US", "austin"),
    ],
)
def test_a_town_has_one_spelling(city: str, country: str, town: str | None) -> None:
    assert town_of(city, country) == town


@pytest.mark.parametrize("postcode", ["000000", "00000", "-", "n/a", ""])
def test_a_postcode_that_says_nothing_is_no_place(postcode: str) -> None:
    assert place_of("1 High Street", None, postcode, "DE") is None


@pytest.mark.parametrize("unit", ["(", "no ", "no1 a ", "人", "路1号", "市", "flat 1-", "#", ", 1", "1,a", "unit "])
def test_long_addresses_take_linear_time(unit: str) -> None:
    began = time.perf_counter()
    text = unit * (60_000 // len(unit))
    building(text, text, text, "CN")
    building(text, text, text, "GB")
    assert time.perf_counter() - began < 8.0
