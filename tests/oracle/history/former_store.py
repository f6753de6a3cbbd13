"""A store of today as the former history knew one: the same database, a copy of its files in the former form."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.consignment import Consignments
from service.history import posting
from service.store import database
from tests.oracle.history.segment_files import Part, Segment, SegmentFiles


class Store:
    """What the former history asks of a store."""

    def __init__(self, store: database.Store, folder: Path) -> None:
        """folder: where the copies are to lie, under the same names."""
        self.pseudonyms, self.bounded_reader = store.pseudonyms, store.bounded_reader
        self.segments = SegmentFiles(folder)
        self._store = store
        with store.reading() as connection:
            listed = segments_listed(connection)
        for part in (part for segment in listed for part in segment.parts if not (folder / part.file).exists()):
            (copy,) = self.segments.write([(part.low, store.segments.frame(part.file))], 0).parts
            (folder / copy.file).rename(folder / part.file)

    def reading(self) -> AbstractContextManager[sa.Connection]:
        """Return a connection for looking things up."""
        return self._store.reading()


def segments_listed(connection: sa.Connection) -> list[Segment]:
    """List the segments that count, as the former code knew them."""
    return [
        Segment(segment.segment_id, segment.level, tuple(Part(**asdict(part)) for part in segment.parts))
        for segment in posting.segments_listed(connection)
    ]


def facts_unposted(connection: sa.Connection, consignments: Consignments, history: Any) -> pl.DataFrame:
    """Return what the former history lacked, which no comparison asks for."""
    raise NotImplementedError
