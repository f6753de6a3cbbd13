"""What two senders have in common, level by level, and what of it is only a house's."""

from __future__ import annotations

import pytest

from features.comparable import building, words_of_name
from features.consignment import fold
from features.contract import gate_manifest
from features.parties.evidence import (
    HOUSE_BITS,
    KINDS,
    LEVELS,
    NAMES,
    NETWORK_BITS,
    bits_of,
    evidence_of,
    level_of,
    sentence,
)
from tests.features.conftest import frame_of, row

FIRM = "Ningbo Hengdayongsheng Garment"
ME = "jiaqi.chen837@inbox.example"
EMPTY = dict.fromkeys(("consignor_name", "consignor_address", "consignor_email", "consignor_phone", "seller_url"), "")


def shared(one: dict[str, object], other: dict[str, object]) -> set[str]:
    """The levels of the values that two senders, of whom nothing else is known, have in common."""
    rows = [
        row(**{**EMPTY, "description": "shoes", "consignment_id": str(i), **sender})
        for i, sender in enumerate((one, other))
    ]
    gated = gate_manifest(frame_of(*rows), "M1")
    assert not gated.refused.height
    told = evidence_of(fold(gated.accepted))
    first, second = (set(told.filter(row=number)["value"]) for number in (0, 1))
    return {NAMES[level_of(value)] for value in first & second}


@pytest.mark.parametrize(
    ("field", "one", "other", "levels"),
    [
        ("consignor_email", ME, "ji.aqichen837+shop@inbox.example", {"mailbox", "mailbox_stem"}),
        ("consignor_email", ME, "jiaqi.chen83742@inbox.example", {"mailbox", "mailbox_stem"}),
        ("consignor_email", ME, "jiaqi.chen112@inbox.example", {"mailbox_stem"}),
        ("consignor_email", ME, "jiaqi.chen837@other.example", set()),
        ("seller_url", "https://jadesport380.example", "http://www.jadesport380-shop.example/x", {"shop", "shop_near"}),
        ("seller_url", "https://jadesport380.example", "https://jadesport389.example", {"shop_near"}),
        ("consignor_phone", "+86 195 1607 3747", "008619516073747", {"phone"}),
        ("consignor_name", f"{FIRM} Co., Ltd", "GARMENT, NINGBO HENGDAYONGSHENG", {"name", "name_near"}),
        ("consignor_name", FIRM, "Ningbo Hengdayongshegn Garment", {"name_near"}),
        ("consignor_name", "Ningbo Hengdаyongsheng Garment", FIRM, {"name", "name_near"}),
        ("consignor_name", "李晓明", "Li Xiaoming", {"name_common"}),
        ("consignor_name", "Li Wei", "Li Hui", set()),
        ("consignor_address", "No.34 Dongfeng Road #12", "Warehouse 41, No.34 Dongfeng Road", {"building"}),
        ("consignor_address", "宁波市东风路34号", "No.34 Dongfeng Road", {"building"}),
        ("consignor_address", "No.34 Dongfeng Road", "No.35 Dongfeng Road", set()),
        ("consignor_id", "CN 295900214", "cn295900214", set()),
        ("consignor_id", "CN295900214", "cn295900214", {"id"}),
        ("seller_account", "Jade_Sport", "jade sport", {"account"}),
        ("description", "boots XK4417 black", "XK 4417 boots", {"article"}),
    ],
)  # fmt: skip
def test_what_two_senders_share(field: str, one: str, other: str, levels: set[str]) -> None:
    assert shared({field: one}, {field: other}) == levels


def test_nothing_stated_is_nothing_shared() -> None:
    assert shared({}, {}) == set()


def test_no_text_can_be_read_from_evidence_and_every_level_fits() -> None:
    assert len(LEVELS) <= KINDS
    assert NAMES[-1] == "article"
    told = evidence_of(fold(gate_manifest(frame_of(row()), "M1").accepted))
    assert set(told.columns) == {"row", "value"}


def of(*levels: str) -> list[int]:
    """A value of each level."""
    return [(number << 4) + NAMES.index(level) for number, level in enumerate(levels, start=1)]


@pytest.mark.parametrize(
    ("levels", "bits"),
    [
        (("address", "building"), 6),
        (("building", "article"), 9),
        (("article",) * 5, 8),
        (("name", "name_near", "mailbox_stem"), 6),
        (("shop_near", "mailbox_stem"), 8),
        (("account", "mailbox"), 26),
    ],
)
def test_the_strongest_of_a_group_counts_and_groups_add_up(levels: tuple[str, ...], bits: int) -> None:
    assert bits_of(of(*levels), ()) == bits


def test_the_telephone_of_a_house_is_no_more_than_its_address() -> None:
    phone, house = of("phone", "building")
    assert bits_of([phone], [phone]) >= NETWORK_BITS
    assert bits_of([phone], []) == HOUSE_BITS
    assert bits_of([phone, house], []) == 5
    assert "telephone of a house" in sentence([phone, house], [])
    assert sentence([phone], [phone]) == "the same telephone"


def test_codes_are_counted_in_words() -> None:
    assert sentence(of("article", "article", "account"), []) == "the same seller account; 2 of the same article codes"


def test_the_expressions_stand_alone() -> None:
    frame = frame_of(row(consignor_name="Wang Wei & Co. Trading Ltd", consignor_address="Flat 126, Tai Shing Building"))
    told = frame.select(words_of_name("consignor_name").alias("name"), building("consignor_address").alias("house"))
    assert told.row(0) == ("wang wei", "tai shing building")
