"""Statements that are given to the driver find what SQLAlchemy finds, whatever the values; faults are SQLAlchemy's."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from service.store.bulk_rows import delete_keys, insert_many, keys_known, rows_by_key
from service.store.database import Store
from service.store.driver import Prepared, among, driver_rows
from service.store.queries import change_states, counted_on, state_of
from service.store.tables import CARDS, DECLARATIONS, EVIDENCE, TALLIES
from tests.service.store.test_bulk_rows import LARGEST, SMALLEST, card, declared

ODD = ["C1", "", "'", '"', "\\", "%s ? :name", "鞋 «é»", "\x1f", "null", "1"]
COUNTS = {"seen": 1, "audit": 0, "documents": 0, "scan": 0, "physical": 0}


def test_what_is_among_a_list_is_found(either_store: Store) -> None:
    rows = [declared(0, consignment_id=name, posted=number % 2 == 0) for number, name in enumerate(ODD)]
    columns = (DECLARATIONS.c.consignment_id, DECLARATIONS.c.posted, DECLARATIONS.c.body, DECLARATIONS.c.sender)
    with either_store.writing() as connection:
        insert_many(connection, DECLARATIONS, rows)
    listed = Prepared(sa.select(*columns).where(among(DECLARATIONS.c.consignment_id), DECLARATIONS.c.posted))
    for names in (ODD, ODD[:1], ODD[3:6], ["absent"], []):
        query = sa.select(*columns).where(DECLARATIONS.c.consignment_id.in_(names), DECLARATIONS.c.posted)
        with either_store.reading() as connection:
            expected = sorted(tuple(row) for row in connection.execute(query))
            assert sorted(listed.rows(connection, among=names)) == expected


def test_numbers_of_all_64_bits_and_keys_of_several_columns_are_found(either_store: Store) -> None:
    numbers = [SMALLEST, SMALLEST + 1, -1, 0, 2**53 + 1, LARGEST]
    pairs = [(value, entity) for value in numbers for entity in numbers]
    tallies = [{"office": name, "hour": hour, "band": -1, **COUNTS} for name in ODD for hour in (-1, 3)]
    with either_store.writing() as connection:
        insert_many(connection, CARDS, [card(number) for number in numbers])
        insert_many(connection, EVIDENCE, [{"value": value, "entity": entity} for value, entity in pairs])
        insert_many(connection, TALLIES, tallies)
        assert set(rows_by_key(connection, CARDS, [(number,) for number in (*numbers, 7)])) == {(n,) for n in numbers}
        assert keys_known(connection, EVIDENCE, [*pairs, (7, 7)]) == set(pairs)
        assert keys_known(connection, TALLIES, [(ODD[5], 3, -1), (ODD[5], 4, -1)]) == {(ODD[5], 3, -1)}
        delete_keys(connection, EVIDENCE, [pairs[0], (7, 7), pairs[-1]])
        delete_keys(connection, EVIDENCE, [])
        assert keys_known(connection, EVIDENCE, pairs) == set(pairs[1:-1])


def test_a_number_is_changed_from_what_it_was(either_store: Store) -> None:
    for times in (1, 2):
        either_store.write(lambda connection: change_states(connection, {"a": counted_on, "b": lambda _: SMALLEST}))
        with either_store.reading() as connection:
            assert [state_of(connection, name) for name in ("a", "b", "c")] == [times, SMALLEST, None]


def test_a_fault_of_the_driver_is_sqlalchemys_and_holds_no_values(either_store: Store) -> None:
    with pytest.raises(sa.exc.DBAPIError) as fault, either_store.reading() as connection:
        driver_rows(connection, "SELECT nothing FROM nowhere WHERE name = ?", ("Marie Durand",))
    assert "Durand" not in str(fault.value)
    with pytest.raises(sa.exc.IntegrityError), either_store.writing() as connection:
        insert_many(connection, CARDS, [card(1), card(1)])
    with either_store.reading() as connection:
        assert rows_by_key(connection, CARDS, [(1,)]) == {}
