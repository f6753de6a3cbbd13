"""The history of facts in the store: rows of running totals for what came of late, segments for what is settled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import polars as pl
import sqlalchemy as sa

from features.consignment import TIME, Consignments
from features.facts import FACT_SCHEMA, Integers
from features.history import (
    Asked,
    FactTable,
    HistoryUnavailable,
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

T = TypeVar("T")
FEW = 10_000  # look-ups; for more all rows are read at once and searched in memory


class StoredHistory:
    """The history of facts in the store, read as running totals before a moment."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._rows: tuple[int, FactTable] | None = None

    def before(self, asked: Sequence[Asked]) -> list[Totals]:
        """Running totals of each entity strictly before its moments, all of one state of the store.

        Raises HistoryUnavailable where a file that counts cannot be read.
        """
        return self._read(lambda connection: self.within(connection).before(asked))

    def _read(self, work: Callable[[sa.Connection], T]) -> T:
        """What is read in one state of the store; where a merge came between the list and a file, of a new list."""
        try:
            with self.store.reading() as connection:
                return work(connection)
        except SegmentGone:
            pass
        try:
            with self.store.reading() as connection:
                return work(connection)
        except SegmentGone as gone:
            raise HistoryUnavailable(str(gone)) from gone

    def readable(self) -> bool:
        """Whether every file that counts can be opened."""
        try:
            self.before([])
        except HistoryUnavailable:
            return False
        return True

    def within(self, connection: sa.Connection) -> Snapshot:
        """The history as one transaction sees it."""
        return Snapshot(self, connection)

    def unposted(self, consignments: Consignments) -> pl.DataFrame:
        """The facts that these consignments are and that were never posted."""
        return self._read(lambda connection: facts_unposted(connection, consignments, self.within(connection)))

    def parts(self, entities: Integers) -> list[FactTable]:
        """What is known of some entities (ascending, each once), as tables whose totals add up: to be handed on.

        Raises HistoryUnavailable where a file that counts cannot be read.
        """
        return self._read(lambda connection: self.within(connection).parts(entities))

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
        settled = [_Told(self._settled(self._segments, asked))] if self._segments else []
        if sum(question.moments.size for question in asked) > FEW:
            return together([*settled, self._history.all_rows(self._connection)], asked)
        return together([*settled, LookedUp(self._connection)], asked)

    def parts(self, entities: Integers) -> list[FactTable]:
        """What is known of some entities (ascending, each once), as tables whose totals add up."""
        segments = self._history.store.segments.tables(segments_listed(self._connection))
        settled = [part for segment in segments for part in segment.parts(entities)]
        return [*settled, *self._history.all_rows(self._connection).parts(entities)]

    def _settled(self, segments: list[Segment], asked: Sequence[Asked]) -> list[Totals]:
        """What the files say; a call does not wait for ever for them."""
        store = self._history.store

        def read() -> list[Totals]:
            return together(store.segments.tables(segments), asked)

        return read() if store.patience is None else store.patience.within(read)


class _Told:
    """Totals that have been read already, as a table that is asked once more for the same."""

    def __init__(self, totals: list[Totals]) -> None:
        self._totals = totals

    def before(self, _: Sequence[Asked]) -> list[Totals]:
        """The same totals."""
        return self._totals
