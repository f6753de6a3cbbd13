"""The history of facts in the store: rows of running totals for what came of late, segments for what is settled."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import sqlalchemy as sa

from features.consignment import TIME, Consignments
from features.facts import FACT_SCHEMA
from features.history import (
    Asked,
    FactTable,
    Totals,
    amounts_of,
    columns_of,
    running_totals,
    together,
)
from service.posting import EDITION, HISTORY_AS_OF, facts_unposted, segments_listed, state_of
from service.rows import LookedUp, rows_of
from service.segments import Segment, SegmentGone
from service.store import Store

FEW = 2_000  # look-ups; for more all rows are read at once and searched in memory


class StoredHistory:
    """The history of facts in the store, read as running totals before a moment."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._rows: tuple[int, FactTable] | None = None

    def before(self, asked: Sequence[Asked]) -> list[Totals]:
        """Running totals of each entity strictly before its moments, all of one state of the store."""
        try:
            with self.store.reading() as connection:
                return self.within(connection).before(asked)
        except SegmentGone:  # a merge came between the list and the file: a new list names the new file
            with self.store.reading() as connection:
                return self.within(connection).before(asked)

    def within(self, connection: sa.Connection) -> Snapshot:
        """The history as one transaction sees it."""
        return Snapshot(self, connection)

    def unposted(self, consignments: Consignments) -> pl.DataFrame:
        """The facts that these consignments are and that were never posted."""
        with self.store.reading() as connection:
            return facts_unposted(connection, consignments, self.within(connection))

    def as_of(self) -> int | None:
        """The latest moment that any fact was known at, in microseconds; none where there is no fact."""
        with self.store.reading() as connection:
            return state_of(connection, HISTORY_AS_OF)

    def all_rows(self, connection: sa.Connection) -> FactTable:
        """Every row as a table, read again only when rows have changed."""
        edition = state_of(connection, EDITION) or 0
        if self._rows is None or self._rows[0] != edition:
            self._rows = (edition, FactTable.of_running(columns_of(rows_of(connection))))
        return self._rows[1]

    def running(self) -> pl.DataFrame:
        """All running totals, wherever they lie, as one sorted frame: by it two stores are compared."""
        with self.store.reading() as connection:
            files = [part.file for segment in segments_listed(connection) for part in segment.parts]
            parts = [amounts_of(self.store.segments.frame(file)) for file in files]
            parts.append(amounts_of(rows_of(connection)))
        facts = pl.concat([part.cast(pl.Int64) for part in parts], how="diagonal").fill_null(0)
        return running_totals(facts.with_columns(pl.col("known_at").cast(TIME)).select(FACT_SCHEMA.names()))


class Snapshot:
    """The history as one transaction sees it."""

    def __init__(self, history: StoredHistory, connection: sa.Connection) -> None:
        self._history, self._connection = history, connection
        self._segments: list[Segment] | None = None

    def before(self, asked: Sequence[Asked]) -> list[Totals]:
        """Running totals of each entity strictly before its moments."""
        if self._segments is None:
            self._segments = segments_listed(self._connection)
        settled = self._history.store.segments.tables(self._segments)
        if sum(question.moments.size for question in asked) > FEW:
            return together([*settled, self._history.all_rows(self._connection)], asked)
        return together([*settled, LookedUp(self._connection)], asked)
