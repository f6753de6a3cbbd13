"""Moments in every form of the standard, read alike from a text and from a column, and what is no moment."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import polars as pl
import pytest

from features.contract import gate_manifest
from features.iso_times import moments, skipped, states_no_zone, written
from features.messages.times import lodged
from tests.features.conftest import frame_of, row

EIGHT = datetime(2026, 3, 2, 8, tzinfo=UTC)
AT_EIGHT = [
    "2026-03-02T08:00:00Z", "2026-03-02T09:00:00+01", "2026-03-02T09:00+01", "2026-03-02 03:00:00-05",
    "2026-03-02T08:00:00 UTC", "2026-03-02T08:00:00GMT", "2026-03-02T08:00:00 gmt", "2026-03-02t08:00:00z",
    "20260302T080000Z", "20260302T0800Z", "20260302T08Z", "20260302T090000+0100", "202603020800Z",
    "2026-W10-1T08:00:00Z", "2026W101T0800Z", "2026-w10-1t08z",
    "2026-061T08:00:00Z", "2026061T080000Z", "2026-061T09+01:00",
    "2026-03-02T08:00:00.0Z", "2026-03-02T08:00:00,000000000Z", "2026-03-02T07.5-00:30",
    "2026-03-02T07:59,999999999999Z",
    "2026-03-02T09:00:00+01:00[Europe/Paris]", "2026-03-02T09:00[Europe/Paris]",
    "2026-03-02T03:00:00\u221205:00", "2026-03-02T08:00:00 +00:00", " 2026-03-02T08:00:00-00:00 ",
]  # fmt: skip
NO_ZONE = [
    "2026-03-02", "20260302", "2026-W10-1", "2026-061", "2026-03-02T08:00", "20260302T080000", "2026-03-02 08:00:00.5",
    "2026-03-02T08:00[Mars/North]", "2026-03-02T08:00[Europe]",
]  # fmt: skip
NO_MOMENT = [
    "02/03/2026 08:00", "46083.33", "1772438400", "2026-03", "2026-02-30T08:00Z", "2026-366T08Z", "2026-W54-1T08Z",
    "2026-W10-8T08Z", "2026-03-02T24:00:01Z", "2026-03-02T25Z", "2026-03-02T08:60Z", "2026-03-02T08:00:61Z",
    "2026-03-02T08:00:00+24:00", "2026-03-02T08:00:00+01:60", "2026-03-02T08:00:00 CET", "2026-03-02T08:00:00UTC+1",
    "2026-03-02Z", "2026-03-02T08:00[not a zone]", "2026-03-02T08:00[../etc/passwd]",
    "٢٠٢٦-٠٣-٠٢T08:00Z", "2026-03-02T08:00Z/2026-03-03T08:00Z", "P1D", "now", "0000-03-02T08,0Z",
]  # fmt: skip


@pytest.mark.parametrize("text", AT_EIGHT)
def test_every_form_of_a_moment_is_read_by_the_gate_and_in_messages(text: str) -> None:
    accepted = gate_manifest(frame_of(row(lodged_at=text)), "f").accepted
    [moment] = accepted["lodged_at"]
    assert abs((moment - EIGHT).total_seconds()) < 1e-5
    iso, notes = lodged(text)
    assert iso is not None
    assert abs((datetime.fromisoformat(iso) - EIGHT).total_seconds()) < 1e-5
    assert notes == []


@pytest.mark.parametrize("text", NO_ZONE)
def test_a_moment_without_a_zone_is_told_as_one(text: str) -> None:
    refused = gate_manifest(frame_of(row(lodged_at=text)), "f").refused
    assert refused.select("field", "reason").rows() == [("lodged_at", "time without a zone")]


@pytest.mark.parametrize("text", NO_MOMENT)
def test_what_is_no_moment_is_told_as_none(text: str) -> None:
    refused = gate_manifest(frame_of(row(lodged_at=text)), "f").refused
    assert refused.select("field", "reason").rows() == [("lodged_at", "not a time")]


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-03-29T02:30[Europe/Paris]", None),
        ("2026-03-29T02:00:00[Europe/Paris]", None),
        ("2026-03-08T02:59:59[America/New_York]", None),
        ("2026-10-04T02:15[Australia/Sydney]", None),
        ("20260329T0230[Europe/Berlin]", None),
        ("2026-03-29T01:30[Europe/London]", None),
        ("2026-03-29T03:00[Europe/Paris]", 1),
        ("2026-03-29T01:59[Europe/Paris]", 0),
        ("2026-10-25T02:30[Europe/Paris]", 0),  # shown twice: the earlier one
    ],
)
def test_an_hour_that_the_clocks_skip_is_told_as_skipped(text: str, hour: int | None) -> None:
    gated = gate_manifest(frame_of(row(lodged_at=text)), "f")
    if hour is None:
        assert gated.refused["reason"].to_list() == ["an hour that the clocks of its zone skip"]
    else:
        assert [moment.hour for moment in gated.accepted["lodged_at"]] == [hour]


def test_a_column_is_read_as_its_texts_are() -> None:
    texts = pl.DataFrame({"text": [*AT_EIGHT, *NO_ZONE, *NO_MOMENT, None]})
    read = texts.select(moments(pl.col("text")).alias("m"), states_no_zone(pl.col("text")).alias("none"))
    for text, moment, without_zone in zip(texts["text"], read["m"], read["none"], strict=True):
        alone = written(text) if text is not None else None
        assert (moment is not None) == (text in AT_EIGHT)
        assert bool(without_zone) == (alone is not None and alone.utc is None), text


@pytest.mark.parametrize("sign", ["2", "-", ":", " ", "2026-03-02T", ".0", "[a", "+01"])
def test_long_texts_of_strangers_are_looked_at_once(sign: str) -> None:
    texts = pl.DataFrame({"text": [(sign * 100_000)[: 90 + n % 20] for n in range(2_000)] + [sign * 200_000]})
    started = time.perf_counter()
    read = texts.select(moments(pl.col("text")).alias("m"), skipped(pl.col("text")).alias("s"))
    assert read["m"].null_count() == texts.height
    assert time.perf_counter() - started < 5
