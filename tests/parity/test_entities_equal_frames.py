"""Entities, evidence and what linking finds are what they were as expressions over frames, bit for bit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.consignment import COLUMNS, Consignments, fold
from features.history.entities import with_entities
from features.history.keys import KEYS
from features.parties.graph import Graph
from features.parties.linking import LINKED, STATED, link_with, with_evidence
from pipelines.synthetic import build_world
from tests.oracle.entities import keys as former
from tests.oracle.entities import linking as former_linking
from tests.worlds import accepted_of

NAMES = (
    "Ningbo Hengdayongsheng Garment Co., Ltd", "GARMENT, NINGBO HENGDAYONGSHENG", "Ningbo Hengdаyongsheng Garment",
    "李晓明", "Li Xiaoming", "Мосторгсервис Комплект", "Yıldız Işık Tekstil",
    "Müller Söhne Handel", "محمد عبد الرحمن",
    "金华市万利贸易有限公司", "Σωκράτης ΑΕ", "straße & co", "ﬁne ﬀects", "n/a", "", "  ", "Amazon",
    "ŉ Ǆ ẚ", "Sp. z o.o. Lumen",
)  # fmt: skip
PHONES = (
    "+86 195 1607 3747", "008619516073747", "195 1607 3747", "0000000000", "wa.me/8613512340987", "01 23 45 67 89",
    "020 7946 0018 ext. 12", "tel:+33612345678; 0033612345679", "١٢٣٤٥٦٧٨٩", "12345678",
    "N/A", "+1 (212) 555-0147", "x",
)  # fmt: skip
MAILBOXES = (
    "jiaqi.chen837@inbox.example", "ji.aqichen837+shop@inbox.example",
    "jiaqi.chen83742@gmail.com", "info@solekicks.example",
    "a@a.com", "mailto:Best@QQ.com, second@163.com", "没有", "ünï@exämple.de", "@",
    "noreply@dhl.com", "x@y@z.example",
)  # fmt: skip
SHOPS = (
    "https://jadesport380.example", "http://www.jadesport380-shop.example/x", "www.solekicks.co.uk/x?y=1",
    "amazon.de/sp?seller=A1XYZ", "best.myshopify.com", "solekicks.shop", "http://[::1]/",
    "https://例え.jp/店", "bit.ly/AbC",
    "t.me/seller", "unknown", "HTTP://ＷＷＷ．ＥＸＡＭＰＬＥ．ＣＯＭ",
)  # fmt: skip
ADDRESSES = (
    "No.34 Dongfeng Road #12, Ningbo", "宁波市东风路34号", "PO Box 12", "1 High Street",
    "Unit 4, 12 Rue de la Paix, Paris",
    "浙江省金华市义乌市稠城街道工人北路 5 号 3 楼", "Musterstraße 7, 10115 Berlin", "n/a", "((", "#",
    "Flat 2/1, 90 Queen's Rd",
)  # fmt: skip
CITIES = ("Ningbo", "宁波市", "Yiwu, Zhejiang", "PARIS", "Berlin", "浙江", "")
POSTCODES = ("315000", "75001", "SW1A 1AA", "000000", "２２", "")
NUMBERS = (
    "CN 295900214", "cn295900214", "FR12345678901", "EORI: FR83404833048000",
    "91330200MA2AF5X51L", "0000", "VAT no. GB123456782",
    "CHE-123.456.788 MWST", "seller 5", "n/a",
)  # fmt: skip
CODES = (
    "4006381333931", "(01)04006381333931(21)AB 12", "]C1010400638133393121XY7",
    "https://id.example/01/04006381333931/21/99Z",
    "S/N 83911-A", "SN: unknown", "model 7", "０４０06381333931",
)  # fmt: skip
GOODS = (
    "chaussures kp 1284 noires, KP-1285", "shoes KP1284", "ＫＰ 1284 шоес", "straße1234 SS1234",
    "礼品 AB123456C 手机壳", "gift",
    "İST 4417, ıst4417", "x" * 60, "KP1284\u0301", "A١٢٣٤", "ﬀ123 FF123",
)  # fmt: skip
HS = ("6404.11", "64 04 11 90", "", "610910", "６４０４", "-", "4202")
COUNTRIES = ("CN", "FR", "GB", "TR", "HK", "cn", "??")


def either(*known: str) -> st.SearchStrategy[str | None]:
    """One of some texts, a text of any letters, or none."""
    drawn = st.text(st.characters(exclude_categories=["Cs", "Cn"]), max_size=30)
    return st.one_of(st.none(), st.sampled_from(known), st.sampled_from(known), drawn)


CELLS: dict[str, st.SearchStrategy[str | None]] = {
    "consignor_name": either(*NAMES), "consignee_name": either(*NAMES), "consignor_phone": either(*PHONES),
    "consignor_email": either(*MAILBOXES), "seller_url": either(*SHOPS), "consignor_address": either(*ADDRESSES),

    "consignor_city": either(*CITIES), "consignor_postcode": either(*POSTCODES),
    "consignee_postcode": either(*POSTCODES),
    "consignor_id": either(*NUMBERS), "consignee_id": either(*NUMBERS), "seller_account": either(*NAMES),
    "operator": either("LA POSTE", "DHL", ""), "office": either("FRCDG1",
    "cdg"), "transit_countries": either("AE;TR", ""),
    **{f"{part}_country": either(*COUNTRIES) for part in ("consignor", "consignee", "dispatch", "destination")},
}  # fmt: skip
LINES: dict[str, st.SearchStrategy[str | None]] = {
    "description": either(*GOODS), "hs_code": either(*HS), "product_code": either(*CODES),
    "goods_origin_country": either(*COUNTRIES),
}  # fmt: skip
ADDED = sorted({key.column for key in KEYS} - set(former.ENTITIES))  # keys that came since
FIRST = datetime(2026, 3, 1, tzinfo=UTC)


@st.composite
def declared(draw: st.DrawFn) -> Consignments:
    """Consignments as the gate accepts them, of any texts, with one or several lines in any order."""
    rows: list[dict[str, Any]] = []
    for number in range(draw(st.integers(1, 6))):
        level: dict[str, Any] = {name: draw(cell) for name, cell in CELLS.items()}
        level |= {
            "consignment_id": f"C{draw(st.integers(0, 9))}",
            "message_id": f"M{number}",
            "version": number % 2 + 1,
        }
        level["version"] = number % 2 + 1
        level["lodged_at"] = FIRST + timedelta(minutes=draw(st.integers(0, 3)))
        for line in range(draw(st.integers(1, 3))):
            value = draw(st.none() | st.sampled_from([0.0, 5.0, 5.0, 90.25]))
            rows.append({**level, **{name: draw(cell) for name, cell in LINES.items()}, "line_no": line, "value": value,
                         "currency": "EUR"})  # fmt: skip
    shuffled = draw(st.permutations(rows))
    return fold(
        pl.DataFrame(
            [{c.name: row.get(c.name) for c in COLUMNS} for row in shuffled], {c.name: c.dtype for c in COLUMNS}
        )
    )


def assert_same_entities(consignments: Consignments) -> None:
    now, before = with_entities(consignments), former.with_entities(consignments)
    assert now.frame.select(former.ENTITIES).equals(before.frame.select(former.ENTITIES), null_equal=True)
    assert now.frame.drop(ADDED).schema == before.frame.schema


def assert_same_links(consignments: Consignments) -> None:
    now, before = with_evidence(consignments), former_linking.with_evidence(consignments)
    assert now.frame[STATED].to_list() == before.frame[STATED].to_list()
    graph, former_graph = Graph(), Graph()
    found, links = link_with(consignments, graph)
    was, former_links = former_linking.link_with(consignments, former_graph)
    assert found.frame.select(list(LINKED)).equals(was.frame.select(list(LINKED)), null_equal=True)
    assert found.frame.drop(ADDED).schema == was.frame.schema
    assert links == former_links
    assert graph.members == former_graph.members


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(declared())
def test_whatever_is_declared_names_whom_it_named(consignments: Consignments) -> None:
    assert_same_entities(consignments)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(declared())
def test_whatever_is_declared_shares_what_it_shared(consignments: Consignments) -> None:
    assert_same_links(consignments)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Consignments:
    folder: Path = tmp_path_factory.mktemp("entities")
    build_world(10, 300, 3, folder)
    return fold(accepted_of(sorted((folder / "manifests").glob("*.parquet"))))


def test_a_world_is_linked_as_it_was(world: Consignments) -> None:
    assert len(world) > 2_500
    assert world.goods.height > len(world) * 1.1
    assert_same_entities(world)
    assert_same_links(world)


@pytest.mark.parametrize("at", [0, 7, 2_000])
def test_one_row_is_what_it_is_among_many(world: Consignments, at: int) -> None:
    one = with_evidence(world.between(at, at + 1)).frame
    assert one.equals(with_evidence(world).frame[at : at + 1].with_columns(pl.lit(0, pl.UInt32).alias("row")))


def test_known_entities_are_not_computed_again(world: Consignments) -> None:
    part = with_entities(world.between(0, 3))
    known = part.with_columns(pl.lit(7).alias(KEYS[0].column))
    assert with_entities(known) is known
    bare = Consignments(part.frame.drop(KEYS[1].column), part.goods)
    assert with_entities(bare).frame[KEYS[1].column].equals(part.frame[KEYS[1].column])
