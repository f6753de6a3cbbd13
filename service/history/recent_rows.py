"""Recent history: a row of running totals for each entity and moment, read and updated through the index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import add
from typing import Any

import numpy as np
import orjson
import polars as pl
import sqlalchemy as sa

from features.history.fact_columns import Facts
from features.history.facts import FACTS, Integers
from features.history.packed_amounts import WORD, PackedAmounts
from features.history.queries import HistoryQuery
from features.history.totals import FactTable
from service.store.bulk_rows import upsert_values
from service.store.driver import Row, driver_rows
from service.store.tables import RUNNING

Amounts = tuple[int, ...]
Lookup = tuple[int, int, bool]
"""An entity, a moment before which its last row is wanted, and whether the rows of its first and last lodging are."""

COLUMNS = ("entity", "known_at", *FACTS)
NOTHING: Amounts = (0,) * len(FACTS)
LOOKUPS_MOST = 1_024  # of one statement
NO_ENDS: Integers = np.empty(0, np.int64)  # each row names its entity

_ALL = f"SELECT {', '.join(COLUMNS)} FROM running ORDER BY entity, known_at"
_BETWEEN = f"SELECT {', '.join(COLUMNS)} FROM running WHERE entity BETWEEN ? AND ? ORDER BY entity, known_at"
_OWN = ", ".join(f"r.{column}" for column in COLUMNS)
_BEFORE = "(SELECT max(l.known_at) FROM running l WHERE l.entity = a.entity AND l.known_at < a.moment)"
# The last lodging is searched backwards from the moment: an office or a route has thousands of rows.
_FEWER = """(SELECT max(f.known_at) FROM running f
              WHERE f.entity = n.entity AND f.known_at < n.known_at AND f.lodged < n.lodged)"""
_FIRST_LODGED = "(SELECT min(f.known_at) FROM running f WHERE f.entity = n.entity AND f.lodged > 0)"
_LAST_LODGED = f"""(SELECT min(l.known_at) FROM running l
                     WHERE l.entity = n.entity AND l.known_at > coalesce({_FEWER}, {-(2**63)}))"""
_READ = f"""
WITH a(entity, moment, ages) AS ({{asked}}),
     near(entity, known_at, lodged, ages) AS (
         SELECT r.entity, r.known_at, r.lodged, a.ages
           FROM a JOIN running r ON r.entity = a.entity AND r.known_at = {_BEFORE}),
     wanted(entity, known_at) AS (
         SELECT n.entity, n.known_at FROM near n
         UNION SELECT n.entity, {_FIRST_LODGED} FROM near n WHERE n.ages AND n.lodged > 0
         UNION SELECT n.entity, {_LAST_LODGED} FROM near n WHERE n.ages AND n.lodged > 0)
SELECT {_OWN} FROM running r WHERE (r.entity, r.known_at) IN (SELECT w.entity, w.known_at FROM wanted w)
 ORDER BY r.entity, r.known_at
"""
_SINCE = f"""
WITH a(entity, moment, ages) AS ({{asked}})
SELECT {_OWN} FROM a JOIN running r ON r.entity = a.entity AND r.known_at >= coalesce({_BEFORE}, a.moment)
 ORDER BY r.entity, r.known_at
