"""Look-ups of rows that came of late: by key and never through the table, and as many as are asked."""

from __future__ import annotations

import re

import numpy as np
import pytest
import sqlalchemy as sa

from features.history.facts import FACTS
from features.history.queries import HistoryQuery
from service.history import recent_rows
from service.history.posting import post
from service.history.recent_rows import LOOKUPS_MOST, all_rows, rows_asked_for
from service.store.database import Store
from tests.history_reads import read_totals
from tests.service.building import facts_frame

ONE = (1,) * len(FACTS)
NUMBERS = (1, 31, 32, 33, LOOKUPS_MOST - 1, LOOKUPS_MOST, LOOKUPS_MOST + 1)


def posted(store: Store, entities: int, times: int = 3) -> None:
    """Facts of entities 1, 2, … at moments 10, 20, …; what is found is keyed."""
    with store.writing() as connection:
        post(
            store,
            connection,
            facts_frame([(e, 10 * t, ONE) for e in range(1, entities + 1) for t in range(1, times + 1)]),
        )


def asked(store: Store, entities: list[int], moments: list[list[int]]) -> HistoryQuery:
    keyed = store.pseudonyms.keyed(np.array(entities, np.int64))
    return HistoryQuery.of_each(keyed, np.array(moments, np.int64))


@pytest.mark.parametrize("number", NUMBERS)
def test_as_many_look_ups_as_are_asked_find_their_rows(either_store: Store, number: int) -> None:
    posted(either_store, number)
    query = asked(either_store, list(range(1, number + 1)), [[15] * number])
    with either_store.reading() as connection:
        found = rows_asked_for(connection, query)
        whole = read_totals(all_rows(connection), query.entities, [15] * number)
    assert len(found) == number
    read = found.totals_before(query)
    assert read.sums.tolist() == [[1] * number] * len(FACTS)
    assert np.array_equal(read.first[0], whole.first)
    assert np.array_equal(read.last[0], whole.last)


def test_rows_that_do_not_answer_are_not_read(either_store: Store) -> None:
    """Of fifty moments of an entity: the last before each moment asked, and those of the first and the last lodging."""
    posted(either_store, 2, times=50)
    with either_store.reading() as connection:
        assert len(rows_asked_for(connection, asked(either_store, [1], [[305], [105]]))) == 3
        assert len(rows_asked_for(connection, asked(either_store, [1, 1, 1], [[305, 305, 304], [105, 101, 105]]))) == 3
        assert len(rows_asked_for(connection, asked(either_store, [9], [[305], [105]]))) == 0
        assert len(rows_asked_for(connection, asked(either_store, [1], [[10], [5]]))) == 0


def test_no_look_up_goes_through_the_table(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    posted(store, 40)
    plans: list[str] = []

    def planned(connection: sa.Connection, statement: str, values: list[object]) -> list[tuple[object, ...]]:
        driver = connection.connection.driver_connection
        assert driver is not None
        plans.extend(str(row[-1]) for row in driver.execute(f"EXPLAIN QUERY PLAN {statement}", values))
        rows: list[tuple[object, ...]] = driver.execute(statement, values).fetchall()
        return rows

    monkeypatch.setattr(recent_rows, "driver_rows", planned)
    with store.reading() as connection:
        connection.begin()
        rows_asked_for(connection, asked(store, [1, 2, 99], [[15] * 3, [5] * 3]))
    posted(store, 3, times=4)
    searches = [plan for plan in plans if "PRIMARY KEY" in plan]
    assert len(searches) > 5
    assert [plan for plan in plans if re.match(r"SCAN [rlf]\b|SCAN running", plan) or "AUTOMATIC" in plan] == []
