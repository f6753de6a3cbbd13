"""Whose a consignment is: the office that its decisions named."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from service.posting import in_lists
from service.store import Store
from service.tables import DECISIONS


def offices_of(store: Store, consignments: Sequence[str]) -> dict[str, str]:
    """The office of each consignment that was decided, by the newest decision; the rest are not in it."""
    told: dict[str, str] = {}
    with store.reading() as connection:
        for some in in_lists(list(dict.fromkeys(consignments))):
            query = sa.select(DECISIONS.c.consignment_id, DECISIONS.c.office).where(
                DECISIONS.c.consignment_id.in_(some)
            )
            told |= {
                row.consignment_id: row.office for row in connection.execute(query.order_by(DECISIONS.c.decided_at))
            }
    return told
