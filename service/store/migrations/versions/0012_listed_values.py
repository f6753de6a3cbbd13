"""Keep by value what subjects of active watch lists state, so that addressees are screened by it too.

Lists of before were read without postcodes: a name within a postcode is compared once a list is imported again.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

from service.store.migrations.keyed_tables import table_of

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the table, and fill it from the lists that are active."""
    listed = op.create_table(
        "listed_values",
        *(sa.Column(name, sa.BigInteger(), primary_key=True, autoincrement=False) for name in ("value", "entity")),
        sa.Column("list_id", sa.String(), nullable=False),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    lists = table_of(connection, "lists")
    query = sa.select(lists.c.list_id, lists.c.subjects).where(lists.c.status == "active", lists.c.kind == "list")
    for list_id, subjects in connection.execute(query).all():
        rows = [
            {"value": value, "entity": subject["entity"], "list_id": list_id}
            for subject in _read(subjects).values()
            for value in subject["values"]
        ]
        if rows:
            connection.execute(sa.insert(listed), rows)


def _read(subjects: Any) -> Any:
    return json.loads(subjects) if isinstance(subjects, str) else subjects
