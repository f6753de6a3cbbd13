"""Rows that go straight to the driver are read back as those that SQLAlchemy writes, in either database."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from service.store.bulk_rows import insert_many, upsert_many
from service.store.database import Store
from service.store.digests import adding, differing
from service.store.tables import CARDS, DECLARATIONS, HUBS

SMALLEST, LARGEST = -(2**63), 2**63 - 1
BODY = {"consignor_name": "Société « L'Été »; 深圳 %s ? :name", "goods": [{"value": 0.1, "pieces": None}], "a": 2}


def declared(number: int, **own: Any) -> dict[str, Any]:
    """A row of declarations."""
    row = {"message_id": "M%(1)s", "consignment_id": f"C{number}", "version": 1, "lodged_at": LARGEST,
           "content_sha256": "?", "stated": {"lines": number}, "card": number, "body": BODY, "archived": False,
           "posted": True, "office": None, "sender": None}  # fmt: skip
    return row | own


def card(entity: int, **own: Any) -> dict[str, Any]:
    """A row of cards."""
    row = {"entity": entity, "first_at": 1, "last_at": 2, "name": None, "building": SMALLEST, "network": entity,
           "listed": False, "reported": True}  # fmt: skip
    return row | own


def read(store: Store, table: sa.Table) -> list[dict[str, Any]]:
    """All rows of a table by its primary key."""
    with store.reading() as connection:
        return [dict(row) for row in connection.execute(sa.select(table).order_by(*table.primary_key)).mappings()]


def test_rows_are_read_back_as_sqlalchemys_own(either_store: Store) -> None:
    rows = [declared(1), declared(2, body=None, archived=True), declared(3, body={}, lodged_at=SMALLEST)]
    with either_store.writing() as connection:
        connection.execute(sa.insert(DECLARATIONS), rows)
    by_sqlalchemy = read(either_store, DECLARATIONS)
    with either_store.writing() as connection:
        connection.execute(sa.delete(DECLARATIONS))
        insert_many(connection, DECLARATIONS, [dict(reversed(row.items())) for row in rows])
    assert read(either_store, DECLARATIONS) == by_sqlalchemy == rows
    assert list(read(either_store, DECLARATIONS)[0]["body"]) == list(BODY)  # in the order in which it was declared


def test_a_row_takes_the_place_of_the_one_with_its_key(either_store: Store) -> None:
    with either_store.writing() as connection:
        upsert_many(connection, CARDS, [card(LARGEST), card(7)])
        upsert_many(connection, CARDS, [card(7, name=5, listed=True)])
        for _ in range(2):
            upsert_many(connection, HUBS, [{"value": SMALLEST}, {"value": 0}])
        insert_many(connection, CARDS, [])
        upsert_many(connection, CARDS, [])
    assert read(either_store, CARDS) == [card(7, name=5, listed=True), card(LARGEST)]
    assert read(either_store, HUBS) == [{"value": SMALLEST}, {"value": 0}]


def test_a_second_row_of_one_key_is_refused(either_store: Store) -> None:
    with pytest.raises(sa.exc.IntegrityError), either_store.writing() as connection:
        insert_many(connection, DECLARATIONS, [declared(1), declared(1)])
    assert read(either_store, DECLARATIONS) == []


def test_no_content_is_null_and_not_the_word_for_it(either_store: Store) -> None:
    with either_store.writing() as connection:
        insert_many(connection, DECLARATIONS, [declared(1, body=None), declared(2)])
    with either_store.reading() as connection:
        without = sa.select(DECLARATIONS.c.consignment_id).where(DECLARATIONS.c.body.is_(sa.null()))
        assert connection.execute(without).scalars().all() == ["C1"]


def test_what_rows_add_may_be_known_before_they_are_written(either_store: Store) -> None:
    first, then, hubs = [card(LARGEST), card(7)], [card(7, name=5, listed=True), card(8)], [{"value": 0}]
    with either_store.writing() as connection:
        insert_many(connection, CARDS, first, adding(CARDS, first))
        upsert_many(connection, CARDS, then, added=adding(CARDS, then))
        upsert_many(connection, HUBS, hubs, added=adding(HUBS, hubs))
        with pytest.raises(ValueError, match="named twice"):
            upsert_many(connection, HUBS, hubs * 2, added=adding(HUBS, hubs * 2))
    assert adding(CARDS, [{"entity": 9}]) is None
    assert read(either_store, CARDS) == [card(7, name=5, listed=True), card(8), card(LARGEST)]
    with either_store.reading() as connection:
        assert list(differing(connection)) == []
    with either_store.writing() as connection:
        insert_many(connection, CARDS, [card(9)], adding(CARDS, [card(9, name=1)]))
    with either_store.reading() as connection:
        assert list(differing(connection, ["cards"])) == [("cards", "table cards: a row of it was changed")]
