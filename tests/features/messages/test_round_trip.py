"""A generated consignment, written in each format and read again, is the consignment that was generated."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.consignment import CONSIGNMENT_COLUMNS, GOODS_COLUMNS
from features.contract import gate_manifest
from features.messages.formats import read_content
from features.messages.raw import Raw
from tests.writers import as_cargo_xml, as_fhl, as_flat, as_ics2, as_postal_json, as_postal_xml

AIRPORTS = {"PVG": "CN", "HKG": "HK", "IST": "TR", "CDG": "FR", "LGG": "BE"}
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789éèçüß上海运动鞋礼品 .,-&'<>\""
PLAIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .-"


def words(alphabet: str, longest: int) -> st.SearchStrategy[str]:
    texts = st.text(alphabet, min_size=1, max_size=longest).map(lambda text: " ".join(text.split()))
    return texts.filter(lambda text: text != "" and text[0] not in "-.&'")


def amount(most: int) -> st.SearchStrategy[str]:
    return st.integers(1, most * 100).map(lambda cents: f"{cents / 100:.2f}")


PHONES = st.from_regex(r"\A\+[1-9][0-9]{6,12}\Z")
EMAILS = st.from_regex(r"\A[a-z]{1,9}@[a-z]{1,9}\.(fr|example)\Z")
HS = st.sampled_from(["640411", "42022100", "851762", "91021100", "6109100010"])
NUMBERS = st.from_regex(r"\A[A-Z]{2}[0-9]{9}[A-Z]{2}\Z") | st.from_regex(r"\A[A-Z0-9]{8,12}\Z")


@st.composite
def lines(draw: st.DrawFn, alphabet: str = LETTERS, *, eight: bool = False) -> list[dict[str, str]]:
    count = draw(st.integers(1, 3))
    codes = HS.map(lambda code: code[:8]) if eight else HS
    return [
        {
            "line_no": str(number),
            "description": draw(words(alphabet, 60)),
            "hs_code": draw(codes),
            "quantity": str(draw(st.integers(1, 500))),
            "net_mass_kg": draw(amount(20)),
            "value": draw(amount(900)),
            "currency": draw(st.sampled_from(["EUR", "USD", "CNY"])),
            "goods_origin_country": draw(st.sampled_from(["CN", "TR", "HK"])),
        }
        for number in range(1, count + 1)
    ]


@st.composite
def consignments(draw: st.DrawFn, stream: str, alphabet: str = LETTERS, *, eight: bool = False) -> dict[str, Any]:
    at = datetime(2026, 3, 1, 8, 15, tzinfo=UTC) + timedelta(minutes=draw(st.integers(0, 400_000)))
    origin, office = draw(st.sampled_from(["PVG", "HKG", "IST"])), draw(st.sampled_from(["CDG", "LGG"]))
    told: dict[str, Any] = {
        "consignment_id": draw(NUMBERS),
        "stream": stream,
        "lodged_at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "origin_airport": origin,
        "office": office,
        "operator": "XX",
        "transport_id": f"888-{draw(st.integers(10_000_000, 99_999_999))}",
        "dispatch_country": AIRPORTS[origin],
        "destination_country": AIRPORTS[office],
        "nature": draw(st.sampled_from(["sale", "gift", "sample", "returned", "documents", "other"])),
        "ioss": "IM2760000011",
        "gross_mass_kg": draw(amount(30)),
        "packages": str(draw(st.integers(1, 40))),
        "postage": draw(amount(20)),
        "seller_account": draw(words(PLAIN, 12)),
        "goods": draw(lines(alphabet, eight=eight)),
    }
    for role in ("consignor", "consignee"):
        told |= {
            f"{role}_name": draw(words(alphabet, 34)),
            f"{role}_address": draw(words(alphabet, 34)),
            f"{role}_city": draw(words(alphabet, 16)),
            f"{role}_postcode": draw(st.from_regex(r"\A[0-9A-Z]{4,7}\Z")),
            f"{role}_country": draw(st.sampled_from(["CN", "FR", "TR"])),
            f"{role}_phone": draw(PHONES),
            f"{role}_email": draw(EMAILS),
            f"{role}_id": draw(st.from_regex(r"\A[A-Z0-9]{6,14}\Z")),
        }
    return told


LEVEL = [c.name for c in CONSIGNMENT_COLUMNS]
OF_LINES = [c.name for c in GOODS_COLUMNS]
OWN = ("origin_airport", "goods")


def expected(told: dict[str, Any], without: tuple[str, ...] = ()) -> pl.DataFrame:
    """The frame of a consignment, typed by hand-written rules, not by the gate."""
    level = {key: value for key, value in told.items() if key not in OWN}
    rows = [{**level, **line} for line in told["goods"]]
    return typed(pl.DataFrame(rows)).drop(without, strict=False)


def typed(frame: pl.DataFrame) -> pl.DataFrame:
    numbers = {c.name for c in (*CONSIGNMENT_COLUMNS, *GOODS_COLUMNS) if c.kind in ("number", "whole")}
    return frame.with_columns(
        *(pl.col(name).cast(pl.Float64) for name in frame.columns if name in numbers),
        pl.col("lodged_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC")
        if frame.schema["lodged_at"] == pl.String else pl.col("lodged_at"),
    ).select(sorted(frame.columns))  # fmt: skip


def told_by(raw: Raw, name: str = "m") -> pl.DataFrame:
    """The frame that a message comes to, and that nothing of it was refused."""
    assert raw.broken.is_empty()
    gated = gate_manifest(raw.rows, name)
    assert gated.refused.is_empty(), gated.refused.rows()
    return gated.accepted


def same(found: pl.DataFrame, told: dict[str, Any], without: tuple[str, ...] = ()) -> None:
    wanted = expected(told, without)
    assert typed(found.select(wanted.columns)).rows(named=True) == wanted.rows(named=True)


FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(consignments("express"))
@pytest.mark.parametrize("packing", ["plain", "gzip", "zstd"])
@pytest.mark.slow
def test_flat(packing: str, told: dict[str, Any]) -> None:
    content = as_flat([{k: v for k, v in told.items() if k != "origin_airport"}], "M1")
    packed = {"plain": content, "gzip": gzip.compress(content), "zstd": pa.compress(content, "zstd", asbytes=True)}
    raw = read_content(packed[packing], "m")
    assert raw.format == "flat"
    same(told_by(raw), told)


@FEW
@given(st.sampled_from(["postal", "express"]).flatmap(lambda stream: consignments(stream, eight=True)))
@pytest.mark.slow
def test_ics2(told: dict[str, Any]) -> None:
    told |= {"transport_id": "CNPVGAFRCDGAAUN12345678901234"} if told["stream"] == "postal" else {}
    told["consignment_id"] = "LX123456785CN" if told["stream"] == "postal" else "H" + told["consignment_id"][:9]
    raw = read_content(as_ics2([told], "M1", sent_at=told["lodged_at"]), "m")
    assert (raw.format, raw.header["message_id"]) == ("ics2", "M1")
    same(told_by(raw), told, ("office", "quantity"))  # neither has a place in a house


@FEW
@given(consignments("express"))
@pytest.mark.slow
def test_cargo_xml(told: dict[str, Any]) -> None:
    raw = read_content(as_cargo_xml(told, "M1"), "m")
    assert raw.format == "cargo-xml"
    found = told_by(raw)
    same(found, told, ("operator", "nature", "ioss", "postage", "seller_account"))
    assert found["operator"].to_list() == ["888"] * found.height
    assert found["purpose"].to_list() == ["original"] * found.height


@FEW
@given(consignments("express", PLAIN))
@pytest.mark.slow
def test_cargo_imp(told: dict[str, Any]) -> None:
    told["goods"][0]["description"] = told["goods"][0]["description"].strip()
    raw = read_content(as_fhl([told], told["transport_id"]), "m")
    assert raw.format == "cargo-imp"
    found = raw.rows.with_columns(pl.lit(told["lodged_at"]).alias("lodged_at"))  # an FHL does not say when it was sent
    first = told["goods"][0]
    kept = ("line_no", "hs_code", "description", "quantity", "value", "currency")
    lines = [{"description": first["description"], "line_no": line["line_no"], "hs_code": line["hs_code"]}
             for line in told["goods"]]  # fmt: skip
    lines[0] = {name: first[name] for name in kept}
    gated = gate_manifest(found, "m")
    assert gated.refused.is_empty()
    wanted = {**told, "goods": [{**dict.fromkeys(kept), **line} for line in lines]}
    same(gated.accepted, wanted, ("operator", "nature", "ioss", "postage", "seller_account"))


@FEW
@given(consignments("postal"))
@pytest.mark.parametrize("write", [as_postal_json, as_postal_xml])
@pytest.mark.slow
def test_postal(write: Any, told: dict[str, Any]) -> None:
    told |= {"mail_class": "UN", "platform": "Bazar", "seller_url": "https://shop.example/a?b=c", "operator": "CNBJSA"}
    raw = read_content(write([told], "M1", told["lodged_at"]), "m")
    assert raw.format == "postal"
    found = told_by(raw)
    same(found, told)
    assert found["message_id"].unique().to_list() == ["M1"]


@FEW
@given(st.lists(consignments("postal"), min_size=2, max_size=6, unique_by=lambda told: told["consignment_id"]))
@pytest.mark.slow
def test_several_in_one_message_keep_their_order(several: list[dict[str, Any]]) -> None:
    several = [{**told, "lodged_at": several[0]["lodged_at"]} for told in several]
    at = several[0]["lodged_at"]
    messages = (as_postal_xml(several, "M", at), as_postal_json(several, "M", at), as_ics2(several, "M", sent_at=at))
    for content in messages:
        rows = read_content(content, "m").rows
        assert rows["consignment_id"].unique(maintain_order=True).to_list() == [t["consignment_id"] for t in several]
        assert rows.height == sum(len(told["goods"]) for told in several)
