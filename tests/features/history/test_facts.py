"""Entities behind names, and the facts that consignments and results are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from features.history.facts import (
    ENTITIES,
    FACT_SCHEMA,
    FACTS,
    KEYS,
    NEVER,
    attributed,
    fact_delta,
    facts_of,
    facts_of_outcomes,
    facts_stated,
    stated,
    with_entities,
)
from tests.features.conftest import LODGED_AT, consignments_of, row

KNOWN = datetime(2026, 3, 9, tzinfo=UTC)


def all_facts(amounts: dict[str, int]) -> tuple[int, ...]:
    """Every fact of the list in its order: those named, and nothing of the others."""
    return tuple((dict.fromkeys(FACTS, 0) | amounts).values())


def entity(key: str, **changes: object) -> int | None:
    found: int | None = with_entities(consignments_of(row(**changes))).frame[f"{key}_entity"].item()
    return found


IN_TOWN: dict[str, object] = {"consignor_city": "Ningbo"}  # a street of every town is nobody's address


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
        ("shop", {"seller_url": "https://best.example/a"}, {"seller_url": "http://www.best.co.uk/b"}),
        ("article", {"description": "shoes AB-1234"}, {"description": "chaussures ab1234 noires"}),
        (
            "address",
            IN_TOWN | {"consignor_address": "12, Harbour Rd"},
            IN_TOWN | {"consignor_address": "12 harbour rd."},
        ),
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
        ("address", IN_TOWN, IN_TOWN | {"consignor_country": "VN"}),
        ("address", IN_TOWN, {"consignor_city": "Wenzhou"}),
        ("shop", {"seller_url": "https://best.example"}, {"seller_url": "https://best-shop.example"}),
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
        ("card", {"consignor_name": None}),
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


def amounts(posted: pl.DataFrame, key: str, of: pl.DataFrame, *facts: str) -> list[tuple[object, ...]]:
    """What was posted to the entity of the first consignment, by time."""
    own = posted.filter(pl.col("entity") == of[f"{key}_entity"][0])
    return own.group_by("known_at").sum().sort("known_at").select("known_at", *facts).rows()


def test_a_consignment_posts_one_fact_for_each_known_entity_and_what_its_sender_has_of_new() -> None:
    sent = consignments_of(row(value="10.55", currency="EUR", gross_mass_kg="0.5", quantity="3", office="FRCDG1"))
    posted = facts_of(sent)
    assert posted.schema == FACT_SCHEMA
    frame = with_entities(sent).frame
    known = frame.select(ENTITIES).row(0)
    assert set(posted["entity"]) == set(known) - {None}
    declared = {"lodged": 1, "consignments": 1, "lines": 1, "value": 1055, "mass": 500, "pieces": 3}
    novel = {"new_consignee": 1, "new_wording": 1, "new_route": 1}
    assert amounts(posted, "goods", frame, *FACTS) == [(LODGED_AT, *all_facts(declared))]
    assert amounts(posted, "consignor", frame, *FACTS) == [(LODGED_AT, *all_facts(declared | novel))]
    assert [key.name for key in KEYS if key.column in frame and frame[key.column][0] is None] == [
        "phone", "mailbox", "account", "shop", "article", "gtin", "serial", "operator",
        "recipient_phone", "caller",
    ]  # fmt: skip


def test_unknown_amounts_are_nothing() -> None:
    sent = consignments_of(row(value=None, gross_mass_kg=None, quantity=None))
    assert amounts(facts_of(sent), "route", with_entities(sent).frame, "consignments", "value", "mass", "pieces") == [
        (LODGED_AT, 1, 0, 0, 0)
    ]


def versions(*changes: dict[str, Any]) -> pl.DataFrame:
    """Versions of one consignment, each in a message of its own, lodged `hour` hours after the first."""
    rows = [
        row(
            message_id=f"M{number}",
            version=str(change.pop("version", number + 1)),
            lodged_at=(LODGED_AT + timedelta(hours=change.pop("hour", number))).isoformat(),
            **change,
        )
        for number, change in enumerate(changes)
    ]
    return stated(consignments_of(*rows))


def at(hours: int) -> datetime:
    return LODGED_AT + timedelta(hours=hours)


def test_an_amendment_takes_back_what_the_version_before_it_said_when_it_is_lodged() -> None:
    both = versions({"value": "10", "consignor_name": "A"}, {"value": "30", "consignor_name": "B"})
    posted = facts_stated(both)
    told = ("consignments", "lines", "value")
    assert amounts(posted, "goods", both, *told) == [(at(0), 1, 1, 1000), (at(1), 0, 0, 2000)]
    assert amounts(posted, "consignor", both, *told) == [(at(0), 1, 1, 1000), (at(1), -1, -1, -1000)]
    assert amounts(posted, "consignor", both[1:], *told) == [(at(1), 1, 1, 3000)]


def test_a_version_lodged_after_a_higher_one_says_nothing() -> None:
    late = versions({"version": 2, "value": "10"}, {"version": 1, "value": "99"}, {"version": 3, "value": "30"})
    assert amounts(facts_stated(late), "goods", late, "lodged", "consignments", "value") == [
        (at(0), 1, 1, 1000), (at(1), 1, 0, 0), (at(2), 1, 0, 2000),
    ]  # fmt: skip


def test_the_same_version_in_two_messages_counts_twice() -> None:
    twice = versions({"version": 1, "value": "10"}, {"version": 1, "value": "10"})
    assert amounts(facts_stated(twice), "goods", twice, "consignments") == [(at(0), 1), (at(1), 1)]


def test_the_order_of_versions_in_the_frame_does_not_matter() -> None:
    four = versions({"value": "1"}, {"value": "2"}, {"value": "3", "consignor_name": "B"}, {"value": "4"})
    posted = facts_stated(four).group_by("entity", "known_at").sum().sort("entity", "known_at")
    for seed in range(5):
        shuffled = facts_stated(four.sample(fraction=1, shuffle=True, seed=seed))
        assert shuffled.group_by("entity", "known_at").sum().sort("entity", "known_at").equals(posted)


def test_a_sender_has_something_new_once_and_when_it_is_first_seen() -> None:
    sent = consignments_of(
        row(consignment_id="A", lodged_at=at(5).isoformat(), description="socks"),
        row(consignment_id="B", lodged_at=at(2).isoformat(), description="SOCKS!"),
        row(consignment_id="C", lodged_at=at(2).isoformat(), description="hats", consignee_name="Somebody else"),
        row(consignment_id="D", lodged_at=at(9).isoformat(), description="socks", operator="CNA"),
    )
    frame = with_entities(sent).frame
    told = amounts(facts_of(sent), "consignor", frame, "consignments", "new_consignee", "new_wording", "new_route")
    assert told == [(at(2), 2, 2, 2, 1), (at(5), 1, 0, 0, 0), (at(9), 1, 0, 0, 1)]


def test_what_the_past_has_seen_is_not_new_and_moves_when_it_was_earlier() -> None:
    sent = consignments_of(row())
    frame = with_entities(sent).frame
    us = int(LODGED_AT.timestamp()) * 1_000_000

    def new(seen_at: int) -> list[tuple[object, ...]]:
        posted = facts_of(sent, lambda entities: np.full(len(entities), seen_at, np.int64))
        return [told for told in amounts(posted, "consignor", frame, "new_consignee") if told[1]]

    assert new(NEVER) == [(LODGED_AT, 1)]
    assert new(us - 1) == new(us) == []
    later = LODGED_AT + timedelta(seconds=1)
    assert new(us + 1_000_000) == [(LODGED_AT, 1), (later, -1)]


def results(*words: str, findings: str | None = None, linked: str | None = None) -> pl.DataFrame:
    frame = with_entities(consignments_of(row())).frame.select(key.column for key in KEYS)
    return pl.concat([frame] * len(words)).with_columns(
        pl.Series("result", words),
        pl.lit(findings, pl.String).alias("findings"),
        pl.lit(linked, pl.String).alias("criminal_link"),
        pl.lit(KNOWN).cast(FACT_SCHEMA["known_at"]).alias("known_at"),
    )


@pytest.mark.parametrize(
    ("word", "findings", "linked", "posts"),
    [
        ("compliant", None, None, {"inspected": 1}),
        ("compliant", "dangerous", "true", {"inspected": 1}),
        ("non_compliant", None, "false", {"inspected": 1, "hits": 1}),
        (
            "non_compliant",
            "counterfeit; dangerous",
            None,
            {"inspected": 1, "hits": 1, "hits_counterfeit": 1, "hits_dangerous": 1, "hits_grave": 1},
        ),
        (
            "non_compliant",
            "undervalued;misdeclared;prohibited",
            "true",
            {"inspected": 1, "hits": 1, "hits_grave": 1}
            | {"hits_undervalued": 1, "hits_misdeclared": 1, "hits_prohibited": 1},
        ),
        ("not_presented", None, None, {"not_presented": 1}),
    ],
)
def test_results_post_inspections_and_hits_by_finding_when_known(
    word: str, findings: str | None, linked: str | None, posts: dict[str, int]
) -> None:
    posted = facts_of_outcomes(results(word, findings=findings, linked=linked))
    assert posted.schema == FACT_SCHEMA
    assert posted.select("known_at", *FACTS).unique().rows() == [(KNOWN, *all_facts(posts))]


def test_an_inconclusive_result_posts_nothing() -> None:
    assert facts_of_outcomes(results("inconclusive")).is_empty()
    assert facts_of_outcomes(results("inconclusive").clear()).schema == FACT_SCHEMA


def test_a_result_is_of_the_version_lodged_last_when_it_was_known() -> None:
    three = versions({"consignor_name": "A"}, {"consignor_name": "B"}, {"consignor_name": "C"})
    known = [at(2), at(0), at(-9), at(1) + timedelta(minutes=59), at(50)]
    ids = three["consignment_id"].to_list()[:1] * len(known)
    asked = pl.DataFrame({"consignment_id": [*ids, "nobody"], "known_at": [*known, at(1)]}).cast(
        {"known_at": FACT_SCHEMA["known_at"]}
    )
    told = attributed(asked, three)
    of = dict(zip(three["consignor_entity"], "ABC", strict=True))
    assert told["known_at"].to_list() == known
    assert [of[entity] for entity in told["consignor_entity"]] == ["C", "A", "A", "B", "C"]


def test_the_highest_of_versions_lodged_at_one_moment_was_inspected() -> None:
    both = versions({"consignor_name": "A", "hour": 0, "version": 2}, {"consignor_name": "B", "hour": 0, "version": 1})
    asked = pl.DataFrame({"consignment_id": both["consignment_id"][:1], "known_at": [at(1)]}).cast(
        {"known_at": FACT_SCHEMA["known_at"]}
    )
    assert attributed(asked, both)["consignor_entity"].to_list() == [both["consignor_entity"][0]]


def test_what_is_to_be_added_is_new_moments_and_differences() -> None:
    three = versions({"value": "1"}, {"value": "1"}, {"value": "5"})
    before = facts_stated(three[:1])
    same_value = fact_delta(facts_stated(three[:2]), before)
    assert same_value["known_at"].unique().to_list() == [at(1)]  # nothing changes but that it was heard of again
    assert same_value.select(pl.col(FACTS[1:]).abs().sum()).row(0) == (0,) * (len(FACTS) - 1)
    assert set(same_value["lodged"]) == {1}
    assert fact_delta(before, before).is_empty()
    moved = fact_delta(facts_stated(three), facts_stated(pl.concat([three[:1], three[2:]])))
    assert amounts(moved, "goods", three, "lodged", "value") == [(at(1), 1, 0)]
