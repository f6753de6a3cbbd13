"""How each person has arranged a list, kept from one day to the next."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from service.store.access_tables import LIST_VIEWS
from service.store.bulk_rows import upsert_many
from service.store.database import Store


def view_of(store: Store, name: str, of: str) -> dict[str, Any]:
    """Look up how a person has arranged a list; empty where he never did."""
    wanted = sa.select(LIST_VIEWS.c.view).where(LIST_VIEWS.c.name == name, LIST_VIEWS.c.list == of)
    with store.reading() as connection:
        return dict(connection.execute(wanted).scalar() or {})


def keep_view(store: Store, name: str, of: str, view: dict[str, Any]) -> None:
    """Keep how a person has arranged a list, in place of what was kept before."""
    row = {"name": name, "list": of, "view": view}
    store.write(lambda connection: upsert_many(connection, LIST_VIEWS, [row]))
