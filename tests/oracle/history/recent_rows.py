"""Recent history: a row of running totals for each entity and moment, read and updated through the index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import add

import polars as pl
import sqlalchemy as sa

from features.history.facts import FACTS
from service.store.bulk_rows import upsert_many
from service.store.database import SQL_IN_LIST_MAX
from service.store.tables import RUNNING
from tests.oracle.history.totals import HistoryQuery, Totals, nothing_known

Row = tuple[int, ...]  # entity, known_at and FACTS
Amounts = tuple[int, ...]
COLUMNS = ("entity", "known_at", *FACTS)
NOTHING: Amounts = (0,) * len(FACTS)
_ASKED = """
WITH given(number, entity, moment, ages) AS (VALUES {values}),
     asked AS (SELECT number, CAST(entity AS BIGINT) AS entity, CAST(moment AS BIGINT) AS moment, ages FROM given)
"""
_OWN = ", ".join(f"r.{column}" for column in COLUMNS)
_BEFORE = "(SELECT max(l.known_at) FROM running l WHERE l.entity = asked.entity AND l.known_at < asked.moment)"
# The last lodging is searched backwards from the moment: an office or a route has thousands of rows.
_FEWER = """(SELECT max(f.known_at) FROM running f
              WHERE f.entity = r.entity AND f.known_at < r.known_at AND f.lodged < r.lodged)"""
_FIRST_LODGED = "(SELECT min(f.known_at) FROM running f WHERE f.entity = r.entity AND f.lodged > 0)"
_LAST_LODGED = f"""(SELECT min(l.known_at) FROM running l
                     WHERE l.entity = r.entity AND l.known_at > coalesce({_FEWER}, {-(2**63)}))"""
_LAST_BEFORE = f"""{_ASKED}
SELECT asked.number,
       CASE WHEN asked.ages = 1 AND r.lodged > 0 THEN {_FIRST_LODGED} END,
       CASE WHEN asked.ages = 1 AND r.lodged > 0 THEN {_LAST_LODGED} END,
       {_OWN}
  FROM asked JOIN running r ON r.entity = asked.entity AND r.known_at = {_BEFORE}
"""
_LAST_BEFORE_AND_SINCE = f"""{_ASKED}
SELECT {_OWN} FROM asked JOIN running r
    ON r.entity = asked.entity AND r.known_at >= coalesce({_BEFORE}, asked.moment)
 ORDER BY r.entity, r.known_at
"""


class LookedUp:
    """Totals from the rows: a few entities at a few moments in one query."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def totals_before(self, asked: Sequence[HistoryQuery]) -> list[Totals]:
        """Return running totals of each entity strictly before its moments."""
        totals = [nothing_known(question) for question in asked]
        wanted = [[2 + FACTS.index(fact) for fact in question.facts] for question in asked]
        places = [
            (q, m, i, entity, moment)
            for q, question in enumerate(asked)
            for m, moments in enumerate(question.moments.tolist())
            for i, (entity, moment) in enumerate(zip(question.entities.tolist(), moments, strict=True))
        ]
        given = [(entity, moment, m == 0) for _, m, _, entity, moment in places]
        for number, first, last, *row in _rows(self._connection, _LAST_BEFORE, given):
            q, m, i, _, _ = places[number]
            totals[q].amounts[m, i] = [row[column] for column in wanted[q]]
            if first is not None:
                totals[q].first[i], totals[q].last[i] = first, last
        return totals


def rows_of(connection: sa.Connection) -> pl.DataFrame:
    """Return the whole table, sorted."""
    query = sa.select(RUNNING).order_by(RUNNING.c.entity, RUNNING.c.known_at)
    rows = [tuple(row) for row in connection.execute(query)]
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.Int64), orient="row")


def raise_rows(connection: sa.Connection, facts: pl.DataFrame) -> None:
    """Add facts (FACT_SCHEMA) to the running totals.

    A fact known earlier than existing ones raises every later total of its entity, so that the rows do not depend on
    the order of arrival.
    """
    added: dict[int, dict[int, Amounts]] = defaultdict(dict)
    for entity, known_at, *amounts in facts.select(COLUMNS).cast({"known_at": pl.Int64}).iter_rows():
        of_entity = added[entity]
        of_entity[known_at] = tuple(map(add, of_entity.get(known_at, NOTHING), amounts))
    stored: dict[int, dict[int, Amounts]] = defaultdict(dict)
    since = [(entity, min(moments), False) for entity, moments in added.items()]
    for entity, known_at, *amounts in _rows(connection, _LAST_BEFORE_AND_SINCE, since):
        stored[entity][known_at] = tuple(amounts)
    raised = [
        dict(zip(COLUMNS, (entity, known_at, *amounts), strict=True))
        for entity in sorted(added)
        for known_at, amounts in _raised(stored[entity], added[entity])
    ]
    former = {(e, known_at): (e, known_at, *amounts) for e, of in stored.items() for known_at, amounts in of.items()}
    upsert_many(connection, RUNNING, raised, former)


def _raised(stored: dict[int, Amounts], added: dict[int, Amounts]) -> Iterable[tuple[int, Amounts]]:
    """Yield the totals of an entity from the first added fact on; `stored` begins with the last row before it."""
    total, more = NOTHING, NOTHING
    for moment in sorted({*stored, *added}):
        total = stored.get(moment, total)
        if moment in added:
            more = tuple(map(add, more, added[moment]))
        if more is not NOTHING:
            yield moment, tuple(map(add, total, more))


def _rows(connection: sa.Connection, query: str, asked: Sequence[tuple[int, int, bool]]) -> list[Row]:
    """Return rows for entities and moments, with ages or without; numbers are sent as text, as integer types differ."""
    rows: list[Row] = []
    for start in range(0, len(asked), SQL_IN_LIST_MAX):
        batch = asked[start : start + SQL_IN_LIST_MAX]
        values = ", ".join(
            f"({start + i}, '{entity}', '{moment}', {ages:d})" for i, (entity, moment, ages) in enumerate(batch)
        )
        rows += [tuple(row) for row in connection.exec_driver_sql(query.format(values=values))]
    return rows
