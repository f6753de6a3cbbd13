"""Windows against a brute-force oracle, ties included, in memory and in the store; and the point-in-time law."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.history.facts import FACT_SCHEMA, FACTS, KEYS, LODGED
from features.history.tiles import DAY, HOUR
from features.history.totals import FactTable, Layered
from features.history.windows import Reading, Since, Window, read_windows
from service.history.posting import post
from service.history.stored_history import StoredHistory
from service.store.database import Store

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTES = st.integers(0, 60 * 24 * 120)
ENTITIES = st.sampled_from([11, -7, 2**62])
AMOUNTS = st.integers(-5, 50)
FACT = st.one_of(
    st.tuples(ENTITIES, MINUTES, st.sampled_from(FACTS[1:]), AMOUNTS),
    st.tuples(ENTITIES, MINUTES, st.just(LODGED), st.integers(0, 2)),  # never taken back
)
ASKED = st.tuples(st.one_of(ENTITIES, st.none()), MINUTES)
READINGS = [Window("consignor", fact, days) for fact in FACTS for days in (1, 7, 30, 90, None)]
READINGS_OF_TIME = [Since("consignor", "first"), Since("consignor", "last")]
MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def facts_frame(facts: list[tuple[int, int, str, int]]) -> pl.DataFrame:
    rows = [
        {"entity": e, "known_at": START + timedelta(minutes=m), **{f: (a if f == fact else 0) for f in FACTS}}
        for e, m, fact, a in facts
    ]
    return pl.DataFrame(rows, schema=FACT_SCHEMA, orient="row")


def asked_frame(asked: list[tuple[int | None, int]]) -> pl.DataFrame:
    columns = {key.column: [e for e, _ in asked] for key in KEYS}
    times = [START + timedelta(minutes=m) for _, m in asked]
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Int64)).with_columns(
        pl.Series("lodged_at", times, dtype=pl.Datetime("us", "UTC"))
    )


def micros(minutes: int) -> int:
    return int((START + timedelta(minutes=minutes)).timestamp()) * 1_000_000


def oracle(facts: list[tuple[int, int, str, int]], entity: int | None, minute: int, window: Window) -> float | None:
    """By hand: every fact of the entity, one after the other."""
    if entity is None:
        return None
    near, total = micros(minute), 0
    far = -(2**63)
    if window.days is not None:
        far = near - window.days * DAY
        far -= far % (HOUR if window.days <= 7 else DAY)
    for e, m, fact, amount in facts:
        if e == entity and fact == window.fact and far <= micros(m) < near:
            total += amount
    return float(max(0, total))  # what an amendment takes back may be older than the window


@MANY
@given(st.lists(FACT, max_size=40), st.lists(ASKED, min_size=1, max_size=12))
def test_memory_and_store_equal_brute_force(
    facts: list[tuple[int, int, str, int]], asked: list[tuple[int | None, int]]
) -> None:
    frame, known = asked_frame(asked), facts_frame(facts)
    table = FactTable(known)
    store = Store("sqlite://")
    half = len(facts) // 2
    for part in (known[half:], known[:half]):  # late facts arrive after later ones
        with store.writing() as connection:
            post(store, connection, part)
    layered = Layered(FactTable(known[:half]), FactTable(known[half:]))
    in_memory = read_windows([*READINGS, *READINGS_OF_TIME], frame, table)
    for history in (StoredHistory(store), layered):
        assert in_memory.equals(read_windows([*READINGS, *READINGS_OF_TIME], frame, history), null_equal=True)
    for window in READINGS:
        by_hand = [oracle(facts, entity, minute, window) for entity, minute in asked]
        assert in_memory[window.name].to_list() == by_hand


@MANY
@given(st.lists(FACT, max_size=40), ASKED.filter(lambda asked: asked[0] is not None), st.randoms())
def test_what_is_known_later_changes_nothing(
    facts: list[tuple[int, int, str, int]], asked: tuple[int | None, int], chance: Random
) -> None:
    frame = asked_frame([asked])
    readings: list[Reading] = [*READINGS, *READINGS_OF_TIME]
    all_known = read_windows(readings, frame, FactTable(facts_frame(facts)))
    before = [fact for fact in facts if fact[1] < asked[1]]
    later = [(e, m, f, a + 1) for e, m, f, a in facts if m >= asked[1]]
    chance.shuffle(later)
    for others in ([], later):
        assert all_known.equals(read_windows(readings, frame, FactTable(facts_frame(before + others))), null_equal=True)
