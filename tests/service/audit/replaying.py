"""Every decision on record given again."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from service.audit.replay import Bundles, replay_call
from service.store.database import Store
from service.store.tables import DECISIONS


def decisions(store: Store) -> list[dict[str, Any]]:
    with store.reading() as connection:
        return [dict(row) for row in connection.execute(sa.select(DECISIONS)).mappings()]


def all_replayed(store: Store, bundles: Bundles) -> int:
    """Replays every decision on record; how many, none of them otherwise than on record."""
    calls = sorted({row["call_id"] for row in decisions(store)})
    told = [one for call in calls for one in replay_call(store, bundles, call)]
    assert [one for one in told if not one.identical] == []
    return len(told)
