"""Names of readings, the far edge of a span, and windows against a count in plain Python."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.consignment import TIME
from features.history import windows
from features.history.facts import FACT_SCHEMA, FACTS, KEYS
from features.history.tiles import DAY, HOUR, far_edge
from features.history.totals import FactTable
from features.history.windows import Since, Window, read_windows, reading_of

NOON = int(datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC).timestamp()) * 1_000_000


def test_the_examples_of_windows_come_out_as_they_are_written() -> None:
    examples = doctest.testmod(windows)
    assert examples.failed == 0
    assert examples.attempted >= 14


@pytest.mark.parametrize(
    "reading",
    [
        *(Window(key.name, fact, days) for key in KEYS for fact in FACTS for days in (1, 90, None)),
        *(Since(key.name, edge) for key in KEYS for edge in ("first", "last")),
    ],
    ids=lambda reading: reading.name,
)
def test_every_reading_is_found_by_its_name(reading: Window | Since) -> None:
    assert reading_of(reading.name) == reading


@pytest.mark.parametrize(
    "name",
    ["value_per_kg", "consignor_name", "consignor_hits", "consignor_hits_d", "consignor_hits_90", "consignor_hits_xd",
     "consignor_hits_ever_d", "consignor_days_since", "sender_hits_90d", "consignor_luck_ever", "", "_hits_ever",
     "consignor_hits_366d", "consignor_hits_0d"],
)  # fmt: skip
def test_other_names_are_no_readings(name: str) -> None:
    assert reading_of(name) is None


@pytest.mark.parametrize(("days", "tile"), [(1, HOUR), (7, HOUR), (8, DAY), (90, DAY)])
def test_the_far_edge_is_rounded_down_to_its_tile(days: int, tile: int) -> None:
    for moment in (NOON, NOON - NOON % DAY, -NOON, 0):
        edge = int(far_edge(np.array([moment], dtype=np.int64), days)[0])
        assert edge % tile == 0
        assert 0 <= moment - days * DAY - edge < tile


OFFSETS = st.one_of(
    st.sampled_from([0, 1, -1, DAY, DAY + HOUR, 7 * DAY, 8 * DAY, 8 * DAY + 1, 9 * DAY, 90 * DAY]),
    st.integers(-DAY, 100 * DAY),
)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([1, 2]), OFFSETS, st.integers(-3, 3)), max_size=10),
    st.lists(st.tuples(st.sampled_from([1, 2, None]), st.integers(0, DAY)), min_size=1, max_size=4),
)
def test_windows_agree_with_counting(posted: list[tuple[int, int, int]], asked: list[tuple[int | None, int]]) -> None:
    rows = [(entity, NOON - ago, abs(amount), *[amount] * (len(FACTS) - 1)) for entity, ago, amount in posted]
    facts = pl.DataFrame(rows, schema={**FACT_SCHEMA, "known_at": pl.Int64}, orient="row").cast({"known_at": TIME})
    readings = [Window("shop", "hits", days) for days in (1, 7, 8, 90, None)] + [
        Since("shop", "first"),
        Since("shop", "last"),
    ]
    frame = pl.DataFrame(
        {"shop_entity": [e for e, _ in asked], "lodged_at": [NOON - ago for _, ago in asked]},
        schema={"shop_entity": pl.Int64, "lodged_at": pl.Int64},
    ).cast({"lodged_at": TIME})
    told = read_windows(readings, frame, FactTable(facts))
    for i, (entity, ago) in enumerate(asked):
        assert told.row(i, named=True) == expected(rows, entity, NOON - ago)


def expected(rows: list[tuple[int, ...]], entity: int | None, lodged_at: int) -> dict[str, float | None]:
    """The oracle: sums over all facts of the entity between the edges."""
    names = [f"shop_hits_{span}" for span in ("1d", "7d", "8d", "90d", "ever")]
    if entity is None:
        return dict.fromkeys([*names, "shop_days_since_first", "shop_days_since_last"])
    known = [(r[1], r[3]) for r in rows if r[0] == entity and r[1] < lodged_at]

    def window(days: int, tile: int) -> float:
        start = (lodged_at - days * DAY) // tile * tile
        return max(0.0, float(sum(amount for us, amount in known if us >= start)))

    ever = max(0.0, float(sum(amount for _, amount in known)))
    sums = [window(1, HOUR), window(7, HOUR), window(8, DAY), window(90, DAY), ever]
    seen = [us for us, amount in known if amount]
    since = [(lodged_at - pick(seen)) / DAY if seen else None for pick in (min, max)]
    return {**dict(zip(names, sums, strict=True)), "shop_days_since_first": since[0], "shop_days_since_last": since[1]}


def test_days_since_are_exact_to_the_event() -> None:
    lodged = datetime(2026, 3, 1, 12, tzinfo=UTC)
    facts = pl.DataFrame(
        [(1, lodged - timedelta(days=2, hours=12), *[1] * len(FACTS))], schema=FACT_SCHEMA, orient="row"
    )
    frame = pl.DataFrame([(1, lodged)], schema={"route_entity": pl.Int64, "lodged_at": TIME}, orient="row")
    told = read_windows([Since("route", "last")], frame, FactTable(facts))
    assert told["route_days_since_last"].to_list() == [2.5]