"""
_HELD = """
WITH a(entity, moment, ages) AS ({asked})
SELECT a.entity FROM a WHERE EXISTS (SELECT 1 FROM running r WHERE r.entity = a.entity)
"""
_LODGED_FIRST = """SELECT a.value, (SELECT r.known_at FROM running r WHERE r.entity = a.value AND r.lodged > 0
                             ORDER BY r.known_at LIMIT 1) FROM {asked}"""
_ONE_LIST = {"sqlite": "json_each(?) a", "postgresql": "unnest(?::bigint[]) a(value)"}
_JSON = "SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(?)"
_ARRAYS = "SELECT * FROM unnest(?::bigint[], ?::bigint[], ?::boolean[])"


def rows_asked_for(connection: sa.Connection, asked: HistoryQuery) -> FactTable:
    """Return the rows that answer a query (entities keyed) as a table; no others."""
    named = [(entity, 0, False) for entity in np.unique(asked.entities).tolist()]
    held = {entity for (entity,) in _looked_up(connection, _HELD, named)}  # of most, nothing came of late
    if not held:
        return NO_ROWS
    asked = asked.where(np.array([entity in held for entity in asked.entities.tolist()], np.bool_))
    place, moment = asked.lookups()
    entities, moments = asked.entities[place], asked.moments[moment, asked.rows[place]]
    ages = asked.plan.ages[asked.keys[place]] & (moment == 0)
    order = np.lexsort((~ages, moments, entities))
    entities, moments = entities[order], moments[order]
    each = np.append(True, (entities[1:] != entities[:-1]) | (moments[1:] != moments[:-1]))[: len(order)]
    lookups = list(zip(entities[each].tolist(), moments[each].tolist(), ages[order][each].tolist(), strict=True))
    rows = _looked_up(connection, _READ, lookups)
    return _table(rows if len(lookups) <= LOOKUPS_MOST else sorted(set(rows)))  # each statement gives them sorted


def first_lodged(connection: sa.Connection, entities: Sequence[int]) -> list[int | None]:
    """Return the moment of the first lodging that named each entity (keyed), None where no row knows one."""
    statement = _LODGED_FIRST.format(asked=_ONE_LIST[connection.dialect.name])
    listed = orjson.dumps(entities).decode() if connection.dialect.name == "sqlite" else list(entities)
    found: dict[int, int | None] = dict(driver_rows(connection, statement, (listed,)))
    return [found[entity] for entity in entities]


def all_rows(connection: sa.Connection) -> FactTable:
    """Return all rows as a table."""
    return _table(driver_rows(connection, _ALL))


def rows_of(connection: sa.Connection) -> pl.DataFrame:
    """Return the whole table, sorted."""
    return _frame(driver_rows(connection, _ALL))


def rows_between(connection: sa.Connection, low: int, high: int) -> pl.DataFrame:
    """Return the rows of the entities from one to another, sorted."""
    return _frame(driver_rows(connection, _BETWEEN, (low, high)))


def _frame(rows: Sequence[Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.Int64), orient="row")


def _table(rows: Sequence[Row]) -> FactTable:
    """Return sorted rows as a table, as they are."""
    numbers: Integers = np.array(rows, np.int64).reshape(-1, len(COLUMNS))
    fields = [((2 + fact) * WORD, len(COLUMNS) * WORD, WORD) for fact in range(len(FACTS))]
    amounts = PackedAmounts(numbers.ravel(), np.array(fields, np.int64), len(numbers))
    return FactTable.of_packed(numbers[:, 0].copy(), NO_ENDS, numbers[:, 1].copy(), amounts)


NO_ROWS = _table(())


def raise_rows(connection: sa.Connection, facts: Facts) -> None:
    """Add facts, their entities keyed, to the running totals.

    A fact known earlier than existing ones raises every later total of its entity, so that the rows do not depend on
    the order of arrival.
    """
    added: dict[int, dict[int, Amounts]] = defaultdict(dict)
    for entity, known_at, *amounts in facts.rows():
        of_entity = added[entity]
        before = of_entity.get(known_at)
        of_entity[known_at] = tuple(amounts) if before is None else tuple(map(add, before, amounts))
    stored: dict[int, dict[int, Amounts]] = defaultdict(dict)
    since = [(entity, min(moments), False) for entity, moments in added.items()]
    former = {row[:2]: row for row in _looked_up(connection, _SINCE, since)}
    for (entity, known_at), row in former.items():
        stored[entity][known_at] = row[2:]
    raised = [
        (entity, known_at, *amounts)
        for entity in sorted(added)
        for known_at, amounts in _raised(stored[entity], added[entity])
    ]
    upsert_values(connection, RUNNING, raised, former)


def _raised(stored: dict[int, Amounts], added: dict[int, Amounts]) -> Iterable[tuple[int, Amounts]]:
    """Yield the totals of an entity from the first added fact on; `stored` begins with the last row before it."""
    total, more = NOTHING, NOTHING
    for moment in sorted({*stored, *added}):
        total = stored.get(moment, total)
        if moment in added:
            more = tuple(map(add, more, added[moment]))
        if more is not NOTHING:
            yield moment, tuple(map(add, total, more))


def _looked_up(connection: sa.Connection, query: str, lookups: Sequence[Lookup]) -> list[Row]:
    """Return the rows that a query finds for look-ups, so many in a statement."""
    rows: list[Row] = []
    for start in range(0, len(lookups), LOOKUPS_MOST):
        statement, values = _statement(connection, query, lookups[start : start + LOOKUPS_MOST])
        rows += driver_rows(connection, statement, values)
    return rows


def _statement(connection: sa.Connection, query: str, lookups: Sequence[Lookup]) -> tuple[str, list[Any]]:
    """Return a statement and its values: look-ups as arrays where the database has them, else as one JSON."""
    if connection.dialect.name == "sqlite":
        return query.format(asked=_JSON), [orjson.dumps(lookups).decode()]
    return query.format(asked=_ARRAYS), [list(column) for column in zip(*lookups, strict=True)]
