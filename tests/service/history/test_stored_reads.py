"""A store reads as the former code did: looked up in rows, from all rows, from files, and from both."""

from __future__ import annotations

import polars as pl
import pytest

from features.history.windows import read_windows
from service.history import compaction, posting, stored_history
from service.history.compaction import settle
from service.history.posting import post
from service.history.stored_history import StoredHistory
from service.store.database import Store
from tests.history_world import READINGS, World, former_reads, history_world, same


@pytest.fixture(scope="module")
def world() -> World:
    return history_world()


def posted(store: Store, facts: pl.DataFrame, how: str) -> StoredHistory:
    """A history of facts: as rows, in files, or in rows and files, of which some were merged."""
    parts = 1 if how == "rows" else 6
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(posting, "MANY", 10**9 if how == "rows" else 1)
        patch.setattr(compaction, "FANOUT", 2)
        for number in range(parts):
            if how == "both" and number == 3:
                settle(store)
                patch.setattr(posting, "MANY", 10**9)
            with store.writing() as connection:
                post(store, connection, facts.gather_every(parts, number))
    return StoredHistory(store)


@pytest.mark.parametrize("how", ["rows", "files", "both"])
@pytest.mark.slow
def test_a_store_reads_as_before(either_store: Store, world: World, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = world.facts.gather_every(4)
    history = posted(either_store, facts, how)
    for asked in (world.asked, world.asked[:20], world.asked[77]):
        expected = former_reads(asked, facts)
        for few in (0, stored_history.FEW, 10**9):  # all rows in memory, as a call or a batch asks, all looked up
            monkeypatch.setattr(stored_history, "FEW", few)
            assert same(read_windows(READINGS, asked, history), expected)
