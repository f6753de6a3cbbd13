"""Entities behind names, and the facts that consignments and results are."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from features.facts import FACT_SCHEMA, KEYS, facts_of, facts_of_outcomes, with_entities
from tests.features.conftest import LODGED_AT, consignments_of, row

KNOWN = datetime(2026, 3, 9, tzinfo=UTC)


def entity(key: str, **changes: object) -> int | None:
    return with_entities(consignments_of(row(**changes))).frame[f"{key}_entity"].item()


def test_entities_are_the_same_on_every_machine() -> None:
    assert entity("consignor", consignor_name="Sunrise Trading", consignor_country="CN") == 5671433245462899154
    told = with_entities(consignments_of(row())).frame.select(key.column for key in KEYS)
    assert set(told.dtypes) == {pl.Int64}


@pytest.mark.parametrize(
    ("key", "one", "other"),
    [
        ("consignor", {"consignor_name": "Sunrise  Trading Ltd."}, {"consignor_name": "SUNRISE trading, ltd"}),
        ("consignor", {"consignor_id": "GB-1", "consignor_name": "A"}, {"consignor_id": "gb 1", "consignor_name": "B"}),
        ("name", {"consignor_name": "Sunrise Trading Ltd"}, {"consignor_name": "Тrading Sunrisе"}),
        ("mailbox", {"consignor_email": "A.B@x.cn"}, {"consignor_email": "ab+79@X.CN"}),
        ("phone", {"consignor_phone": "+86 (755) 123-45678"}, {"consignor_phone": "0086-75512345678"}),
        ("account", {"seller_account": "Best_Shop"}, {"seller_account": "best shop"}),
        ("shop", {"seller_url": "https://best.example/a"}, {"seller_url": "http://www.best-shop.example"}),
        ("article", {"description": "shoes AB-1234"}, {"description": "chaussures ab1234 noires"}),
        ("address", {"consignor_address": "12, Harbour Rd"}, {"consignor_address": "12 harbour rd."}),
        ("goods", {"hs_code": "4202.31"}, {"hs_code": "4202310010"}),
    ],
)
def test_spellings_of_one_entity_are_one(key: str, one: dict[str, object], other: dict[str, object]) -> None:
    assert entity(key, **one) is not None
    assert entity(key, **one) == entity(key, **other)


@pytest.mark.parametrize(
    ("key", "one", "other"),
    [
        ("consignor", {}, {"consignor_country": "VN"}),
        ("consignee", {"consignee_postcode": "1000"}, {"consignee_postcode": "2000"}),
        ("pair", {}, {"consignee_name": "B. Martin"}),
        ("address", {}, {"consignor_country": "VN"}),
        ("route", {}, {"operator": "CNA"}),
        ("route", {}, {"transit_countries": "HK"}),
        ("goods", {}, {"goods_origin_country": None}),
    ],
)
def test_others_are_others(key: str, one: dict[str, object], other: dict[str, object]) -> None:
    assert entity(key, **one) != entity(key, **other)


@pytest.mark.parametrize(
    ("key", "unknown"),
    [
        ("consignor", {"consignor_name": None}),
        ("consignor", {"consignor_name": "***"}),
        ("consignee", {"consignee_name": None}),
        ("pair", {"consignee_name": None}),
        ("phone", {}),
        ("mailbox", {}),
        ("account", {}),
        ("network", {}),
        ("name", {"consignor_name": "Trading Co., Ltd"}),
        ("shop", {}),
        ("address", {"consignor_address": None}),
        ("route", {"dispatch_country": None}),
        ("goods", {"hs_code": None}),
    ],
)
def test_the_unknown_is_nobody(key: str, unknown: dict[str, object]) -> None:
    assert entity(key, **unknown) is None


@pytest.mark.parametrize("code", ["none", "-"])
def test_a_code_without_digits_is_no_goods(code: str) -> None:
    assert entity("goods", hs_code=code) is None


def test_countries_of_transit_are_spelled_alike() -> None:
    assert entity("route", transit_countries="hk") == entity("route", transit_countries="HK")


def test_equal_names_of_two_kinds_are_two_entities() -> None:
    told = consignments_of(row(seller_url="sunrise", seller_account="sunrise"))
    frame = with_entities(told).frame
    assert frame["account_entity"].item() != frame["shop_entity"].item()


def test_the_line_of_the_highest_value_names_the_goods() -> None:
    cheap, dear = row(value="1", hs_code="610910"), row(line_no="2", value="90", hs_code="420231")
    both = with_entities(consignments_of(cheap, dear)).frame["goods_entity"].item()
    assert both == entity("goods", hs_code="420231")


def test_entities_are_found_once() -> None:
    linked = with_entities(consignments_of(row()))
    assert with_entities(linked) is linked


def test_a_consignment_posts_one_fact_for_each_known_entity() -> None:
    posted = facts_of(consignments_of(row(value="10.55", currency="EUR", gross_mass_kg="0.5", quantity="3")))
    assert posted.schema == FACT_SCHEMA
    assert posted.height == 7  # no telephone, mailbox, account, shop, article and network
    assert posted.drop("entity").unique().rows() == [(LODGED_AT, 1, 1055, 500, 3, 0, 0, 0)]
    assert posted["entity"].n_unique() == 7


def test_unknown_amounts_are_nothing_and_amendments_post_nothing() -> None:
    posted = facts_of(
        consignments_of(row(value=None, gross_mass_kg=None, quantity=None), row(message_id="M2", version="2"))
    )
    assert posted.drop("entity").unique().rows() == [(LODGED_AT, 1, 0, 0, 0, 0, 0, 0)]


def results(*words: str) -> pl.DataFrame:
    frame = with_entities(consignments_of(row())).frame.select(key.column for key in KEYS)
    return pl.concat([frame] * len(words)).with_columns(
        pl.Series("result", words), pl.lit(KNOWN).cast(FACT_SCHEMA["known_at"]).alias("known_at")
    )


@pytest.mark.parametrize(
    ("word", "amounts"),
    [("compliant", (1, 0, 0)), ("non_compliant", (1, 1, 0)), ("not_presented", (0, 0, 1))],
)
def test_results_post_inspections_and_hits_when_known(word: str, amounts: tuple[int, int, int]) -> None:
    posted = facts_of_outcomes(results(word))
    assert posted.schema == FACT_SCHEMA
    assert posted.drop("entity").unique().rows() == [(KNOWN, 0, 0, 0, 0, *amounts)]


def test_an_inconclusive_result_posts_nothing() -> None:
    assert facts_of_outcomes(results("inconclusive")).is_empty()
    assert facts_of_outcomes(results("inconclusive").clear()).schema == FACT_SCHEMA
