"""Which consignments on record numbers mean that people have typed: in results, look-ups and commands."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from features.item_numbers import item_number, without_groups
from service.store.database import Store
from service.store.queries import in_lists
from service.store.settled_rows import is_settled
from service.store.tables import DECLARATIONS


def numbers_meant(store: Store, written: Sequence[str]) -> dict[str, str]:
    """Return, for each number as written, the one on record that it means; its one form where none is on record.

    One that is on record as it is written means that one. Otherwise spaces, dashes and small letters mean nothing.
    """
    stripped = {number: number.strip() for number in written}
    candidates = {number: [plain, item_number(plain), without_groups(plain)] for number, plain in stripped.items()}
    known = _on_record(store, sorted({one for several in candidates.values() for one in several}))
    return {
        number: next((one for one in several if one in known), several[1]) for number, several in candidates.items()
    }


def number_meant(store: Store, written: str) -> str:
    """Return the number on record that one means; see `numbers_meant`."""
    return numbers_meant(store, [written])[written]


def _on_record(store: Store, numbers: Sequence[str]) -> set[str]:
    found: set[str] = set()
    with store.reading() as connection:
        for batch in in_lists(numbers):
            query = sa.select(DECLARATIONS.c.consignment_id).where(DECLARATIONS.c.consignment_id.in_(batch)).distinct()
            found.update(connection.execute(query).scalars())
        found |= is_settled(connection, [number for number in numbers if number not in found])
    return found
