"""The history of facts in the store: rows of running totals for recent facts, segments for settled ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import TypeVar

import numpy as np
import polars as pl
import sqlalchemy as sa

from features.consignment import TIME, Consignments
from features.history.fact_columns import Facts, Versions
from features.history.facts import EVER, FACT_SCHEMA, NEVER, Integers
from features.history.queries import HistoryQuery, Totals, nothing_known
from features.history.running_totals import amounts_of, running_totals
from features.history.totals import FactTable, HistoryUnavailable, first_seen, together
from service.history.posting import EDITION, HISTORY_AS_OF, facts_unposted, segments_listed
from service.history.recent_rows import all_rows, first_lodged, rows_asked_for, rows_of
from service.store.database import Store
from service.store.queries import state_of
from service.store.segment_files import Segment, SegmentGone

T = TypeVar("T")
FEW = 10_000  # look-ups; above this all rows are read together and searched in memory


class StoredHistory:
    """The history of facts in the store, read as running totals before a moment.

    The store knows entities by keyed hashes; whoever asks knows nothing of the key.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._rows: tuple[int, FactTable] | None = None

    def totals_before(self, asked: HistoryQuery) -> Totals:
        """Return the answer to a query, all of it of one state of the store.

        Raises HistoryUnavailable where a file in use cannot be read.
        """
        return self._read(lambda connection: self.snapshot(connection).totals_before(asked))

    def _read(self, work: Callable[[sa.Connection], T]) -> T:
        """Read in one state of the store; again with a new list as often as a merge removed a file meanwhile."""
        missing = ""
        while True:
            try:
                with self.store.reading() as connection:
                    return work(connection)
            except SegmentGone as gone:
                if str(gone) == missing:  # the new list names it too: it was not merged
                    raise HistoryUnavailable(missing) from gone
                missing = str(gone)
                self.store.look_anew()

    def readable(self) -> bool:
        """Return true if every file in use can be opened."""
        try:
            self._read(lambda connection: self.snapshot(connection).open_files())
        except HistoryUnavailable:
            return False
        return True

    def snapshot(self, connection: sa.Connection) -> Snapshot:
        """Return the history as one transaction sees it."""
        return Snapshot(self, connection)

    def unposted(self, consignments: Consignments) -> Facts:
        """Return the facts of these consignments that were never posted."""
        versions = Versions.of(consignments)
        return self._read(lambda connection: facts_unposted(connection, versions, self.snapshot(connection)))

    def parts(self, entities: Integers) -> list[FactTable]:
        """Return the history of entities (ascending, distinct) as tables whose totals add up, to send elsewhere.

        Raises HistoryUnavailable where a file in use cannot be read.
        """
        return self._read(lambda connection: self.snapshot(connection).parts(entities))

    def as_of(self) -> int | None:
        """Return the latest moment that any fact was known at, in microseconds; none without facts."""
        with self.store.reading() as connection:
            return state_of(connection, HISTORY_AS_OF)

    def all_rows(self, connection: sa.Connection) -> FactTable:
        """Return every row, keyed, read again only when rows have changed."""
        edition = state_of(connection, EDITION) or 0
        if self._rows is None or self._rows[0] != edition:
            self._rows = (edition, all_rows(connection))
        return self._rows[1]

    def running(self) -> pl.DataFrame:
        """Return all running totals, from rows and files, as one sorted frame; used to compare stores."""
        parts = self._read(self._amounts)
        facts = pl.concat([part.cast(pl.Int64) for part in parts], how="diagonal").fill_null(0)
        facts = self.store.pseudonyms.plain_columns(facts, "entity")
        return running_totals(facts.with_columns(pl.col("known_at").cast(TIME)).select(FACT_SCHEMA.names()))

    def _amounts(self, connection: sa.Connection) -> list[pl.DataFrame]:
        files = [part.file for segment in segments_listed(connection) for part in segment.parts]
        return [*(amounts_of(self.store.segments.frame(file)) for file in files), amounts_of(rows_of(connection))]


class Snapshot:
    """The history as one transaction sees it."""

    def __init__(self, history: StoredHistory, connection: sa.Connection) -> None:
        self._history, self._connection = history, connection

    @cached_property
    def segments(self) -> list[Segment]:
        """The segments that count."""
        return segments_listed(self._connection)

    def totals_before(self, asked: HistoryQuery) -> Totals:
        """Return the answer to a query."""
        store = self._history.store
        keyed = replace(asked, entities=store.pseudonyms.keyed(asked.entities))
        totals = nothing_known(keyed)
        if self.segments:
            totals = self._waited_for(lambda: together(store.segments.tables(self.segments, keyed.entities), keyed))
        self._recent(keyed).add_to(totals, keyed)
        return totals

    def first_seen(self, entities: Integers) -> Integers:
        """Return the earliest moment that a version named each entity, NEVER where none did."""
        if len(entities) > FEW:
            return first_seen(self, entities)
        keyed = self._history.store.pseudonyms.keyed(entities)
        late = first_lodged(self._connection, keyed.tolist())
        seen: Integers = np.array([NEVER if moment is None else moment for moment in late], np.int64)
        if self.segments and len(entities):
            asked = HistoryQuery.of_each(keyed, np.full((1, len(keyed)), EVER), ())
            tables = self._history.store.segments.tables
            settled = self._waited_for(lambda: together(tables(self.segments, keyed), asked)).first[0]
            seen = np.where((settled != NEVER) & ((seen == NEVER) | (settled < seen)), settled, seen)
        return seen

    def open_files(self) -> None:
        """Open every file in use."""
        self._waited_for(lambda: self._history.store.segments.tables(self.segments))

    def parts(self, entities: Integers) -> list[FactTable]:
        """Return the history of entities (ascending, distinct) as tables whose totals add up."""
        store = self._history.store
        tables = [*store.segments.tables(self.segments), self._history.all_rows(self._connection)]
        keyed = store.pseudonyms.keyed(entities)
        return [table.of_entities(keyed, names=entities) for table in tables if len(table)]

    def _recent(self, keyed: HistoryQuery) -> FactTable:
        """Return the rows that can answer a query: what few look-ups find, or all of them."""
        if keyed.lookup_count() > FEW:
            return self._history.all_rows(self._connection)
        return rows_asked_for(self._connection, keyed)

    def _waited_for(self, read: Callable[[], T]) -> T:
        """Return what is read from files; a call waits for them only for a limited time."""
        reader = self._history.store.bounded_reader
        return read() if reader is None else reader.read(read)
