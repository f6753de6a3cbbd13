"""What two senders have in common, level by level, and what of it is only a house's."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
import pytest

from features.consignment import fold
from features.contract import gate_manifest
from features.parties.evidence import (
    HOUSE_BITS,
    KINDS,
    LEVELS,
    NAMES,
    NETWORK_BITS,
    SENDER,
    bits_of,
    level_of,
    sender_values,
    sentence,
)
from features.parties.linking import STATED, with_evidence
from pipelines.synthetic.disguise import lookalike
from tests.features.conftest import frame_of, row

FIRM = "Ningbo Hengdayongsheng Garment"
ME = "jiaqi.chen837@inbox.example"
EMPTY = dict.fromkeys(
    (
        "consignor_name", "consignor_address", "consignor_city", "consignor_postcode", "consignor_email",
        "consignor_phone", "seller_url",
    ),
    "",
)  # fmt: skip


def shared(one: Mapping[str, object], other: Mapping[str, object]) -> set[str]:
    """The levels of the values that two senders, of whom nothing else is known, have in common."""
    rows = [
        row(**{**EMPTY, "description": "shoes", "consignment_id": str(i), **sender})
        for i, sender in enumerate((one, other))
    ]
    gated = gate_manifest(frame_of(*rows), "M1")
    assert not gated.refused.height
    first, second = (set(stated or ()) for stated in with_evidence(fold(gated.accepted)).frame[STATED].to_list())
    return {NAMES[level_of(value)] for value in first & second}


@pytest.mark.parametrize(
    ("field", "one", "other", "levels"),
    [
        ("consignor_email", ME, "ji.aqichen837+shop@inbox.example", {"mailbox", "mailbox_stem"}),
        ("consignor_email", ME, "jiaqi.chen83742@inbox.example", {"mailbox", "mailbox_stem"}),
        ("consignor_email", ME, "jiaqi.chen112@inbox.example", {"mailbox_stem"}),
        ("consignor_email", ME, "jiaqi.chen837@other.example", set()),
        ("seller_url", "https://jadesport380.example", "http://www.jadesport380-shop.example/x", {"shop_near"}),
        ("seller_url", "https://jadesport380.example", "http://www.jadesport380.co.uk/x", {"shop", "shop_near"}),
        ("seller_url", "https://jadesport380.example", "https://jadesport389.example", {"shop_near"}),
        ("consignor_phone", "+86 195 1607 3747", "008619516073747", {"phone"}),
        ("consignor_name", f"{FIRM} Co., Ltd", "GARMENT, NINGBO HENGDAYONGSHENG", {"name", "name_near"}),
        ("consignor_name", FIRM, "Ningbo Hengdayongshegn Garment", {"name_near"}),
        ("consignor_name", "Ningbo Hengdаyongsheng Garment", FIRM, {"name", "name_near"}),
        ("consignor_name", "李晓明", "Li Xiaoming", {"name_common"}),
        ("consignor_name", "Li Wei", "Li Hui", set()),
        ("consignor_address", "No.34 Dongfeng Road #12, Ningbo", "宁波市东风路34号", {"building", "street"}),
        ("consignor_address", "宁波市东风路34号", "No.34 Dongfeng Road", {"street"}),
        ("consignor_address", "北京市朝阳区人民路1号", "广东省广州市人民路1号", {"street"}),
        ("consignor_address", "PO Box 12, Ningbo", "PO Box 12, Ningbo", set()),
        ("consignor_name", "Lumen Distribution S.A.R.L.", "LUMEN DISTRIBUTION SARL", {"name", "name_near"}),
        ("consignor_name", "Мосторгсервис Комплект", "Mostorgservis Komplekt", {"name", "name_near"}),
        ("consignor_name", "Yıldız Işık Tekstil", "YILDIZ ISIK TEKSTIL", {"name", "name_near"}),
        ("consignor_name", "Müller Söhne Handel", "MUELLER SOEHNE HANDEL", {"name", "name_near"}),
        ("consignor_name", "محمد عبد الرحمن الحسيني", "محمد عبد الرحمن الحسيني", {"name_common"}),
        ("seller_account", "ΝΙΚΕΖΟΝΕ", "nikezone", {"account"}),
        ("seller_account", "best\u200bkicks", "bestkicks", {"account"}),
        ("consignor_address", "No.34 Dongfeng Road", "No.35 Dongfeng Road", set()),
        ("consignor_id", "CN 295900214", "cn295900214", {"id"}),
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
    told = with_evidence(fold(gate_manifest(frame_of(row()), "M1").accepted)).frame
    assert told.schema[STATED] == pl.List(pl.Int64)
    assert {level_of(value) for value in told[STATED].to_list()[0]} <= set(range(len(LEVELS)))


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


@pytest.mark.parametrize(
    ("city", "postcode", "levels"),
    [
        (("Leeds", "Leeds"), ("", ""), {"address", "building", "street"}),
        (("Leeds", "Truro"), ("", ""), {"street"}),
        (("", ""), ("LS1 4AP", "LS1 4AP"), {"address", "building", "street"}),
        (("", ""), ("LS1 4AP", "TR1 2AA"), {"street"}),
        (("", "Leeds"), ("", ""), {"street"}),
        (("深圳市", ""), ("", "518101"), {"address", "building", "street"}),
        (("SHENZHEN CITY", "深圳"), ("", ""), {"address", "building", "street"}),
    ],
)
def test_a_building_is_one_in_its_town(city: tuple[str, str], postcode: tuple[str, str], levels: set[str]) -> None:
    """The address of the two is the same text."""
    one, other = (
        {"consignor_address": "1 High Street", "consignor_city": city[n], "consignor_postcode": postcode[n]}
        for n in (0, 1)
    )
    assert shared(one, other) == levels


SYLLABLES = (
    "jin",
    "feng",
    "rong",
    "xin",
    "heng",
    "da",
    "yong",
    "sheng",
    "bo",
    "lin",
    "qi",
    "ming",
    "hui",
    "hua",
    "mao",
    "tai",
    "chang",
    "guang",
    "yuan",
    "de",
    "hong",
    "jia",
    "le",
    "mei",
    "an",
    "kang",
    "shun",
    "fu",
    "ji",
    "xiang",
)
CITIES = ("Ningbo", "Yiwu", "Shenzhen", "Guangzhou", "Hangzhou", "Quanzhou", "Foshan", "Dongguan", "Wenzhou", "Xiamen")
CHARACTERS = dict(zip(SYLLABLES, "金丰荣鑫恒达永盛博林启明辉华茂泰昌广源德宏嘉乐美安康顺福吉祥", strict=True))
SEATS = ("宁波", "义乌", "深圳", "广州", "杭州", "泉州", "佛山", "东莞", "温州", "厦门")
CITY_CHARACTERS = dict(zip(CITIES, SEATS, strict=True))
TRADE = {"Garment": "服饰", "Toys": "玩具", "Crafts": "工艺品", "Supply Chain": "供应链", "Electronic": "电子"}
FORMS = ("Co., Ltd", "Limited", "Co Ltd", "Trading Co., Ltd.", "International Trade Co.,Ltd", "LLC", "")


def firm(rng: random.Random) -> tuple[str, list[str], str]:
    """City, syllables of the name, trade."""
    return rng.choice(CITIES), [rng.choice(SYLLABLES) for _ in range(4)], rng.choice(list(TRADE))


def written(one: tuple[str, list[str], str], form: str) -> str:
    city, syllables, trade = one
    return f"{city} {''.join(syllables).capitalize()} {trade} {form}".strip()


def mutated(one: tuple[str, list[str], str], rng: random.Random) -> str:
    """The same firm under look-alike letters, another legal form, another order of words, or in characters."""
    city, syllables, trade = one
    way = rng.randrange(4)
    if way == 0:
        return lookalike(written(one, rng.choice(FORMS)), np.random.default_rng(rng.randrange(1 << 30)))
    if way == 1:
        return written(one, rng.choice(FORMS)).upper()
    if way == 2:
        words = written(one, "").split(" ")
        rng.shuffle(words)
        return " ".join([*words, rng.choice(FORMS)])
    return f"{CITY_CHARACTERS[city]}市{''.join(CHARACTERS[s] for s in syllables)}{TRADE[trade]}有限公司"


def name_values(names: Sequence[str]) -> list[set[int]]:
    """The values of the levels of names, for each name."""
    senders = ({"consignor_name": name, "consignor_country": "CN"} for name in names)
    return [set(sender_values(*map(sender.get, SENDER))) for sender in senders]


@pytest.mark.slow
def test_ten_thousand_disguised_names_are_recognised_and_strangers_are_not() -> None:
    """Recall at least 0.98; of pairs of strangers at most 0.5 % are taken for one; exact matching finds a fraction."""
    rng = random.Random(11)
    firms = [firm(rng) for _ in range(10_000)]
    plain, other = [written(one, "Co., Ltd") for one in firms], [mutated(one, rng) for one in firms]
    known, disguised = name_values(plain), name_values(other)
    recalled = sum(bool(one & two) for one, two in zip(known, disguised, strict=True)) / len(firms)
    strangers = [(rng.randrange(10_000), rng.randrange(10_000)) for _ in range(100_000)]
    false = [bool(known[i] & disguised[j]) for i, j in strangers if plain[i] != plain[j]]
    exact = sum(one == two for one, two in zip(plain, other, strict=True)) / len(firms)
    assert recalled >= 0.98
    assert sum(false) / len(false) <= 0.005
    assert exact < 0.1
