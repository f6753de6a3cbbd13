"""Running totals strictly before a moment, against a count in plain Python."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.consignment import TIME
from features.history.facts import FACT_SCHEMA, FACTS, NEVER
from features.history.running_totals import columns_of
from features.history.table_scan import runs_of
from features.history.totals import FactTable, Layered
from tests.features.conftest import consignments_of, row
from tests.history_reads import Read, read_totals

Posted = tuple[int, int, list[int]]  # entity, known_at in microseconds, amounts

ENTITIES = st.sampled_from([-(2**63), -7, 0, 1, 2, 2**63 - 1])
MOMENTS = st.one_of(st.integers(-3, 3), st.integers(1_767_225_600_000_000, 1_767_225_600_000_004))
OTHERS = len(FACTS) - 1
AMOUNTS = st.builds(
    lambda lodged, others: [lodged, *others],
    st.integers(0, 2),  # nothing takes back that a version was lodged
    st.lists(st.integers(-5, 5), min_size=OTHERS, max_size=OTHERS),
)
POSTED = st.lists(st.tuples(ENTITIES, MOMENTS, AMOUNTS), max_size=12)
ASKED = st.lists(st.tuples(ENTITIES, st.one_of(MOMENTS, MOMENTS.map(lambda us: us + 1))), max_size=8)


def facts(posted: list[Posted]) -> pl.DataFrame:
    """Facts as a frame, in the order given."""
    rows = [(entity, us, *amounts) for entity, us, amounts in posted]
    schema = {**FACT_SCHEMA, "known_at": pl.Int64()}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.col("known_at").cast(TIME))


def count(posted: list[Posted], asked: list[tuple[int, int]]) -> list[tuple[list[int], int, int]]:
    """The oracle: for each question, sums of every earlier fact of the entity; when it was lodged first and last."""
    told = []
    for entity, moment in asked:
        known = [(us, amounts) for one, us, amounts in posted if one == entity and us < moment]
        sums = [sum(amounts[i] for _, amounts in known) for i in range(len(FACTS))]
        times = [us for us, amounts in known if amounts[0]]
        told.append((sums, min(times, default=NEVER), max(times, default=NEVER)))
    return told


def read(history: FactTable | Layered, asked: list[tuple[int, int]]) -> list[tuple[list[int], int, int]]:
    questions = np.array(asked, dtype=np.int64).reshape(-1, 2)
    return rows_of(read_totals(history, questions[:, 0], questions[:, 1]))


def rows_of(totals: Read) -> list[tuple[list[int], int, int]]:
    return list(zip(totals.amounts[0].tolist(), totals.first.tolist(), totals.last.tolist(), strict=True))


@settings(max_examples=120, deadline=None)
@given(POSTED, ASKED)
@pytest.mark.slow
def test_a_table_of_facts_agrees_with_counting(posted: list[Posted], asked: list[tuple[int, int]]) -> None:
    assert read(FactTable(facts(posted)), asked) == count(posted, asked)


@settings(max_examples=60, deadline=None)
@given(POSTED, POSTED, ASKED)
@pytest.mark.slow
def test_a_layer_over_a_table_agrees_with_counting_both(
    below: list[Posted], above: list[Posted], asked: list[tuple[int, int]]
) -> None:
    layered = Layered(FactTable(facts(below)), FactTable(facts(above)))
    assert read(layered, asked) == count([*below, *above], asked)


@settings(max_examples=60, deadline=None)
@given(POSTED, ASKED)
def test_a_table_of_running_totals_agrees_with_counting(posted: list[Posted], asked: list[tuple[int, int]]) -> None:
    places = sorted({(entity, us) for entity, us, _ in posted})
    running = [
        (entity, us, *sums)
        for (entity, us), (sums, _, _) in zip(
            places, count(posted, [(entity, us + 1) for entity, us in places]), strict=True
        )
    ]
    schema = {"entity": pl.Int64, "known_at": pl.Int64, **dict.fromkeys(FACTS, pl.Int64)}
    table = FactTable.of_running(columns_of(pl.DataFrame(running, schema=schema, orient="row")))
    assert read(table, asked) == count(posted, asked)


def test_a_fact_at_the_very_moment_is_not_known_yet() -> None:
    table = FactTable(facts([(1, 10, [1] * len(FACTS))]))
    assert read(table, [(1, 10), (1, 11)]) == [([0] * len(FACTS), NEVER, NEVER), ([1] * len(FACTS), 10, 10)]


def test_empty_tables_know_nothing_and_answer_all() -> None:
    empty = FactTable(FACT_SCHEMA.to_frame())
    nothing = [([0] * len(FACTS), NEVER, NEVER)] * 2
    assert read(empty, [(1, 5), (2, 5)]) == nothing
    assert read(Layered(empty, empty), [(1, 5), (2, 5)]) == nothing
    assert read(FactTable(facts([(1, 1, [1] * len(FACTS))])), []) == []


def test_totals_beyond_thirty_two_bits_are_exact() -> None:
    much = 2**53 + 1
    table = FactTable(facts([(1, 1, [much] * len(FACTS)), (1, 2, [1] * len(FACTS))]))
    assert read(table, [(1, 3)])[0][0] == [much + 1] * len(FACTS)


def test_what_a_history_lacks() -> None:
    consignments = consignments_of(row(), row(consignment_id="B"))
    empty = FACT_SCHEMA.to_frame()
    assert FactTable(empty).unposted(consignments).amounts["consignments"].sum() == 2 * 13
    assert not len(FactTable(empty, holds_all=True).unposted(consignments))
    assert not len(Layered(FactTable(empty), FactTable(empty)).unposted(consignments))


def test_facts_of_microseconds_are_told_apart() -> None:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    frame = facts([(1, 0, [1] * len(FACTS))] * 2).with_columns(
        pl.Series("known_at", [moment, moment + timedelta(microseconds=1)], dtype=TIME)
    )
    us = int(moment.timestamp()) * 1_000_000
    told = read(FactTable(frame), [(1, us), (1, us + 1), (1, us + 2)])
    assert [amounts[0] for amounts, _, _ in told] == [0, 1, 2]


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3), max_size=60), st.lists(st.integers(-4, 4)))
def test_runs_are_found_wherever_entities_stand(column: list[int], more: list[int]) -> None:
    ascending = np.sort(np.array([*column, *more, 0], np.int64))
    asked = np.array([*column, *more, -(2**63), 2**63 - 1, 5], np.int64)
    start, end = runs_of(ascending, np.empty(0, np.int64), asked)
    assert start.tolist() == np.searchsorted(ascending, asked, "left").tolist()
    assert end.tolist() == np.searchsorted(ascending, asked, "right").tolist()
