"""The history of facts in the store: rows of running totals for recent facts, segments for settled ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import polars as pl
import sqlalchemy as sa

from features.consignment import TIME, Consignments
from features.history.facts import FACT_SCHEMA, Integers
from service.history.posting import EDITION, HISTORY_AS_OF
from service.store.queries import state_of
from tests.oracle.history.former_store import Store, facts_unposted, segments_listed
from tests.oracle.history.recent_rows import LookedUp, rows_of
from tests.oracle.history.segment_files import Columns, Segment, SegmentGone
from tests.oracle.history.totals import (
    FactTable,
    HistoryQuery,
    HistoryUnavailable,
    Totals,
    amounts_of,
    columns_of,
    places_of,
    running_totals,
    runs_of,
    together,
)

T = TypeVar("T")
FEW = 10_000  # look-ups; above this all rows are read together and searched in memory


class StoredHistory:
    """The history of facts in the store, read as running totals before a moment.

    The store knows entities by keyed hashes; whoever asks knows nothing of the key.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._rows: tuple[int, Columns] | None = None

    def totals_before(self, asked: Sequence[HistoryQuery]) -> list[Totals]:
        """Return running totals of each entity strictly before its moments, all of one state of the store.

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

    def readable(self) -> bool:
        """Return true if every file in use can be opened."""
        try:
            self.totals_before([])
        except HistoryUnavailable:
            return False
        return True

    def snapshot(self, connection: sa.Connection) -> Snapshot:
        """Return the history as one transaction sees it."""
        return Snapshot(self, connection)

    def unposted(self, consignments: Consignments) -> pl.DataFrame:
        """Return the facts of these consignments that were never posted."""
        return self._read(lambda connection: facts_unposted(connection, consignments, self.snapshot(connection)))

    def parts(self, entities: Integers) -> list[FactTable]:
        """Return the history of entities (ascending, distinct) as tables whose totals add up, to send elsewhere.

        Raises HistoryUnavailable where a file in use cannot be read.
        """
        return self._read(lambda connection: self.snapshot(connection).parts(entities))

    def as_of(self) -> int | None:
        """Return the latest moment that any fact was known at, in microseconds; none without facts."""
        with self.store.reading() as connection:
            return state_of(connection, HISTORY_AS_OF)

    def all_rows(self, connection: sa.Connection) -> Columns:
        """Return every row as sorted columns, keyed, read again only when rows have changed."""
        edition = state_of(connection, EDITION) or 0
        if self._rows is None or self._rows[0] != edition:
            self._rows = (edition, columns_of(rows_of(connection)))
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
        self._segments: list[Segment] | None = None

    def totals_before(self, asked: Sequence[HistoryQuery]) -> list[Totals]:
        """Return running totals of each entity strictly before its moments."""
        if self._segments is None:
            self._segments = segments_listed(self._connection)
        keyed = self._history.store.pseudonyms.keyed
        asked = [replace(question, entities=keyed(question.entities)) for question in asked]
        settled = [_ReadTotals(self._settled(self._segments, asked))] if self._segments else []
        if sum(question.moments.size for question in asked) > FEW:
            return together([*settled, FactTable.of_running(self._history.all_rows(self._connection))], asked)
        return together([*settled, LookedUp(self._connection)], asked)

    def parts(self, entities: Integers) -> list[FactTable]:
        """Return the history of entities (ascending, distinct) as tables whose totals add up."""
        store = self._history.store
        columns = [*store.segments.columns(segments_listed(self._connection)), self._history.all_rows(self._connection)]
        keyed = store.pseudonyms.keyed(entities)
        return [_of_entities(table, entities, keyed) for table in columns if len(table["entity"])]

    def _settled(self, segments: list[Segment], asked: Sequence[HistoryQuery]) -> list[Totals]:
        """Return the totals in the files; a call waits for them only for a limited time."""
        store = self._history.store

        def read() -> list[Totals]:
            return together(store.segments.tables(segments), asked)

        return read() if store.bounded_reader is None else store.bounded_reader.read(read)


def _of_entities(columns: Columns, entities: Integers, keyed: Integers) -> FactTable:
    """Return what keyed columns hold of entities (ascending, distinct), under the hashes that they are asked by."""
    order = np.argsort(keyed, kind="stable")  # neighbours in the question are neighbours in memory
    start, end = (run[np.argsort(order)] for run in runs_of(columns["entity"], keyed[order]))
    rows = places_of(start, end)
    held = {name: column[rows] for name, column in columns.items() if name != "entity"}
    return FactTable.of_running(columns_of(pl.DataFrame({"entity": np.repeat(entities, end - start), **held})))


class _ReadTotals:
    """Totals that have already been read, in the form of a table."""

    def __init__(self, totals: list[Totals]) -> None:
        self._totals = totals

    def totals_before(self, _: Sequence[HistoryQuery]) -> list[Totals]:
        """Return the same totals."""
        return self._totals
