"""Rows of history are moved a range after another: calls write in between, and no total is ever another."""

from __future__ import annotations

import numpy as np
import pytest

from service.history import compaction
from service.history.compaction import settle
from service.history.posting import segments_listed
from service.history.recent_rows import rows_of
from service.history.stored_history import StoredHistory
from service.store.database import Store
from tests.history_reads import read_totals
from tests.service.history.test_stored_history import HIGH, LOW, WIDE, posted


def test_what_comes_between_two_ranges_is_counted_once(either_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "MOVED_AT_ONCE", 40)
    rng = np.random.default_rng(3)
    entities = [LOW, *sorted(int(entity) for entity in rng.integers(LOW, HIGH, 300)), HIGH]
    posted(either_store, [[(entity, at, (1,) * WIDE) for at, entity in enumerate(entities)]])
    moved = compaction._moved
    between: list[int] = []

    def then_a_call(*given: object) -> object:
        segment = moved(*given)  # type: ignore[arg-type]
        between.append(len(between))
        return segment

    def rests(seconds: float) -> None:
        assert seconds == 0.01
        posted(either_store, [[(entity, 500 + len(between), (1,) * WIDE) for entity in entities]])

    monkeypatch.setattr(compaction, "_moved", then_a_call)
    monkeypatch.setattr("service.history.compaction.time.sleep", rests)
    monkeypatch.setattr(compaction, "ROWS_AT_MOST", 1)
    settle(either_store, rest=0.01)
    with either_store.reading() as connection:
        (segment,) = segments_listed(connection)
        left = rows_of(connection)
    assert len(segment.parts) == len(between) == 8
    assert left.height
    told = read_totals(StoredHistory(either_store), entities, [900] * len(entities))
    assert told.amounts[0, :, 0].tolist() == [1 + len(between)] * len(entities)
