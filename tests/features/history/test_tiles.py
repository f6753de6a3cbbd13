"""What settled history forgets, and what it must not: sightings, tile edges, three years of results."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.consignment import TIME
from features.history.facts import DECLARATION_FACTS, FACT_SCHEMA, FACTS, OUTCOME_FACTS
from features.history.running_totals import columns_of, running_totals
from features.history.tiles import DAY, HOUR, LONGEST, MONTH, RESULT_DAYS, far_edge, merged, thinned
from features.history.totals import FactTable
from features.history.windows import Reading, Since, Window, read_windows

NOW = 2_000 * DAY + 5 * HOUR + 17
Event = tuple[int, int, bool, int]  # entity, how long ago, a version or a result, its amount
EVENTS = st.lists(
    st.tuples(
        st.sampled_from([-3, 4]),
        st.one_of(st.integers(0, 3 * DAY), st.integers(0, 1_500 * DAY), st.sampled_from([RESULT_DAYS * DAY, MONTH])),
        st.booleans(),
        st.integers(1, 4),
    ),
    max_size=40,
)
READINGS: list[Reading] = [
    *(Window("shop", fact, days) for fact in ("hits", "value") for days in (30, 90, LONGEST, None)),
    Since("shop", "first"),
    Since("shop", "last"),
]


def facts(events: list[Event]) -> pl.DataFrame:
    told = [
        {"entity": entity, "known_at": NOW - ago, **dict.fromkeys(FACTS, 0)}
        | ({"lodged": 1, "value": amount} if version else {"hits": amount, "inspected": amount})
        for entity, ago, version, amount in events
    ]
    return pl.DataFrame(told, schema={**FACT_SCHEMA, "known_at": pl.Int64}).cast({"known_at": TIME})


def asked(*moments: int) -> pl.DataFrame:
    rows = [(entity, moment) for entity in (-3, 4) for moment in moments]
    frame = pl.DataFrame(rows, schema={"shop_entity": pl.Int64, "lodged_at": pl.Int64}, orient="row")
    return frame.cast({"lodged_at": TIME})


@settings(max_examples=100, deadline=None)
@given(EVENTS, st.lists(st.integers(0, 2), max_size=40))
@pytest.mark.slow
def test_what_is_thinned_in_parts_reads_like_the_whole(events: list[Event], part_of: list[int]) -> None:
    whole = running_totals(facts(events))
    parts = [
        thinned(
            running_totals(facts([e for e, p in zip(events, [*part_of, *[0] * 40], strict=False) if p == part])), NOW
        )
        for part in range(3)
    ]
    together = merged(parts, NOW)
    assert together.equals(thinned(whole, NOW).select(together.columns))
    frame = asked(NOW, NOW + 1, NOW + DAY)
    read = read_windows(READINGS, frame, FactTable.of_running(columns_of(together)))
    assert read.equals(read_windows(READINGS, frame, FactTable(facts(events))), null_equal=True)


def test_an_entity_is_last_seen_when_it_was_lodged_however_many_results_came_after() -> None:
    lodged, result = (7, 100 * DAY, True, 1), (7, 100 * DAY - HOUR, False, 1)
    rows = thinned(running_totals(facts([lodged, result, (7, 100 * DAY + HOUR, True, 5)])), NOW)
    assert rows.height == 3  # seen first, seen last, and what the day came to
    table = FactTable.of_running(columns_of(rows))
    frame = pl.DataFrame({"shop_entity": [7], "lodged_at": pl.Series([NOW]).cast(TIME)})
    told = read_windows([Since("shop", "last"), Window("shop", "hits")], frame, table)
    assert told.row(0) == (100.0, 1.0)


def test_results_count_for_three_years_to_the_month_and_what_was_declared_for_ever() -> None:
    edge = int(far_edge(np.array([NOW], np.int64), RESULT_DAYS)[0])
    assert edge % MONTH == 0
    assert 0 <= edge - (NOW - RESULT_DAYS * DAY) < MONTH
    just_in, just_out = (4, NOW - edge, False, 1), (4, NOW - edge + 1, False, 2)
    old = (4, NOW - edge + 1, True, 9)
    for table in (
        FactTable(facts([just_in, just_out, old])),
        FactTable.of_running(columns_of(thinned(running_totals(facts([just_in, just_out, old])), NOW))),
    ):
        told = read_windows([Window("shop", "hits"), Window("shop", "value")], asked(NOW), table)
        assert told.row(1) == (1.0, 9.0)


@pytest.mark.parametrize("fact", FACTS)
def test_only_results_are_forgotten(fact: str) -> None:
    assert Window("shop", fact).reaches == (RESULT_DAYS if fact in OUTCOME_FACTS else None)
    assert Window("shop", fact, 30).reaches == 30
    assert not set(DECLARATION_FACTS) & set(OUTCOME_FACTS)
